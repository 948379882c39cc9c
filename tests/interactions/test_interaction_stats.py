import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.interactions.interaction_stats import (
    UNORDERED,
    Counts,
    attribute_groups,
    closest_pick,
    co_occurrence,
    demographic_lift,
    fold_in,
    group_lift,
    late_lift,
    later_lift,
    log_popularity,
    pick_lift,
    popularity,
)
from coldstart.schema import UserProfile

FLOOR = 1e-4
ITEMS = tuple("abcdef")

people = st.builds(
    UserProfile,
    age=st.none() | st.sampled_from([0, 24, 29, 61, 99]),
    gender=st.none() | st.sampled_from(["M", "F"]),
    attributes=st.dictionaries(st.just("skin"), st.sampled_from(["dry", " Dry ", "oily"])),
)
worlds = st.dictionaries(
    st.sampled_from([f"u{n}" for n in range(8)]),
    st.tuples(people, st.lists(st.sampled_from([*ITEMS, "unlisted"]), max_size=6)),
    min_size=1,
)
some_items = st.lists(st.sampled_from([*ITEMS, "unlisted"]), max_size=5)


def fit(world, items=ITEMS):
    return Counts.fit(items, {u: p for u, (p, _) in world.items()}, likes_of(world))


def likes_of(world):
    return {u: liked for u, (_, liked) in world.items()}


def share(world, item):
    return sum(item in liked for _, liked in world.values()) / len(world)


def members(world, group):
    return [u for u, (profile, _) in world.items() if group in attribute_groups(profile)]


def slow_lift(world, group, item, shrink):
    p, inside = share(world, item), members(world, group)
    n = sum(item in world[u][1] for u in inside)
    return math.log((n + shrink * p) / (len(inside) + shrink) + FLOOR) - math.log(p + FLOOR)


def slow_closeness(world, picks, damping):
    liked = [set(x) for _, x in world.values()]
    fans = {i: sum(i in x for x in liked) for i in ITEMS}
    out = {}
    for i in ITEMS:
        out[i] = 0.0
        for j in set(picks) & set(ITEMS) - {i}:
            both = sum(i in x and j in x for x in liked)
            out[i] += both / math.sqrt((fans[i] + damping) * (fans[j] + damping))
    out |= {i: 0.0 for i in picks if i in out}
    top = max(out.values())
    return [out[i] / top if top else 0.0 for i in ITEMS]


@pytest.mark.parametrize(
    ("profile", "groups"),
    [
        ({}, []),
        ({"user_id": "7", "liked": "x", "about": "y"}, []),
        ({"age": 0}, ["age=00s"]),
        ({"age": 24, "gender": "M"}, ["age=20s", "gender=m"]),
        ({"age": 60}, ["age=60s"]),
        ({"age": 130}, ["age=60s"]),
        ({"occupation": " Nurse "}, ["occupation=nurse"]),
        ({"attributes": {"Skin": "DRY"}}, ["Skin=dry"]),
        ({"attributes": {"age": "old"}}, ["age=old"]),
        ({"attributes": {"age": "-3"}}, ["age=-3"]),
        ({"attributes": {"age": "9" * 5000}}, ["age=" + "9" * 5000]),
    ],
)
def test_attribute_groups(profile, groups):
    assert attribute_groups(UserProfile(**profile)) == groups


@given(worlds)
def test_counts_are_those_of_a_slow_count(world):
    counts = fit(world)
    liked = [set(x) for x in likes_of(world).values()]
    assert counts.n_users == len(world)
    assert counts.likes.tolist() == [sum(i in x for x in liked) for i in ITEMS]
    together = [[sum(i in x and j in x for x in liked) * (i != j) for j in ITEMS] for i in ITEMS]
    assert counts.together.toarray().tolist() == together
    assert counts.group_sizes == {g: len(members(world, g)) for g in counts.group_sizes}
    assert set(counts.group_sizes) == {g for p, _ in world.values() for g in attribute_groups(p)}
    for group, found in counts.group_likes.items():
        inside = [set(world[u][1]) for u in members(world, group)]
        assert found.tolist() == [sum(i in x for x in inside) for i in ITEMS]


@given(worlds)
def test_popularity_is_the_share_of_users(world):
    counts = fit(world)
    assert popularity(counts).tolist() == [share(world, i) for i in ITEMS]
    assert log_popularity(counts) == pytest.approx(
        [math.log(share(world, i) + FLOOR) for i in ITEMS]
    )


