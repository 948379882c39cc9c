"""Which wanted things are alternatives, and which are wanted together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

Link = Literal["tight", "or", "loose"]

_MAKERS = re.compile(r"direct|writ|author|creat|artist|compos|producer")  # one work has one
_BESIDE = frozenset(("also", "too"))
"""Words that are "or" between two wishes, and "and" within one: "that is also funny"."""
MOST_GROUPS = 8
"""Groups that one list of alternatives may unfold into; beyond, all are one group."""


@dataclass(frozen=True)
class Term:
    """Something wanted: groups of alternatives, of which one each is to be fulfilled.

    Args:
        first: its first token.
        after: the token after it.
        groups: groups of alternatives, by number of the piece.
        noun: whether it is a noun.
        plural: whether it is a plural.
        kind: what it is about, such as "category" or "person:director".
    """

    first: int
    after: int
    groups: tuple[tuple[int, ...], ...]
    noun: bool = True
    plural: bool = False
    kind: str = "category"


@dataclass(frozen=True)
class LinkWords:
    """Words that tell how two wishes are linked; see ``words`` in the lexicon."""

    fillers: frozenset[str]
    together: frozenset[str]
    either: frozenset[str]
    both: frozenset[str]

    def link(self, a: Term, b: Term, forms: Sequence[str], gaps: Sequence[str]) -> Link:
        """How two consecutive wishes are linked.

        Args:
            a: the first.
            b: the second.
            forms: comparison forms of the text's tokens.
            gaps: text between consecutive tokens.
        """
        words = [w for w in forms[a.after : b.first] if w not in self.fillers]
        between = "".join(gaps[a.after - 1 : b.first])
        either = set(words) & self.either
        if either - _BESIDE or "/" in between or (either and not set(words) & self.together):
            return "or"
        listed = any(c in between for c in ",;.!?&\n") or "and" in words or "nor" in words
        if set(words) & self.together:
            return "loose"
        if not words and not listed:
            return "or" if a.plural and b.plural and b.kind == a.kind else "tight"
        if set(forms[max(0, a.first - 4) : a.first]) & self.both:
            return "loose"
        if a.noun and b.noun and a.kind == b.kind:
            played = a.kind.startswith("person:") and "and" in words and not _MAKERS.search(a.kind)
            return "loose" if played else "or"
        return "tight" if set(words) <= {"and"} and not a.noun and "." not in between else "loose"


def grouped(terms: Sequence[Term], links: Sequence[Link]) -> list[tuple[int, ...]]:
    """Groups of alternatives of a list of wishes, in conjunctive normal form.

    "Romantic comedies or westerns" is (romance and comedy) or western: (romance or western) and
    (comedy or western).

    Args:
        terms: the wishes, in order.
        links: between each and the next; ``tight`` binds closer than ``or``, ``loose`` wider.

    Returns:
        Numbers of pieces, a tuple for each group.
    """
    out: list[tuple[int, ...]] = []
    block: list[list[tuple[int, ...]]] = []
    for n, term in enumerate(terms):
        link = links[n - 1] if n else "loose"
        if link == "loose":
            out += _unfolded(block)
            block = [list(term.groups)]
        elif link == "or":
            block.append(list(term.groups))
        else:
            block[-1] += term.groups
    return list(dict.fromkeys(out + _unfolded(block)))


def _unfolded(block: Iterable[list[tuple[int, ...]]]) -> list[tuple[int, ...]]:
    alternatives = [groups for groups in block if groups]
    if not alternatives:
        return []
    size = 1
    for groups in alternatives:
        size *= len(groups)
    if size > MOST_GROUPS:
        return [tuple(n for groups in alternatives for group in groups for n in group)]
    return [tuple(n for group in chosen for n in group) for chosen in product(*alternatives)]
