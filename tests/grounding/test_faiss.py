"""The faiss index: the contract of every index, and what its compressed kinds lose."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ArtifactError, CatalogError, ConfigError
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index import faiss as module
from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.exact import ExactIndex
from coldstart.grounding.index.faiss import FaissIndex
from coldstart.schema import Candidate, Item
from coldstart.testing.contracts.index import ApproximateIndexContract, IndexContract
from tests.fakes import FakeEncoder

pytest.importorskip("faiss", reason="pip install faiss-cpu")


class TestFlat(IndexContract):
    def make(self):
        return FaissIndex()


class TestFlatThroughFaissAlone(IndexContract):
    """Every search goes through faiss's own, whose ties this has to put in order."""

    def make(self):
        return FaissIndex(exact=1)


class TestGraph(IndexContract):
    def make(self):
        return FaissIndex("HNSW32", exact=1, effort=700)


class TestListsThatAreAllOpened(IndexContract):
    def make(self):
        return FaissIndex("IVF2,Flat", learn_from=2, exact=1, share=1.0)


class TestListsOfWhichFewAreOpened(ApproximateIndexContract):
    def make(self):
        return FaissIndex("IVF4,Flat", learn_from=4, exact=1, share=0.01)


def clustered(n, dim=16, seed=0):
    rng, centres = np.random.default_rng(seed), np.random.default_rng(99).normal(size=(50, dim))
    return (centres[rng.integers(50, size=n)] + 0.4 * rng.normal(size=(n, dim))).astype(np.float32)


def ids_of(n):
    return [f"i{row}" for row in range(n)]


def recall(found, expected):
    pairs = zip(found, expected, strict=True)
    return np.mean([len({i for i, _ in f} & {i for i, _ in e}) / len(e) for f, e in pairs])


@pytest.fixture(scope="module")
def world():
    vectors, queries = clustered(5000), clustered(40, seed=1)
    exact = ExactIndex()
    exact.set(ids_of(len(vectors)), vectors)
    return vectors, queries, exact


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("HNSW32", 0.98),
        ("IVF64,Flat", 0.98),
        ("SQ8", 0.93),
        ("IVF64,SQ8", 0.95),
        ("IVF64,PQ8x4", 0.4),
    ],
)
@pytest.mark.parametrize("share", [1.0, 0.1, 0.02])
def test_every_kind_finds_most_of_the_nearest_however_narrow_the_filter(world, kind, least, share):
    vectors, queries, exact = world
    index = FaissIndex(kind, exact=100, learn_from=2000)
    index.set(ids_of(len(vectors)), vectors)
    rng = np.random.default_rng(2)
    allowed = None
    if share < 1:
        allowed = Allowed(f"i{n}" for n in np.flatnonzero(rng.random(len(vectors)) < share))
    found = index.search(queries, 10, allowed)
    assert {len(hits) for hits in found} == {10}
    if allowed is not None:
        assert all(i in allowed for hits in found for i, _ in hits)
    assert recall(found, exact.search(queries, 10, allowed)) >= least


@pytest.mark.parametrize("kind", ["SQ8", "IVF16,SQ8", "IVF16,PQ8x4"])
def test_what_is_compressed_has_learned_and_is_smaller(tmp_path, kind):
    vectors = clustered(3000)
    sizes = []
    for k in ("Flat", kind):
        index = FaissIndex(k, learn_from=2000)
        index.set(ids_of(len(vectors)), vectors)
        index.save(tmp_path / "index")
        sizes.append((tmp_path / "index" / "vectors.faiss").stat().st_size)
    assert sizes[1] < 0.6 * sizes[0]
    kept = index.vectors(["i3", "i5"])
    unit = vectors[[3, 5]] / np.linalg.norm(vectors[[3, 5]], axis=1, keepdims=True)
    assert 0 < np.abs(kept - unit).max() < 0.3


def test_a_kind_that_learns_keeps_floats_until_it_can():
    vectors = clustered(200)
    index = FaissIndex("IVF4,SQ8", learn_from=150)
    exact = ExactIndex()
    for start in (0, 100):
        some = ids_of(200)[start : start + 100]
        for one in (index, exact):
            one.set(some, vectors[start : start + 100])
        same = index.search(vectors[:5], 10) == exact.search(vectors[:5], 10)
        assert same == (start == 0)
    assert recall(index.search(vectors[:5], 10), exact.search(vectors[:5], 10)) > 0.9


