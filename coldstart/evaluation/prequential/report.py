"""Report of a replay as Markdown, as one self-contained HTML page, and as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from coldstart.data.dataset import Dataset
from coldstart.data.ties import about_ties, order_warning
from coldstart.evaluation.prequential.recovery import Recovery
from coldstart.evaluation.prequential.replay import ReplayPlan
from coldstart.evaluation.prequential.run import ReplayOptions, ReplayRun
from coldstart.evaluation.prequential.summary import (
    AfterShift,
    AtPicks,
    Gain,
    Staleness,
    Window,
    after_shift,
    at_picks,
    gains,
    recoveries,
    staleness,
    windows,
)
from coldstart.evaluation.report import Document, Report, Table, made_with

INTRO = (
    "Likes of held-out users are played back in time order. At some numbers of observed likes the "
    "user is shown a list, before the next like is seen; then the recommender is told of it. "
    "“Frozen” knowledge is that of the training users, “live” counts every like played, and keeps "
    "trained weights and trees; “retrained” is trained anew half-way. Means over users with 95 % "
    "bootstrap intervals."
)
METRICS = {
    "ndcg": "NDCG@{k}",
    "ctr": "CTR@{k}, at all later",
    "ctr_soon": "CTR@{k}, among the next {soon} likes",
    "revenue": "Revenue per list",
}
_NOTES = {
    "ndcg": "Targets are the likes after the last step, the same at every step.",
    "ctr": "Share of the items shown that the user likes later; falls as later likes get fewer.",
    "ctr_soon": "Share of the items shown that are among the user's next likes.",
    "revenue": "Sum of the values of the items shown that the user likes later.",
}


@dataclass(frozen=True)
class ReplayReport(Report):
    """A finished replay.

    Args:
        plan: of the replay.
        about: what produced it, name → text; ``data`` heads the page.
        picks: figures by observed picks.
        gains: how fast lists improve.
        windows: figures over time.
        staleness: what newer knowledge is worth.
        shifted: means in each phase of a shift.
        recoveries: by system.
        against: system → the system that provides its control.
    """

    plan: ReplayPlan
    about: Mapping[str, str]
    picks: Sequence[AtPicks]
    gains: Sequence[Gain]
    windows: Sequence[Window]
    staleness: Sequence[Staleness] = ()
    shifted: Sequence[AfterShift] = ()
    recoveries: Mapping[str, Recovery] | None = None
    against: Mapping[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number, not only the printed ones."""
        return {
            "about": dict(self.about),
            "k": self.plan.k,
            "picks": [asdict(x) for x in self.picks],
            "gains": [asdict(x) for x in self.gains],
            "windows": [asdict(x) for x in self.windows],
            "staleness": [asdict(x) | {"pays": x.pays} for x in self.staleness],
            "shifted": [asdict(x) for x in self.shifted],
            "recoveries": [
                {"system": s, "against": (self.against or {}).get(s), **asdict(r)}
                for s, r in (self.recoveries or {}).items()
            ],
        }

    def tables(self) -> list[Table]:
        """What is worth printing, the most telling first."""
        named = {m: t.format(k=self.plan.k, soon=self.plan.soon) for m, t in METRICS.items()}
        first = [self._by_picks("ndcg", named["ndcg"]), *self._stale(), *self._after_shift()]
        rest = [self._by_picks(m, named[m]) for m in METRICS if m != "ndcg"]
        names = named | {"coverage": "Coverage"}
        return [*first, *filter(lambda t: t.rows, [*rest, *self._over_time(names)])]

    def document(self) -> Document:
        """Title, tables and plain data."""
        title = f"Replay: {self.about['data']}"
        return Document(title, INTRO, self.tables(), self.about, self.to_dict())

    def _by_picks(self, metric: str, title: str) -> Table:
        rows = {(x.system, x.picks): x for x in self.picks if x.metric == metric}
        steps = sorted({p for _, p in rows})
        gain = {g.system: g for g in self.gains} if metric == "ndcg" else {}
        cells = [
            (
                name,
                *(_interval(rows.get((name, p))) for p in steps),
                *([f"{gain[name].per_pick:+.4f}"] if name in gain else ["–"] * bool(gain)),
            )
            for name in dict.fromkeys(name for name, _ in rows)
        ]
        users = max((x.users for x in rows.values()), default=0)
        columns = ["system", *(f"k={p}" for p in steps)]
        columns += ["gain per pick"] if gain else []
        title = f"{title}, by observed picks k (n={users})"
        return Table(title, tuple(columns), tuple(cells), _NOTES[metric])

    def _over_time(self, names: Mapping[str, str]) -> list[Table]:
        starts = sorted({w.first for w in self.windows})
        ends = {s: max(w.last for w in self.windows if w.first == s) for s in starts}
        found = {(w.system, w.first): w for w in self.windows}
        out = []
        for name, title in names.items():
            rows = [
                (system, *(_number(found.get((system, s)), name) for s in starts))
                for system in dict.fromkeys(w.system for w in self.windows)
            ]
            columns = ("system", *(f"arrivals {s + 1}–{ends[s] + 1}" for s in starts))
            if name != "revenue" or any(w.revenue is not None for w in self.windows):
                note = "Over the lists of all steps together, in windows of users."
                out.append(Table(f"{title}, over time", columns, tuple(rows), note))
        return out

    def _stale(self) -> list[Table]:
        columns = (
            "system",
            "knowledge",
            "NDCG before",
            "gain",
            "95 % interval",
            "p (Holm)",
            "pays",
        )
        rows = [
            (
                s.system,
                f"{s.newer} less {s.older}",
                f"{s.level:.4f}",
                f"{s.difference.mean:+.4f}",
                f"{s.difference.low:+.4f} to {s.difference.high:+.4f}",
                f"{s.adjusted:.4f}",
                "yes" if s.pays else "no",
            )
            for s in self.staleness
        ]
        note = (
            f"NDCG@{self.plan.k} with newer less older knowledge, same users and lists, paired. "
            "“Live less frozen” is what staleness costs, over the whole replay; “retrained less "
            "live” is what training adds beyond counting, over the second half. It pays where the "
            "gain is above 0 beyond noise."
        )
        return [Table("What old knowledge costs", columns, tuple(rows), note)] if rows else []

    def _after_shift(self) -> list[Table]:
        if not self.shifted:
            return []
        rows = {(a.system, a.phase, a.picks): a for a in self.shifted}
        steps = sorted({a.picks for a in self.shifted if a.phase != "before"})
        phases = {"after": "", "control": ", no shift"}
        cells = [
            (name + phases[phase], *(_interval(rows.get((name, phase, p))) for p in steps))
            for name, phase in dict.fromkeys(
                (a.system, a.phase) for a in self.shifted if a.phase != "before"
            )
        ]
        users = max(a.users for a in self.shifted)
        note = (
            "Users who move from one group of genres to the other: NDCG for likes of the new group "
            "(never said), by the number of new likes observed. “No shift” is told the new likes "
            "only."
        )
        columns = ("system", *(f"{p} new" for p in steps))
        out = [Table(f"After a shift (n={users})", columns, tuple(cells), note)]
        before = {a.system: a.value for a in self.shifted if a.phase == "before"}
        lines = [
            (
                system,
                f"{before[system]:.3f}",
                (self.against or {}).get(system, system),
                f"{r.level:.3f}",
                f"{r.share * r.level:.3f}",
                _picks(r.picks),
                f"{_picks(r.low)} to {_picks(r.high)}",
            )
            for system, r in (self.recoveries or {}).items()
        ]
        columns = ("system", "NDCG before", "control of", "its level", "to reach", "new likes until"
                   " recovered", "95 % interval")  # fmt: skip
        note = (
            "Recovered: NDCG is at the share of the level and stays there. The level is that of "
            "the control with as many likes of the new group as there were old ones. NDCG before "
            "the shift is for the old group: other targets, so no level for the new one. "
            "Popularity does not look at picks: it has nothing to recover from."
        )
        return [*out, Table("Recovery", columns, tuple(lines), note)] if lines else out


