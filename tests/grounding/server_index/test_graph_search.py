"""Large tables of PostgreSQL: recall of the graph under filters."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.exact import ExactIndex
from coldstart.grounding.index.pgvector import PgVectorIndex
from coldstart.testing.contracts.index import ApproximateIndexContract
from tests.grounding.server_index.servers import NUMBERS, OTHERS, VECTORS
from tests.waiting import until

# -- large tables -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth():
    index = ExactIndex()
    index.set(NUMBERS, VECTORS)
    return index


@pytest.fixture(scope="module")
def large(server):
    """A name of 20,000 rows with a graph; tests must not change them."""
    index = PgVectorIndex(server.url, "large", exact=100)
    index.set(NUMBERS, VECTORS)
    index.close()
    return "large"


def scans(server, name: str) -> int:
    """How often the graph was asked; connections report it when they are closed."""
    watched = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'watched'"
    until(lambda: not server.sql(watched), "the connections to close")
    statement = "SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = "
    return server.sql(f"{statement}'coldstart_vectors_{name}_hnsw'")[0][0]


def recall(index, truth, allowed) -> float:
    pairs = zip(index.search(OTHERS, 10, allowed), truth.search(OTHERS, 10, allowed), strict=True)
    shares = []
    for found, right in pairs:
        assert len(found) == len(right)
        assert found == sorted(found, key=lambda hit: (-hit[1], hit[0]))
        shares.append(len(dict(found).keys() & dict(right).keys()) / len(right))
    return float(np.mean(shares))


@pytest.mark.parametrize("one_in", [1, 10, 100, 1000])
@pytest.mark.parametrize("exact", [1, 100, 10_000])
def test_recall_at_every_selectivity(server, large, truth, exact, one_in):
    url = f"{server.url}&application_name=watched"
    before = scans(server, large)
    index = PgVectorIndex(url, large, exact=exact)
    allowed = None if one_in == 1 else NUMBERS[::one_in]
    found = recall(index, truth, allowed)
    index.close()
    few = allowed is not None and len(allowed) <= exact
    assert found >= (1.0 if few else 0.95)
    if few:
        assert scans(server, large) == before
    elif one_in == 1:
        assert scans(server, large) > before


def test_allowed_rows_far_from_the_queries_are_found(server, large, truth):
    far = [NUMBERS[n] for n in np.argsort(VECTORS @ OTHERS.mean(axis=0))[:400]]
    index = PgVectorIndex(server.url, large, exact=100)
    try:
        assert recall(index, truth, Allowed(far)) >= 0.95
    finally:
        index.close()


@pytest.mark.parametrize("one_in", [4, 10, 30])
def test_few_candidates_and_a_filter_cost_no_recall(server, large, truth, one_in):
    """pgvector 0.8 goes on along the graph, 0.6 finds too few, and then all are compared."""
    index = PgVectorIndex(server.url, large, exact=100, effort=40)
    found = recall(index, truth, NUMBERS[::one_in])
    index.close()
    assert found >= 0.95


def test_more_rows_than_the_graph_keeps_candidates(server, large, truth):
    index = PgVectorIndex(server.url, large, exact=100, effort=10)
    try:
        for k, allowed in ((500, None), (300, NUMBERS[:600])):
            hits = index.search(OTHERS[:3], k, allowed)
            assert [len(found) for found in hits] == [k] * 3
        assert index.search(OTHERS[:3], 300, NUMBERS[:300]) == truth.search(
            OTHERS[:3], 300, NUMBERS[:300]
        )
    finally:
        index.close()


def test_the_graph_is_made_when_the_table_has_grown_and_follows_changes(server, postgres):
    index = postgres.index("grows", exact=500)
    index.set(NUMBERS[:500], VECTORS[:500])
    graph = "SELECT to_regclass('coldstart_vectors_grows_hnsw') IS NOT NULL"
    assert server.sql(graph) == [(False,)]
    index.set(NUMBERS[500:1000], VECTORS[500:1000])
    assert server.sql(graph) == [(True,)]
    opposite = -OTHERS[:1]
    ((nearest, _),) = index.search(OTHERS[:1], 1)[0]
    index.set(["new", nearest], np.concatenate([OTHERS[:1], opposite]))
    assert index.search(OTHERS[:1], 1) == [[("new", 1.0)]]
    assert index.search(opposite, 1, [nearest, *NUMBERS[:900]]) == [[(nearest, 1.0)]]
    index.remove(["new", nearest])
    found = index.search(np.concatenate([OTHERS[:1], opposite]), 50)
    assert not {"new", nearest} & {i for hits in found for i, _ in hits}
    index.remove(list(index))
    assert index.search(OTHERS[:1], 3) == [[]]
    index.set(["a"], np.ones((1, 5)))
    assert index.search(np.ones((1, 5)), 3) == [[("a", 1.0)]]


class TestPgVectorIndexWithFewCandidates(ApproximateIndexContract):
    @pytest.fixture(autouse=True)
    def _place(self, server):
        url = f"{server.url}&options=-c%20enable_seqscan%3Doff"
        self.index = PgVectorIndex(url, "careless", exact=1, effort=1)
        yield
        self.index.close()

    def make(self):
        self.index.remove(list(self.index))
        return self.index


def test_unchanged_rows_are_not_written_again(server, postgres):
    index = postgres.index("same")
    index.set(["a", "b"], np.eye(2))
    before = server.sql("SELECT id, xmin, ctid FROM coldstart_vectors_same ORDER BY id")
    index.set(["b", "a"], 3 * np.eye(2)[::-1])
    assert server.sql("SELECT id, xmin, ctid FROM coldstart_vectors_same ORDER BY id") == before
