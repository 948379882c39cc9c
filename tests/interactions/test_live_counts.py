from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ConfigError, DataError
from coldstart.interactions import live_counts as module
from coldstart.interactions.interaction_stats import UNORDERED, Counts, co_occurrence
from coldstart.interactions.live_counts import LiveCounts
from coldstart.interactions.recency import pick_weights, recent_co_occurrence, window_shares
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Pick, UserProfile
from coldstart.scoring.recency import RecencyScorers
from coldstart.scoring.registry import SIGNALS
from coldstart.testing.probes import features_of
from tests.fakes import FakeEncoder
from tests.toy import toy_catalog, toy_dataset

ITEMS = tuple(f"i{n}" for n in range(14))

people = st.builds(
    UserProfile,
    age=st.none() | st.sampled_from([0, 24, 29, 61]),
    gender=st.none() | st.sampled_from(["M", "F"]),
    attributes=st.dictionaries(st.just("skin"), st.sampled_from(["dry", " Dry "])),
)
some_items = st.lists(st.sampled_from([*ITEMS, "unlisted"]), max_size=16)
names = st.sampled_from([f"u{n}" for n in range(4)])
changes = st.lists(
    st.tuples(st.sampled_from(["add", "remove"]), names, people, some_items)
    | st.tuples(
        st.sampled_from(["observe", "observe", "observe", "retract"]),
        names,
        st.none(),
        st.sampled_from([*ITEMS, "unlisted"]),
    ),
    max_size=40,
)


def same(a: Counts, b: Counts) -> None:
    assert (a.item_ids, a.n_users, dict(a.group_sizes)) == (
        b.item_ids,
        b.n_users,
        dict(b.group_sizes),
    )
    assert a.group_likes.keys() == b.group_likes.keys()
    pairs = [(a.likes, b.likes), (a.early, b.early)]
    pairs += [(a.group_likes[g], b.group_likes[g]) for g in a.group_likes]
    pairs += [(x.toarray(), y.toarray()) for x, y in ((a.together, b.together), (a.later, b.later))]
    for x, y in pairs:
        np.testing.assert_array_equal(x, y)
    assert a.together.nnz == b.together.nnz
    assert a.later.nnz == b.later.nnz
    assert a.together.has_sorted_indices


@pytest.mark.parametrize("log_rows", [0, 1 << 16])
@given(changes=changes, known=st.dictionaries(names, st.tuples(people, some_items)))
def test_any_changes_give_what_counting_again_gives(log_rows, changes, known):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LOG_ROWS", log_rows)  # 0: merges all the time
        users = {u: p for u, (p, _) in known.items()}
        likes = {u: list(x) for u, (_, x) in known.items()}
        live = LiveCounts.fit(ITEMS, users, likes)
        for what, user, profile, items in changes:
            if (what == "add") == (user in users):
                continue
            if what == "add":
                live.add_user(user, profile, items)
                users[user], likes[user] = profile, list(items)
            elif what == "remove":
                live.remove_user(user)
                del users[user], likes[user]
            elif what == "observe":
                fresh = items in ITEMS and items not in likes[user]
                assert live.observe(user, items) == fresh
                likes[user].append(items)
            else:
                gone = items in ITEMS and items in likes[user]
                assert live.retract(user, items) == gone
                likes[user] = [i for i in likes[user] if i != items]
        same(live.counts(), Counts.fit(ITEMS, users, likes))
        assert live.n_users == len(users)


@given(base=st.dictionaries(names, st.tuples(people, some_items)), more=some_items, one=people)
def test_from_saved_counts_only_new_people_go_on(base, more, one):
    users, likes = {u: p for u, (p, _) in base.items()}, {u: x for u, (_, x) in base.items()}
    live = LiveCounts(Counts.fit(ITEMS, users, likes))
    live.add_user("new", one)
    for item in more:
        live.observe("new", item)
    same(live.counts(), Counts.fit(ITEMS, users | {"new": one}, likes | {"new": more}))


def test_another_number_of_first_likes():
    users, likes = {"u": UserProfile()}, {"u": list(ITEMS[:2])}
    live = LiveCounts.fit(ITEMS, users, likes, first=3)
    for item in ITEMS[2:6]:
        live.observe("u", item)
    same(live.counts(), Counts.fit(ITEMS, users, {"u": ITEMS[:6]}, first=3))


def test_without_an_order_none_is_learned_from_later_likes_either():
    live = LiveCounts(Counts.fit(ITEMS, {}, {}, first=UNORDERED), first=UNORDERED)
    live.add_user("u", UserProfile(), ITEMS[:4])
    live.observe("u", ITEMS[4])
    assert not live.counts().early.any()
    assert not live.counts().later.nnz


