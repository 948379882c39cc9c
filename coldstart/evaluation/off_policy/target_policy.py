"""Another policy written down as a table, and what it would have earned on a log."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from coldstart.errors import DataError
from coldstart.evaluation.off_policy.business_metrics import codes
from coldstart.evaluation.off_policy.estimators import Estimate, estimate_policy
from coldstart.evaluation.off_policy.log_table import (
    ALIASES,
    Problems,
    account_of,
    converted,
    refuse,
)
from coldstart.evaluation.off_policy.logged_feedback import InteractionLog, Reward
from coldstart.tabular.reading import read_file
from coldstart.tabular.report import ReadReport

PLACE = ("user_id", "request_id", "rank")
_FIELDS = {n: ALIASES[n] for n in ("item_id", *PLACE)} | {"probability": ("probability",)}

FOLDS, SHRINK = 5, 10.0
"""Of the reward model: parts of the users, and showings with no effect that every item starts with.
"""

TOLERANCE = 1e-3
"""How far from 1 the probabilities of one place may sum: files hold few decimals."""


@dataclass(frozen=True)
class Target:
    """Target policy: for each place in a list, the probability of each item.

    A place is a rank of a request of a user, or only as much of that as the policy looks at.

    Args:
        table: ``item_id``, ``probability``, and those of ``PLACE`` that the policy depends on;
            items that a place does not name have probability 0.
        where: what the table is called in messages.
        report: what was read of a file; ``None`` for a frame.

    >>> first = Target.from_frame(pl.DataFrame({"item_id": [7, 8], "rank": [1, 2]}))
    >>> first.table["probability"].to_list()
    [1.0, 1.0]
    """

    table: pl.DataFrame
    where: str = "the target"
    report: ReadReport | None = field(default=None, compare=False)

    @classmethod
    def from_frame(
        cls, frame: pl.DataFrame, *, first_row: int = 2, where: str = "the target"
    ) -> Target:
        """Validate a table with one row per item and place.

        Columns are found by name, as in a log; other columns are ignored.

        Args:
            frame: ``item_id`` and ``probability``, from 0 to 1. Optional: ``user_id``,
                ``request_id`` and ``rank``; a column that is left out is one that the policy does
                not look at. Without ``probability`` the table is a list: it needs ``rank``, and
                the item there is shown for certain.
            first_row: number of the first data row in messages.
            where: what the table is called in messages.

        Raises:
            DataError: a column is missing, cells are bad, an item repeats at a place, or the
                probabilities of a place do not sum to 1.
        """
        made = converted(frame, _FIELDS, ("item_id",), first_row=first_row, where=where)
        if "probability" not in made and "rank" not in made:
            raise DataError(
                f"{where}: no column for probability, and none for rank",
                "a policy takes item_id and probability; a list takes item_id and rank",
            )
        table = pl.DataFrame(made)
        if "probability" not in made:
            if any(name.strip().casefold() == "probability" for name in frame.columns):
                raise DataError(
                    f"{where}: the column probability is empty",
                    "fill it in, or leave it out for a list in which every item is certain",
                )
            table = table.with_columns(probability=pl.lit(1.0))
        keys = [name for name in PLACE if name in made]
        problems: Problems = {}
        if rows := table.select(*keys, "item_id").is_duplicated().arg_true().to_list():
            problems["item_id repeats at one place, expected each once,"] = [
                row + first_row for row in rows
            ]
        refuse(problems, first_row=first_row, where=where)
        place = pl.col(keys) if keys else pl.lit("everywhere")
        sums = table.group_by(place, maintain_order=True).agg(pl.col("probability").sum())
        wrong = sums.filter((pl.col("probability") - 1).abs() > TOLERANCE)
        if len(wrong):
            row = wrong.row(0, named=True)
            raise DataError(
                f"{where}: probabilities{_at(row, keys)} sum to {row['probability']:.6g}, "
                f"expected 1; so at {len(wrong)} of {len(sums)} places",
                "name every item that may be shown there, and one item only in a list",
            )
        return cls(table, where)

    @classmethod
    def load(cls, path: str | Path) -> Target:
        """Read ``.csv``, ``.tsv``, ``.parquet``, ``.jsonl`` or ``.ndjson``; see ``from_frame``."""
        file = read_file(path)
        made = cls.from_frame(file.frame, first_row=file.first_row, where=str(path))
        return replace(made, report=account_of(file, _FIELDS))

    @property
    def keys(self) -> list[str]:
        """What the policy looks at, of ``PLACE``."""
        return [name for name in PLACE if name in self.table.columns]

    def places(self, log: InteractionLog) -> tuple[np.ndarray, np.ndarray]:
        """Number of the place of each row, of the log, shape (rows,), and of the table, likewise.

        Raises:
            DataError: the table lacks the place of a row.
        """
        if not self.keys:
            return np.zeros(len(log), np.int64), np.zeros(len(self.table), np.int64)
        both = pl.concat([self.table.select(self.keys), log.table.select(self.keys)])
        numbered = both.unique(maintain_order=True).with_row_index("place")
        found = both.join(numbered, on=self.keys, how="left", maintain_order="left")
        numbers = found["place"].to_numpy().astype(np.int64)
        mine, theirs = numbers[: len(self.table)], numbers[len(self.table) :]
        if len(lost := np.flatnonzero(~np.isin(theirs, mine))):
            row = log.table.row(int(lost[0]), named=True)
            count, places = len(np.unique(theirs[lost])), len(np.unique(theirs))
            raise DataError(
                f"{self.where}: nothing{_at(row, self.keys)}, which the log has; so at {count} of "
                f"{places} places",
                "say what is shown for every user, request and rank up to -k",
            )
        return theirs, mine

    def chances(self, log: InteractionLog) -> np.ndarray:
        """π(item at this rank | request) of each row of the log, in [0, 1], shape (rows,).

        Raises:
            DataError: see ``places``.
        """
        theirs, mine = self.places(log)
        known = self.table.select("item_id", "probability").with_columns(place=pl.Series(mine))
        asked = log.table.select("item_id").with_columns(place=pl.Series(theirs))
        found = asked.join(known, on=["item_id", "place"], how="left", maintain_order="left")
        return found["probability"].fill_null(0.0).to_numpy()


def reward_model(
    log: InteractionLog, target: Target, reward: Reward, *, seed: int = 0
) -> tuple[np.ndarray, np.ndarray] | None:
    """Expected rewards for ``doubly_robust``, by a simple model fitted to other users' rows.

    ``q̂(rank, item) = m_rank + Σ (r − m_rank) / (n_item + 10)``, where m is the mean reward at the
    rank, and the sum and n are over the rows that show the item. Users are cut into five parts,
    and each part's rows are described by the other four: doubly robust estimates are unbiased
    whatever the model, if it was not fitted to the rows it is used on.

    Args:
        log: what was shown.
        target: the policy.
        reward: which.
        seed: of the parts.

    Returns:
        Reward of each logged item, and of the target in its place, shape (rows,) each; ``None``
        with a single user, which leaves none to fit a model to.

    Raises:
        DataError: the log does not know the reward, or see ``Target.places``.
    """
    rewards, (places, entries) = log.reward(reward), target.places(log)
    users = codes(log.table["user_id"])
    count = int(users.max()) + 1
    if count < 2:
        return None
    part = (np.random.default_rng(seed).permutation(count) % FOLDS)[users]
    both = codes(pl.concat([log.table["item_id"], target.table["item_id"]]))
    shown, named = both[: len(log)], both[len(log) :]
    ranks, chances = codes(log.table["rank"]), target.table["probability"].to_numpy()
    predicted, expected = np.empty(len(log)), np.empty(len(log))
    for number in np.unique(part):
        mine, other = part == number, part != number
        level = _means(rewards[other], ranks[other], int(ranks.max()) + 1)
        rests = np.bincount(shown[other], (rewards - level[ranks])[other], int(both.max()) + 1)
        effect = rests / (np.bincount(shown[other], minlength=len(rests)) + SHRINK)
        there = np.bincount(entries, chances * effect[named])
        predicted[mine] = (level[ranks] + effect[shown])[mine]
        expected[mine] = (level[ranks] + there[places])[mine]
    return predicted, expected


def estimate_target(
    log: InteractionLog,
    target: Target,
    k: int = 10,
    *,
    clip: float | None = None,
    seed: int = 0,
) -> dict[Reward, dict[str, Estimate]]:
    """Every estimate of what the target would have earned at ranks up to ``k``, by reward.

    Args:
        log: with propensities.
        target: the policy.
        k: rows with a rank up to here count.
        clip: see ``clipped_ips``.
        seed: of the parts of ``reward_model``, which ``direct_method`` and ``doubly_robust`` use.

    Returns:
        By reward that the log knows, what ``estimate_policy`` gives; with a single user neither
        ``direct_method`` nor ``doubly_robust``.

    Raises:
        ConfigError: ``clip`` is out of range.
        DataError: no row has such a rank, there are no propensities, the target lacks
            a row, or shows nothing of what was logged.
    """
    shown = InteractionLog(log.table.filter(pl.col("rank") <= k))
    if not len(shown):
        raise DataError(f"no row of the log has a rank up to {k}", "ranks count from 1")
    _ = shown.propensities  # nothing else is worth saying without
    chances, out = target.chances(shown), {}
    for reward in shown.rewards:
        predicted, expected = reward_model(shown, target, reward, seed=seed) or (None, None)
        out[reward] = estimate_policy(
            shown, chances, reward=reward, predicted=predicted, expected=expected, clip=clip
        )
    return out


def _means(values: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Mean of each group; of all values where a group has none."""
    sizes = np.bincount(groups, minlength=count)
    sums = np.bincount(groups, values, count)
    return np.where(sizes > 0, sums / np.maximum(sizes, 1), values.mean())


def _at(row: dict[str, object], keys: list[str]) -> str:
    """Which place, in words."""
    named = ", ".join(f"{name} {row[name]!r}" for name in keys)
    return f" at {named}" if named else ""
