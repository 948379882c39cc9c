"""``coldstart train`` with little data, or none: only what pays, on top of the catalog alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.cli import output
from coldstart.cli.source import DataSource, catalog_option
from coldstart.cli.train_progress import TrainingProgress
from coldstart.errors import ConfigError
from coldstart.settings import TrainConfig

if TYPE_CHECKING:
    from coldstart.data.dataset import Dataset
    from coldstart.splitting.user_splits import Split

_SMALL = 1 << 16  # bytes of a file that may hold nothing but a header
_OF_THE_START = ("base", "encoder", "prompt", "device", "dtype", "seed")


def catalog_alone(source: DataSource) -> Dataset | None:
    """A dataset without users where there is a table of items and no interactions.

    Returns:
        ``None`` if there are interactions, or no table of items.

    Raises:
        ConfigError: a table of users without interactions.
    """
    if source.items is None or source.data or not _no_interactions(source):
        return None
    if source.users is not None:
        raise ConfigError("--users without interactions", hint="leave --users out")
    from coldstart.data.dataset import Dataset

    catalog, read = catalog_option(source.items)
    assert catalog is not None
    output.note(read)
    if source.interactions is not None:
        output.note(f"{source.interactions} has a header and no rows: no interactions yet")
    return Dataset(source.items.stem, catalog, {}, {})


def too_little(data: Dataset, split: Split) -> bool:
    """Whether the language model would learn nothing but noise from this data."""
    from coldstart.training.worth import Amount, verdicts

    likes = sum(map(len, data.likes.values()))
    pays = verdicts(Amount(len(data.likes), likes))["language model"].pays
    return not pays or not (split.train and split.valid)


def train_little(
    data: Dataset,
    split: Split,
    config: TrainConfig,
    out: Path,
    runs: Path | None,
    progress: TrainingProgress,
) -> dict[str, Any]:
    """Start from the catalog, learn what pays from the likes, and write the artifact.

    Returns:
        The manifest.
    """
    from coldstart.starting.build import start_parts, told
    from coldstart.training.refresh import RefreshConfig, refresh

    default = TrainConfig()
    changed = [n for n, v in asdict(config).items() if v != getattr(default, n)]
    if unused := [f"--{n.replace('_', '-')}" for n in changed if n not in _OF_THE_START]:
        output.note(
            f"{', '.join(unused)}: of no effect, since the language model is not trained with this "
            "little data; --everything trains it all the same"
        )
    made = "`coldstart train --items … --interactions …`, with little data"
    with progress as report:
        parts = start_parts(
            data.catalog,
            name=out.name,
            encoder=config.encoder if "encoder" in changed else None,
            base=config.base,
            prompt=config.prompt,
            device=config.device,
            dtype=config.dtype,
            report=lambda what, done, of: report({"stage": what, "step": done, "steps": of}),
        )
        for sentence in told(parts.manifest, data.catalog, "ITEMS", str(out)):
            output.note(f"- {sentence}")
        return refresh(
            parts,
            data,
            split,
            out,
            config=RefreshConfig(seed=config.seed),
            made=made,
            runs=runs,
            report=report,
        )


def _no_interactions(source: DataSource) -> bool:
    """Whether a table of interactions is missing, or is a header without rows."""
    if source.interactions is None:
        return True
    path = source.interactions
    if not path.is_file() or path.stat().st_size > _SMALL:
        return False
    from coldstart.tabular.reading import TextOptions, read_file

    options = TextOptions(source.encoding, source.separator, source.quotes)
    return not len(read_file(path, options).frame)