def test_new_items_get_a_column():
    users = {"u": UserProfile(age=24), "v": UserProfile()}
    live = LiveCounts.fit(ITEMS[:2], users, {"u": ["i0", "i1"]})
    assert not live.observe("v", "i2")
    live.add_items(ITEMS[2:4])
    assert live.observe("v", "i3")
    assert live.observe("u", "i3")
    same(live.counts(), Counts.fit(ITEMS[:4], users, {"u": ["i0", "i1", "i3"], "v": ["i3"]}))


def test_a_snapshot_is_kept_and_never_changes():
    live = LiveCounts.fit(ITEMS, {"u": UserProfile(age=24)}, {"u": ["i0"]})
    first = live.counts()
    assert live.counts() is first
    live.observe("u", "i1")
    assert live.counts() is not first
    same(first, Counts.fit(ITEMS, {"u": UserProfile(age=24)}, {"u": ["i0"]}))


def test_a_like_does_not_touch_the_matrices(monkeypatch):
    live = LiveCounts.fit(ITEMS, {"u": UserProfile()}, {"u": ["i0"]})
    monkeypatch.setattr(module._Pairs, "_merge", lambda self: pytest.fail("merged"))
    live.observe("u", "i1")


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda x: x.observe("v", "i0"), "user 'v' is not known by name.*add_user"),
        (lambda x: x.retract("v", "i0"), "user 'v' is not known"),
        (lambda x: x.remove_user("v"), "user 'v' is not known"),
        (lambda x: x.add_user("u", UserProfile()), "user 'u' is counted already"),
        (lambda x: x.add_items(["i0"]), "item 'i0' is counted already"),
        (lambda x: x.add_items(["x", "x"]), "named twice"),
    ],
)
def test_mistakes_are_named_and_change_nothing(call, why):
    live = LiveCounts.fit(ITEMS, {"u": UserProfile()}, {"u": ["i0"]})
    before = live.counts()
    with pytest.raises(DataError, match=why):
        call(live)
    same(live.counts(), before)


# -- recency -------------------------------------------------------------------------------------


@given(st.integers(0, 30), st.none() | st.floats(0.1, 100), st.integers(0, 9))
def test_windows_mix_to_the_weighted_mean(n, half_life, seed):
    values = np.random.default_rng(seed).normal(size=n)
    weights, shares = pick_weights(n, half_life), window_shares(n, half_life)
    assert len(weights) == len(shares) == n
    if n:
        assert shares.sum() == pytest.approx(1)
        mixed = sum(q * values[-m:].mean() for m, q in enumerate(shares, start=1))
        assert mixed == pytest.approx(weights @ values / weights.sum())


def test_half_life_halves():
    assert pick_weights(5, 2.0)[::-1][[0, 2, 4]] == pytest.approx([1, 0.5, 0.25])
    assert window_shares(3, None).tolist() == [0, 0, 1]


@pytest.mark.parametrize("half_life", [0, -1, float("nan"), float("inf")])
def test_a_half_life_is_a_number_above_0(half_life):
    with pytest.raises(ConfigError, match="half_life is .*such as 5"):
        pick_weights(2, half_life)


@pytest.fixture
def item_store():
    data = toy_dataset()
    made = ItemStore(
        toy_catalog(), Counts.fit(data.catalog.ids, data.users, data.likes), FakeEncoder()
    )
    made.sync()
    return made


def resolved(*items):
    picks = tuple(Pick(item=i) for i in items)
    return ResolvedProfile(UserProfile(age=24, liked=picks), Context())


def recent(items, user, half_life):
    return RecencyScorers(half_life).features_of(user, items)


def test_no_decay_changes_nothing(item_store):
    user = resolved("i1", "i3", "i4")
    plain = features_of(item_store, user)
    np.testing.assert_array_equal(recent(item_store, user, None), plain)
    np.testing.assert_allclose(recent(item_store, user, 1e6), plain, atol=1e-4)


def test_recent_picks_count_more(item_store):
    user, lift = resolved("i1", "i4"), SIGNALS.index("lift")
    by_pick = [features_of(item_store, resolved(i))[:, lift] for i in ("i1", "i4")]
    found = recent(item_store, user, 1.0)
    np.testing.assert_allclose(found[:, lift], (by_pick[0] + 2 * by_pick[1]) / 3, atol=1e-12)
    newest = recent(item_store, user, 0.01)
    np.testing.assert_allclose(newest, features_of(item_store, resolved("i4")), atol=1e-9)


def test_weighted_co_occurrence(item_store):
    counts = item_store.counts
    picks = ["i1", "unlisted", "i3", "i4"]
    plain = co_occurrence(counts, picks) * np.sqrt(3)
    np.testing.assert_allclose(recent_co_occurrence(counts, picks, None), plain)
    last = recent_co_occurrence(counts, ["i1", "i4"], 0.01)
    near = co_occurrence(counts, ["i4"])
    others = [n for n, i in enumerate(counts.item_ids) if i not in ("i1", "i4")]
    np.testing.assert_allclose(last[others], near[others] / near[others].max())
    assert not recent_co_occurrence(counts, ["unlisted"], 5).any()
