"""Observed likes: from content to co-occurrence, and back when users are forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.co_likes import RELIABILITY, SHAPE
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import PickResolver
from coldstart.schema import Context, Item, Pick, UserProfile
from coldstart.scoring.content_lift import content_lift
from coldstart.scoring.evidence import FOLLOWS, EvidenceScorer
from coldstart.testing.contracts.scorer import ScorerContract
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_dataset

CATALOG = toy_catalog()
NOTHING = Counts.fit(CATALOG.ids, {}, {})
STORE = ItemStore(CATALOG, NOTHING, TrigramEncoder())
STORE.sync()
NAMES = ("evidence_popularity", "evidence_content", "evidence_picks")


def user(*liked, items=STORE):
    profile = UserProfile(liked=tuple(Pick(item=i, by="id") for i in liked))
    return PickResolver(items.catalog, items.counts, "error").resolve(profile, Context())


def columns(scorer, *liked, items=STORE):
    return scorer.columns(user(*liked, items=items), items)


def observed(likes):
    scorer = EvidenceScorer()
    for name, items in likes.items():
        scorer.observe(name, items)
    return scorer


def sold(*sales):
    """A store of items with these sales."""
    items = [
        Item(item_id=f"s{n}", title=f"Thing number {n}", popularity=x) for n, x in enumerate(sales)
    ]
    store = ItemStore(Catalog(items), Counts.fit([i.item_id for i in items], {}, {}), _ENCODER)
    store.sync()
    return store


_ENCODER = TrigramEncoder()


class TestWithLikes(ScorerContract):
    """The contract, with likes observed."""

    def make(self):
        return observed(toy_dataset().likes)


# -- nothing observed -----------------------------------------------------------------------------


def test_without_likes_content_is_all_there_is():
    found = columns(EvidenceScorer(), "i1", "i4")
    assert not found["evidence_popularity"].any()
    assert not found["evidence_picks"].any()
    lift = content_lift(STORE, STORE.rows_in_order(["i1", "i4"]))
    np.testing.assert_allclose(found["evidence_content"], np.sqrt(2) * f(RELIABILITY * lift))


def f(lift):
    """A part of what is liked follows the picks."""
    return np.log(1 - FOLLOWS + FOLLOWS * np.exp(lift))


def log_lift(values):
    """The lift that the signals of one pick together stand for."""
    share = np.exp(sum(values[f"evidence_{n}"] for n in ("content", "years", "picks")))
    return np.log((share - 1 + FOLLOWS) / FOLLOWS)


def test_without_likes_popularity_is_that_of_the_catalog():
    store = sold(1.0, 10.0, 100.0)
    found = columns(EvidenceScorer(), items=store)["evidence_popularity"]
    root = np.exp(0.5 * store.prior_lift)
    np.testing.assert_allclose(found, np.log(root / root.mean()))
    assert found.argmax() == 2


# -- likes take over ------------------------------------------------------------------------------


def test_popularity_is_the_mean_of_the_posterior():
    """Shares of likes and of the prior, weighed by likes and by the prior's worth."""
    scorer = observed({"a": ["i1", "i2"], "b": ["i1"]})
    share = np.exp(columns(scorer)["evidence_popularity"]) / len(CATALOG)
    assert share.sum() == pytest.approx(1.0)
    liked = np.zeros(len(CATALOG))
    liked[STORE.rows_in_order(["i1", "i2"])] = 2, 1
    worth = 1 / (share[liked == 0][0] * len(CATALOG)) * 3  # s / (3 + s) = I·p of the unliked
    s = 3 / (worth / 3 - 1)
    np.testing.assert_allclose(share, (liked + s / len(CATALOG)) / (3 + s))


def test_many_likes_overrule_the_catalog():
    store = sold(1.0, 10.0, 100.0)
    scorer = observed({f"u{n}": ["s0"] for n in range(500)})
    assert columns(scorer, items=store)["evidence_popularity"].argmax() == 0


