from __future__ import annotations

import numpy as np
import pytest

from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.index import approximate
from coldstart.grounding.index import row_scoring as scoring
from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.approximate import ApproximateIndex
from coldstart.grounding.index.clusters import learn_centres, nearest_centre
from coldstart.grounding.index.exact import ExactIndex
from coldstart.testing.contracts.index import ApproximateIndexContract, IndexContract


def eye(n: int) -> np.ndarray:
    return np.eye(n, dtype=np.float32)


class TestExactIndex(IndexContract):
    def make(self):
        return ExactIndex()


class TestSmallApproximateIndex(IndexContract):
    def make(self):
        return ApproximateIndex()


class TestApproximateIndexThatOpensAllClusters(IndexContract):
    def make(self):
        return ApproximateIndex(scan=1, share=1.0)


class TestApproximateIndexThatHardlyArranges(IndexContract):
    def make(self):
        return ApproximateIndex(scan=1, share=1.0)

    @pytest.fixture(autouse=True)
    def _hardly(self, monkeypatch):
        monkeypatch.setattr(approximate, "_LOOSE", 0.9)


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


def test_small_blocks_change_nothing(monkeypatch):
    index, queries = ExactIndex(), np.random.default_rng(1).normal(size=(9, 6))
    index.set(list("abcdef"), eye(6))
    whole = index.search(queries, k=3)
    monkeypatch.setattr(scoring, "_BLOCK", 13)
    monkeypatch.setattr(scoring, "_GATHER", 2)
    assert index.search(queries, k=3) == whole
    assert index.search(queries, k=3, allowed=list("fedcba")) == whole


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_a_number_that_is_not_finite_changes_nothing(bad):
    index = ExactIndex()
    index.set(["a"], eye(1))
    with pytest.raises(ConfigError, match="vector 1 is not finite"):
        index.set(["a", "b"], np.array([[1.0], [bad]]))
    assert list(index) == ["a"]
    with pytest.raises(ConfigError, match="vector 0 is not finite"):
        index.search(np.array([[bad]]), k=1)


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


# -- filters ------------------------------------------------------------------------------------


def test_a_filter_is_a_sequence_of_its_ids():
    evening = Allowed(iter(["b", "a", "b"]))
    assert list(evening) == ["b", "a"]
    assert evening[1:] == ("a",)
    assert ("a" in evening, "c" in evening) == (True, False)


def test_a_filter_is_looked_up_once_per_layout():
    index, evening = ExactIndex(), Allowed(["a", "c"])
    index.set(["a", "b"], eye(2))
    index.search(eye(2), 1, evening)
    before = evening._found
    index.set(["b"], eye(2)[:1])  # another vector, in its old place
    index.search(eye(2), 1, evening)
    assert evening._found is before
    index.set(["c"], eye(2)[:1])
    assert index.search(eye(2)[:1], 9, evening) == [[("a", 1.0), ("c", 1.0)]]


def test_a_filter_serves_two_indexes():
    one, two, evening = ExactIndex(), ExactIndex(), Allowed(["a"])
    one.set(["a", "b"], eye(2))
    two.set(["b", "a"], eye(2))
    for _ in range(2):
        assert one.search(eye(2)[:1], 2, evening) == [[("a", 1.0)]]
        assert two.search(eye(2)[:1], 2, evening) == [[("a", 0.0)]]


@pytest.mark.parametrize("search", [Allowed, lambda ids: ExactIndex().search(eye(1), 1, ids)])
def test_one_text_is_no_filter(search):
    with pytest.raises(ConfigError, match="allowed is the text 'abc', expected several ids"):
        search("abc")


# -- large catalogs -----------------------------------------------------------------------------

N = 6000


def clustered(n: int, seed: int) -> np.ndarray:
    """Rows around 150 centres that are the same for every seed."""
    centres = np.random.default_rng(9).normal(size=(150, 24))
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(len(centres), size=n)] + 0.5 * rng.normal(size=(n, 24))
    return rows.astype(np.float32)


NUMBERS = [str(n) for n in range(N)]
VECTORS, OTHERS = clustered(N, 0), clustered(60, 1)


def large(scan: int = 300) -> ApproximateIndex:
    index = ApproximateIndex(scan=scan)
    index.set(NUMBERS, VECTORS)
    return index


def recall(index, allowed=None) -> float:
    exact = ExactIndex()
    exact.set(list(index), index.vectors(list(index)))
    pairs = zip(index.search(OTHERS, 10, allowed), exact.search(OTHERS, 10, allowed), strict=True)
    return float(np.mean([len(dict(a).keys() & dict(b).keys()) / len(b) for a, b in pairs]))


@pytest.fixture
def compared(monkeypatch):
    """How many rows each query was compared with."""
    counts, real = [], approximate.nearest

    def nearest(matrix, pieces, *rest):
        counts.append(sum(len(range(N)[p]) if isinstance(p, slice) else len(p) for p in pieces))
        return real(matrix, pieces, *rest)

    monkeypatch.setattr(approximate, "nearest", nearest)
    return counts


