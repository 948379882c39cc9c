"""Rejected words that stand for nothing in the catalog: "no zombies", "not by Nolan"."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from coldstart.catalog.stems import term
from coldstart.understanding.polarity import Clause
from coldstart.understanding.tokens import Token

LONGEST = 3
"""Words of a phrase; more of them in a row tell something, and name nothing."""
_NEAR = 2  # words between a rejection's mark and the first phrase
_JOINING = frozenset(("and", "or", "nor"))


def rejected_phrases(
    tokens: Sequence[Token],
    clauses: Sequence[Clause],
    covered: Collection[int],
    is_filler: Callable[[str], bool],
) -> Iterator[tuple[int, int]]:
    """Runs of content words that follow the mark of a rejection: (first token, token after it).

    "No zombies, vampires or talking dogs" has three. What comes after other words is not part of
    the rejection: "without Tom Cruise, set in space".

    Args:
        tokens: of the text.
        clauses: of the text.
        covered: tokens that belong to a mark or have a meaning of their own.
        is_filler: whether a word may stand beside what is rejected.
    """
    for clause in clauses:
        if clause.polarity >= 0:
            continue
        inside = [n for n, t in enumerate(tokens) if clause.start <= t.start < clause.end]
        run: list[int] = []
        gap = 0
        for n in [*inside, None]:
            named = n is not None and n not in covered and not is_filler(tokens[n].form)
            if named and n is not None and term(tokens[n].form):
                if gap > _NEAR:
                    break
                run.append(n)
                continue
            if run:
                if len(run) <= LONGEST:
                    yield run[0], run[-1] + 1
                run, gap = [], _NEAR  # at most a conjunction may follow
            if n is None or n in covered or tokens[n].form in _JOINING:
                gap = 0 if n is not None and n in covered else gap
                continue
            gap += 1
