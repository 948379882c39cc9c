"""``coldstart train``: fine-tune the language model on user likes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import TaskID, TextColumn

from coldstart.cli import output
from coldstart.cli.distributed import is_other_rank, main_process_output
from coldstart.cli.options import with_groups
from coldstart.cli.source import PANEL, DataSource, data_option
from coldstart.cli.train_little import catalog_alone, too_little, train_little
from coldstart.cli.train_requests import RequestsTaught, train_on_requests
from coldstart.cli.train_store import StoreTaught, show_refreshed, train_on_store
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
    as_json: output.AsJson = False,
) -> None:
    r"""Train on user likes, and save the recommender as an artifact.

    With enough data a language model is fine-tuned; an interrupted run is resumed by the same
    command. With less, or with a catalog alone, only what pays is learned, and it says what is
    missing for the rest.

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
    with main_process_output():
        config = TrainConfig(**asdict(learning))
        if visited.store is not None:
            return _train_store(
                tables, config, visited, out, everything=everything, runs=runs, as_json=as_json
            )
        visited.refuse_alone()
        if taught.requests is not None:
            return _train_requests(tables, config, taught, out, runs=runs, as_json=as_json)
        taught.refuse_alone()
        summary = _train(tables, config, out, everything=everything, resume=resume, runs=runs)
    if not summary:
        return  # not the main process
    if as_json:
        return output.emit(summary)
    if "refreshed" in summary:
        return show_refreshed(summary, out)
    _show(summary, config, out)


def _train(
    tables: Tables,
    config: TrainConfig,
    out: Path,
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
        return train_little(data, split, config, out, runs)
    from coldstart.training.run import train as run

    with TrainingReport(config.epochs) as report:
        return run(data, split, config, out, report=report, resume=resume, runs=runs)


def _train_store(
    tables: Tables,
    config: TrainConfig,
    visited: StoreTaught,
    out: Path,
    *,
    everything: bool,
    runs: Path | None,
    as_json: bool,
) -> None:
    _check_out(out)
    _refuse_changed(config, ("seed",), "--from", "the language model is that of --artifact")
    given = tables.said()
    like_at = given.pop("like_at", None)
    if given:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise ConfigError(f"{names} with --from", hint="leave them out; the store has the data")
    kinds = None if like_at is None else str(like_at)
    summary = train_on_store(
        visited, out, everything=everything, like_at=kinds, runs=runs, seed=config.seed
    )
    if as_json:
        return output.emit(summary)
    show_refreshed(summary, out)


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
    *,
    runs: Path | None,
    as_json: bool,
) -> None:
    _check_out(out)
    used = ("start", "seed", "device", "dtype")
    _refuse_changed(config, used, "--requests", "they are about training from likes")
    data = tables.load(config.seed) if tables.said() else None
    from coldstart.runtime.hardware import pick_device, pick_dtype, use_all_cores

    use_all_cores()
    dtype = str(pick_dtype(pick_device("cpu"), config.dtype))
    summary = train_on_requests(
        taught,
        data,
        config.start,
        out,
        runs=runs,
        seed=config.seed,
        bfloat16=dtype.endswith("bfloat16"),
    )
    if as_json:
        return output.emit(summary)
    output.stdout().print(output.facts(summary["requests"]))
    output.dim(f"saved; try: coldstart recommend --artifact {out} --about 'a gentle comedy'")


def _show(summary: dict[str, Any], config: TrainConfig, out: Path) -> None:
    output.stdout().print(output.facts(summary.get("validation", summary)))
    if config.epochs and summary.get("validation", {}).get("best_epoch") == 0:
        output.note(
            "the adapter is untrained: no epoch ranked better for the validation users than what "
            "training started from; try more --epochs, or more users"
        )
    output.dim(f"saved; try: coldstart recommend --artifact {out} --age 24")


def _check_out(out: Path) -> None:
    """Reject an output folder that exists and is not an artifact, before training starts."""
    if out.is_file() or (
        out.is_dir() and any(out.iterdir()) and not (out / "manifest.json").is_file()
    ):
        raise ConfigError(f"--out {out} exists and is no artifact", hint="name a new folder")


class TrainingReport:
    """Progress of a training run on stderr: bars on a terminal, and the metrics of each epoch."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._bars = output.progress(TextColumn("{task.fields[figures]}", style="dim"))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> TrainingReport:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Handle one progress event."""
        stage = event.get("stage", "train")
        if stage == "epoch":
            self._bars.console.print(_figures(event), soft_wrap=True)
            return
        step, steps = int(event["step"]), int(event["steps"])
        if stage != "train":
            self._move(stage, step, steps)
            return
        epoch = int(event["epoch"])
        figures = "  ".join(f"{n} {event[n]:.3f}" for n in ("loss", "validity") if n in event)
        self._move("all epochs", epoch * steps + step, self._epochs * steps)
        if step == 1 and "epoch" in self._tasks:
            self._bars.reset(self._tasks["epoch"])
        self._move("epoch", step, steps, f"epoch {epoch + 1} of {self._epochs}", figures)

    def _move(self, key: str, done: int, total: int, label: str = "", figures: str = "") -> None:
        label = label or key
        if key not in self._tasks:
            # Starts at ``done``: steps of an interrupted run would distort the speed.
            self._tasks[key] = self._bars.add_task(
                label, total=total, completed=done, figures=figures
            )
        self._bars.update(
            self._tasks[key], completed=done, total=total, description=label, figures=figures
        )


def _figures(event: Mapping[str, Any]) -> str:
    """Format the validation metrics of an epoch in one line."""
    shown = {n: v for n, v in event.items() if n not in ("stage", "epoch")}
    texts = [f"{n} {v:.4g}" if isinstance(v, float) else f"{n} {v}" for n, v in shown.items()]
    return f"epoch {int(event['epoch'])}: " + ", ".join(texts)