def make_replay_report(
    found: ReplayRun,
    options: ReplayOptions,
    data: Dataset,
    command: str,
    *,
    window: int = 40,
    share: float = 0.9,
) -> ReplayReport:
    """Make the report of a replay.

    Args:
        found: all lists.
        options: what was run.
        data: the dataset.
        command: that makes it again.
        window: users in one window of arrivals.
        share: of the level without a shift that counts as recovered.

    Raises:
        ConfigError: ``window`` or ``share`` is out of range.
        DataError: too few users to compare.
    """
    seed, shift = options.seed, options.shift
    both = [replace(s, system=f"{n}, {v}") for (n, v), lists in found.shown.items() for s in lists]
    asked = {s.user for s in both}
    # Retrained systems are asked for half the time only: no mean to set beside the others.
    whole = [s for s in both if not s.system.endswith(", retrained")]
    shifted = list(dict.fromkeys(a.system for a in found.shifted))
    # A decaying system is held against the control of the same system without decay.
    against = {s: s.split(", half-life ")[0] for s in shifted}
    about = {
        "data": f"{data.name}, {len(data.likes)} users, {len(data.catalog)} items",
        "command": command,
        "seed": str(seed),
        "users": f"{found.met} arrived with {found.likes} likes; {len(asked)} of them were asked "
        f"(at least {options.plan.steps[-1]} + {options.plan.min_targets} likes)",
        "live": f"counts are used anew after every {options.refresh} likes",
        "times": order_warning(data.tied_share) or about_ties(data.tied_share),
        "data fingerprint": data.fingerprint_with_dislikes,
        **made_with(),
    }
    if shift:
        names = [" / ".join(", ".join(sorted(g)) for g in pair) for pair in found.groups]
        about |= {
            "shift": f"{found.cases} histories, both directions of a user counted; {shift.before} "
            f"likes before, {shift.after} after",
            "groups": "; ".join(dict.fromkeys(names)),
        }
    return ReplayReport(
        options.plan,
        about,
        at_picks(whole, seed),
        gains(whole, seed),
        windows(whole, window, len(data.catalog)),
        staleness(found.shown, seed),
        after_shift(found.shifted, seed),
        recoveries(found.shifted, shift, against, share, seed) if shift else None,
        against,
    )


def _interval(x: AtPicks | AfterShift | None) -> str:
    return f"{x.value:.3f} ± {(x.high - x.low) / 2:.3f}" if x else "–"


def _number(window: Window | None, name: str) -> str:
    value = getattr(window, name) if window else None
    return "–" if value is None else f"{value:.3f}"


def _picks(n: int | None) -> str:
    return "never" if n is None else str(n)