@given(worlds, st.sampled_from([0.5, 10.0, 100.0]))
def test_group_lift_is_that_of_a_slow_count(world, shrink):
    counts = fit(world)
    for group in counts.group_sizes:
        slow = [slow_lift(world, group, i, shrink) for i in ITEMS]
        assert group_lift(counts, group, shrink=shrink) == pytest.approx(slow, abs=1e-9)


@given(worlds, people)
def test_demographic_lift_adds_up_the_groups(world, profile):
    counts = fit(world)
    known = [g for g in attribute_groups(profile) if members(world, g)]
    slow = [sum(slow_lift(world, g, i, 100.0) for g in known) for i in ITEMS]
    assert demographic_lift(counts, profile) == pytest.approx(slow, abs=1e-9)


@given(worlds, some_items, st.sampled_from([1.0, 20.0]))
def test_co_occurrence_is_that_of_a_slow_count(world, picks, damping):
    found = co_occurrence(fit(world), picks, damping=damping)
    assert found == pytest.approx(slow_closeness(world, picks, damping))
    assert found.min() >= 0
    assert found.max() in (0.0, 1.0)


def followers(world, pick, item):
    """Users with ``pick`` among their first ten likes, and those who liked ``item`` after it."""
    own = [[i for i in dict.fromkeys(liked) if i in ITEMS] for liked in likes_of(world).values()]
    early = [x for x in own if pick in x[:10]]
    return len(early), sum(item in x[x.index(pick) + 1 :] for x in early)


@given(worlds, some_items)
def test_what_follows_the_picks_is_that_of_a_slow_count(world, picks):
    counts, beta = fit(world), 20.0
    pairs = {(j, i): followers(world, j, i) for j in ITEMS for i in ITEMS}
    early = sum(pairs[j, j][0] for j in ITEMS)
    usual = {i: sum(pairs[j, i][1] for j in ITEMS) / max(early, 1) for i in ITEMS}
    assert counts.later_share.tolist() == pytest.approx([usual[i] for i in ITEMS])
    known = [j for j in dict.fromkeys(picks) if j in ITEMS]
    expected = [
        np.mean(
            [
                math.log((pairs[j, i][1] + beta * usual[i]) / (pairs[j, i][0] + beta) + FLOOR)
                - math.log(usual[i] + FLOOR)
                for j in known
            ]
            or [0.0]
        )
        for i in ITEMS
    ]
    assert later_lift(counts, picks, shrink=beta).tolist() == pytest.approx(expected)


def test_what_follows_early_likes_by_hand():
    people = {"u": "abc", "v": "cba"}
    counts = Counts.fit("abcd", dict.fromkeys(people, UserProfile()), people, first=2)
    assert counts.early.tolist() == [1, 2, 1, 0]
    expected = np.zeros((4, 4))
    expected[0, 1] = expected[0, 2] = expected[1, 2] = 1  # a then b, c; b then c
    expected[2, 1] = expected[2, 0] = expected[1, 0] = 1  # c then b, a; b then a
    assert counts.later.toarray().tolist() == expected.tolist()


@given(worlds, some_items, st.sampled_from([1.0, 50.0]))
def test_lift_of_the_picks_is_that_of_a_slow_count(world, picks, shrink):
    known = [j for j in dict.fromkeys(picks) if j in ITEMS]
    expected = []
    for i in ITEMS:
        p, lifts = share(world, i), [0.0] if not known else []
        for j in known:
            n = sum(j in liked for _, liked in world.values())
            both = sum(i in liked and j in liked for _, liked in world.values()) if i != j else 0
            lifts.append(math.log((both + shrink * p) / (n + shrink) + FLOOR) - math.log(p + FLOOR))
        expected.append(np.mean(lifts))
    assert pick_lift(fit(world), picks, shrink=shrink).tolist() == pytest.approx(expected)


@given(worlds, some_items)
def test_the_closest_pick_is_the_largest_of_each_alone(world, picks):
    counts = fit(world)
    known = [p for p in picks if p in ITEMS]
    alone = [closest_pick(counts, [p]) for p in known] or [np.zeros(len(ITEMS))]
    np.testing.assert_allclose(closest_pick(counts, picks), np.max(alone, axis=0))
    assert 0 <= closest_pick(counts, picks).max() <= 1