@pytest.mark.parametrize("people", [1, 3, 30, 3000])
def test_the_more_people_like_both_the_less_content_counts(people):
    """An item unlike the pick, that everyone liked with it, rises with the number of people."""
    scorer = observed({f"u{n}": ["i1", "i2"] for n in range(people)})
    found = columns(scorer, "i1")
    row = STORE.rows["i2"]
    reliability, shape = scorer._fit(STORE)
    content = reliability * content_lift(STORE, [STORE.rows["i1"]])
    expected = people * np.exp(found["evidence_popularity"] + content) / len(CATALOG)
    likes = np.where(np.arange(len(CATALOG)) == row, people, 0)
    beyond = np.log((likes + shape) / (expected + shape))
    np.testing.assert_allclose(log_lift(found), content + beyond)
    np.testing.assert_allclose(found["evidence_picks"], f(content + beyond) - f(content))
    total = found["evidence_content"] + found["evidence_picks"]
    others = [r for i, r in STORE.rows.items() if i not in ("i1", "i2")]
    assert total[row] > total[others].max() or people < 10


def groups(n, of):
    """Users with likes of one group each, of three that content tells apart, or does not."""
    rng = np.random.default_rng(0)
    return {f"u{u}": rng.permutation(of[u % len(of)])[:4].tolist() for u in range(n)}


@pytest.fixture(scope="module")
def alike():
    """Three groups of items, each an item with those nearest to it in content."""
    free, out = set(range(len(CATALOG))), []
    for seed in (0, 10, 20):
        seed = seed if seed in free else min(free)
        order = np.argsort(-content_lift(STORE, [seed]))
        chosen = [r for r in order.tolist() if r in free][:8]
        free -= set(chosen)
        out.append([CATALOG.ids[r] for r in chosen])
    return out


def test_likes_tell_how_far_content_can_be_relied_on(alike):
    """It is more where people like what is alike, less where they like what is not."""
    mixed = [[group[n] for group in alike for n in range(at, 8, 3)] for at in range(3)]
    with_it, against = (observed(groups(60, of))._fit(STORE).reliability for of in (alike, mixed))
    assert against < RELIABILITY < with_it
    assert EvidenceScorer()._fit(STORE) == (RELIABILITY, SHAPE)


def test_what_was_estimated_is_undone_with_the_likes(alike):
    scorer = observed(groups(30, alike))
    before, state = columns(scorer, "i1"), scorer._fit(STORE)
    for n in range(20):
        scorer.observe(f"other{n}", [CATALOG.ids[n], CATALOG.ids[-1]])
    assert scorer._fit(STORE) != state
    for n in range(20):
        scorer.forget(f"other{n}")
    for name, values in columns(scorer, "i1").items():
        np.testing.assert_allclose(values, before[name], atol=1e-9)


def test_with_many_likes_the_lift_is_that_of_the_counts_alone():
    data = toy_dataset()
    scorer = EvidenceScorer()
    for copy in range(300):
        for name, items in data.likes.items():
            scorer.observe(f"{name}-{copy}", items)
    found = columns(scorer, "i1")
    counts = scorer.counts
    both = counts.together[[counts.column["i1"]]].toarray().ravel()
    share, usual = both / both.sum(), counts.likes / counts.likes.sum()
    column = [counts.column[i] for i in CATALOG.ids if both[counts.column[i]] > 0]
    rows = [STORE.rows[counts.item_ids[c]] for c in column]
    lift = log_lift(found)[rows]
    np.testing.assert_allclose(lift, np.log(share[column] / usual[column]), atol=0.05)


def test_a_repeated_like_counts_once():
    scorer = observed({"a": ["i1", "i2"]})
    assert not scorer.observe("a", ["i2"])
    assert scorer.observe("a", ["i2", "i3"])
    assert scorer.counts.likes.sum() == 3


def test_an_item_that_no_catalog_has_changes_no_other():
    one, two = observed({"a": ["i1"]}), observed({"a": ["i1", "gone"]})
    np.testing.assert_allclose(
        columns(one)["evidence_popularity"], columns(two)["evidence_popularity"]
    )


# -- users come and go ----------------------------------------------------------------------------

people = st.sampled_from(["a", "b", "c"])
some = st.lists(st.sampled_from(CATALOG.ids[:6]), max_size=5)
steps = st.lists(st.tuples(st.sampled_from(["replace", "observe", "forget"]), people, some))


