"""Report of a benchmark on requests: tables, plots, and what produced them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.data.requests.recorded import RequestLog
from coldstart.evaluation.report import Table, cell, made_with, page, plain, save
from coldstart.evaluation.requests.published import PublishedComparison
from coldstart.evaluation.requests.ranks import Entrant
from coldstart.evaluation.requests.summary import ALL, FIRST, METRICS, RequestSummary
from coldstart.evaluation.svg import as_svg, label_of
from coldstart.metrics.significance import Difference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PACKAGES = ("coldstart-rec", "numpy", "scipy", "bm25s", "torch")
INTRO = (
    "Every new item that was chosen for a request is a case: how far up is it in the whole "
    "catalog, less what the request mentions? Systems learn from training requests, blends are "
    "tuned on validation requests, and neither sees what the person thought of the mentioned "
    "items, which was asked after the dialogue. Equal scores are ordered at random, alike for all "
    "systems. Intervals and tests resample dialogues."
)

_TITLES = {ALL: "All requests", FIRST: "First requests: nothing had been recommended before"}

Bars = Mapping[str, tuple[float, float, float, bool]]
"""Value, ends of its interval, and whether it stands out, by name."""


@dataclass(frozen=True)
class RequestReport:
    """A finished benchmark on requests.

    Args:
        tables: the most important first.
        about: what produced them, name → text.
        systems: name → description.
        data: all numbers, as plain data.
        plots: title → bars of recall at 10.
        ours: systems that the benchmark is about.
    """

    tables: tuple[Table, ...]
    about: Mapping[str, str]
    systems: Mapping[str, str]
    data: Mapping[str, Any]
    plots: Mapping[str, Bars]
    ours: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number, not only the printed ones."""
        about = {"about": dict(self.about), "systems": dict(self.systems)}
        return about | {"ours": list(self.ours)} | dict(self.data)

    def markdown(self) -> str:
        """Tables and what produced them, as Markdown."""
        parts = [f"# Requests: {cell(self.about['data'])}\n", f"{INTRO}\n"]
        parts += [table.markdown() for table in self.tables]
        parts.append("## How it was made\n")
        parts.append("\n".join(f"- {n}: {cell(value)}" for n, value in self.about.items()) + "\n")
        return "\n".join(parts)

    def page(self) -> str:
        """One HTML page with plots; without matplotlib a note replaces them."""
        title = f"Requests: {self.about['data']}"
        return page(title, INTRO, self.tables, self.about, self.draw, (), self.ours)

    def draw(self) -> dict[str, str]:
        """Plots as addresses of images.

        Raises:
            MissingExtraError: matplotlib is not installed.
        """
        return as_svg({title: partial(_bars, bars=bars) for title, bars in self.plots.items()})

    def save(self, out: Path) -> list[Path]:
        """Write ``OUT.md``, ``OUT.html`` and ``OUT.json``, each at once or not at all."""
        return save(out, self.to_dict(), md=self.markdown(), html=self.page())


def make_request_report(
    log: RequestLog,
    entrants: Sequence[Entrant],
    *,
    summary: RequestSummary | None = None,
    published: PublishedComparison | None = None,
    about: Mapping[str, str] | None = None,
) -> RequestReport:
    """Lay out tables and plots.

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
    plots: dict[str, Bars] = {}
    data: dict[str, Any] = {}
    if published:
        tables += [_turns(published), *_against(published)]
        plots[f"Recall@10 on {published.turns} published turns; 95 % intervals"] = {
            m.system: (m.value, m.low, m.high, m.system in ours)
            for m in published.means
            if m.metric == "recall@10"
        }
        data["published"] = plain(published)
    if summary:
        groups = dict.fromkeys(m.group for m in summary.means)
        tables += [_means(summary, group) for group in groups]
        tables += [table for group in groups for table in _paired(summary, group)]
        plots["Recall@10 on all test requests; 95 % intervals"] = {
            m.system: (m.value, m.low, m.high, m.system in ours)
            for m in summary.means
            if (m.metric, m.group) == ("recall@10", ALL)
        }
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
    return RequestReport(tuple(tables), facts, legend, data, plots, ours)


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


def _bars(axes: Axes, bars: Bars) -> None:
    names = [label_of(name) for name in reversed(list(bars))]
    for n, (value, low, high, ours) in enumerate(reversed(list(bars.values()))):
        axes.barh([n], [value], color="tab:orange" if ours else "tab:blue", alpha=0.6)
        reach = [[max(0.0, value - low)], [max(0.0, high - value)]]
        label = None if n else "95 % interval"
        axes.errorbar([value], [n], xerr=reach, color="black", capsize=2, linewidth=1, label=label)
        axes.text(high, n, f"  {value:.3f}", va="center", fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_xlim(0, 1.12 * max((high for _, _, high, _ in bars.values()), default=1.0) or 1.0)
    axes.set_xlabel("recall at 10")