@given(worlds, some_items)
def test_ease_is_the_ridge_regression_of_each_item_on_the_others(world, picks):
    counts = fit(world)
    x = np.array([[float(i in liked) for i in ITEMS] for _, liked in world.values()])
    expected = np.zeros((len(ITEMS), len(ITEMS)))
    for i in range(len(ITEMS)):
        others = [j for j in range(len(ITEMS)) if j != i]
        gram = x[:, others].T @ x[:, others] + 500.0 * np.eye(len(others))
        expected[others, i] = np.linalg.solve(gram, x[:, others].T @ x[:, i])
    np.testing.assert_allclose(counts.ease, expected, atol=1e-12)
    rows = [ITEMS.index(j) for j in dict.fromkeys(picks) if j in ITEMS]
    sums = expected[rows].sum(axis=0) / max(len(rows), 1) ** 0.5
    np.testing.assert_allclose(fold_in(counts, picks), sums, atol=1e-12)


def test_a_catalog_too_large_for_ease_has_none(monkeypatch):
    monkeypatch.setattr("coldstart.interactions.interaction_stats._EASE_ITEMS", len(ITEMS) - 1)
    counts = fit({"u": (UserProfile(), list(ITEMS))})
    assert counts.ease is None
    assert not fold_in(counts, ["a"]).any()


@given(worlds)
def test_unknown_groups_say_nothing(world):
    counts = fit(world)
    stranger = UserProfile(occupation="astronaut", attributes={"shoe": "43"})
    assert not demographic_lift(counts, stranger).any()
    assert not demographic_lift(counts, UserProfile()).any()


@given(worlds, some_items)
def test_picks_outside_the_counts_and_repeats_change_nothing(world, picks):
    counts = fit(world)
    known = [i for i in picks if i in ITEMS]
    expected = co_occurrence(counts, known).tolist()
    assert co_occurrence(counts, ["x", *picks, "y", *picks]).tolist() == expected
    assert not co_occurrence(counts, ["x", "unlisted"]).any()


@given(worlds)
def test_an_item_nobody_met_is_a_silent_finite_column(world):
    wider = fit(world, (*ITEMS, "new"))
    assert wider.likes[-1] == 0
    assert log_popularity(wider)[-1] == pytest.approx(math.log(FLOOR))
    assert co_occurrence(wider, ["new"]).tolist() == [0.0] * 7
    assert co_occurrence(wider, ["a"])[:6].tolist() == co_occurrence(fit(world), ["a"]).tolist()
    for group in wider.group_sizes:
        assert group_lift(wider, group)[-1] == 0
        assert group_lift(wider, group)[:6].tolist() == group_lift(fit(world), group).tolist()


def test_likes_of_users_that_are_not_counted_are_ignored():
    counts = Counts.fit(ITEMS, {"u1": UserProfile()}, {"u1": ["a"], "u2": ["b"]})
    assert counts.n_users == 1
    assert counts.likes.tolist() == [1, 0, 0, 0, 0, 0]


def test_no_users_is_no_knowledge():
    counts = Counts.fit(ITEMS, {}, {})
    assert not popularity(counts).any()
    assert not demographic_lift(counts, UserProfile(age=3)).any()
    assert not co_occurrence(counts, ["a"]).any()


def test_a_group_that_likes_more_has_a_positive_lift():
    world = {f"m{n}": (UserProfile(gender="M"), ["a"]) for n in range(5)}
    world |= {f"f{n}": (UserProfile(gender="F"), ["b"]) for n in range(5)}
    lift = dict(zip(ITEMS, group_lift(fit(world), "gender=m", shrink=5.0), strict=True))
    assert lift["a"] == pytest.approx(math.log((5 + 2.5) / 10 + FLOOR) - math.log(0.5 + FLOOR))
    assert lift["a"] > 0 > lift["b"]
    assert lift["c"] == 0


@given(worlds, some_items)
def test_without_an_order_nothing_is_early_and_nothing_late(world, picks):
    users, likes = {u: p for u, (p, _) in world.items()}, likes_of(world)
    counts = Counts.fit(ITEMS, users, likes, first=UNORDERED)
    assert not counts.early.any()
    assert not counts.later.nnz
    assert counts.later_share.tolist() == popularity(counts).tolist()
    assert late_lift(counts) == pytest.approx(np.zeros(len(ITEMS)), abs=1e-12)
    assert later_lift(counts, picks) == pytest.approx(np.zeros(len(ITEMS)), abs=1e-12)
    ordered = Counts.fit(ITEMS, users, likes)
    assert counts.likes.tolist() == ordered.likes.tolist()
    assert (counts.together != ordered.together).nnz == 0


def test_without_pairs_of_likes_no_matrix_is_inverted():
    counts = Counts.fit([str(n) for n in range(5000)], {}, {})
    assert not fold_in(counts, ["3", "4"]).any()
    assert "ease" not in counts.__dict__
