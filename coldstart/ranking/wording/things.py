"""How far a list has what was asked for, in words: "there is no desk lamp that may be shown"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from coldstart.understanding.products.forms import stem

if TYPE_CHECKING:
    from coldstart.schema import Piece, Understood

    Group = Sequence[Piece]

_JOINS = re.compile(r"[\s-]*|的|\s+(?:for|of|with|in|from)\s+(?:(?:the|a|an|my)\s+)?", re.I)
_LONGEST = 6  # words of a phrase that is quoted
_CLOSE = "these come closest"


class Things(NamedTuple):
    """Types of things that are asked for, and what is wanted beside them.

    Args:
        named: as they were typed, with the qualities around them: "headphones for running".
        plural: whether the first of them is a plural.
        others: groups of alternatives that are in none of these words.
    """

    named: list[str]
    plural: bool
    others: list[Group]


def things_of(understood: Understood, wished: Sequence[Group]) -> Things:
    """The things among the wishes of a text.

    Args:
        understood: the reading.
        wished: groups of alternatives.
    """
    text = understood.text
    runs: list[list[Group]] = []
    for group in sorted(wished, key=_span):
        if runs and _joined(runs[-1][-1], group, text):
            runs[-1].append(group)
        else:
            runs.append([group])
    types = [p for run in runs for group in run for p in group if p.kind == "type"]
    of_types = [run for run in runs if any(p in types for group in run for p in group)]
    spans = [(_span(run[0])[0], max(_span(group)[1] for group in run)) for run in of_types]
    named = [_phrase(text[slice(*span)], run) for span, run in zip(spans, of_types, strict=True)]
    for word, meant in understood.spelled.items():
        named = [phrase.replace(word, meant) for phrase in named]
    last = types[0].value.rsplit(" ", 1)[-1].casefold() if types else ""
    plural = last.endswith("s") and not last.endswith("ss") and stem(last) != last
    others = [
        group
        for run in runs
        for group in run
        if not any(start <= _span(group)[0] and _span(group)[1] <= end for start, end in spans)
    ]
    return Things(named, plural, others)


def none_of(things: Things, others: str, uncalled: Sequence[str]) -> str:
    """The note on a list of which no item is what was asked for.

    >>> none_of(Things(["desk lamp"], False, []), "", [])
    'there is no desk lamp that may be shown; these come closest'

    Args:
        things: that are asked for.
        others: further wishes in words.
        uncalled: compounds that no item is called by.
    """
    if uncalled:
        return f"nothing here is called “{uncalled[0]}”; these are closest in meaning"
    if others or len(things.named) != 1:
        return f"no item that may be shown matches {_all(things, others)}; {_CLOSE}"
    verb = "are" if things.plural else "is"
    return f"there {verb} no {things.named[0]} that may be shown; {_CLOSE}"


def some_of(n: int, things: Things, others: str) -> str:
    """The note on a list of which some items are what was asked for.

    >>> some_of(2, Things(["crime novels"], True, []), "")
    'only 2 items match “crime novels”; the rest come closest'
    """
    matching = "1 item matches" if n == 1 else f"{n} items match"
    return f"only {matching} {_all(things, others)}; the rest come closest"


def _all(things: Things, others: str) -> str:
    named = [f"“{thing}”" for thing in things.named]
    if named and others.startswith("for "):
        return f"{' and '.join(named)} {others}"
    return " and ".join([*named, *([others] if others else [])])


def _phrase(words: str, run: Sequence[Group]) -> str:
    """The words as they were typed; where a story stands between them, what was understood."""
    if len(words.split()) <= _LONGEST:
        return words
    return " ".join(" or ".join(dict.fromkeys(p.value for p in group)) for group in run)


def _span(group: Group) -> tuple[int, int]:
    return min(p.start for p in group), max(p.end for p in group)


def _joined(a: Group, b: Group, text: str) -> bool:
    """Whether nothing but a blank or a preposition stands between two wishes."""
    between = _span(a)[1], _span(b)[0]
    return between[0] <= between[1] and _JOINS.fullmatch(text[slice(*between)]) is not None
