"""The benchmark's report: tables, plots and what produced them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coldstart.data.dataset import Dataset
from coldstart.data.ties import about_ties, order_warning, tied_at
from coldstart.evaluation.benchmark import BenchmarkRun
from coldstart.evaluation.benchmark_summary import GroupedMetric, Summary
from coldstart.evaluation.case_metrics import MAIN, UNTESTED
from coldstart.evaluation.report import Document, Report, Table, made_with, plain


@dataclass(frozen=True)
class BenchmarkReport(Report):
    """A finished benchmark.

    Args:
        summary: all numbers.
        tables: those worth printing, NDCG@10 first.
        about: what produced them, name → text.
        systems: name → description.
        ours: systems the benchmark is about.
        warnings: notes printed first.
        intro: how to read the tables.
        metrics: names of all metrics.
        brief: how many of the first tables are enough for a terminal.
    """

    summary: Summary
    tables: tuple[Table, ...]
    about: Mapping[str, str]
    systems: Mapping[str, str]
    ours: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    intro: str = ""
    metrics: tuple[str, ...] = ()
    brief: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number, not only the printed ones."""
        return {
            "about": dict(self.about),
            "warnings": list(self.warnings),
            "systems": dict(self.systems),
            "ours": list(self.ours),
            "metrics": list(self.metrics),
            **plain(self.summary),
        }

    def document(self) -> Document:
        """Title, tables and plain data."""
        return Document(
            f"Benchmark: {self.about['data']}",
            self.intro,
            self.tables,
            self.about,
            self.to_dict(),
            self.warnings,
            self.ours,
        )


def make_report(
    run: BenchmarkRun, summary: Summary, data: Dataset, command: str, seed: int
) -> BenchmarkReport:
    """Lay out the tables of a benchmark, with what produced them.

    Args:
        run: the answers.
        summary: made of them.
        data: the dataset.
        command: that makes it again.
        seed: of folds, systems and bootstrap.
    """
    plan, kind = run.plan, run.kind
    short = kind.short.format(support=plan.support, targets=plan.min_targets)
    dropped = ", ".join(f"{n} of fold {fold}" for fold, n in run.dropped.items())
    about = {
        "data": f"{data.name}, {len(data.likes)} users, {len(data.catalog)} items",
        "command": command,
        "seed": str(seed),
        "question": f"regime {plan.regime}, {plan.support} likes reserved ({plan.order}), "
        f"picks {', '.join(map(str, plan.n_picks))}",
        **run.kind.facts,
        "times": _times(run, data),
        "folds run": ", ".join(map(str, run.folds)),
        "test users": str(len({(r.fold, r.user) for r in run.records})),
        f"users dropped ({short})": dropped,
        "data fingerprint": run.data,
        "folds fingerprint": run.splits,
        **made_with(),
    }
    others = (m for m in kind.metrics if m not in (*kind.compared, *UNTESTED))
    tables = [_means(summary, metric) for metric in (*kind.compared, *others)]
    first, paired = len(kind.compared), _paired(summary)
    tables[first:first] = [*paired, _lists(summary), *_served(summary.served)]
    tables += _comparability(summary, int(about["test users"]))
    legend = [(s.name, s.description) for s in run.systems]
    tables.append(Table("Systems", ("system", "what it is"), tuple(legend)))
    ours = tuple(s.name for s in run.systems if s.ours)
    return BenchmarkReport(
        summary,
        tuple(tables),
        about,
        dict(legend),
        ours,
        (*kind.notes, *filter(None, [order_warning(data.tied_share)])),
        kind.intro,
        kind.metrics,
        first + len(paired),
    )


def _times(run: BenchmarkRun, data: Dataset) -> str:
    """Equal times in the data, and at the border between reserved likes and targets."""
    said = about_ties(data.tied_share)
    if not data.tied_share or run.plan.order != "first" or run.kind.name == "items":
        return said
    users = {(r.fold, r.user) for r in run.records}
    tied = 0
    for fold, user in users:
        pairs = zip(data.likes[user], data.times[user], strict=True)
        times = [time for item, time in pairs if item in run.shares[fold]]
        tied += tied_at(times, run.plan.support)
    return (
        f"{said}; for {tied} of {len(users)} test users the border between the "
        f"{run.plan.support} reserved likes and the others is in such a tie"
    )


def _comparability(summary: Summary, asked: int) -> list[Table]:
    """GAUC table, if any user has one; ``asked`` is the number of users."""
    made = _means(summary, UNTESTED[0])
    users = max((m.users for m in summary.means if m.metric == UNTESTED[0]), default=0)
    note = (
        "Only for comparability with papers on language models as recommenders, and tested nowhere "
        "here: it orders what users chose to rate, not the catalog. The AUC of a user's liked "
        "against low-rated items outside the reserved likes, by their order in a list of nothing "
        "else; its mean weighs users by the number of these items (GAUC: Zhou et al., 2018). "
        "Ratings in between count as neither, while some papers count them as negative. "
        f"{asked - users} of {asked} users lack one of the two kinds and are left out."
    )
    return [replace(made, note=note)] if users else []


