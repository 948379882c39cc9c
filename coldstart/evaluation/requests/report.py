"""Report of a benchmark on requests: tables, plots, and what produced them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coldstart.data.requests.recorded import RequestLog
from coldstart.evaluation.report import Document, Report, Table, made_with, plain
from coldstart.evaluation.requests.published import PublishedComparison
from coldstart.evaluation.requests.ranks import Entrant
from coldstart.evaluation.requests.summary import ALL, FIRST, METRICS, RequestSummary
from coldstart.metrics.significance import Difference

PACKAGES = ("coldstart-rec", "numpy", "scipy", "bm25s", "torch")
INTRO = (
    "Every new item that was chosen for a request is a case: how far up is it in the whole "
    "catalog, less what the request mentions? Systems learn from training requests, blends are "
    "tuned on validation requests, and neither sees what the person thought of the mentioned "
    "items, which was asked after the dialogue. Equal scores are ordered at random, alike for all "
    "systems. Intervals and tests resample dialogues."
)

FROM_NOTHING = (
    "Every new item that was chosen for a request is a case: how far up is it in the whole "
    "catalog, less what the request mentions? No system has seen a request or a like of anybody. "
    "Equal scores are ordered at random, alike for all systems. Intervals and tests resample "
    "dialogues."
)

_TITLES = {ALL: "All requests", FIRST: "First requests: nothing had been recommended before"}


@dataclass(frozen=True)
class RequestReport(Report):
    """A finished benchmark on requests.

    Args:
        tables: the most important first.
        about: what produced them, name → text.
        systems: name → description.
        data: all numbers, as plain data.
        ours: systems that the benchmark is about.
    """

    tables: tuple[Table, ...]
    about: Mapping[str, str]
    systems: Mapping[str, str]
    data: Mapping[str, Any]
    ours: tuple[str, ...] = ()

    @property
    def intro(self) -> str:
        """How to read the tables."""
        return FROM_NOTHING if "regime" in self.about else INTRO

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number, not only the printed ones."""
        about = {"about": dict(self.about), "systems": dict(self.systems)}
        return about | {"ours": list(self.ours)} | dict(self.data)

    def document(self) -> Document:
        """Title, tables and plain data."""
        title = f"Requests: {self.about['data']}"
        return Document(title, self.intro, self.tables, self.about, self.to_dict(), ours=self.ours)


def make_request_report(
    log: RequestLog,
    entrants: Sequence[Entrant],
    *,
    summary: RequestSummary | None = None,
    published: PublishedComparison | None = None,
    about: Mapping[str, str] | None = None,
) -> RequestReport:
    """Lay out the tables.

    Args:
        log: the requests.
        entrants: the systems, in the order of the tables.
        summary: figures on the test requests.
        published: figures on published turns.
        about: more facts on what produced them.
    """
    ours = tuple(entrant.label for entrant in entrants if entrant.ours)
    legend = {entrant.label: entrant.what for entrant in entrants}
    tables: list[Table] = []
    data: dict[str, Any] = {}
    if published:
        tables += [_turns(published), *_against(published)]
        data["published"] = plain(published)
    if summary:
        groups = dict.fromkeys(m.group for m in summary.means)
        tables += [_means(summary, group) for group in groups]
        tables += [table for group in groups for table in _paired(summary, group)]
        data["test"] = plain(summary)
    tables.append(Table("Systems", ("system", "what it is"), tuple(legend.items())))
    exact = sum(request.exact for request in log.train)
    facts = {
        "data": f"{log.name}, {len(log.catalog)} items",
        "training requests": f"{len(log.train)}, {exact} of them in their original wording",
        "validation requests": str(len(log.valid)),
        "test requests": str(len(log.test)),
        **(about or {}),
        **made_with(PACKAGES),
    }
    return RequestReport(tuple(tables), facts, legend, data, ours)


def _means(summary: RequestSummary, group: str) -> Table:
    rows = []
    cases = 0
    for system in dict.fromkeys(m.system for m in summary.means):
        found = [summary.mean(system, metric, group) for metric in METRICS]
        cases = found[0].cases
        cells = [_figure(m.value, m.low, m.high, m.metric == "recall@10") for m in found]
        wide = [f"{summary.coverage[system]:.3f}"] if group == ALL else []
        rows.append((system, *cells, *wide))
    heads = ("system", *map(_metric, METRICS), *(["coverage@10"] if group == ALL else []))
    note = f"{cases} cases. R@10: mean ± half the width of its 95 % interval."
    return Table(_TITLES[group], heads, tuple(rows), note)


def _paired(summary: RequestSummary, group: str) -> list[Table]:
    out = []
    for metric in dict.fromkeys(p.metric for p in summary.paired if p.group == group):
        found = [p for p in summary.paired if (p.group, p.metric) == (group, metric)]
        found.sort(key=lambda p: -p.difference.mean)
        title = f"{_metric(metric)} less that of {found[0].reference}, {group} requests"
        rows = tuple((p.system, *_tested(p.difference, p.adjusted)) for p in found)
        note = f"Same cases, resampled by dialogue; p adjusted (Holm) for {len(rows)} comparisons."
        out.append(Table(title, _TESTED, rows, note))
    return out


def _turns(published: PublishedComparison) -> Table:
    metrics = list(dict.fromkeys(m.metric for m in published.means))
    rows = []
    for system in dict.fromkeys(m.system for m in published.means):
        found = {m.metric: m for m in published.means if m.system == system}
        cells = [
            _figure(m.value, m.low, m.high, True) if (m := found.get(metric)) else "–"
            for metric in metrics
        ]
        theirs = next(iter(found.values())).published
        rows.append((system, "published" if theirs else "measured here", *cells))
    note = (
        f"{published.turns} turns, {published.targets} targets; mean ± half the width of its 95 % "
        "interval. Published: zero-shot language models, the whole dialogue in the prompt; titles "
        "outside the catalog and items of the dialogue removed from their lists."
    )
    heads = ("system", "figures", *map(_metric, metrics))
    return Table("Beside He et al. (CIKM 2023)", heads, tuple(rows), note)


def _against(published: PublishedComparison) -> list[Table]:
    out = []
    for model in dict.fromkeys(p.model for p in published.paired):
        found = [p for p in published.paired if p.model == model]
        rows = tuple(
            (p.system, _metric(p.metric), *_tested(p.difference, p.adjusted)) for p in found
        )
        heads = ("system", "metric", *_TESTED[1:])
        note = "Same turns, resampled by dialogue; p adjusted (Holm) within a metric."
        out.append(Table(f"Less {model}", heads, rows, note))
    return out


_TESTED = ("system", "difference", "95 % interval", "p", "p (Holm)")


def _tested(difference: Difference, adjusted: float) -> tuple[str, ...]:
    ends = f"{difference.low:+.4f} to {difference.high:+.4f}"
    return f"{difference.mean:+.4f}", ends, f"{difference.p_value:.4f}", f"{adjusted:.4f}"


def _figure(value: float, low: float, high: float, wide: bool) -> str:
    return f"{value:.3f} ± {(high - low) / 2:.3f}" if wide else f"{value:.3f}"


def _metric(name: str) -> str:
    return {"mrr": "MRR"}.get(name, name.replace("recall", "R").replace("ndcg", "NDCG"))