@pytest.mark.parametrize("one_in", [1, 2, 10, 30, 300])
def test_recall_at_every_selectivity(one_in, compared):
    index = large()
    assert recall(index, None if one_in == 1 else NUMBERS[::one_in]) >= 0.98
    allowed = N // one_in
    assert len(compared) == (60 if allowed > 600 else 0)
    assert all(300 <= count < 0.75 * allowed for count in compared)


def test_recall_where_what_is_allowed_is_far_from_the_query():
    far = np.argsort(VECTORS @ OTHERS.mean(axis=0))[: N // 3]
    assert recall(large(), [str(n) for n in far]) >= 0.98


def test_more_than_what_is_nearby():
    index = large(scan=20)
    assert [len(hits) for hits in index.search(OTHERS, 2000)] == [2000] * len(OTHERS)
    assert [len(hits) for hits in index.search(OTHERS, 400, NUMBERS[:900])] == [400] * len(OTHERS)


def test_what_is_set_or_removed_counts_at_once():
    index = large()
    index.arrange()
    opposite = -OTHERS[:1]
    (nearest, _), *_ = index.search(OTHERS[:1], 1)[0]
    index.set(["new", nearest], np.concatenate([OTHERS[:1], opposite]))
    assert index.search(OTHERS[:1], 1) == [[("new", 1.0)]]
    assert index.search(opposite, 1) == [[(nearest, 1.0)]]
    assert index.search(opposite, 1, [nearest, *NUMBERS[:2000]]) == [[(nearest, 1.0)]]
    index.remove(["new", nearest])
    found = index.search(np.concatenate([OTHERS[:1], opposite]), 50)
    assert not {"new", nearest} & {i for hits in found for i, _ in hits}


def test_recall_stays_while_everything_is_replaced():
    index = large()
    moved = clustered(N, 2)
    for at in range(0, N, 400):
        index.set(NUMBERS[at : at + 400], moved[at : at + 400])
        index.remove(NUMBERS[at : at + 20])
        assert recall(index) >= 0.98
    assert len(index) == N - 300
    rows = [n for n in range(N) if n % 400 >= 20]
    found = index.vectors([NUMBERS[n] for n in rows])
    expected = moved[rows] / np.linalg.norm(moved[rows], axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_rows_move_only_when_many_changed():
    index = large()
    index.arrange()
    before = index._layout
    index.set(NUMBERS[:100], VECTORS[100:200])
    index.search(OTHERS, 1)
    assert index._layout is before
    index.set(NUMBERS[100:130], VECTORS[:30])
    index.search(OTHERS, 1)
    assert index._layout is not before


def test_a_filter_follows_rows_that_move():
    index, half = large(), Allowed(NUMBERS[::2])
    index.search(OTHERS, 1, Allowed(NUMBERS[:9]))
    first = index.search(OTHERS, 5, half)
    index.arrange()
    assert index.search(OTHERS, 5, half) == first
    assert all(int(i) % 2 == 0 for hits in first for i, _ in hits)


def test_a_large_index_emptied_takes_another_dimension():
    index = large(scan=100)
    index.arrange()
    index.remove(NUMBERS)
    index.set(NUMBERS[:1000], np.tile(eye(5), (200, 1)))
    assert index.search(eye(5)[:1], k=1) == [[("0", 1.0)]]


@pytest.mark.parametrize("row", [[0.0] * 24, [1.0] * 24])
def test_a_thousand_equal_vectors(row):
    index = ApproximateIndex(scan=10)
    index.set(NUMBERS[:1000], np.tile(np.float32(row), (1000, 1)))
    (hits,) = index.search(np.float32([row]), k=3)
    assert [i for i, _ in hits] == ["0", "1", "10"]


class TestApproximateIndexThatOpensFewClusters(ApproximateIndexContract):
    def make(self):
        return ApproximateIndex(scan=1, share=0.1)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"scan": 0}, "scan is 0, expected at least 1"),
        ({"share": 0}, "share is 0, expected a number"),
        ({"share": 1.5}, "share is 1.5, expected a number"),
        ({"share": float("nan")}, "share is nan, expected a number"),
    ],
)
def test_options_out_of_range(options, says):
    with pytest.raises(ConfigError, match=says):
        ApproximateIndex(**options)


def test_clusters_of_separate_groups():
    groups = np.repeat(eye(4), 50, axis=0) + 0.01 * clustered(200, 3)[:, :4]
    rows = groups / np.linalg.norm(groups, axis=1, keepdims=True)
    centres = learn_centres(rows, 30)
    assert np.linalg.norm(rows - centres[nearest_centre(rows, centres)], axis=1).max() < 0.2


def test_no_more_clusters_than_different_rows():
    centres = learn_centres(np.repeat(eye(3), 10, axis=0), 20)
    np.testing.assert_allclose(sorted(centres.tolist()), eye(3)[::-1].tolist())