@given(steps)
def test_after_any_changes_the_counts_are_those_of_the_last_likes(changes):
    scorer, now = EvidenceScorer(), {}
    for what, name, items in changes:
        if what == "forget":
            scorer.forget(name)
            now.pop(name, None)
        elif what == "replace":
            scorer.replace(name, items)
            now[name] = list(dict.fromkeys(items))
        else:
            scorer.observe(name, items)
            now[name] = list(dict.fromkeys([*now.get(name, []), *items]))
        now = {n: liked for n, liked in now.items() if liked}
    expected = Counts.fit(CATALOG.ids, {n: UserProfile() for n in now}, now)
    counts = scorer.counts
    assert counts.n_users == expected.n_users
    likes = {i: n for i, n in zip(counts.item_ids, counts.likes.tolist(), strict=True) if n}
    wanted = zip(expected.item_ids, expected.likes.tolist(), strict=True)
    assert likes == {i: n for i, n in wanted if n}
    order = [expected.column[i] for i in counts.item_ids]
    np.testing.assert_array_equal(
        counts.together.toarray(), expected.together.toarray()[np.ix_(order, order)]
    )


def test_forgetting_everyone_leaves_the_prior():
    data = toy_dataset()
    scorer = observed(data.likes)
    assert all(scorer.forget(name) for name in data.likes)
    assert not scorer.forget("stranger")
    found = columns(scorer, "i1")
    assert not found["evidence_popularity"].any()
    assert not found["evidence_picks"].any()
    assert not scorer.save()


# -- files, parts, candidates, reasons ------------------------------------------------------------


def test_saved_counts_hold_no_user_and_give_the_same_columns():
    scorer, again = observed({"secret name": ["i1", "i2"], "b": ["i2", "i3"]}), EvidenceScorer()
    files = scorer.save()
    assert b"secret" not in b"".join(files.values())
    again.load(files)
    for name, values in columns(scorer, "i2").items():
        np.testing.assert_array_equal(columns(again, "i2")[name], values)
    assert not again.forget("b")
    again.observe("c", ["i2", "new"])
    assert again.counts.n_users == 3


def test_a_part_has_the_values_of_the_whole():
    scorer, rows = observed(toy_dataset().likes), np.array([1, 2, 5, 11, 23])
    part = STORE.part(rows, [CATALOG.ids[5]])
    whole, some = columns(scorer, CATALOG.ids[5]), scorer.columns(user(CATALOG.ids[5]), part)
    for name in NAMES:
        np.testing.assert_allclose(some[name], whole[name][rows], rtol=1e-5)


def test_retrieval_names_what_the_likers_liked():
    scorer = observed({"a": ["i1", "i9"], "b": ["i5"]})
    found = scorer.retrieve(user("i1"), STORE, lambda vector, n: np.array([0]))
    assert {CATALOG.ids[r] for rows in found for r in rows.tolist()} == {"i1", "i9", "i5"}
    assert not EvidenceScorer().retrieve(user("i1"), STORE, lambda vector, n: np.array([0]))


def test_reasons_count_people():
    likes = {"a": ["i1", "i2"], "b": ["i1", "i2"], "c": ["i1"], "d": ["i1", "i3"], "e": ["i7"]}
    scorer = observed(likes)
    facts = scorer.facts("of_likers", user("i1"), STORE, STORE.rows["i2"])
    assert facts == {"pick": CATALOG["i1"].title, "people": 2, "of": 4}
    assert scorer.facts("of_likers", user("i1"), STORE, STORE.rows["i7"]) is None
    assert scorer.facts("liked_here", user(), STORE, STORE.rows["i2"]) == {"people": 2, "of": 5}
    assert scorer.facts("liked_here", user(), STORE, STORE.rows["i3"]) is None
    assert scorer.facts("liked_here", user(), STORE, STORE.rows["i11"]) is None


def test_cleared_counts_are_gone_also_those_that_were_loaded():
    scorer = observed({"a": ("i1", "i2"), "b": ("i1",)})
    loaded = EvidenceScorer()
    loaded.load(scorer.save())
    loaded.observe("c", ["i3"])
    loaded.clear()
    assert not loaded.save()
    loaded.observe("c", ["i3"])
    assert dict(zip(loaded.counts.item_ids, loaded.counts.likes, strict=True)) == {"i3": 1.0}
