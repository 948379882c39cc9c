"""Benchmark options of the split: new users, a later time, or new items."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from coldstart.errors import ConfigError

if TYPE_CHECKING:
    from coldstart.data.dataset import Dataset
    from coldstart.evaluation.scenarios import Scenario

FOLDS, QUANTILE, SHARE = 5, 0.8, 0.1
_PANEL = "What is new"
_OF = {
    "users": {"folds", "artifact"},
    "temporal": {"quantile", "at"},
    "items": {"folds", "share", "cold"},
}


def _new(help: str, **more: Any) -> Any:
    return typer.Option(help=help, rich_help_panel=_PANEL, **more)


@dataclass(frozen=True)
class Holdout:
    """Options of the hold-out split; those of another split are refused."""

    split: Annotated[
        Literal["users", "temporal", "items"],
        _new(
            "users: people nobody trained on. temporal: train on the past, ask people who come "
            "later. items: new people, and items that no training user has met."
        ),
    ] = "users"
    artifact: Annotated[
        Path | None,
        _new(
            "users: also measure this trained recommender, on the users it was trained without; "
            "the one fold is then its own split.",
            metavar="FOLDER",
        ),
    ] = None
    folds: Annotated[
        int | None,
        _new(
            f"users, items: parts the users are cut into, each tested once; {FOLDS} if left out.",
            min=2,
        ),
    ] = None
    quantile: Annotated[
        float | None,
        _new(f"temporal: share of the users who come before; {QUANTILE} if left out."),
    ] = None
    at: Annotated[
        str | None,
        _new(
            "temporal: or the moment, a number as in the data or a date such as 1998-03-01.",
            metavar="DATE|NUMBER",
        ),
    ] = None
    share: Annotated[
        float | None,
        _new(f"items: share of the liked items that are cold; {SHARE} if left out."),
    ] = None
    cold: Annotated[
        Literal["random", "newest"] | None,
        _new("items: which; others in each fold, or those of the latest years. random if left out"),
    ] = None

    def said(self) -> dict[str, object]:
        """Effective options, by field; ``None`` for those of another split."""
        self._check()
        fallback: dict[str, object] = {"share": SHARE, "cold": "random"}
        if self.artifact is None:
            fallback["folds"] = FOLDS
        if self.at is None:
            fallback["quantile"] = QUANTILE
        given = asdict(self)
        used = {
            n: fallback.get(n) if given[n] is None else given[n]
            for n in given
            if n in _OF[self.split]
        }
        return {"split": None if self.split == "users" else self.split, **used}

    def scenario(self, data: Dataset, seed: int) -> Scenario:
        """Make the folds.

        Args:
            data: everything.
            seed: of whatever is drawn.

        Raises:
            ConfigError: an option of another split, or one that leaves a part empty.
            DataError: a temporal split of data without times.
        """
        from coldstart.evaluation.baselines.selection import artifact_split
        from coldstart.evaluation.scenarios import later_users, new_items, new_users
        from coldstart.splitting.folds import user_folds

        self._check()
        folds = self.folds or FOLDS
        if self.split == "temporal":
            at = None if self.at is None else _moment(self.at)
            quantile = QUANTILE if at is None and self.quantile is None else self.quantile
            return later_users(data, at=at, quantile=quantile, seed=seed)
        if self.split == "items":
            share = SHARE if self.share is None else self.share
            return new_items(data, folds, share=share, newest=self.cold == "newest", seed=seed)
        if self.artifact:
            return new_users(data, [artifact_split(self.artifact)])
        return new_users(data, user_folds(data.likes, folds, seed))

    def _check(self) -> None:
        for name in ("artifact", "folds", "quantile", "at", "share", "cold"):
            if getattr(self, name) is not None and name not in _OF[self.split]:
                whose = " and ".join(f"--split {s}" for s, names in _OF.items() if name in names)
                raise ConfigError(
                    f"--{name} says nothing about --split {self.split}",
                    hint=f"leave it out; it belongs to {whose}",
                )
        for one, other in (("at", "quantile"), ("artifact", "folds")):
            if getattr(self, one) is not None and getattr(self, other) is not None:
                raise ConfigError(f"--{one} and --{other}", hint="give one or the other")


def _moment(text: str) -> float:
    """A number of the data's times, or the start of a date in UTC as seconds since 1970."""
    from coldstart.data.times import as_time

    moment = as_time(text)
    if moment is None:
        raise ConfigError(
            f"--at {text!r} is no moment", hint="a number, or a date such as 1998-03-01"
        )
    return moment
