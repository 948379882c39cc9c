"""``coldstart benchmark --requests``: systems on what people asked for in their own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coldstart.cli import output
from coldstart.cli.options import command_line
from coldstart.cli.source import DataSource, catalog_option
from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.data.requests.recorded import RecordedRequest, RequestLog
    from coldstart.evaluation.requests.ranks import Entrant
    from coldstart.evaluation.requests.report import RequestReport
    from coldstart.evaluation.requests.trained import TrainedRecommender

PANEL = "Requests in people's own words"


def _asked(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=PANEL, **more)


@dataclass(frozen=True)
class RequestsAsked:
    """Options of a benchmark on recorded requests."""

    requests: Annotated[
        Path | None,
        _asked(
            "Recorded requests instead of cold users: requests.jsonl (text, chosen, …) with "
            "--items, or a folder, such as that of ReDial's train_data.jsonl.",
            metavar="PATH",
        ),
    ] = None
    against_published: Annotated[
        Literal["he2023"] | None,
        _asked("Compare, turn by turn, with published results that the folder holds."),
    ] = None
    wording: Annotated[
        Literal["seeker", "dialogue"],
        _asked("Published turns: give systems what the seeker wrote, or what both did."),
    ] = "seeker"
    limit: Annotated[
        int | None,
        _asked(
            "Judge this many test requests or turns only, or users with --regime nothing and "
            "growing, drawn by --seed.",
            min=1,
        ),
    ] = None
    exact_only: Annotated[bool, _asked("Learn from requests in their original wording only.")] = (
        False
    )
    fidelity: Annotated[
        float,
        _asked("Learn from other requests of at least this fidelity.", min=0.0, max=1.0),
    ] = 0.0
    questionnaire: Annotated[
        bool,
        _asked(
            "Let systems see whether mentioned items were liked; in ReDial, a form filled in "
            "after the dialogue."
        ),
    ] = False

    def said(self) -> dict[str, object]:
        """Options that differ from the default, by field."""
        default = {f.name: f.default for f in fields(self)}
        return {n: v for n, v in asdict(self).items() if v != default[n]}

    def refuse_alone(self, *allowed: str) -> None:
        """Raise if an option is given without the requests that it is about.

        Args:
            allowed: options that are about something else as well.
        """
        if given := [n for n in self.said() if n not in allowed]:
            name = next(iter(given)).replace("_", "-")
            raise ConfigError(f"--{name} without --requests", hint="give --requests PATH as well")


def judge(
    asked: RequestsAsked,
    source: DataSource,
    systems: str,
    *,
    artifact: Path | None,
    against: str | None,
    seed: int,
    out: Path | None,
    json: bool,
    nothing: bool = False,
) -> None:
    """Judge systems on recorded requests and print the tables.

    Args:
        asked: the requests, and how they are used.
        source: of which ``items`` is the catalog of one's own requests.
        systems: names separated by commas, ``all`` or ``ablations``.
        artifact: a trained recommender that is measured as well.
        against: system that all others are compared with; ``None``: the best.
        seed: of ties, samples and the bootstrap.
        out: where to write the report.
        json: print it as JSON.
        nothing: measure systems that learn from no request (``--regime nothing``).
    """
    from coldstart.data.requests.load import load_request_log
    from coldstart.evaluation.requests.from_nothing import OURS, RequestSystemsFromNothing
    from coldstart.evaluation.requests.registry import RequestSystems

    if given := sorted(source.said().keys() - {"items"}):
        option = given[0].replace("_", "-")
        raise ConfigError(
            f"--{option} with --requests", hint="leave it out; --items is the catalog of requests"
        )
    assert asked.requests is not None  # or the caller would not be here
    catalog, read = catalog_option(source.items)
    with output.status("reading the requests"):
        log = load_request_log(
            asked.requests, catalog, exact_only=asked.exact_only, fidelity=asked.fidelity
        )
    if read:
        output.note(read)
    said = {
        "systems": systems,
        **source.said(),
        "artifact": artifact,
        "against": against,
        "seed": seed,
        "out": out,
    }
    said |= {"regime": "nothing"} if nothing else {}
    about = {"command": command_line("benchmark", asked.said() | said), "seed": str(seed)}
    names = [name.strip() for name in systems.split(",") if name.strip()]
    if nothing:
        if artifact is not None:
            raise ConfigError("--artifact with --regime nothing", hint="leave one of them out")
        log = replace(log, train=(), valid=())
        entrants = RequestSystemsFromNothing().entrants(names, log)
        about["regime"] = "nothing: no system learns from a request"
        against = against or (OURS if OURS in [e.label for e in entrants] else None)
    else:
        known = RequestSystems(
            seed=seed, questionnaire=asked.questionnaire, trained=_trained(artifact)
        )
        entrants = known.entrants(names)
    made = _report(asked, log, entrants, against, seed, about)
    if out:
        output.note(f"wrote {', '.join(map(str, made.save(out)))}")
    if json:
        return output.emit(made.to_dict())
    for table in made.tables[:-1]:
        shown = output.table(*table.columns, right=table.columns[1:], title=table.title)
        for row in table.rows:
            shown.add_row(*row)
        output.stdout().print(shown)


def _report(
    asked: RequestsAsked,
    log: RequestLog,
    entrants: Sequence[Entrant],
    against: str | None,
    seed: int,
    about: dict[str, str],
) -> RequestReport:
    from coldstart.data.requests.he2023 import load_published_turns
    from coldstart.evaluation.requests.published import compare_published
    from coldstart.evaluation.requests.ranks import judged_requests, rank_targets
    from coldstart.evaluation.requests.report import make_request_report
    from coldstart.evaluation.requests.summary import summarise_requests

    labels = [entrant.label for entrant in entrants]
    if against is not None and against not in labels:
        raise ConfigError(
            f"--against {against!r} is not measured", hint=f"one of {', '.join(labels)}"
        )
    if asked.against_published:
        assert asked.requests is not None
        turns = load_published_turns(asked.requests, log.catalog, wording=asked.wording)
        chosen = [turns[n] for n in _drawn(len(turns), asked.limit, seed)]
        with output.telling() as tell:
            found = compare_published(log, chosen, entrants, seed=seed, report=tell)
        about["given"] = f"what the {asked.wording} wrote"
        return make_request_report(log, entrants, published=found, about=about)
    requests: Sequence[RecordedRequest] = judged_requests(log.test)
    requests = [requests[n] for n in _drawn(len(requests), asked.limit, seed)]
    with output.telling() as tell:
        ranks = rank_targets(
            log, requests, entrants, seed=seed, questionnaire=asked.questionnaire, report=tell
        )
    with output.status("drawing intervals"):
        summary = summarise_requests(
            ranks, requests, len(log.catalog), reference=against, seed=seed
        )
    about["requests judged"] = str(len(requests))
    return make_request_report(log, entrants, summary=summary, about=about)


def _trained(artifact: Path | None) -> TrainedRecommender | None:
    if artifact is None:
        return None
    from coldstart import Recommender
    from coldstart.evaluation.requests.trained import TrainedRecommender

    return TrainedRecommender(lambda: Recommender.from_pretrained(artifact))


def _drawn(count: int, limit: int | None, seed: int) -> list[int]:
    """Positions of the cases that are judged, ascending."""
    if limit is None or limit >= count:
        return list(range(count))
    import numpy as np

    drawn = np.random.default_rng(seed).permutation(count)[:limit]
    return sorted(int(n) for n in drawn)