def _means(summary: Summary, metric: str) -> Table:
    rows = {(m.system, m.n_picks): m for m in summary.means if m.metric == metric}
    n_picks = sorted({k for _, k in rows})
    users = {k: max(m.users for (_, at), m in rows.items() if at == k) for k in n_picks}
    cells = [
        (
            name,
            *(
                f"{m.value:.3f} ± {(m.high - m.low) / 2:.3f}" if (m := rows.get((name, k))) else "–"
                for k in n_picks
            ),
        )
        for name in dict.fromkeys(name for name, _ in rows)
    ]
    columns = ("system", *(f"k={k} (n={users[k]})" for k in n_picks))
    note = "Mean ± half the width of its 95 % interval." if metric == MAIN else ""
    return Table(_title(metric), columns, tuple(cells), note)


def _paired(summary: Summary) -> list[Table]:
    columns = ("system", "difference", "95 % interval", "p", "p (Holm)")
    out = []
    for metric, k in dict.fromkeys((p.metric, p.n_picks) for p in summary.paired):
        found = [p for p in summary.paired if (p.metric, p.n_picks) == (metric, k)]
        rows = [
            (
                p.system,
                f"{p.difference.mean:+.4f}",
                f"{p.difference.low:+.4f} to {p.difference.high:+.4f}",
                f"{p.difference.p_value:.4f}",
                f"{p.adjusted:.4f}",
            )
            for p in sorted(found, key=lambda p: -p.difference.mean)
        ]
        title = f"{_title(found[0].metric)} less that of {found[0].reference}, k={k}"
        note = f"Same users, paired; p adjusted (Holm) for {len(rows)} comparisons."
        out.append(Table(title, columns, tuple(rows), note))
    return out


def _lists(summary: Summary) -> Table:
    most = max(x.n_picks for x in summary.lists)
    diverse = any(x.diversity is not None for x in summary.lists)
    columns = ["system", "coverage@10", "Gini", "mean popularity", "novelty, bits"]
    columns += ["diversity"] if diverse else []
    columns += ["median ms", "95 % ms", "seconds to make"]
    rows = []
    for x in summary.lists:
        if x.n_picks == most:
            cells = [x.system, f"{x.coverage:.3f}", f"{x.gini:.3f}", f"{x.popularity:.3f}"]
            cells += [f"{x.novelty:.2f}"]
            cells += ["–" if x.diversity is None else f"{x.diversity:.3f}"] if diverse else []
            cells += [f"{x.milliseconds:.2f}", f"{x.milliseconds_95:.2f}", f"{x.fit_seconds:.1f}"]
            rows.append(tuple(cells))
    note = "Lists of ten; per fold, then averaged. Times were taken when the answers were made."
    return Table(f"What the lists are like, k={most}", tuple(columns), tuple(rows), note)


def _served(served: Sequence[GroupedMetric]) -> list[Table]:
    columns = ("system", "k", "groups", "gap", "95 % interval", "p")
    note = "Mean of each group (number of users); gap of the best served to the worst."
    out = []
    for attribute in dict.fromkeys(s.attribute for s in served):
        rows = []
        for s in served:
            if s.attribute == attribute:
                means = [f"{n} {m.mean:.3f} ({m.users})" for n, m in s.groups.means.items()]
                small = [f"{n} too few ({users})" for n, users in s.groups.small.items()]
                gap = ("–", "–", "–")
                if g := s.gap:
                    ends = f"{g.low:.3f} to {g.high:.3f}"
                    gap = (f"{g.difference:.3f}", ends, f"{g.p_value:.4f}")
                rows.append((s.system, str(s.n_picks), ", ".join(means + small), *gap))
        if rows:
            title = f"Whom it serves, by {attribute} ({_title(served[0].metric)})"
            out.append(Table(title, columns, tuple(rows), note))
    return out


def _title(metric: str) -> str:
    if metric == "cold_share@10":
        return "Share of cold items in lists of ten"
    if metric == "gauc":
        return "GAUC on rated items, for comparability only"
    first, _, last = metric.rpartition("_")
    name = re.sub(r"^(ndcg|hr|mrr)", lambda m: m[0].upper(), last).replace("recall", "Recall")
    ends = {"": "", "ips": " (inverse propensity)", "cold": " among cold items only"}
    return name + ends.get(first, f" of the {first} third")
