"""Contract of ``scoring.scorer.Scorer``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, get_args

import numpy as np
import pytest

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import PickResolver, ResolvedProfile
from coldstart.schema import Context, Item, Reason, Strategy, UserProfile
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.resources import ItemResources, Resources
from coldstart.scoring.scorer import KnowsFacts, Scope, Scorer, ScoreRequest
from coldstart.scoring.scorers import Scorers
from coldstart.scoring.signal import Signal
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_dataset, toy_requests

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.protocols import Float

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Columns = Mapping[str, Floats]

PROFILES = [
    (UserProfile.parse(profile), Context.parse(context))
    for profile, context in (
        ({}, {}),
        ({"age": 21, "gender": "F", "occupation": "student"}, {}),
        ({"liked": "Alien", "disliked": "Fargo", "seen": "Heat"}, {}),
        ({"liked": ["i1", "i3", "i5"], "history": True}, {"viewing": "i7"}),
        ({"interests": ["Sci-Fi", "Zen"], "about": "a film about toys"}, {"text": "aliens"}),
    )
]
"""Users without a word, of attributes, picks, a history, and free text."""


class ScorerContract(ABC):
    """Named, bounded, finite columns that depend on nothing but request, catalog and fitting.

    The world is ``coldstart.testing.world``: 24 films with categories and years, 60 users.
    """

    tolerance: ClassVar[float] = 1e-9
    """Difference of scores that is rounding."""

    @abstractmethod
    def make(self) -> Scorer:
        """A new scorer, not fitted."""

    def resources(self) -> Resources:
        """What ``sync`` is given: a new toy catalog; override where a language model is needed."""
        data = toy_dataset()
        counts = Counts.fit(data.catalog.ids, data.users, data.likes)
        items = ItemStore(toy_catalog(), counts, TrigramEncoder())
        items.sync()
        return ItemResources(items)

    # -- declarations ---------------------------------------------------------------------------

    def test_is_a_scorer(self) -> None:
        """Its attributes are of the protocol; before and after ``sync``."""
        scorer = self.make()
        assert scorer.name.isidentifier()
        assert scorer.scope in get_args(Scope)
        assert scorer.strategies is None or scorer.strategies <= set(get_args(Strategy))
        scorer.sync(self.resources())
        assert isinstance(scorer, Scorer)
        assert scorer.concurrency is None or scorer.concurrency >= 1

    def test_its_signals_are_declared_once(self) -> None:
        """With different names, and no other meaning than in the registry."""
        signals = self.make().signals
        names = [signal.name for signal in signals]
        assert names
        assert len(set(names)) == len(names)
        assert all(isinstance(signal, Signal) and signal.meaning for signal in signals)
        for signal in signals:
            assert signal.name not in SIGNALS or SIGNALS[signal.name] == signal

    # -- scores ---------------------------------------------------------------------------------

    def test_columns_are_as_declared(self) -> None:
        """One finite number per item, within the bounds of its signal."""
        scorer, resources = self._fitted(), self.resources()
        declared = {signal.name: signal for signal in scorer.signals}
        for columns in self._columns(scorer, resources):
            assert set(columns) == set(declared)
            for name, values in columns.items():
                assert values.shape == (len(resources.items.ids),), name
                assert np.isfinite(values).all(), name
                low, high = declared[name].low, declared[name].high
                assert low is None or values.min() >= low - 1e-6, name
                assert high is None or values.max() <= high + 1e-6, name

    def test_a_batch_equals_the_singles(self) -> None:
        """What else is asked makes no difference."""
        scorer, resources = self._fitted(), self.resources()
        batch = self._requests(scorer, resources)
        together = _columns_of(scorer, batch)
        alone = [_columns_of(scorer, [request])[0] for request in batch]
        self._assert_same(together, alone)

    def test_scores_repeat(self) -> None:
        """The same request again, or a scorer fitted again, gives the same."""
        scorer, resources = self._fitted(), self.resources()
        first = self._columns(scorer, resources)
        self._assert_same(self._columns(scorer, resources), first)
        self._assert_same(self._columns(self._fitted(), resources), first)

    def test_an_empty_batch_is_fine(self) -> None:
        """It has no scores."""
        scorer, resources = self._fitted(), self.resources()
        scorer.sync(resources)
        assert list(scorer.score([])) == []

    # -- catalog --------------------------------------------------------------------------------

    def test_sync_is_idempotent(self) -> None:
        """Without a change, a second one changes nothing."""
        scorer, resources = self._fitted(), self.resources()
        first = self._columns(scorer, resources)
        scorer.sync(resources)
        scorer.sync(resources)
        self._assert_same(self._columns(scorer, resources), first)

    def test_it_follows_the_catalog(self) -> None:
        """After changes it scores as one that saw the new catalog only."""
        scorer, resources = self._fitted(), self.resources()
        self._columns(scorer, resources)
        catalog = resources.items.catalog
        catalog.remove(["i0", "i9"])
        catalog.add(Item(item_id="new", title="Solaris", year=1972, categories=("Sci-Fi",)))
        catalog.update(Item(item_id="i2", title="Toy"))
        resources.items.sync()
        after = self._columns(scorer, resources)
        assert {len(v) for columns in after for v in columns.values()} == {len(catalog)}
        self._assert_same(self._columns(self._fitted(), resources), after)

    def test_retrieved_rows_are_of_the_catalog(self) -> None:
        """Whole numbers from 0 to N − 1, in one-dimensional arrays."""
        scorer, resources = self._fitted(), self.resources()
        scorer.sync(resources)
        items = resources.items

        def nearest(vector: Float, n: int) -> Ints:
            return np.argsort(-(items.content @ vector), kind="stable")[:n]

        for user in self._users(resources):
            for rows in scorer.retrieve(user, items, nearest):
                assert rows.ndim == 1
                assert np.issubdtype(rows.dtype, np.integer)
                assert len(rows) == 0 or 0 <= rows.min() <= rows.max() < len(items.ids)

    def test_facts_are_plain_data(self) -> None:
        """Of its own reasons, for every item, where the scorer knows facts at all."""
        scorer, resources = self._fitted(), self.resources()
        scorer.sync(resources)
        if not isinstance(scorer, KnowsFacts):
            return
        reasons = {signal.reason for signal in scorer.signals if signal.reason is not None}
        for user in self._users(resources):
            for row in range(len(resources.items.ids)):
                for reason in sorted(reasons):
                    facts = scorer.facts(reason, user, resources.items, row)
                    Reason(code=reason, arguments=dict(facts or {})).model_dump_json()

    # -- state ----------------------------------------------------------------------------------

    def test_not_fitted_it_gives_finite_columns(self) -> None:
        """Artifacts of before it was installed have no state of it."""
        for columns in self._columns(self.make(), self.resources()):
            assert all(np.isfinite(values).all() for values in columns.values())

    def test_saved_and_loaded_it_scores_the_same(self) -> None:
        """And saves the same again; the files are such as an artifact takes."""
        scorer, again, resources = self._fitted(), self.make(), self.resources()
        files = Scorers([scorer]).save()
        Scorers([again]).load(files)
        assert Scorers([again]).save() == files
        self._assert_same(self._columns(again, resources), self._columns(scorer, resources))

    def test_it_learns_from_the_given_users_only(self) -> None:
        """Others' likes leave no trace: the tree correction is learned out of fold."""
        data, resources = toy_dataset(), self.resources()
        users = list(data.likes)[:30]
        some = replace(
            data,
            users={u: data.users[u] for u in users},
            likes={u: data.likes[u] for u in users},
            dislikes={u: data.dislikes[u] for u in users},
        )
        one, other = self.make(), self.make()
        one.fit(data, users)
        other.fit(some, users)
        self._assert_same(self._columns(one, resources), self._columns(other, resources))

    # -- helpers --------------------------------------------------------------------------------

    def _fitted(self) -> Scorer:
        scorer = self.make()
        scorer.fit(toy_dataset(), list(toy_dataset().likes))
        scorer.fit_requests(toy_requests(), self.resources().items)
        return scorer

    def _users(self, resources: Resources) -> list[ResolvedProfile]:
        items = resources.items
        resolver = PickResolver(items.catalog, items.counts, "ignore")
        return [resolver.resolve(profile, context) for profile, context in PROFILES]

    def _requests(self, scorer: Scorer, resources: Resources) -> list[ScoreRequest]:
        scorer.sync(resources)
        return [ScoreRequest(user, resources.items) for user in self._users(resources)]

    def _columns(self, scorer: Scorer, resources: Resources) -> list[Columns]:
        return _columns_of(scorer, self._requests(scorer, resources))

    def _assert_same(self, found: Sequence[Columns], expected: Sequence[Columns]) -> None:
        for one, other in zip(found, expected, strict=True):
            assert set(one) == set(other)
            for name in one:
                assert one[name] == pytest.approx(other[name], abs=self.tolerance), name


def _columns_of(scorer: Scorer, batch: Sequence[ScoreRequest]) -> list[Columns]:
    found = []
    for scores in scorer.score(batch):
        if isinstance(scores, Exception):
            raise scores
        found.append(scores.columns)
    return found