@pytest.mark.parametrize("kind", ["Flat", "HNSW16", "IVF4,Flat"])
def test_rows_that_nobody_finds_are_dropped_when_they_are_the_larger_part(monkeypatch, kind):
    monkeypatch.setattr(module, "_STEP", 50)
    vectors = clustered(300)
    index = FaissIndex(kind, learn_from=20, share=1.0, exact=1)
    exact = ExactIndex()
    for _ in range(3):  # all are replaced twice
        for one in (index, exact):
            one.set(ids_of(300), vectors)
        vectors = vectors[::-1]
    for one in (index, exact):
        one.remove(ids_of(300)[:200])
    assert recall(index.search(vectors[:9], 5), exact.search(vectors[:9], 5)) > 0.95
    assert len(index) == len(list(index)) == 100
    assert "i7" not in index
    assert "i207" in index
    assert index._index.ntotal == 100


@pytest.mark.parametrize("kind", ["Flat", "HNSW16", "IVF4,SQ8"])
def test_saved_and_loaded_it_answers_the_same_and_goes_on(tmp_path, kind):
    vectors = clustered(300)
    index = FaissIndex(kind, learn_from=100)
    index.set(ids_of(300), vectors)
    index.remove(["i4"])
    index.save(tmp_path / "index")
    again = FaissIndex.load(tmp_path / "index", learn_from=100)
    assert again.search(vectors[:9], 5) == index.search(vectors[:9], 5)
    for one in (index, again):
        one.set(["new"], vectors[4:5])
        assert one.search(vectors[4:5], 1)[0][0][0] == "new"
    empty = FaissIndex(kind)
    empty.save(tmp_path / "index")
    assert FaissIndex.load(tmp_path / "index").search(vectors[:2], 3) == [[], []]


def test_a_damaged_folder_is_an_artifact_error(tmp_path):
    with pytest.raises(ArtifactError, match="no index in"):
        FaissIndex.load(tmp_path)
    index = FaissIndex()
    index.set(["a"], np.ones((1, 3), np.float32))
    index.save(tmp_path / "index")
    path = tmp_path / "index" / "vectors.faiss"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(ArtifactError, match="no index in"):
        FaissIndex.load(tmp_path / "index")
    (tmp_path / "index" / "about.json").write_text("{}")
    with pytest.raises(ArtifactError, match="kind"):
        FaissIndex.load(tmp_path / "index")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"exact": 0}, "exact is 0"),
        ({"effort": 0}, "effort is 0"),
        ({"learn_from": 0}, "learn_from is 0"),
        ({"share": 0}, "share is 0"),
        ({"share": 1.5}, r"share is 1\.5"),
    ],
)
def test_options_out_of_range(options, told):
    with pytest.raises(ConfigError, match=told):
        FaissIndex(**options)


@pytest.mark.parametrize(
    "kind", ["", "Flats", "IVF0,Flat", "PQ4", "IVF4,PQ3", "PCA2,Flat", "IDMap,Flat"]
)
def test_an_unknown_kind_says_which_there_are(kind):
    index = FaissIndex(kind)
    with pytest.raises(ConfigError, match="which is none that FaissIndex can use"):
        index.set(["a"], np.ones((1, 4), np.float32))
    assert len(index) == 0


def test_what_does_not_fit_changes_nothing():
    index = FaissIndex()
    index.set(["a", "b"], np.eye(3, dtype=np.float32)[:2])
    for ids, vectors in ((["c"], np.ones((1, 4))), (["c"], np.full((1, 3), np.nan)), (["c"], [1])):
        with pytest.raises(ConfigError):
            index.set(ids, np.array(vectors, np.float32))
    with pytest.raises(ConfigError, match="k is 0"):
        index.search(np.ones((1, 3), np.float32), 0)
    with pytest.raises(ConfigError, match="4 dimensions, the index has 3"):
        index.search(np.ones((1, 4), np.float32), 1)
    with pytest.raises(CatalogError, match="no vector for 'c'"):
        index.vectors(["a", "c"])
    assert sorted(index) == ["a", "b"]


def test_a_grounder_takes_it():
    catalog = Catalog([Item(item_id=f"i{n}", title=t) for n, t in enumerate(["Alien", "Heat"])])
    grounder = Grounder(FakeEncoder(), FaissIndex())
    grounder.sync(catalog)
    found = grounder.ground([Candidate(text="alien!", logprob=0.0, strategy="free")])
    assert [match.item_id for match in found[0].matches] == ["i0"]
