"""The index contract, and everyday use, on real PostgreSQL servers and on Qdrant."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index.exact import ExactIndex
from coldstart.grounding.index.pgvector import PgVectorIndex
from coldstart.grounding.index.qdrant import QdrantIndex
from coldstart.schema import Item
from coldstart.testing.contracts.index import IndexContract
from tests.fakes import FakeEncoder
from tests.grounding.server_index.servers import (
    HOSTILE,
    NEW,
)

# -- the contract -------------------------------------------------------------------------------


class TestPgVectorIndexThatComparesAll(IndexContract):
    @pytest.fixture(autouse=True)
    def _place(self, server):
        self.pool = [PgVectorIndex(server.url, f"contract{next(NEW)}") for _ in range(4)]
        self.turn = count()
        yield
        for index in self.pool:
            index.close()

    def make(self):
        """One of four, emptied: tables are slow to make, and no test needs more at a time."""
        index = self.pool[next(self.turn) % len(self.pool)]
        index.remove(list(index))
        return index


class TestPgVectorIndexThatFollowsItsGraph(TestPgVectorIndexThatComparesAll):
    @pytest.fixture(autouse=True)
    def _place(self, server):
        url = f"{server.url}&options=-c%20enable_seqscan%3Doff"
        names = [f"graph{next(NEW)}" for _ in range(4)]
        self.pool = [PgVectorIndex(url, name, exact=1) for name in names]
        self.turn = count()
        yield
        for index in self.pool:
            index.close()


class TestQdrantIndex(IndexContract):
    def make(self):
        return QdrantIndex(":memory:", "contract")


# -- any place ----------------------------------------------------------------------------------


def test_length_containment_iteration_and_vectors_follow_changes(index):
    assert (len(index), list(index), "a" in index) == (0, [], False)
    index.set(["c", "a", "b"], np.eye(3) * 7)
    index.remove(["a", "a", "unknown"])
    assert (len(index), sorted(index), "a" in index, "b" in index) == (2, ["b", "c"], False, True)
    assert 5 not in index
    assert index.vectors(["c", "b", "c"]).tolist() == np.eye(3)[[0, 2, 0]].tolist()
    assert index.vectors([]).shape == (0, 3)
    with pytest.raises(CatalogError, match="no vector for 'a'"):
        index.vectors(["b", "a"])


def test_an_id_given_twice_keeps_the_last_vector(index):
    index.set(["a", "a"], np.eye(2))
    assert index.vectors(["a"]).tolist() == [[0, 1]]


def test_nothing_to_do_needs_no_dimension(index):
    nothing = np.empty((0, 0), np.float32)
    index.set([], nothing)
    index.remove([])
    index.set(["a"], np.eye(1))
    assert index.search(nothing, k=1) == []
    assert index.search(np.eye(1), k=1, allowed=[]) == [[]]


def test_wrong_input_is_refused_and_changes_nothing(index):
    index.set(["a"], np.eye(3)[:1])
    for ids, rows, says in (
        (["b"], np.eye(2)[:1], "2 dimensions, the index has 3"),
        (["b"], np.eye(3), "1 ids but 3 vectors"),
        (["b"], np.eye(3)[0], r"shape \(3,\)"),
        (["b", "c"], [[1, 2, 3], [1, np.nan, 3]], "vector 1 is not finite"),
        (["b", "c\0d"], np.eye(3)[:2], r"id 'c\\x00d' holds a NUL byte"),
        (["b", "\ud800"], np.eye(3)[:2], "is no valid Unicode"),
        (["b", "x" * 2001], np.eye(3)[:2], "has 2001 bytes, expected at most 2000"),
        (["b", 7], np.eye(3)[:2], "id 7 is of type int, expected text"),
        (["b"], np.empty((1, 0)), "dimensions, "),
    ):
        with pytest.raises(ConfigError, match=says):
            index.set(ids, rows)
    with pytest.raises(ConfigError, match="4 dimensions, the index has 3"):
        index.search(np.eye(4), k=1)
    with pytest.raises(ConfigError, match="k is 0, expected at least 1"):
        index.search(np.eye(3), k=0)
    with pytest.raises(ConfigError, match="allowed is the text 'abc'"):
        index.search(np.eye(3), 1, "abc")
    assert list(index) == ["a"]


def test_an_emptied_index_takes_another_dimension(index):
    index.set(["a", "b"], np.eye(2))
    index.remove(["a", "b"])
    assert index.search(np.eye(7), k=1) == [[]] * 7
    index.set(["c"], np.eye(5)[:1])
    assert index.search(np.eye(5)[:1], k=1) == [[("c", 1.0)]]


def test_hostile_ids_are_ids_like_others(index):
    rows = np.eye(len(HOSTILE))
    index.set(HOSTILE, rows)
    assert Counter(index) == Counter(HOSTILE)
    for item_id, row in zip(HOSTILE, rows, strict=True):
        assert index.search(row[None], 1) == [[(item_id, 1.0)]]
        assert index.search(row[None], 9, [item_id, "unknown"]) == [[(item_id, 1.0)]]
    never = ["a\0b", "\ud800", "x" * 2001]
    index.remove([*never, HOSTILE[1]])
    assert len(index) == len(HOSTILE) - 1
    assert not any(item_id in index for item_id in never)
    assert index.search(rows[:1], 9, [*never, HOSTILE[0]]) == [[(HOSTILE[0], 1.0)]]


def test_equal_cosines_come_by_id(index):
    names = [str(n) for n in range(300)]
    index.set(names, np.tile(np.float32([1, 2]), (300, 1)))
    for query in ([[1, 2]], [[0, 0]]):
        (hits,) = index.search(np.float32(query), k=3)
        assert [i for i, _ in hits] == ["0", "1", "10"]


def test_extreme_but_finite_lengths(index):
    index.set(["tiny", "huge", "zero"], np.array([[1e-30, 0], [0, 1e30], [0, 0]], np.float32))
    assert index.search(np.float32([[0, 1]]), 3) == [[("huge", 1.0), ("tiny", 0.0), ("zero", 0.0)]]


def test_concurrent_writers_lose_nothing(any_place):
    index = any_place.index("writers")
    index.set(["stays"], np.eye(3)[:1])
    others = [any_place.again("writers") for _ in range(2)]

    def write(writer, other):
        for n in range(0, 120, 10):
            names = [f"{writer}-{m}" for m in range(n, n + 10)]
            common = [f"common-{m}" for m in range(10)][:: 1 if writer else -1]
            other.set(names + common, np.tile(np.eye(3)[1], (20, 1)))
            other.remove(names[:2])
            assert other.search(np.eye(3)[:1], 1) == [[("stays", 1.0)]]

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, n, other) for n, other in enumerate(others)]:
            done.result()
    kept = {f"{writer}-{m}" for writer in range(2) for m in range(120) if m % 10 >= 2}
    assert set(index) == kept | {f"common-{m}" for m in range(10)} | {"stays"}
    assert len(index) == len(kept) + 11


def test_clients_that_start_together_make_one_index(any_place):
    for _ in range(3):
        name = f"t{next(NEW)}"
        any_place.index(name, exact=5)
        clients = [any_place.again(name) for _ in range(5)]
        start = threading.Barrier(5)

        def fill(n, clients=clients, start=start):
            start.wait()
            clients[n].set([f"{n}-{m}" for m in range(9)], np.tile(np.eye(3)[n % 3], (9, 1)))

        with ThreadPoolExecutor(5) as pool:
            list(pool.map(fill, range(5)))
        assert len(clients[0]) == 45


def test_what_one_client_changes_another_sees_at_once(any_place):
    one = any_place.index("seen")
    other = any_place.again("seen")
    assert other.search(np.eye(2), 1) == [[], []]
    one.set(["a", "b"], np.eye(2))
    assert other.search(np.eye(2), 1) == [[("a", 1.0)], [("b", 1.0)]]
    other.set(["a"], np.float32([[3, 4]]))
    assert one.search(np.eye(2)[:1], 1, ["a"]) == [[("a", 0.6)]]
    one.remove(["b"])
    assert other.search(np.eye(2), 5) == [[("a", 0.6)], [("a", 0.8)]]


def test_a_grounder_uses_it(index, any_place):
    titles = ["Alien", "Aliens", "Heat"]
    catalog = Catalog([Item(item_id=str(n), title=title) for n, title in enumerate(titles)])
    grounder = Grounder(FakeEncoder(), index, threshold=0.3)
    grounder.sync(catalog)
    plain = Grounder(FakeEncoder(), ExactIndex(), threshold=0.3)
    plain.sync(catalog)
    for allowed in (None, ["1", "2"]):
        assert grounder.ground_texts(["Allien", "The Heat of", "Zzz"], allowed) == (
            plain.ground_texts(["Allien", "The Heat of", "Zzz"], allowed)
        )


@pytest.mark.parametrize(
    "name", ["", "Films", "a-b", "1a", 'x"; DROP TABLE y; --', "a" * 41, "a\n"]
)
def test_a_name_that_is_no_name_is_refused(name):
    for make in (PgVectorIndex, QdrantIndex):
        with pytest.raises(ConfigError, match="name is .* expected at most 40 of a-z"):
            make(":memory:", name)


@pytest.mark.parametrize("make", [PgVectorIndex, QdrantIndex])
@pytest.mark.parametrize("options", [{"exact": 0}, {"effort": 0}])
def test_options_out_of_range(make, options):
    with pytest.raises(ConfigError, match=r"(exact|effort) is 0, expected"):
        make(":memory:", "a", **options)
