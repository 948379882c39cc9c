"""Cold-start scenarios: new users, a later time, or new items; each gives folds.

A fold defines training data, candidates and targets, so that one engine
(``benchmark.run_benchmark``) evaluates all scenarios alike.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.case_metrics import COLD_METRICS, MAIN, METRICS
from coldstart.splitting.folds import folds_fingerprint, user_folds
from coldstart.splitting.temporal_and_items import item_cold_split, temporal_split
from coldstart.splitting.user_splits import Split, shuffled_ids

QUANTILE, SHARE = 0.8, 0.1
"""Defaults: of first likes before the moment that divides a temporal split; of cold items."""

_MEANS = "Means over users with 95 % bootstrap intervals."
_USERS = (
    "Users that no system was trained on, fold by fold. Every item of the catalog is a candidate, "
    "less the likes reserved for what a user says; a user's targets are the same for every number "
    f"of picks. {_MEANS}"
)
_TEMPORAL = (
    "Users who came after the moment that ends the training data. Systems learn from what earlier "
    "users liked before it; popularity is counted on the same likes, and the candidates are the "
    "items that somebody had liked by then, less the likes reserved for what a user says. Targets "
    f"are the same for every number of picks. {_MEANS}"
)
_ITEMS = (
    "New users and new items at once, fold by fold. Nobody that a system learned from has met the "
    "cold items of the fold; they are in the catalog when it is asked. What a user says is about "
    "other items, and the targets are the user's likes among the cold ones. Every item is a "
    "candidate, less the user's likes of known items, which are neither shown nor missed. Metrics "
    "“among cold items only” are about a second list, in which cold items compete with nothing but "
    f"cold items. The catalog is in random order, so that its order helps nobody. {_MEANS}"
)


@dataclass(frozen=True)
class Fold:
    """One fold: training data, candidates and targets.

    Args:
        split: ids of the training, validation and test users.
        train: training data: the likes of training and validation users, and the
            catalog as it was then.
        candidates: the catalog at the time of asking, in the order that decides between equals.
        targets: the only relevant items; ``None``: every candidate.
    """

    split: Split
    train: Dataset
    candidates: Catalog
    targets: frozenset[str] | None = None


@dataclass(frozen=True)
class Kind:
    """Description of a scenario for reports; the defaults are those of folds of users.

    Args:
        name: ``users``, ``temporal`` or ``items``.
        intro: how to read the tables.
        metrics: names of the values of every answer.
        compared: those in which systems are compared pairwise; the first is the main one.
        short: users that are dropped, with ``{support}`` and ``{targets}`` for the numbers.
        facts: what was made, name → text.
        notes: printed first.
    """

    name: str = "users"
    intro: str = _USERS
    metrics: tuple[str, ...] = METRICS
    compared: tuple[str, ...] = (MAIN,)
    short: str = "under {support} + {targets} likes"
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Folds of one scenario.

    Args:
        folds: one or more.
        kind: its description.
    """

    folds: tuple[Fold, ...]
    kind: Kind = field(default_factory=Kind)

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of whatever is learned from, shown and looked for in any fold.

        Of folds of users it is ``folds_fingerprint``: the rest follows from the data.
        """
        users = folds_fingerprint([fold.split for fold in self.folds])
        if self.kind.name == "users":
            return users
        parts = [
            (f.train.fingerprint_with_dislikes, f.candidates.ids, sorted(f.targets or ()))
            for f in self.folds
        ]
        return hashlib.sha256(json.dumps([self.kind.name, users, parts]).encode()).hexdigest()


def new_users(data: Dataset, splits: Sequence[Split]) -> Scenario:
    """Folds of users, all of them at any time and about all items; see ``user_folds``."""
    return Scenario(tuple(Fold(split, data, data.catalog) for split in splits))


def later_users(
    data: Dataset,
    *,
    at: float | None = None,
    quantile: float | None = None,
    valid: float = 0.1,
    seed: int = 0,
) -> Scenario:
    """One temporal fold: train on the past, test on later users.

    Args:
        data: with times that are comparable between users; see ``temporal_split``.
        at: the moment that divides them, in the unit of the times.
        quantile: or the share of users, in (0, 1), with a first like before it; 0.8 if neither
            is given.
        valid: share of all users, drawn from those of the past, for validation.
        seed: of that draw.

    Raises:
        ConfigError: both moments, or one that leaves no training or no test users.
        DataError: the data has no times.
    """
    quantile = QUANTILE if at is None and quantile is None else quantile
    found = temporal_split(data, at=at, quantile=quantile)
    past = shuffled_ids(found.train.likes, seed)
    n_valid = int(valid * len(data.likes))
    if not 0 <= n_valid < len(past):
        raise ConfigError(
            f"valid is {valid:g}: {n_valid} of the {len(past)} users of the past",
            hint="leave some to train on: a smaller share, or a later moment",
        )
    split = Split(past[n_valid:], past[:n_valid], found.test)
    known = Catalog(i for i in data.catalog if i.item_id in found.candidates)
    likes = sum(map(len, found.train.likes.values()))
    facts = {
        "split": f"temporal, at {_moment(found.at)}: {len(split.train)} users to train on and "
        f"{len(split.valid)} to choose settings, with {likes} likes before it; {len(split.test)} "
        f"users after it; {len(known)} of {len(data.catalog)} items are candidates"
    }
    timeless = data.dislikes and not data.dislike_times
    notes = ("dislikes have no times and are left out: systems learn from likes only",)
    kind = Kind("temporal", _TEMPORAL, facts=facts, notes=notes if timeless else ())
    return Scenario((Fold(split, _about(found.train, known), known),), kind)


def new_items(
    data: Dataset,
    folds: int = 5,
    *,
    share: float = SHARE,
    newest: bool = False,
    seed: int = 0,
) -> Scenario:
    """Folds of users with cold items, which no training user likes.

    Args:
        data: everything.
        folds: number of test parts; see ``user_folds``.
        share: of the items that anyone likes, in (0, 1), that are cold. Each fold draws its own;
            while ``folds · share`` ≤ 1 no item is cold twice.
        newest: the items of the latest years instead, the same in every fold.
        seed: of users, items and the order of the catalog.

    Raises:
        ConfigError: a share, or a number of folds, that leaves a part empty.
    """
    made = []
    for number, split in enumerate(user_folds(data.likes, folds, seed)):
        found = item_cold_split(data, share, seed, fold=number, newest=newest)
        # Equal scores are kept in the order of the catalog, which may well follow popularity.
        order = np.random.default_rng([seed, 13, number]).permutation(len(data.catalog))
        candidates = Catalog(data.catalog.items[n] for n in order)
        kept = {*split.train, *split.valid} & found.train.likes.keys()
        left = Split(
            tuple(u for u in split.train if u in kept),
            tuple(u for u in split.valid if u in kept),
            split.test,
        )
        if not left.train:
            raise ConfigError(
                f"no training user of fold {number} likes anything but cold items",
                hint="a smaller share of cold items",
            )
        known = Catalog(i for i in candidates if i.item_id not in found.cold)
        train = replace(_of(found.train, kept), catalog=known)
        made.append(Fold(left, train, candidates, found.cold))
    sizes = sorted({len(fold.targets or ()) for fold in made})
    which = "those of the latest years" if newest else f"drawn for each of {folds} folds"
    facts = {
        "split": f"items: {' or '.join(map(str, sizes))} of {len(data.catalog)} items are cold, "
        f"{share:g} of those that anyone likes, {which}"
    }
    kind = Kind(
        "items",
        _ITEMS,
        COLD_METRICS,
        (MAIN, f"cold_{MAIN}"),
        "under {support} likes of known items or {targets} of cold ones",
        facts,
    )
    return Scenario(tuple(made), kind)


def _of(data: Dataset, users: Collection[str]) -> Dataset:
    """Restrict a dataset to some users."""
    return replace(
        data,
        users={u: x for u, x in data.users.items() if u in users},
        likes={u: x for u, x in data.likes.items() if u in users},
        dislikes={u: x for u, x in data.dislikes.items() if u in users},
        times={u: x for u, x in data.times.items() if u in users},
        dislike_times={u: x for u, x in data.dislike_times.items() if u in users},
    )


def _about(data: Dataset, catalog: Catalog) -> Dataset:
    """Restrict a dataset to the items of a catalog, which hold all likes."""
    low = {u: [n for n, i in enumerate(x) if i in catalog] for u, x in data.dislikes.items()}
    when = data.dislike_times
    return replace(
        data,
        catalog=catalog,
        dislikes={u: tuple(data.dislikes[u][n] for n in at) for u, at in low.items()},
        dislike_times={u: tuple(when[u][n] for n in at) for u, at in low.items()} if when else {},
    )


def _moment(at: float) -> str:
    """A number of the data's times; as a date too where it can only be seconds since 1970."""
    if not 1e8 <= at < 1e11:
        return f"{at:.15g}"
    return f"{at:.15g} ({datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC)"
