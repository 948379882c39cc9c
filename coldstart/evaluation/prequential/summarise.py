"""Report of a replay from its lists."""

from __future__ import annotations

from dataclasses import replace

from coldstart.data.dataset import Dataset
from coldstart.evaluation.prequential.report import ReplayReport
from coldstart.evaluation.prequential.run import ReplayOptions, ReplayRun
from coldstart.evaluation.prequential.summary import (
    after_shift,
    at_picks,
    gains,
    recoveries,
    staleness,
    windows,
)
from coldstart.evaluation.report import made_with


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
