"""Contracts of ``protocols.Index``: for indexes that miss nothing, and for approximate ones."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from random import Random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from coldstart.errors import ColdstartError
from coldstart.grounding.index.allowed import Allowed
from coldstart.protocols import Index
from coldstart.testing.contracts.examples import random_examples

if TYPE_CHECKING:
    from coldstart.protocols import Float

    Rows = dict[str, Float]
    Change = Rows | list[str]

DIM = 4
NAMES = [a + b + c for a in "abc" for b in ("", *"abc") for c in (("", *"abc") if b else ("",))]


def a_vector(rng: Random) -> Float:
    """Small whole numbers, which make ties and zero vectors common."""
    at = rng.randrange(5**DIM)
    return np.array([at // 5**n % 5 - 2 for n in range(DIM)], np.float32)


def some_rows(rng: Random) -> Rows:
    """Up to 12 rows."""
    return {rng.choice(NAMES): a_vector(rng) for _ in range(rng.randint(0, 12))}


def some_queries(rng: Random) -> Float:
    """Up to 5 queries."""
    rows = [a_vector(rng) for _ in range(rng.randint(0, 5))]
    return np.array(rows, np.float32).reshape(-1, DIM)


def some_names(rng: Random, most: int = 12) -> list[str]:
    """Ids, some of them twice."""
    return [rng.choice(NAMES) for _ in range(rng.randint(0, most))]


def some_changes(rng: Random) -> list[Change]:
    """Rows to set, and ids to remove."""
    return [
        some_rows(rng) if rng.random() < 0.5 else some_names(rng) for _ in range(rng.randint(0, 8))
    ]


def stacked(rows: Rows) -> Float:
    """The vectors of some rows, shape (n, DIM)."""
    return np.array(list(rows.values()), np.float32).reshape(-1, DIM)


def apply(change: Change, index: Index, rows: Rows) -> None:
    """Change an index, and the dictionary that says what it should hold."""
    if isinstance(change, dict):
        index.set(list(change), stacked(change))
        rows |= change
    else:
        index.remove(change)
        for item_id in change:
            rows.pop(item_id, None)


def brute_force(rows: Rows, query: Float, k: int) -> list[tuple[str, float]]:
    """What a search has to find: cosines of all rows, best first, ties by id."""

    def unit(vector: Float) -> np.ndarray:
        length = np.linalg.norm(vector.astype(np.float64))
        return vector / (length if length > 0 else 1)

    scored = [(i, float(unit(v) @ unit(query))) for i, v in rows.items()]
    return sorted(scored, key=lambda pair: (-round(pair[1], 5), pair[0]))[:k]


def assert_best(hits: list[tuple[str, float]], rows: Rows, query: Float, k: int) -> None:
    """Assert that hits are the k best rows, in order of (cosine, id), up to rounding."""
    expected = brute_force(rows, query, k)
    true = dict(brute_force(rows, query, len(rows)))
    assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
    assert len({item_id for item_id, _ in hits}) == len(hits)
    assert dict(hits) == pytest.approx({i: true[i] for i, _ in hits}, abs=2e-6)
    assert [s for _, s in hits] == pytest.approx([s for _, s in expected], abs=2e-6)


class IndexContract(ABC):
    """Every search is exact, whatever was set and removed before; ties come in the order of ids.

    An index that gives up recall for speed is made here so that it looks at all of a few rows; for
    other settings there is ``ApproximateIndexContract``.
    """

    @abstractmethod
    def make(self) -> Index:
        """An empty index."""

    def filled(self, rows: Rows) -> Index:
        """An index of some rows."""
        index = self.make()
        index.set(list(rows), stacked(rows))
        return index

    def test_is_an_index(self) -> None:
        """It has the methods."""
        assert isinstance(self.make(), Index)

    def test_empty_index_finds_nothing(self) -> None:
        """One empty list per query."""
        assert self.make().search(np.ones((2, DIM), np.float32), k=3) == [[], []]

    @random_examples()
    def test_search_equals_brute_force(self, rng: Random) -> None:
        """Ids and cosines are those of comparing all rows."""
        rows, queries, k = some_rows(rng), some_queries(rng), rng.randint(1, 15)
        found = self.filled(rows).search(queries, k)
        assert len(found) == len(queries)
        for hits, query in zip(found, queries, strict=True):
            assert_best(hits, rows, query, k)

    @random_examples()
    def test_allowed_equals_an_index_of_the_allowed_rows(self, rng: Random) -> None:
        """A filter costs no recall; unknown ids are ignored."""
        rows, queries, k = some_rows(rng), some_queries(rng), rng.randint(1, 15)
        allowed = [i for i in (*rows, "unknown") if rng.random() < 0.5]
        subset = self.filled({i: v for i, v in rows.items() if i in allowed})
        assert self.filled(rows).search(queries, k, allowed) == subset.search(queries, k)

    @random_examples()
    def test_adding_then_removing_is_a_no_op(self, rng: Random) -> None:
        """Rows that came and went leave no trace."""
        rows, others, queries = some_rows(rng), some_rows(rng), some_queries(rng)
        index = self.filled(rows)
        before = index.search(queries, 20)
        new = {i: v for i, v in others.items() if i not in rows}
        index.set(list(new), stacked(new))
        index.remove([*new, "unknown"])
        assert index.search(queries, 20) == before

    @random_examples()
    def test_order_of_insertion_does_not_matter(self, rng: Random) -> None:
        """Nor to ties."""
        rows, queries = some_rows(rng), some_queries(rng)
        shuffled = list(rows.items())
        rng.shuffle(shuffled)
        found = self.filled(dict(shuffled)).search(queries, 3)
        assert found == self.filled(rows).search(queries, 3)

    @random_examples()
    def test_set_replaces_known_rows(self, rng: Random) -> None:
        """An id has one row."""
        old, new, queries = some_rows(rng), some_rows(rng), some_queries(rng)
        index = self.filled(old)
        index.set(list(new), stacked(new))
        assert index.search(queries, 20) == self.filled(old | new).search(queries, 20)

    @random_examples()
    def test_whatever_happened_answers_are_those_of_brute_force(self, rng: Random) -> None:
        """After every change; filters may be a list or ``Allowed``."""
        changes, queries = some_changes(rng), some_queries(rng)
        k, names = rng.randint(1, 15), some_names(rng)
        rows: Rows = {}
        index, allowed = self.make(), Allowed(names)
        for change in changes:
            apply(change, index, rows)
            within = {i: v for i, v in rows.items() if i in names}
            found, some = index.search(queries, k), index.search(queries, k, names)
            assert index.search(queries, k, allowed) == some
            for hits, filtered, query in zip(found, some, queries, strict=True):
                assert_best(hits, rows, query, k)
                assert_best(filtered, within, query, k)

    def test_a_batch_equals_the_singles(self) -> None:
        """To the last digit, in 384 dimensions, where every cosine is a tie."""
        rng = np.random.default_rng(0)
        vectors = np.repeat(rng.normal(size=(300, 384)), 2, axis=0).astype(np.float32)
        index = self.make()
        index.set([f"{n:03}" for n in rng.permutation(600)], vectors)
        queries = rng.normal(size=(37, 384)).astype(np.float32)
        batch = index.search(queries, 11)
        assert batch == [index.search(query[None], 11)[0] for query in queries]

    def test_equal_cosines_come_by_id(self) -> None:
        """Of many equal ones the first ids are found."""
        index = self.make()
        index.set([str(n) for n in range(300)], np.tile(np.array([1, 2], np.float32), (300, 1)))
        for query in ([[1, 2]], [[0, 0]]):
            (hits,) = index.search(np.array(query, np.float32), k=3)
            assert [i for i, _ in hits] == ["0", "1", "10"]

    def test_an_id_given_twice_keeps_the_last_vector(self) -> None:
        """In one call."""
        index = self.make()
        index.set(["a", "a"], np.eye(2, dtype=np.float32))
        assert index.search(np.eye(2, dtype=np.float32), 2) == [[("a", 0.0)], [("a", 1.0)]]

    def test_nothing_to_do_needs_no_dimension(self) -> None:
        """Empty changes, queries and filters are fine."""
        index, nothing = self.make(), np.empty((0, 0), np.float32)
        index.set([], nothing)
        index.remove([])
        index.set(["a"], np.eye(1, dtype=np.float32))
        assert index.search(nothing, k=1) == []
        assert index.search(np.eye(1, dtype=np.float32), k=1, allowed=[]) == [[]]

    def test_an_emptied_index_takes_another_dimension(self) -> None:
        """As if it were new."""
        index = self.make()
        index.set(["a", "b"], np.eye(2, dtype=np.float32))
        index.remove(["a", "b"])
        assert index.search(np.eye(7, dtype=np.float32), k=1) == [[]] * 7
        index.set(["c"], np.eye(5, dtype=np.float32)[:1])
        assert index.search(np.eye(5, dtype=np.float32)[:1], k=1) == [[("c", 1.0)]]

    def test_extreme_but_finite_lengths(self) -> None:
        """Lengths do not matter, and zero rows have cosine 0 with everything."""
        index = self.make()
        vectors = np.array([[1e-30, 0], [0, 1e30], [0, 0]], np.float32)
        index.set(["tiny", "huge", "zero"], vectors)
        found = index.search(np.array([[0, 1]], np.float32), 3)
        assert found == [[("huge", 1.0), ("tiny", 0.0), ("zero", 0.0)]]

    def test_what_does_not_fit_is_refused_and_changes_nothing(self) -> None:
        """Wrong shapes, numbers that are not finite, k below 1, and one text as a filter."""
        index, eye = self.make(), np.eye(3, dtype=np.float32)
        index.set(["a"], eye[:1])
        rows = {"b": np.eye(2, dtype=np.float32)[:1], "c": eye, "d": eye[0], "e": eye[:1] * np.nan}
        for name, vectors in rows.items():
            with pytest.raises(ColdstartError, match=r"\d"):
                index.set([name], vectors)
        for query, k in ((np.eye(4, dtype=np.float32), 1), (eye[0], 1), (eye, 0)):
            with pytest.raises(ColdstartError, match=r"\d"):
                index.search(query, k)
        with pytest.raises(ColdstartError, match="allowed"):
            index.search(eye, 1, "abc")
        assert index.search(eye[:1], 9) == [[("a", 1.0)]]

    def test_searching_while_rows_come_and_go(self) -> None:
        """From another thread."""
        index, stop = self.make(), threading.Event()
        stays, other = np.array([[1, 0]], np.float32), np.array([[0, 1]], np.float32)
        index.set(["stays"], stays)
        names = [f"n{n}" for n in range(50)]

        def churn() -> None:
            while not stop.is_set():
                index.set(names, np.tile(other, (50, 1)))
                index.remove(names)

        worker = threading.Thread(target=churn)
        worker.start()
        try:
            for _ in range(60):
                assert index.search(stays, k=1) == [[("stays", 1.0)]]
        finally:
            stop.set()
            worker.join()


class ApproximateIndexContract(ABC):
    """Whatever an approximate search misses: what it finds is right, in order, and enough."""

    @abstractmethod
    def make(self) -> Index:
        """An empty index."""

    @random_examples()
    def test_an_answer_is_right_and_complete_if_not_the_best(self, rng: Random) -> None:
        """K allowed rows whenever there are as many, with their exact cosines, best first."""
        changes, queries = some_changes(rng), some_queries(rng)
        k, names = rng.randint(1, 5), some_names(rng)
        rows: Rows = {}
        index = self.make()
        for change in changes:
            apply(change, index, rows)
            for allowed in (None, names):
                within = {i: v for i, v in rows.items() if allowed is None or i in allowed}
                for hits, query in zip(index.search(queries, k, allowed), queries, strict=True):
                    assert len(hits) == min(k, len(within))
                    assert hits == sorted(hits, key=lambda hit: (-hit[1], hit[0]))
                    true = dict(brute_force(within, query, len(within)))
                    assert dict(hits) == pytest.approx({i: true[i] for i, _ in hits}, abs=2e-6)
