"""Report of a replay from zero as Markdown, as one self-contained HTML page, and as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coldstart.data.dataset import Dataset
from coldstart.evaluation.growing.run import GrowthPlan, GrowthRun
from coldstart.evaluation.growing.summary import CurvePoint, GrowthGain, curves, gains
from coldstart.evaluation.report import Document, Report, Table, made_with

INTRO = (
    "A catalog and no interactions; then likes of the training users come in, one after the other. "
    "After some numbers of them every system is made of what is known by then, and asked by test "
    "users who never come into the stream: the same users with the same picks and targets at every "
    "number. NDCG@10 over the whole catalog, less the likes reserved for picks. Means over users "
    "with 95 % bootstrap intervals."
)
_ORDERS = {
    "time": "by time",
    "mixed": "users interleaved at random, each with their own order",
}


@dataclass(frozen=True)
class GrowthReport(Report):
    """A finished replay from zero.

    Args:
        about: what produced it, name → text; ``data`` heads the page.
        run: all lists.
        curves: means with intervals.
        gains: of our system over the others; empty where it is not measured.
        ours: its name.
    """

    about: Mapping[str, str]
    run: GrowthRun
    curves: Sequence[CurvePoint]
    gains: Sequence[GrowthGain]
    ours: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number, not only the printed ones."""
        return {
            "about": dict(self.about),
            "ours": [self.ours],
            "steps": list(self.run.steps),
            "visitors": list(self.run.visitors),
            "curves": [asdict(point) for point in self.curves],
            "gains": [asdict(gain) for gain in self.gains],
        }

    def tables(self) -> list[Table]:
        """The curve, what our system gains, then the curves by number of picks."""
        numbers = sorted({p.n_picks for p in self.curves if p.n_picks is not None})
        first = [self._curve(None), *self._gain(None)]
        if len(numbers) < 2:
            return first
        return [*first, *(t for n in numbers for t in (self._curve(n), *self._gain(n)))]

    def document(self) -> Document:
        """Title, tables and plain data."""
        title = f"From nothing: {self.about['data']}"
        return Document(title, INTRO, self.tables(), self.about, self.to_dict(), ours=[self.ours])

    def _curve(self, n_picks: int | None) -> Table:
        found = {(p.system, p.events): p for p in self.curves if p.n_picks == n_picks}
        columns = ("system", *(f"{n:,} likes" for n in self.run.steps))
        rows = tuple(
            (name, *(_interval(found[name, n]) for n in self.run.steps))
            for name in self.run.systems
        )
        people = ", ".join(f"{n:,}" for n in self.run.visitors)
        note = f"The likes are of {people} users." if n_picks is None else ""
        return Table(f"NDCG@10{_of_picks(n_picks)} (n={self.run.users})", columns, rows, note)

    def _gain(self, n_picks: int | None) -> list[Table]:
        found = {(g.other, g.events): g for g in self.gains if g.n_picks == n_picks}
        if not found:
            return []
        columns = ("less", *(f"{n:,} likes" for n in self.run.steps))
        rows = tuple(
            (other, *(_gained(found[other, n]) for n in self.run.steps))
            for other in self.run.systems
            if other != self.ours
        )
        note = "Paired by user. * : p < .05 after Holm's correction for all gains of this report."
        return [Table(f"What {self.ours} gains{_of_picks(n_picks)}", columns, rows, note)]


def make_growth_report(
    run: GrowthRun, plan: GrowthPlan, data: Dataset, command: str, ours: str, seed: int = 0
) -> GrowthReport:
    """Make the report of a replay from zero.

    Args:
        run: all lists.
        plan: what was run.
        data: the dataset.
        command: that makes it again.
        ours: the system that is compared with all others, if it was measured.
        seed: of the bootstrap.
    """
    about = {
        "data": f"{data.name}, {len(data.likes):,} users, {len(data.catalog):,} items",
        "command": command,
        "seed": str(plan.seed),
        "stream": f"{run.steps[-1]:,} likes of {run.visitors[-1]:,} users, {_ORDERS[plan.arrival]}",
        "users who ask": f"{run.users:,}; {run.dropped:,} others have under {plan.support} + "
        f"{plan.min_targets} likes"
        + (f"; {plan.most} drawn of those who have" if run.users == plan.most else ""),
        "picks": f"the first {', '.join(map(str, plan.n_picks))} likes",
        "catalog": "in random order" if plan.shuffled else "in its own order",
        "data fingerprint": data.fingerprint_with_dislikes,
        **made_with(),
    }
    gained = gains(run, ours, seed) if ours in run.systems and run.users > 1 else []
    return GrowthReport(about, run, curves(run, seed), gained, ours)


def _of_picks(n: int | None) -> str:
    if n is None:
        return ""
    return f", {n} pick{'' if n == 1 else 's'}"


def _interval(point: CurvePoint) -> str:
    return f"{point.value:.3f} ± {(point.high - point.low) / 2:.3f}"


def _gained(gain: GrowthGain) -> str:
    found, mark = gain.difference, " *" if gain.adjusted < 0.05 else ""
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]{mark}"
