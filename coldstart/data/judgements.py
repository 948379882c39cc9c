"""Tell likes, dislikes and neutral ratings apart, whatever the ratings look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from coldstart.data.columns import name_key
from coldstart.data.preference_words import (
    DISLIKE_NAMES,
    EVENT_NAMES,
    FLAG_NAMES,
    TRUTHS,
    WORDS,
    word_key,
)
from coldstart.data.scales import Scale, recognise
from coldstart.data.times import number_of
from coldstart.errors import DataError
from coldstart.tabular.cells import is_missing
from coldstart.tabular.rows import counted

if TYPE_CHECKING:
    import polars as pl

Threshold = float | str | Collection[str]
"""A number on the scale of the ratings, or events, such as ``("purchase", "like")``."""

_FLAGS = frozenset(map(name_key, {*FLAG_NAMES, *EVENT_NAMES} - {"vote", "reaction", "feedback"}))
_EVENTS = _FLAGS & frozenset(map(name_key, EVENT_NAMES))
_DISLIKES = frozenset(map(name_key, DISLIKE_NAMES))
_GRADE = re.compile(
    r"(-?\d+(?:[.,]\d+)?)\s*(?:stars?|sterne?|étoiles?|estrellas?|stelle|points?|punkte|%"
    r"|/\s*(?:5|10|100)|(?:out )?of (?:5|10|100))",
    re.IGNORECASE,
)
_STARS = re.compile(r"(★+)[☆✩]*")


@dataclass(frozen=True)
class RatingsReport:
    """Meaning of the ratings, and how many rows have each.

    Args:
        column: that holds them.
        scale: for people, with the thresholds.
        likes: number of rows.
        neutral: likewise, rated between the thresholds.
        dislikes: likewise.
        unrated: rows that are no judgement: no rating, a number for "unrated", or a mere view.
        warnings: whatever looks like a mistake.
    """

    column: str
    scale: str
    likes: int
    neutral: int
    dislikes: int
    unrated: int
    warnings: tuple[str, ...] = ()

    def sentence(self) -> str:
        """One sentence for people, without a full stop."""
        judged = f"{counted(self.likes, 'like')}, {counted(self.dislikes, 'dislike')}"
        rest = f"{self.neutral:,} between, {self.unrated:,} ignored as unrated"
        return f"{self.column} is {self.scale}: {judged}, {rest}"


@dataclass(frozen=True)
class Judgements:
    """Judgement of each row.

    Args:
        values: 1 like, 0 neutral, -1 dislike, ``None`` no judgement; one per row.
        report: their account.
    """

    values: list[int | None]
    report: RatingsReport


def grades_of(values: Collection[Any]) -> dict[Any, float] | None:
    """Numbers of ratings such as 4, "4,5", "4 stars", "★★★★", "8/10"; ``None`` if some are none."""
    made: dict[Any, float] = {}
    for value in values:
        if isinstance(value, bool):
            made[value] = float(value)
            continue
        number = number_of(value)
        if number is None:
            text = str(value).strip()
            grade, stars = _GRADE.fullmatch(text), _STARS.fullmatch(text)
            number = number_of(grade[1]) if grade else float(len(stars[1])) if stars else None
        if number is None:
            return None
        made[value] = number
    return made


def judge(
    ratings: pl.Series,
    *,
    column: str = "rating",
    like_at: Threshold | None = None,
    dislike_at: Threshold | None = None,
    unrated: Collection[float] | None = None,
) -> Judgements:
    """Judge each row: like, neutral, dislike, or no judgement.

    Numbers: the scale and its thresholds are recognised (see ``scales``). Words: a like is a word
    such as "like" or "purchase"; where there is none of them, "view" and "click" are likes.

    Args:
        ratings: numbers, Booleans or words; missing cells are no judgement.
        column: its name in the table, which says what a 0 means in a column of 0 and 1.
        like_at: minimum of a like, or the words that are one; ``None``: recognised.
        dislike_at: maximum of a dislike, or the words that are one; ``None``: recognised.
        unrated: numbers that are no ratings; ``None``: recognised.

    Raises:
        DataError: words of unknown meaning, words as thresholds of numbers or the reverse, or
            thresholds that overlap.
    """
    cells = ratings.to_list()
    counts = Counter(v for v in cells if not is_missing(v))
    grades = grades_of(counts)
    truths = {v: TRUTHS.get(str(v).strip().lower()) for v in counts}
    if grades is None and None not in truths.values():
        grades = {v: t for v, t in truths.items() if t is not None}
    if grades is None:
        scale, warnings, made = _words(counts, column, like_at, dislike_at)
    else:
        scale, warnings, made = _numbers(counts, grades, column, like_at, dislike_at, unrated)
    values = [None if is_missing(v) else made[v] for v in cells]
    found = Counter(values)
    if low := not found[1] and found[-1] + found[0]:
        warnings += (f"no row is a like, and {low:,} are rated",)
    report = RatingsReport(
        column, scale, found[1], found[0], found[-1], found[None], tuple(warnings)
    )
    return Judgements(values, report)


_Judged = tuple[str, tuple[str, ...], dict[Any, int | None]]


def _numbers(
    counts: Mapping[Any, int],
    grades: Mapping[Any, float],
    column: str,
    like_at: Threshold | None,
    dislike_at: Threshold | None,
    unrated: Collection[float] | None,
) -> _Judged:
    for name, value in (("like_at", like_at), ("dislike_at", dislike_at)):
        if value is not None and not isinstance(value, int | float):
            raise DataError(
                f"{name} is {value!r}, but {column} holds numbers", f"give a number: {name}=4"
            )
    rows: Counter[float] = Counter()
    for value, n in counts.items():
        rows[grades[value]] += n
    key = name_key(column)
    if key in _EVENTS and like_at is None and not set(rows) <= {-1.0, 0.0, 1.0}:
        shown = ", ".join(f"{v:g}" for v in sorted(rows)[:8])
        raise DataError(
            f"{column} holds codes of unknown meaning: {shown}",
            "say from which on they are likes, such as like_at=4, or write them as words",
        )
    if key in _DISLIKES:  # its 1 is a dislike, its 0 no answer
        return "1 for a dislike", (), {v: -1 if g else None for v, g in grades.items()}
    scale = recognise(rows, unrated=unrated, opinion=key not in _FLAGS)
    if key in _EVENTS and like_at is not None:  # no code is a dislike unless it is said to be
        scale = replace(scale, dislike_at=None)
    like, dislike, told = _thresholds(scale, like_at, dislike_at)

    def judged(grade: float) -> int | None:
        if grade in scale.unrated:
            return None
        if dislike is not None and grade <= dislike:
            return -1
        return 1 if like is None or grade >= like else 0

    return f"{scale.text}{told}", scale.warnings, {v: judged(g) for v, g in grades.items()}


def _thresholds(
    scale: Scale, like_at: Any, dislike_at: Any
) -> tuple[float | None, float | None, str]:
    """Thresholds, given or recognised, and how to tell people of them."""
    like = scale.like_at if like_at is None else float(like_at)
    dislike = scale.dislike_at if dislike_at is None else float(dislike_at)
    if like is not None and dislike is not None and dislike >= like:
        if like_at is not None and dislike_at is None:
            dislike = None
        else:
            raise DataError(
                f"dislike_at {dislike:g} is not below like_at {like:g}",
                f"give both: like_at={like:g} and a smaller dislike_at",
            )
    told = "" if like is None else f", a like from {like:g} on"
    told += "" if dislike is None else f", a dislike up to {dislike:g}"
    given = [n for n, v in (("like_at", like_at), ("dislike_at", dislike_at)) if v is not None]
    return like, dislike, told + (f" ({' and '.join(given)} given)" if given else "")


def _words(
    counts: Mapping[Any, int],
    column: str,
    like_at: Threshold | None,
    dislike_at: Threshold | None,
) -> _Judged:
    keys = {v: word_key(v) for v in counts}
    chosen: dict[str, int] = {}
    for name, value, judgement in (("like_at", like_at, 1), ("dislike_at", dislike_at, -1)):
        if value is None:
            continue
        if isinstance(value, int | float):
            raise DataError(
                f"{name} is {value:g}, but {column} holds words such as {next(iter(counts))!r}",
                f"give words: {name}={next(iter(counts))!r}",
            )
        words = value.split(",") if isinstance(value, str) else value
        chosen |= {word_key(word): judgement for word in words}
    if extra := sorted(set(chosen) - set(keys.values())):
        raise DataError(
            f"no row of {column} is {extra[0]!r}", f"there are: {', '.join(map(str, counts))}"
        )
    unknown = [v for v, key in keys.items() if key not in WORDS and key not in chosen]
    if unknown and like_at is None:
        shown = ", ".join(map(repr, unknown[:5]))
        raise DataError(
            f"{column} holds words of unknown meaning: {shown}",
            f"say which are likes, such as like_at={str(unknown[0])!r}; all others then are not",
        )
    kinds = {key: WORDS.get(key, "shown") for key in keys.values()}
    strong = like_at is not None or "like" in kinds.values()
    meaning = {"like": 1, "dislike": -1, "engaged": None if strong else 1, "shown": None}
    if len(kinds) == 1 and not strong and "dislike" not in kinds.values():
        meaning["shown"] = 1  # a log of nothing else
    made: dict[Any, int | None] = {}
    for value, key in keys.items():
        if key in chosen:
            made[value] = chosen[key]
        else:
            found = meaning[kinds[key]]
            made[value] = None if found == 1 and like_at is not None else found
    names = {
        "likes": [v for v, j in made.items() if j == 1],
        "dislikes": [v for v, j in made.items() if j == -1],
        "no judgement": [v for v, j in made.items() if j is None],
    }
    told = "; ".join(f"{n}: {', '.join(map(str, vs))}" for n, vs in names.items() if vs)
    return f"of words ({told})", (), made
