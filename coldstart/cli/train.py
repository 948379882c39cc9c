"""``coldstart train``: fine-tune the language model on user likes."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coldstart.cli import output
from coldstart.cli.distributed import is_other_rank, main_process_output
from coldstart.cli.options import with_groups
from coldstart.cli.source import PANEL, DataSource, data_option
from coldstart.cli.train_little import catalog_alone, too_little, train_little
from coldstart.cli.train_progress import TrainingProgress
from coldstart.cli.train_requests import RequestsTaught, train_on_requests
from coldstart.cli.train_store import StoreTaught, train_on_store
from coldstart.cli.train_summary import evaluated_by, show_summary
from coldstart.errors import ConfigError
from coldstart.prompts import DEFAULT as DEFAULT_PROMPT
from coldstart.settings import Objective, TrainConfig

if TYPE_CHECKING:
    from coldstart.data.dataset import Dataset
    from coldstart.splitting.user_splits import Split

_LEARNING, _MACHINE = "Training", "Hardware"
_DEFAULT = TrainConfig()


def _learn(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_LEARNING, **more)


@dataclass(frozen=True)
class Tables(DataSource):
    """Options of the training data."""

    split: Annotated[
        Path | None,
        data_option(
            "JSON lists train, valid and test of user ids; drawn by --seed if left out.",
            metavar="FILE",
        ),
    ] = None

    def load(self, seed: int) -> tuple[Dataset, Split]:
        """Load the dataset, and load or draw the split."""
        from coldstart.splitting.user_splits import Split, split_users

        if (alone := catalog_alone(self)) is not None:
            return alone, Split((), (), ())
        split = Split.load(self.split) if self.split else None
        data = self.dataset()
        return data, split or split_users(list(data.likes), seed=seed)


@dataclass(frozen=True)
class Learning:
    """Options that become a ``TrainConfig``; the names are its fields."""

    base: Annotated[str, _learn("Language model: packaged default, folder or hub id.")] = (
        _DEFAULT.base
    )
    prompt: Annotated[
        str | None,
        _learn(
            "Prompt template: packaged name or folder "
            f"[default: that of --start, or {DEFAULT_PROMPT}]"
        ),
    ] = _DEFAULT.prompt
    encoder: Annotated[str, _learn("Sentence encoder: packaged default, folder or hub id.")] = (
        _DEFAULT.encoder
    )
    objective: Annotated[
        Objective,
        _learn(
            "completion: next-token loss on titles; branch: loss at the trie's decisions; "
            "distil: the same with soft targets of the classical blend."
        ),
    ] = _DEFAULT.objective
    start: Annotated[
        str | None,
        _learn("Continue from this artifact's adapter instead of a new one.", metavar="FOLDER"),
    ] = _DEFAULT.start
    epochs: Annotated[
        int,
        _learn("Maximum number; 0 with --start: keep the adapter, refit the rest.", min=0),
    ] = _DEFAULT.epochs
    patience: Annotated[int, _learn("Stop after this many epochs without improvement.", min=1)] = (
        _DEFAULT.patience
    )
    batch_users: Annotated[int, _learn("Users per step.", min=1)] = _DEFAULT.batch_users
    titles: Annotated[int, _learn("Liked titles per sequence.", min=1)] = _DEFAULT.titles
    taught: Annotated[int, _learn("With distil: positions of a sequence with a target.", min=1)] = (
        _DEFAULT.taught
    )
    likes_share: Annotated[
        float,
        _learn("With distil: weight of the user's own likes in the target.", min=0, max=1),
    ] = _DEFAULT.likes_share
    learning_rate: Annotated[float, _learn("Peak value.")] = _DEFAULT.learning_rate
    warmup_steps: Annotated[
        int, _learn("Steps of the warm-up, at most a tenth of all steps.", min=1)
    ] = _DEFAULT.warmup_steps
    lora_rank: Annotated[int, _learn("Rank of the adapter.", min=1)] = _DEFAULT.lora_rank
    lora_alpha: Annotated[int, _learn("The adapter is scaled by this over its rank.", min=1)] = (
        _DEFAULT.lora_alpha
    )
    use_prior: Annotated[
        bool, _learn("Learn the residual of log popularity; impairs free generation.")
    ] = _DEFAULT.use_prior
    tau: Annotated[float, _learn("With --use-prior: weight of the language model's logits.")] = (
        _DEFAULT.tau
    )
    valid_users: Annotated[int, _learn("Validation users ranked after each epoch.", min=1)] = (
        _DEFAULT.valid_users
    )
    seed: Annotated[int, _learn("Random seed, also of the split.", min=0)] = _DEFAULT.seed
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.", rich_help_panel=_MACHINE)] = (
        _DEFAULT.device
    )
    dtype: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16.", rich_help_panel=_MACHINE)
    ] = _DEFAULT.dtype


@with_groups
def train(
    tables: Tables,
    learning: Learning,
    taught: RequestsTaught,
    visited: StoreTaught,
    out: Annotated[
        Path, typer.Option(help="Artifact folder.", metavar="FOLDER", rich_help_panel=PANEL)
    ],
    everything: Annotated[
        bool,
        typer.Option(
            "--everything/--what-pays",
            help="Learn every part, or only those for which there is enough data to pay.",
            rich_help_panel=_LEARNING,
        ),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            help="Resume from the last checkpoint in --runs, if any.", rich_help_panel=_MACHINE
        ),
    ] = True,
    runs: Annotated[
        Path | None,
        typer.Option(
            help="Folder of checkpoints and TensorBoard scalars; by default runs/NAME of --out.",
            metavar="FOLDER",
            rich_help_panel=_MACHINE,
        ),
    ] = None,
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Neither notes nor progress: the summary, or errors."),
    ] = False,
    as_json: output.AsJson = False,
) -> None:
    r"""Train on user likes, and save the recommender as an artifact.

    With enough data a language model is fine-tuned; an interrupted run is resumed by the same
    command. With less, or with a catalog alone, only what pays is learned, and it says what is
    missing for the rest.

    Progress is on stderr: bars on a terminal, a line a stage elsewhere. At the end it says what was
    learned, how good it is beside the most popular items, and what to do next.

    [bold]Examples[/bold]
      coldstart train --data ml-100k --out adapters/mine
      coldstart train --data ml-small --out runs/quick --epochs 1 --titles 8
      coldstart train --items films.csv --interactions ratings.csv \
                      --users people.csv --out adapters/films
      coldstart train --requests redial --data movies --start adapters/ml-100k --out adapters/mine
      coldstart train --items films.csv --out adapters/films
      coldstart train --from visits.db --artifact shop --out shop-2
      torchrun --nproc-per-node 4 -m coldstart train --data ml-100k --out adapters/mine
    """
    config = TrainConfig(**asdict(learning))
    place = shlex.quote(str(out))
    following = [f"coldstart recommend --artifact {place} --about '…'"]
    with main_process_output(), output.quiet(quiet):
        progress = TrainingProgress(config.epochs, config.patience)
        if visited.store is not None:
            summary = _train_store(
                tables, config, visited, out, progress, everything=everything, runs=runs
            )
            store = shlex.quote(str(visited.store))
            following.insert(0, f"coldstart serve use {place} --db {store}")
        elif taught.requests is not None:
            visited.refuse_alone()
            summary = _train_requests(tables, config, taught, out, progress, runs=runs)
            asked = shlex.quote(str(taught.requests))
            following.append(f"coldstart benchmark --requests {asked} --artifact {place}")
        else:
            visited.refuse_alone()
            taught.refuse_alone()
            summary = _train(
                tables, config, out, progress, everything=everything, resume=resume, runs=runs
            )
            following.append(
                f"coldstart serve --artifact {place} --open --db visits.db"
                if "refreshed" in summary
                else evaluated_by(out, tables.said())
            )
    if not summary:
        return  # not the main process
    if as_json:
        return output.emit(summary)
    show_summary(summary, out, progress.seconds, following)


def _train(
    tables: Tables,
    config: TrainConfig,
    out: Path,
    progress: TrainingProgress,
    *,
    everything: bool,
    resume: bool,
    runs: Path | None,
) -> dict[str, Any]:
    _check_out(out)
    data, split = tables.load(config.seed)
    parts = {"train": split.train, "valid": split.valid, "test": split.test}
    sizes = ", ".join(f"{len(users)} {name}" for name, users in parts.items())
    output.note(f"{data.name}: {len(data.catalog)} items; users: {sizes}")
    if not everything and not config.start and too_little(data, split):
        if is_other_rank():
            return {}
        return train_little(data, split, config, out, runs, progress)
    from coldstart.training.run import train as run

    with progress as report:
        return run(data, split, config, out, report=report, resume=resume, runs=runs)


def _train_store(
    tables: Tables,
    config: TrainConfig,
    visited: StoreTaught,
    out: Path,
    progress: TrainingProgress,
    *,
    everything: bool,
    runs: Path | None,
) -> dict[str, Any]:
    _check_out(out)
    _refuse_changed(config, ("seed",), "--from", "the language model is that of --artifact")
    given = tables.said()
    like_at = given.pop("like_at", None)
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"{names} with --from", hint="leave them out; the store has the data")
    kinds = None if like_at is None else str(like_at)
    return train_on_store(
        visited, out, progress, everything=everything, like_at=kinds, runs=runs, seed=config.seed
    )


def _refuse_changed(config: TrainConfig, used: tuple[str, ...], option: str, because: str) -> None:
    """Raise if settings are given that do not apply."""
    default = TrainConfig()
    changed = [n for n, v in asdict(config).items() if v != getattr(default, n) and n not in used]
    if changed:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise ConfigError(f"{names} with {option}", hint=f"leave them out: {because}")


def _train_requests(
    tables: Tables,
    config: TrainConfig,
    taught: RequestsTaught,
    out: Path,
    progress: TrainingProgress,
    *,
    runs: Path | None,
) -> dict[str, Any]:
    _check_out(out)
    used = ("start", "seed", "device", "dtype")
    _refuse_changed(config, used, "--requests", "they are about training from likes")
    data = tables.load(config.seed) if tables.said() else None
    from coldstart.runtime.hardware import pick_device, pick_dtype, use_all_cores

    use_all_cores()
    dtype = str(pick_dtype(pick_device("cpu"), config.dtype))
    return train_on_requests(
        taught,
        data,
        config.start,
        out,
        progress,
        runs=runs,
        seed=config.seed,
        bfloat16=dtype.endswith("bfloat16"),
    )


def _check_out(out: Path) -> None:
    """Reject an output folder that exists and is not an artifact, before training starts."""
    if out.is_file() or (
        out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file()
    ):
        raise ConfigError(f"--out {out} exists and is no artifact", hint="name a new folder")
