from __future__ import annotations

import threading

import numpy as np
import pytest

from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding import index as index_module
from coldstart.grounding.index import ExactIndex
from tests.contracts import IndexContract


def eye(n: int) -> np.ndarray:
    return np.eye(n, dtype=np.float32)


class TestExactIndex(IndexContract):
    def make(self):
        return ExactIndex()


def test_length_containment_and_iteration_follow_changes():
    index = ExactIndex()
    index.set(["a", "b", "c"], eye(3))
    index.remove(["a", "a"])
    assert len(index) == 2
    assert "a" not in index
    assert sorted(index) == ["b", "c"]


def test_vectors_come_in_the_order_asked_for_and_have_length_one():
    index = ExactIndex()
    index.set(["a", "b", "c"], eye(3) * 7)
    index.remove(["a"])
    assert index.vectors(["c", "b", "c"]).tolist() == eye(3)[[2, 1, 2]].tolist()
    assert index.vectors([]).shape == (0, 3)


def test_vectors_are_a_copy():
    index = ExactIndex()
    index.set(["a"], eye(1))
    index.vectors(["a"])[:] = 9
    assert index.vectors(["a"]) == 1


def test_vector_of_an_unknown_id():
    with pytest.raises(CatalogError, match="no vector for 'x'"):
        ExactIndex().vectors(["x"])


def test_an_id_given_twice_keeps_the_last_vector():
    index = ExactIndex()
    index.set(["a", "a"], eye(2))
    assert len(index) == 1
    assert index.vectors(["a"]).tolist() == [[0, 1]]


def test_an_emptied_index_takes_another_dimension():
    index = ExactIndex()
    index.set(["a", "b"], eye(2))
    index.remove(["a", "b"])
    index.set(["c"], eye(5)[:1])
    assert index.search(eye(5)[:1], k=1) == [[("c", 1.0)]]


def test_nothing_to_do_needs_no_dimension():
    index = ExactIndex()
    index.set(["a"], eye(1))
    nothing = np.empty((0, 0), np.float32)
    index.set([], nothing)
    assert index.search(nothing, k=1) == []
    assert index.search(eye(1), k=1, allowed=[]) == [[]]


def test_small_blocks_change_nothing(monkeypatch):
    index, queries = ExactIndex(), np.random.default_rng(1).normal(size=(9, 6))
    index.set(list("abcdef"), eye(6))
    whole = index.search(queries, k=3)
    monkeypatch.setattr(index_module, "_BLOCK", 13)
    assert index.search(queries, k=3) == whole


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_a_number_that_is_not_finite_changes_nothing(bad):
    index = ExactIndex()
    index.set(["a"], eye(1))
    with pytest.raises(ConfigError, match="vector 1 is not finite"):
        index.set(["a", "b"], np.array([[1.0], [bad]]))
    assert list(index) == ["a"]
    with pytest.raises(ConfigError, match="vector 0 is not finite"):
        index.search(np.array([[bad]]), k=1)


def test_extreme_but_finite_lengths():
    index = ExactIndex()
    index.set(["tiny", "huge"], np.array([[1e-30, 0], [0, 1e30]], np.float32))
    assert index.search(np.array([[0, 1]], np.float32), k=2) == [[("huge", 1.0), ("tiny", 0.0)]]


def test_wrong_shapes_are_refused():
    index = ExactIndex()
    index.set(["a"], eye(3)[:1])
    with pytest.raises(ConfigError, match="2 dimensions, the index has 3"):
        index.set(["b"], eye(2)[:1])
    with pytest.raises(ConfigError, match="4 dimensions, the index has 3"):
        index.search(eye(4), k=1)
    with pytest.raises(ConfigError, match="1 ids but 3 vectors"):
        index.set(["b"], eye(3))
    with pytest.raises(ConfigError, match=r"shape \(3,\)"):
        index.search(eye(3)[0], k=1)


def test_k_below_one():
    with pytest.raises(ConfigError, match="k is 0, expected at least 1"):
        ExactIndex().search(eye(2), k=0)


def test_searching_while_rows_come_and_go():
    index, stop = ExactIndex(), threading.Event()
    index.set(["stays"], np.array([[1, 0]], np.float32))

    def churn():
        names = [f"n{n}" for n in range(50)]
        while not stop.is_set():
            index.set(names, np.tile(np.array([[0, 1]], np.float32), (50, 1)))
            index.remove(names)

    worker = threading.Thread(target=churn)
    worker.start()
    try:
        for _ in range(300):
            assert index.search(np.array([[1, 0]], np.float32), k=1) == [[("stays", 1.0)]]
    finally:
        stop.set()
        worker.join()
