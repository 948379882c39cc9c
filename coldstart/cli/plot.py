"""``coldstart plot``: draw the plots of a finished report again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coldstart.cli import output
from coldstart.errors import ConfigError


def plot(
    reports: Annotated[
        list[Path],
        typer.Argument(
            help="OUT.json of benchmark, evaluate, replay or log.", metavar="REPORT.json"
        ),
    ],
    systems: Annotated[
        str | None,
        typer.Option(help="Draw these only; all if left out.", metavar="NAME,NAME,…"),
    ] = None,
    formats: Annotated[
        str, typer.Option(help="Of svg, png and pdf.", metavar="NAME,NAME,…")
    ] = "svg,png",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the images; beside each report if left out.", metavar="FOLDER"
        ),
    ] = None,
) -> None:
    """Draw the plots of reports from their figures, without measuring anything again.

    Benchmarks draw them as well, into files beside the report. Which plots there are depends on the
    report: NDCG by number of picks with intervals, accuracy against coverage and latency; recall
    beside published models; obedience by kind of sentence; the learning curve from nothing.

    [bold]Examples[/bold]
      coldstart plot results/ml-100k.json
      coldstart plot results/ml-100k.json --systems popularity,coldstart_prior --formats pdf
      coldstart plot results/growing.json results/redial.json --out figures
    """
    from coldstart.evaluation.plots.draw import FORMATS
    from coldstart.evaluation.plots.of_report import read_charts
    from coldstart.evaluation.report import save_charts

    kinds = [name.strip() for name in formats.split(",") if name.strip()]
    if not kinds or (unknown := [name for name in kinds if name not in FORMATS]):
        came = unknown[0] if kinds else formats
        raise ConfigError(f"--formats {came!r}", hint=f"some of {', '.join(FORMATS)}")
    names = [name.strip() for name in (systems or "").split(",") if name.strip()]
    stems = [path.stem for path in reports]
    if out is not None and len(set(stems)) < len(stems):
        raise ConfigError("two reports of one name with --out", hint="draw one after the other")
    drawn = {path: read_charts(path, names) for path in reports}  # before the first is written
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    for path, charts in drawn.items():
        place = (path.parent if out is None else out) / path.stem
        for _, image in save_charts(charts, place, kinds):
            output.stdout().print(str(image), soft_wrap=True)
