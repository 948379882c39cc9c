"""What every implementation of a protocol must do; subclass and say how to make one."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.exact import ExactIndex
from coldstart.protocols import Index

DIM = 4
# Small whole numbers make ties and zero vectors common.
VECTOR = arrays(np.float32, DIM, elements=st.integers(-2, 2).map(float))
ROWS = st.dictionaries(st.text("abc", min_size=1, max_size=3), VECTOR, max_size=12)
QUERIES = st.lists(VECTOR, max_size=5).map(lambda rows: np.array(rows).reshape(-1, DIM))
NAMES = st.lists(st.text("abc", min_size=1, max_size=3), max_size=12)
# A change of an index: rows to set, or ids to remove.
CHANGES = st.lists(st.one_of(ROWS, NAMES), max_size=8)
# One contract is run for several classes.
shared = settings(suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow])


def stack(rows: dict[str, np.ndarray]) -> np.ndarray:
    return np.array(list(rows.values()), np.float32).reshape(-1, DIM)


def apply(change: dict[str, np.ndarray] | list[str], index: Index, rows: dict) -> None:
    """Change an index, and the dict that says what it should hold."""
    if isinstance(change, dict):
        index.set(list(change), stack(change))
        rows |= change
    else:
        index.remove(change)
        for item_id in change:
            rows.pop(item_id, None)


def unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=-1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1)


def brute_force(rows: dict[str, np.ndarray], query: np.ndarray, k: int) -> list[tuple[str, float]]:
    scored = [(i, float(unit(v) @ unit(query))) for i, v in rows.items()]
    return sorted(scored, key=lambda pair: (-round(pair[1], 5), pair[0]))[:k]


def assert_same(found: list[tuple[str, float]], expected: list[tuple[str, float]]) -> None:
    assert [i for i, _ in found] == [i for i, _ in expected]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=2e-6)


class IndexContract(ABC):
    """For indexes that miss nothing; ``make`` returns an empty one."""

    @abstractmethod
    def make(self) -> Index: ...

    def filled(self, rows: dict[str, np.ndarray]) -> Index:
        index = self.make()
        index.set(list(rows), stack(rows))
        return index

    def test_is_an_index(self):
        assert isinstance(self.make(), Index)

    def test_empty_index_finds_nothing(self):
        assert self.make().search(np.ones((2, DIM), np.float32), k=3) == [[], []]

    @shared
    @given(rows=ROWS, queries=QUERIES, k=st.integers(1, 15))
    def test_search_equals_brute_force(self, rows, queries, k):
        found = self.filled(rows).search(queries, k)
        assert len(found) == len(queries)
        for hits, query in zip(found, queries, strict=True):
            assert_same(hits, brute_force(rows, query, k))

    @shared
    @given(rows=ROWS, queries=QUERIES, k=st.integers(1, 15), data=st.data())
    def test_allowed_equals_an_index_of_the_allowed_rows(self, rows, queries, k, data):
        allowed = data.draw(st.lists(st.sampled_from([*rows, "unknown"]), max_size=8))
        subset = {i: v for i, v in rows.items() if i in allowed}
        assert self.filled(rows).search(queries, k, allowed) == self.filled(subset).search(
            queries, k
        )

    @shared
    @given(rows=ROWS, others=ROWS, queries=QUERIES)
    def test_adding_then_removing_is_a_no_op(self, rows, others, queries):
        index = self.filled(rows)
        before = index.search(queries, 20)
        new = {i: v for i, v in others.items() if i not in rows}
        index.set(list(new), stack(new))
        index.remove([*new, "unknown"])
        assert index.search(queries, 20) == before

    @shared
    @given(rows=ROWS, queries=QUERIES, order=st.randoms(use_true_random=False))
    def test_order_of_insertion_does_not_matter(self, rows, queries, order):
        shuffled = list(rows.items())
        order.shuffle(shuffled)
        assert self.filled(dict(shuffled)).search(queries, 3) == self.filled(rows).search(
            queries, 3
        )

    @shared
    @given(old=ROWS, new=ROWS, queries=QUERIES)
    def test_set_replaces_known_rows(self, old, new, queries):
        index = self.filled(old)
        index.set(list(new), stack(new))
        assert index.search(queries, 20) == self.filled(old | new).search(queries, 20)

    @shared
    @given(changes=CHANGES, queries=QUERIES, k=st.integers(1, 15), names=NAMES)
    def test_whatever_happened_answers_are_those_of_a_fresh_exact_index(
        self, changes, queries, k, names
    ):
        index, rows, allowed = self.make(), {}, Allowed(names)
        for change in changes:
            apply(change, index, rows)
            fresh = ExactIndex()
            fresh.set(list(rows), stack(rows))
            assert index.search(queries, k) == fresh.search(queries, k)
            expected = fresh.search(queries, k, names)
            assert index.search(queries, k, names) == expected
            assert index.search(queries, k, allowed) == expected

    def test_a_batch_equals_the_singles(self):
        rng = np.random.default_rng(0)
        vectors = np.repeat(rng.normal(size=(300, 384)), 2, axis=0).astype(np.float32)
        index = self.make()
        index.set([f"{n:03}" for n in rng.permutation(600)], vectors)  # every cosine is a tie
        queries = rng.normal(size=(37, 384)).astype(np.float32)
        batch = index.search(queries, 11)
        assert batch == [index.search(query[None], 11)[0] for query in queries]
