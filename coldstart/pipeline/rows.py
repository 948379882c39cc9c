"""Rows: several short lists from one pass over the scorers, each by a rule of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coldstart.catalog.near_duplicates import NearDuplicates
from coldstart.pipeline.draft import Ranked
from coldstart.pipeline.request import adjustments_of
from coldstart.ranking.constraints import Constraints
from coldstart.ranking.diversity import diversify
from coldstart.ranking.ranker import states_taste
from coldstart.ranking.request_blend import in_words
from coldstart.ranking.wording.rows import row_words
from coldstart.schema import (
    MAX_K,
    ROWS,
    Reason,
    Recommendation,
    RecommendationList,
    RecommendationRow,
    RecommendationRows,
    RowName,
)
from coldstart.scoring.piece_matches import fulfils_any, suits_children
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import KnowsFacts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.pipeline.draft import Draft
    from coldstart.pipeline.explain import ExplainStage
    from coldstart.pipeline.parts import Parts

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

FEWEST = 3
"""Items of a row; one with fewer is left out, but for ``asked``."""
ALIKE_FROM = 0.5
"""Cosine between contents from which an item is alike a liked one."""
_TOGETHER = 2  # people who must like both
_NEAREST = 20, 100  # a twentieth of the candidates, within these bounds, can be close to an item
_DAMPING = 20.0  # likes, as in interaction_stats.co_occurrence
_TRIED = 5  # liked items of which the first with a full row is taken
_POOL = 20  # times k: the best items among which the different ones are
_UNLIKE = 0.6  # weight of being unlike, beside the score
_HALF = 0.25  # what the words count for it beside the taste, as for ``words``
_ASKED = ("asked_alike", "asked_alike_words")


class Close(NamedTuple):
    """How close each candidate is to one liked item.

    Args:
        value: by shared likes and content, shape (N,).
        people: who like both, shape (N,).
        cosine: between the contents, shape (N,).
    """

    value: Floats
    people: Ints
    cosine: Floats


class RowsStage:
    """Composes rows of one draft whose list is made.

    Args:
        parts: of the recommender.
        explain: gives each item its reasons and provenance.
    """

    def __init__(self, parts: Parts, explain: ExplainStage) -> None:
        self._parts, self._explain = parts, explain

    def compose(
        self, draft: Draft, names: Sequence[RowName], *, tell: bool = False
    ) -> RecommendationRows:
        """The rows of a request.

        Args:
            draft: with its list.
            names: which rows, if there is enough to show.
            tell: whether a note says which of them are left out.
        """
        made, ranked = draft.made, draft.ranked
        assert isinstance(made, RecommendationList)
        assert ranked is not None
        composer = _Composer(self._parts, self._explain, draft, ranked)
        rows = [row for name in ROWS if name in names and (row := composer.row(name)) is not None]
        missing = [name for name in ROWS if name in names and name not in {r.row for r in rows}]
        notes = tuple(_absent(name, draft) for name in missing if tell)
        return RecommendationRows(
            rows=tuple(rows),
            k=made.k,
            strategy=made.strategy,
            notes=(*made.notes, *notes),
            understood=made.understood,
            picks=made.picks,
        )


def _absent(name: RowName, draft: Draft) -> str:
    """Note on a row that is left out."""
    if name == "because" and not draft.request.user.liked:
        return "no row “because”: nothing was liked yet"
    if name == "people" and not in_words(draft.features):
        return "no row “people”: nothing was asked for"
    if name == "people" and not draft.features[:, [SIGNALS.index(n) for n in _ASKED]].any():
        return "no row “people”: no recorded request is like this one"
    return f"no row “{name}”: fewer than {FEWEST} items"


class _Composer:
    """The rows of one request in the making."""

    def __init__(self, parts: Parts, explain: ExplainStage, draft: Draft, ranked: Ranked) -> None:
        self._parts, self._explain, self._draft, self._ranked = parts, explain, draft, ranked
        self._items: ItemStore = draft.candidates
        self._user = draft.request.user
        self._used: list[int] = []

    def row(self, name: RowName) -> RecommendationRow | None:
        """One row; ``None`` if there is too little to show."""
        make = {
            "asked": self._asked,
            "because": self._because,
            "people": self._people,
            "different": self._different,
        }
        return make[name]()

    def _asked(self) -> RecommendationRow | None:
        made = self._draft.made
        assert isinstance(made, RecommendationList)
        if not made.items:
            return None
        self._used += self._ranked.rows
        code = "asked" if in_words(self._draft.features) else "taste"
        if code == "taste" and not self._says_something:
            code = "popular" if self._items.counts.n_users else "opening"
        return _worded("asked", code, made.items)

    @property
    def _says_something(self) -> bool:
        return states_taste(self._draft.features) or bool(self._user.profile.demographics())

    def _because(self) -> RecommendationRow | None:
        for pick in list(reversed(self._user.liked))[:_TRIED]:
            close = self._close_to(pick)
            known = (close.people >= _TOGETHER) | (close.cosine >= ALIKE_FROM)
            known &= close.value >= _nth_highest(close.value)
            chosen = self._best(close.value, known)
            if len(chosen) < self._fewest:
                continue
            self._used += chosen
            title = self._parts.catalog[pick].title
            code = self._said_of(pick)
            lines = self._lines(chosen, [_of_pick(row, close, title, code) for row in chosen])
            return _worded("because", code, lines, pick, title)
        return None

    def _people(self) -> RecommendationRow | None:
        columns = [SIGNALS.index(name) for name in _ASKED]
        value = self._draft.features[:, columns].sum(axis=1)
        knows = next(
            (
                scorer
                for scorer in self._parts.scorers
                if scorer.name == "request_memory" and isinstance(scorer, KnowsFacts)
            ),
            None,
        )
        if knows is None or not value.any():
            return None
        found: dict[int, Reason] = {}
        for row in self._best(value, value > 0, more=2):
            facts = knows.facts("asked_alike", self._user, self._items, row)
            if facts is not None:
                found[row] = Reason(code="asked_alike", arguments=dict(facts))
        chosen = list(found)[: self._draft.request.options.k]
        if len(chosen) < self._fewest:
            return None
        self._used += chosen
        lines = self._lines(chosen, [found[row] for row in chosen])
        return _worded("people", "people", lines)

    def _different(self) -> RecommendationRow | None:
        options, ranker = self._draft.request.options, self._parts.ranker
        scores = self._ranked.scores
        if in_words(self._draft.features):  # not the same again, only worse
            scores = ranker.scores(
                self._draft.features, self._ranked.weights, options.strategy, _HALF
            ) + adjustments_of(self._items, options.adjustments)
        pool = self._best(scores, np.ones(len(scores), dtype=bool), more=_POOL, spread=True)
        content = self._items.content
        known = [*self._used, *self._items.rows_in_order(self._user.liked)]
        order = diversify(scores[pool], content[pool], 2 * options.k, _UNLIKE, shown=content[known])
        chosen = self._unlike_titles([pool[n] for n in order])
        chosen = sorted(chosen[: options.k], key=pool.index)
        if len(chosen) < self._fewest:
            return None
        self._used += chosen
        code = "different" if self._says_something else "unlike"
        return _worded("different", code, self._lines(chosen))

    @property
    def _fewest(self) -> int:
        return min(FEWEST, self._draft.request.options.k)

    def _best(
        self, value: Floats, allowed: Bools, more: int = 1, *, spread: bool = False
    ) -> list[int]:
        """The rows of the highest values that may be shown, and are in no row yet.

        Args:
            value: of every candidate, shape (N,).
            allowed: which candidates, shape (N,).
            more: how many times k.
            spread: whether titles that are nearly the same are left to the caller.
        """
        allowed = allowed & self._may_be_shown
        allowed[self._used] = False
        order = np.argsort(-np.round(value, 9), kind="stable")
        order = order[allowed[order]]
        options, items = self._draft.request.options, self._items.items
        passing = (row for row in order.tolist() if self._draft.passes(items[row]))
        if not spread:
            return self._unlike_titles(passing, more * options.k)
        return list(islice(passing, more * options.k))

    def _unlike_titles(self, rows: Iterable[int], most: int = MAX_K) -> list[int]:
        """Of ranked rows the first whose titles are nearly those of no pick or item shown."""
        items, allowed = self._items.items, self._draft.request.options.near_duplicates
        taken = [self._items.catalog[i] for i in self._user.liked if i in self._items.catalog]
        taken += [items[row] for row in self._used]
        out: list[int] = []
        for row in rows:
            if len(out) == most:
                break
            if allowed or not NearDuplicates().twin(items[row], taken):
                out.append(row)
                taken.append(items[row])
        return out

    @cached_property
    def _may_be_shown(self) -> Bools:
        """Whether each candidate is nothing that the request rules out, outright or by its mood."""
        items, options = self._items, self._draft.request.options
        allowed = np.ones(len(items.ids), dtype=bool)
        if options.only is not None:
            allowed &= np.array([i in options.only for i in items.ids])
        if not options.strict:
            return allowed
        constraints = Constraints.of(self._user, items)
        allowed &= ~constraints.verdicts(items).excluded
        pieces = [p for p in self._user.understood.pieces if not p.wanted and p.kind != "title"]
        allowed &= ~fulfils_any(items, [p for p in pieces if p not in constraints.ignored])
        if constraints.child is not None:
            suits = suits_children(items, constraints.child)
            allowed = allowed & suits if (allowed & suits).sum() >= self._fewest else allowed
        return allowed

    def _lines(
        self, rows: list[int], reasons: Sequence[Reason] | None = None
    ) -> tuple[Recommendation, ...]:
        """The items of a row; with the row's own reasons, if it has some."""
        ranked = Ranked(rows, self._ranked.scores, self._ranked.weights, self._ranked.walked)
        return self._explain.lines(self._draft, ranked, reasons)

    def _close_to(self, pick: str) -> Close:
        items, whole = self._items, self._parts.item_store
        counts = items.counts
        n = len(items.ids)
        cosine = np.zeros(n)
        if pick in whole.rows:
            vector = whole.content[whole.rows[pick]]
            cosine = np.asarray(items.content @ vector, dtype=np.float64)
        people, near = np.zeros(n, dtype=np.int64), np.zeros(n)
        column = counts.column.get(pick)
        if column is not None and counts.n_users:
            together = counts.together[[column]].toarray().ravel()
            people[items.met] = together[items.columns[items.met]]
            size = counts.likes + _DAMPING
            near = items.spread(together / np.sqrt(size[column] * size))
        value = _share_of_most(near) + _share_of_most(np.maximum(cosine, 0.0))
        return Close(value, people, cosine)

    def _said_of(self, pick: str) -> str:
        """Code of the wording: whether the pick was liked, named, or is looked at."""
        if pick in {p.item for p in self._user.profile.liked}:
            return "because"
        return "named" if pick in self._user.understood.liked else "viewing"


def _share_of_most(values: Floats) -> Floats:
    most = float(values.max(initial=0.0))
    return values / most if most > 0 else np.zeros(len(values))


def _nth_highest(values: Floats) -> float:
    """Value from which on an item is among the nearest."""
    n = min(max(len(values) // 20, _NEAREST[0]), _NEAREST[1], len(values))
    return float(np.partition(values, -n)[-n])


def _of_pick(row: int, close: Close, title: str, code: str) -> Reason:
    if close.people[row] >= _TOGETHER:
        arguments = {
            "pick": title,
            "people": int(close.people[row]),
            "viewing": code == "viewing",
            "named": code == "named",
        }
        return Reason(code="picks", arguments=arguments)
    return Reason(code="alike", arguments={"pick": title})


def _worded(
    row: RowName,
    code: str,
    items: Collection[Recommendation],
    about: str | None = None,
    about_title: str = "",
) -> RecommendationRow:
    title, rule = row_words(code, about_title)
    return RecommendationRow(
        row=row,
        code=code,
        title=title,
        rule=rule,
        about=about,
        about_title=about_title,
        items=tuple(items),
    )
