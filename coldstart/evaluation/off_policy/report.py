"""What a log tells, as Markdown, as one HTML page that needs nothing else, and as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError
from coldstart.evaluation.off_policy.business_metrics import (
    BusinessReport,
    Measured,
    business_report,
)
from coldstart.evaluation.off_policy.estimators import Estimate
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog, Reward
from coldstart.evaluation.off_policy.target_policy import Target, estimate_target
from coldstart.evaluation.report import Document, Report, Table, made_with

PACKAGES = ("coldstart-rec", "numpy", "polars")
INTRO = (
    "What was shown, and what came of it. Figures are per recommendation, over the rows with a "
    "rank up to k, with 95 % bootstrap intervals from whole users, since a user's rows depend on "
    "each other."
)
FIGURES: dict[str, Callable[[BusinessReport], Measured | None]] = {
    "CTR": lambda b: b.ctr,
    "conversion rate": lambda b: b.conversion,
    "revenue": lambda b: b.revenue,
    "profit": lambda b: b.roi.profit if b.roi else None,
    "ROI": lambda b: b.roi.ratio if b.roi else None,
    "coverage of the catalog": lambda b: b.coverage,
}
_NAMES = {
    "ips": "IPS",
    "clipped_ips": "IPS, clipped",
    "snips": "SNIPS",
    "direct_method": "direct method",
    "doubly_robust": "doubly robust",
}
_COLUMNS = ("estimate", "value", "95 % interval", "effective rows", "largest weight")
_TITLES = {"clicked": "CTR", "converted": "conversion rate", "revenue": "revenue"}
_ABOUT_TARGET = (
    "Per recommendation. Logged rewards are weighted by the target's probability of what was "
    "shown over the logging policy's; rewards are taken not to depend on the rest of the list. "
    "Clipped weights give too low an estimate, but a steady one; the direct method believes a "
    "model of mean rewards by rank and item, fitted to other users, and doubly robust corrects "
    "it. Effective rows: as many of the target's own would tell about as much."
)


@dataclass(frozen=True)
class LogReport(Report):
    """A finished account of a log.

    Args:
        business: figures, by rising k.
        estimates: what the target would have earned at the last k, by reward and estimator; empty
            without a target.
        about: what produced them, name → text; ``log`` heads the page.
    """

    business: tuple[BusinessReport, ...]
    estimates: Mapping[Reward, Mapping[str, Estimate]]
    about: Mapping[str, str]

    @property
    def notes(self) -> list[str]:
        """What to know before believing the estimates, one line each."""
        found: dict[str, dict[str, None]] = {}
        for by_name in self.estimates.values():
            for name, estimate in by_name.items():
                for note in estimate.notes:
                    found.setdefault(note, {})[_NAMES[name]] = None
        return [f"{' / '.join(names)}: {note}" for note, names in found.items()]

    def tables(self) -> list[Table]:
        """Business metrics first, then one table for each reward of the target."""
        columns = ("per recommendation", *(f"k={b.k}" for b in self.business))
        rows = [
            (name, *(_interval(figure(b)) for b in self.business))
            for name, figure in FIGURES.items()
            if figure(self.business[0]) is not None
        ]
        rows.append(("recommendations", *(str(b.recommendations) for b in self.business)))
        rows.append(("users", *(str(b.users) for b in self.business)))
        out = [Table("What was earned", columns, tuple(rows))]
        for reward, by_name in self.estimates.items():
            title = f"What the target would have earned: {_TITLES[reward]}, k={self.business[-1].k}"
            note = "" if len(out) > 1 else _ABOUT_TARGET
            out.append(Table(title, _COLUMNS, tuple(self._lines(reward, by_name)), note))
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number."""
        estimates = {
            reward: {name: asdict(e) | {"interval": e.interval} for name, e in by_name.items()}
            for reward, by_name in self.estimates.items()
        }
        return {
            "about": dict(self.about),
            "notes": self.notes,
            "business": [asdict(b) for b in self.business],
            "estimates": estimates,
        }

    def document(self) -> Document:
        """Title, tables and plain data."""
        title = f"Log: {self.about['log']}"
        notes = [f"{note}." for note in self.notes]
        return Document(title, INTRO, self.tables(), self.about, self.to_dict(), notes)

    def _lines(self, reward: Reward, by_name: Mapping[str, Estimate]) -> list[tuple[str, ...]]:
        last = self.business[-1]
        logged = {"clicked": last.ctr, "converted": last.conversion, "revenue": last.revenue}
        size = float(last.recommendations)
        out: list[tuple[str, ...]] = [("as logged", *_split(logged[reward]), f"{size:.1f}", "1.0")]
        for name, e in by_name.items():
            low, high = e.interval or (None, None)
            both = _split(Measured(e.value, low, high, last.users))
            size = e.effective_sample_size
            out.append((_NAMES[name], *both, f"{size:.1f}", f"{e.max_weight:.1f}"))
        return out


def make_log_report(
    log: InteractionLog,
    ks: Sequence[int],
    about: Mapping[str, str],
    *,
    catalog: Catalog | None = None,
    cost: float | None = None,
    target: Target | None = None,
    clip: float | None = None,
    seed: int = 0,
) -> LogReport:
    """Everything that a log, its catalog and a target policy tell.

    Args:
        log: what was shown.
        ks: numbers of ranks to count, rising.
        about: what is known of the files, name → text; ``log`` is its name.
        catalog: for coverage.
        cost: of one recommendation, for profit and ROI.
        target: another policy; the log then needs propensities.
        clip: see ``clipped_ips``.
        seed: of the bootstrap, and of the parts of the reward model.

    Raises:
        ConfigError: a number is out of range, or there is a cost and no revenue.
        DataError: no row has such a rank, or see ``estimate_target``.
    """
    if cost is not None and "revenue" not in log.rewards:
        raise ConfigError(
            f"a cost of {cost:g}, but the log knows no revenue to set against it",
            "revenue takes the column converted, and value or items with values",
        )
    business = [business_report(log, k, catalog=catalog, cost=cost, seed=seed) for k in ks]
    estimates = estimate_target(log, target, ks[-1], clip=clip, seed=seed) if target else {}
    people = log.table["user_id"].n_unique()
    size = f"{len(log)} rows, {len(log.requests)} requests, {people} users"
    facts = {**about, "log": f"{about['log']}, {size}", "seed": str(seed)}
    return LogReport(tuple(business), estimates, facts | made_with(PACKAGES))


def _interval(x: Measured | None) -> str:
    if x is None:
        return "–"
    bounds = "" if x.low is None or x.high is None else f" ({x.low:.3f} to {x.high:.3f})"
    return f"{x.value:.3f}{bounds}"


def _split(x: Measured | None) -> tuple[str, str]:
    """Value and interval in a cell each."""
    value, _, bounds = _interval(x).partition(" ")
    return value, bounds.strip("()") or "–"
