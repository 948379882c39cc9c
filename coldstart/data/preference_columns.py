"""Find the column of a table that holds preferences, and those that look like it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from coldstart.data.columns import name_key
from coldstart.data.judgements import grades_of
from coldstart.data.preference_words import (
    DISLIKE_NAMES,
    EVENT_NAMES,
    FLAG_NAMES,
    OPINION_NAMES,
    RATING_NAMES,
    TRUTHS,
    WORDS,
    word_key,
)
from coldstart.data.times import number_of
from coldstart.tabular.cells import is_missing

Columns = Mapping[str, Sequence[Any]]

_SURE = frozenset({"rating", "ratings", "userrating", "stars", "starrating", "score"})
_NAME = re.compile(
    r"rating|rated?$|scor|stars?$|stern|bewert|like|lov(e|ed)$|vot(e|o)|thumb|prefer|feedback"
    r"|opinion|sentiment|apprec|satisf|zufried|enjoy|event|(^|_|inter|re)action|behavio|click"
    r"|purchas|bought|punt(os|ua)"
    r"|valora|calific|^nota?$|^note$|avis|gef(a|ae)ll|gusta|grade$|ocena|hodnoc|reaction|verdict"
    r"|relevan|interest|^nps$|оценк|рейтинг|评分|評分|評価|평점"
)
_NOT = re.compile(
    r"count|anzahl|^n(um|o|r)?_|^num|number|total|helpful|verified|version|id$|_id_|average"
    r"|^avg|mean|url|name$|text|comment|time|date|category"
)
_NEUTRAL = re.compile(
    r"quantit|qty|count|num|amount|price|prei|cost|rank|pos|page|week|month|hour|year|day|session"
    r"|age|alter|store|shop|device|index|idx|size|level|step|cart|basket|order|channel|region"
    r"|group|cluster|fold|categor|type|season|episode|version|duration|length|minute|second|id$"
    r"|menge|zip|status|split|row|time|date|title|name|lat|lon|tag"
)
_PLAIN = frozenset({"none", "ok", "up", "down", "read", "no", "yes", "start", "started", "order"})
_MOST, _MOST_LABELS, _LONGEST_LABEL = 101, 12, 20
_KNOWN = frozenset(
    map(name_key, (*RATING_NAMES, *EVENT_NAMES, *OPINION_NAMES, *FLAG_NAMES, *DISLIKE_NAMES))
)
_GRADES = 11


def preference_column(columns: Columns) -> str | None:
    """Find the column that holds preferences, by name and content.

    Ratings come before events, events before flags. A name that may mean something else is taken
    only if the cells are numbers, truths or known words.

    Args:
        columns: name → cells.

    Returns:
        Its name, or ``None``.
    """
    by_key: dict[str, str] = {}
    for name in columns:
        by_key.setdefault(name_key(name), name)
    for known in (RATING_NAMES, EVENT_NAMES, OPINION_NAMES, FLAG_NAMES, DISLIKE_NAMES):
        for alias in known:
            found = by_key.get(name_key(alias))
            if found is not None and (name_key(found) in _SURE or _readable(columns[found])):
                return found
    return None


def looks_like_preference(name: str, cells: Sequence[Any]) -> bool:
    """Whether a column of an unknown name may hold preferences.

    By name: it says so, and the cells are few numbers, truths, words or labels. By content: known
    words, or three or more whole or half numbers up to 10 in a column whose name says nothing else.
    """
    plain = _plain(name)
    distinct = {v for v in cells if not is_missing(v) and not isinstance(v, list | dict)}
    if not distinct:
        return False
    if (_NAME.search(plain) or name_key(name) in _KNOWN) and not _NOT.search(plain):
        return _readable(cells) or _labels(distinct)
    words = {word_key(v) for v in distinct}
    if words <= WORDS.keys() and not words <= _PLAIN and len(words) > 1:
        return True
    return not _NEUTRAL.search(plain) and _graded(distinct)


def may_be_judgement(name: str, cells: Sequence[Any]) -> bool:
    """Whether a column holds few, repeated values under a name that says nothing of them."""
    plain = _plain(name)
    distinct = {v for v in cells if not is_missing(v) and not isinstance(v, list | dict)}
    named = _NEUTRAL.search(plain) or _NOT.search(plain)
    return not named and _few(cells, distinct)


def _plain(name: str) -> str:
    """A column's name in lower case, its words joined by underscores."""
    return re.sub(r"[\W_]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())


def _few(cells: Sequence[Any], distinct: set[Any]) -> bool:
    """Whether values repeat as grades do."""
    return 2 <= len(distinct) <= _GRADES and 2 * len(distinct) <= len(cells)


def _readable(cells: Sequence[Any]) -> bool:
    """Whether cells are numbers of a scale, truths, or mostly known words."""
    distinct = {v for v in cells if not is_missing(v) and not isinstance(v, list | dict)}
    if not distinct:
        return False
    if (grades := grades_of(distinct)) is not None:
        values = set(grades.values())
        return len(values) <= _MOST or max(map(abs, values)) <= 100
    words = {word_key(v) for v in distinct}
    if words <= TRUTHS.keys():
        return True
    return len(distinct) <= _MOST and len(words & WORDS.keys()) * 2 >= len(words)


def _labels(distinct: set[Any]) -> bool:
    """Whether cells are few short texts, as labels are."""
    texts = [str(v).strip() for v in distinct]
    return len(texts) <= _MOST_LABELS and all(
        len(text) <= _LONGEST_LABEL and number_of(text) is None for text in texts
    )


def _graded(distinct: set[Any]) -> bool:
    """Whether values are whole or half numbers of a usual scale of ratings."""
    grades = grades_of(distinct)
    if grades is None or any(isinstance(v, bool) for v in distinct):
        return False
    values = {v for v in grades.values() if v not in (-1.0, 0.0)}
    halves = all(v * 2 == int(v * 2) for v in values)
    return halves and 3 <= len(values) <= 20 and 0 < min(values) <= 3 and max(values) <= 10
