"""``coldstart train --requests``: teach an artifact what people ask for in their own words."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from coldstart.cli import output
from coldstart.cli.train_progress import TrainingProgress
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.data.dataset import Dataset
    from coldstart.splitting.user_splits import Split

PANEL = "Requests in people's own words"
_START = "adapters/ml-100k"


def _option(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class RequestsTaught:
    """Options of training from recorded requests."""

    requests: Annotated[
        Path | None,
        _option(
            "Recorded requests (text, chosen, …): requests.jsonl, or a folder such as ReDial's. "
            "The language model, prompt and encoder are those of --start.",
            metavar="PATH",
        ),
    ] = None
    encoder_epochs: Annotated[
        int, _option("Of the request encoder's adapter; 0: leave the encoder as it is.", min=0)
    ] = 3
    head_epochs: Annotated[int, _option("Of the rest of the request encoder.", min=1)] = 3
    reading_epochs: Annotated[
        int,
        _option("Teach the language model to read requests for films; 0: leave it out.", min=0),
    ] = 0
    final: Annotated[
        bool,
        _option(
            "At the end learn from the validation requests as well; --no-final to compare "
            "blends afterwards."
        ),
    ] = True

    def refuse_alone(self) -> None:
        """Raise if an option is given without the requests that it is about."""
        for f in fields(self):
            if getattr(self, f.name) != f.default:
                name = "no-final" if f.name == "final" else f.name.replace("_", "-")
                raise ConfigError(f"--{name} without --requests", hint="give --requests PATH")


def train_on_requests(
    taught: RequestsTaught,
    data: tuple[Dataset, Split] | None,
    start: str | None,
    out: Path,
    progress: TrainingProgress,
    *,
    runs: Path | None,
    seed: int,
    bfloat16: bool,
) -> dict[str, Any]:
    """Train, with progress on stderr, and return the artifact's manifest.

    Args:
        taught: the requests, and how long to learn.
        data: interactions for profiles without a text; ``None``: the dialogues.
        start: artifact whose language model, prompt and encoder are taken over.
        out: the artifact folder.
        progress: shows how far it is.
        runs: of intermediate results.
        seed: of everything drawn.
        bfloat16: compute the encoder's products in bfloat16.
    """
    from coldstart.data.requests.load import load_request_log
    from coldstart.training.requests.artifact import train_requests
    from coldstart.training.requests.run import RequestTraining
    from coldstart.training.requests.tower import TowerConfig

    if start is None:
        raise ConfigError(
            "--requests without --start",
            hint=f"name the artifact whose language model is taken over: --start {_START}",
        )
    assert taught.requests is not None
    with output.status("reading the requests"):
        log = load_request_log(taught.requests)
    counts = ", ".join(f"{len(getattr(log, n))} {n}" for n in ("train", "valid", "test"))
    output.note(f"{log.name}: {len(log.catalog)} items; requests: {counts}")
    tower = TowerConfig(
        epochs=taught.encoder_epochs, head_epochs=taught.head_epochs, bfloat16=bfloat16, seed=seed
    )
    config = RequestTraining(
        tower=tower, reading_epochs=taught.reading_epochs, final=taught.final, seed=seed
    )
    with progress as report:
        return train_requests(log, Path(start), out, config, data=data, runs=runs, report=report)
