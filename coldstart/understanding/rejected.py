"""Rejected words that stand for nothing in the catalog: "no zombies", "not by Nolan"."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from coldstart.catalog.stems import term
from coldstart.understanding.polarity import Clause
from coldstart.understanding.tokens import Token

LONGEST = 3
"""Words of a phrase; more of them in a row tell something, and name nothing."""
_JOINING = frozenset(("and", "or", "nor"))
_BETWEEN = frozenset(
    "a an the any another more such those these too very so by with from about featuring starring "
    "film films movie movies one ones many much".split()
)
"""Words that may stand between the mark of a rejection and what it rejects."""
_OF_VERBS = frozenset(
    "dont doesnt didnt wont cant cannot couldnt wouldnt shouldnt never do will can".split()
)
"""Last words of marks that a verb follows: "don't overthink it" rejects no thing."""


def is_content(form: str) -> bool:
    """Whether a word names something, rather than joining or marking."""
    return form not in _BETWEEN and form not in _JOINING and bool(term(form))


def rejected_phrases(
    tokens: Sequence[Token],
    clauses: Sequence[Clause],
    marks: Collection[tuple[int, int]],
    mentioned: Collection[int],
) -> Iterator[tuple[int, int]]:
    """Runs of content words that a rejection names: (first token, token after it).

    They follow the mark of the rejection, or a conjunction after something that is rejected, too.
    What comes after other words is not part of it: "without Tom Cruise, set in space".

    Args:
        tokens: of a text.
        clauses: of the text.
        marks: (first token, token after it) of the words that open or close rejections.
        mentioned: tokens that have a meaning of their own.
    """
    ends = {after - 1 for _, after in marks}
    marked = {n for first, after in marks for n in range(first, after)}
    for clause in clauses:
        if clause.polarity >= 0:
            continue
        run: list[int] = []
        ready = met = False  # whether a phrase may begin; whether something was rejected
        for n, token in enumerate(tokens):
            if not clause.start <= token.start < clause.end:
                continue
            plain = n not in marked and n not in mentioned and token.form not in _BETWEEN
            if plain and term(token.form):
                run += [n] if ready or run else []
                ready = False
                continue
            yield from _phrase(run)
            met, run = met or bool(run), []
            if n in marked:
                ready = n in ends and token.form not in _OF_VERBS
            elif n in mentioned:
                ready, met = False, True
            elif token.form in _JOINING:
                ready = met
            elif token.form not in _BETWEEN:
                ready = False
        yield from _phrase(run)


def _phrase(run: Sequence[int]) -> Iterator[tuple[int, int]]:
    if 0 < len(run) <= LONGEST:
        yield run[0], run[-1] + 1
