"""Looking at a part of a large catalog gives what looking at all of it gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import Item, UserProfile
from coldstart.catalog import item_store as item_store_module
from coldstart.catalog.item_store import NEIGHBOURS
from coldstart.interactions.interaction_stats import (
    co_occurrence,
    demographic_lift,
    later_lift,
    pick_lift,
)
from coldstart.pipeline.request import RecommendOptions
from coldstart.ranking.filters import Categories, Where, default_filters
from coldstart.scoring import retrieval
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.stated import _NOISE, request_text
from coldstart.testing.probes import candidates_of, features_of, shortlist_of
from tests.toy import DRAWN, toy_recommender
from tests.toy_profiles import profiles

SMALL = {"pool_from": 2}


@pytest.fixture(scope="module")
def whole():
    rec = toy_recommender()
    rec.catalog.add(Item(item_id="new", title="Brand New", categories=["Drama"]))
    rec.item_store.sync()
    return rec


def pooled():
    rec = toy_recommender(**SMALL)
    rec.catalog.add(Item(item_id="new", title="Brand New", categories=["Drama"]))
    return rec


def rounding(item_store, user):
    """How far each feature may differ between two products of the same float32 rows, by feature.

    Which kernel multiplies, and so the order of its sums, depends on the processor and on the
    number of rows. A sum of m products errs by at most m · u times the sum of their absolute
    values, in any order (Higham, "Accuracy and Stability of Numerical Algorithms", 3.1), u = 6e-8.
    For unit rows that sum is at most 1, and adding zeros is exact: m is the number of non-zero
    terms, and two cosines differ by at most e = 2 · m · u (``resembles``). A standardised cosine
    z = (c - mean) / spread adds the error of the mean and of the spread, each at most e, and
    |z| <= sqrt(N): at most e · (2 + sqrt(N)) / spread (``alike``, ``words``). All other features
    are float64 from the start.
    """
    content = item_store.content
    terms = int((content != 0).sum(axis=1).max())
    cosine = terms * float(np.finfo(np.float32).eps)  # eps = 2u

    def standardised(vectors):
        spread = (content.astype(np.float64) @ vectors.T).mean(axis=1).std()
        return cosine * (2 + np.sqrt(len(content))) / max(spread, _NOISE)

    out = dict.fromkeys(SIGNALS.names, 1e-9)
    if user.liked:
        picks = content[[item_store.rows[i] for i in user.liked]]
        out |= {"resembles": cosine, "alike": standardised(picks)}
        lift = 10 * standardised(picks)  # √k times the log of a mean of exponentials of those
        out |= {"evidence_content": lift, "evidence_picks": lift}
    if text := request_text(user):
        out["words"] = standardised(item_store.vector_of(text)[None])
    return out


@settings(max_examples=60, deadline=None)
@given(data=st.data(), profile=profiles)
def test_features_of_a_part_are_those_of_the_whole(whole, data, profile):
    item_store, user = whole.item_store, whole.resolve(profile)
    n = len(item_store.ids)
    chosen = data.draw(st.lists(st.integers(0, n - 1), min_size=1, unique=True))
    named = [item_store.rows[i] for i in {*user.liked, *user.disliked}]
    rows = np.unique(np.array([*chosen, *named]))
    part = item_store.part(rows, [*user.liked, *user.disliked])
    assert part.ids == tuple(item_store.ids[r] for r in rows)
    found, expected = features_of(part, user), features_of(item_store, user)[rows]
    # A part has no EASE and no relatives; and what is scaled by a maximum is scaled by its own.
    scaled = {"fold_in", "smoothed", "picks", "dislikes"}
    for n, (name, atol) in enumerate(rounding(item_store, user).items()):
        if name not in scaled:
            np.testing.assert_allclose(found[:, n], expected[:, n], atol=atol, err_msg=name)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_counts_of_a_part_are_those_of_the_whole(whole, data):
    counts = whole.counts
    n = len(counts.item_ids)
    columns = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1), min_size=2))))
    ids = [counts.item_ids[c] for c in columns]
    picks = data.draw(st.lists(st.sampled_from(ids), max_size=3, unique=True))
    part = counts.part(columns, picks)
    person = UserProfile(age=24, gender="M")
    for signal in (pick_lift, later_lift):
        np.testing.assert_allclose(signal(part, picks), signal(counts, picks)[columns])
    np.testing.assert_allclose(
        demographic_lift(part, person), demographic_lift(counts, person)[columns]
    )
    mine, all_of_it = co_occurrence(part, picks), co_occurrence(counts, picks)[columns]
    top = all_of_it.max()
    np.testing.assert_allclose(mine, all_of_it / top if top > 0 else all_of_it, atol=1e-12)
    assert (part.together != part.together.T).nnz == 0
    assert part.ease is None


def test_a_pool_names_the_best_of_every_signal(whole, monkeypatch):
    monkeypatch.setattr(retrieval, "POPULAR", 2)
    monkeypatch.setattr(retrieval, "BY_SIGNAL", 2)
    item_store = whole.item_store
    user = whole.resolve(UserProfile(liked=["Toy Story"], interests=["drama"], about="space"))
    rec = toy_recommender(pool_from=2)
    rec.item_store = item_store
    rows = rec.pipeline.candidates.select(user, ["new"]).where
    assert list(rows) == sorted(set(rows))
    assert item_store.rows["new"] in rows
    assert item_store.rows[user.liked[0]] in rows
    features = features_of(item_store, user)
    for name in ("popularity", "words", "resembles"):
        best = np.argsort(-features[:, SIGNALS.index(name)], kind="stable")
        best = [r for r in best if item_store.ids[r] not in user.liked]
        assert best[0] in rows, name
    drama = item_store.has_category[:, item_store.category_column["drama"]]
    assert drama[rows].any()


@settings(max_examples=25, deadline=None)
@given(profile=profiles, strategy=st.sampled_from(["catalog", "free", "both", "prior"]))
def test_a_pool_of_everything_gives_the_same_list(whole, profile, strategy):
    rec = pooled()
    user = rec.resolve(profile)
    assert candidates_of(rec, user) is not rec.item_store
    assert len(candidates_of(rec, user).ids) == len(rec.catalog)  # the toy world is that small
    found = rec.recommend(profile, k=5, strategy=strategy, decoding=DRAWN)
    expected = whole.recommend(profile, k=5, strategy=strategy, decoding=DRAWN)
    assert len(found) == len(expected)
    assert not {p.item for p in user.profile.seen} & set(found.item_ids)
    if not user.liked and not user.disliked:  # no EASE, no relatives: nothing else differs
        assert found.item_ids == expected.item_ids


def test_as_many_as_may_be_shown_are_shown_however_narrow_the_filter(monkeypatch):
    monkeypatch.setattr(retrieval, "POPULAR", 1)
    monkeypatch.setattr(retrieval, "BY_SIGNAL", 1)
    rec = pooled()
    last = rec.catalog.ids[-2]
    for wanted in (Where(lambda i: i.item_id == last), Categories(include=["Sci-Fi"])):
        filters = (*default_filters(), wanted)
        expected = toy_recommender().recommend({}, k=4, filters=filters, strategy="prior")
        found = rec.recommend({}, k=4, filters=filters, strategy="prior")
        assert len(found) == len(expected) > 0
        assert set(found.item_ids) <= {
            i.item_id for i in rec.catalog if wanted.reject(i, None, None) is None
        }


def test_a_pool_follows_the_catalog():
    rec = pooled()
    before = rec.recommend({"age": 30}, k=3).item_ids
    gone = before[0]
    rec.catalog.remove(gone)
    assert gone not in rec.recommend({"age": 30}, k=3).item_ids
    rec.catalog.add(Item(item_id="newer", title="Newer Still", categories=["Sci-Fi"]))
    user = rec.resolve(UserProfile(interests=["Sci-Fi"]))
    assert "newer" in candidates_of(rec, user).ids


def test_the_shortlist_of_a_pool_names_catalog_rows():
    rec = toy_recommender(**SMALL, shortlist=3)
    user = rec.resolve(UserProfile(liked=["Toy Story"]))
    known = candidates_of(rec, user)
    options = RecommendOptions(1, "catalog", default_filters())
    rows = shortlist_of(rec, user, options)
    assert rows is not None
    assert len(rows) == 3
    assert set(rows) <= set(known.where)
    assert rec.item_store.rows[user.liked[0]] not in rows


def test_neighbours_are_found_block_by_block(monkeypatch):
    rng = np.random.default_rng(0)
    new, content = (rng.normal(size=(n, 8)).astype(np.float32) for n in (23, 60))
    met, nearest = rng.permutation(60) < 40, item_store_module._nearest
    expected = np.argsort(-(new @ content[met].T), axis=1)[:, :NEIGHBOURS]
    for few in (0, 23):
        monkeypatch.setattr(item_store_module, "_FEW", few)
        for pairs in (1, 100, 1 << 20):
            monkeypatch.setattr(item_store_module, "_COMPARED", pairs)
            np.testing.assert_array_equal(nearest(new, content, met), expected)
        assert nearest(new, content, met & (np.cumsum(met) <= 3)).shape == (23, 3)
        assert nearest(new, content, np.zeros(60, dtype=bool)).shape == (23, 0)
        assert nearest(new[:0], content, met).shape == (0, NEIGHBOURS)


def test_a_pool_follows_a_catalog_that_changes():
    rec = pooled()
    user = rec.resolve({"interests": ["anything"]})
    assert "new" in candidates_of(rec, user).ids
    rec.catalog.add(Item(item_id="newer", title="Even Newer", categories=["Drama"]))
    rec.catalog.remove(["new", "i1"])
    found = candidates_of(rec, user).ids
    assert "newer" in found
    assert not {"new", "i1"} & set(found)
    expected = toy_recommender()
    expected.catalog.add(Item(item_id="newer", title="Even Newer", categories=["Drama"]))
    expected.catalog.remove(["i1"])
    asked = {"about": "something new", "liked": ["i0"]}
    lists = [r.recommend(asked, k=20, strategy="prior").item_ids for r in (rec, expected)]
    assert lists[0] == lists[1]
