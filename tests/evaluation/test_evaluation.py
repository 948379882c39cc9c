import json
import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import R, Success, nDCG

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import DataError
from coldstart.evaluation.baselines.scored import (
    ScoredBaseline,
    demographic_baseline,
    item_knn_baseline,
    popularity_baseline,
)
from coldstart.evaluation.harness import (
    METRICS,
    MIN_TARGETS,
    SHOTS,
    ColdCase,
    cold_users,
    evaluate,
    shuffled,
)
from coldstart.evaluation.support import support_cases
from coldstart.interactions.interaction_stats import Counts
from coldstart.metrics.ranking_metrics import hit_rate, ndcg, recall
from coldstart.schema import Item, UserProfile
from coldstart.splitting.user_splits import Split, split_users

# -- metrics ---------------------------------------------------------------------------------

documents = [f"d{n:02}" for n in range(25)]
rankings = st.lists(st.sampled_from(documents), unique=True, max_size=25)
judged = st.sets(st.sampled_from(documents), min_size=1)


def oracle(measure, ranked, relevant):
    qrels = [ir_measures.Qrel("q", d, 1) for d in relevant]
    run = [ir_measures.ScoredDoc("q", d, float(-r)) for r, d in enumerate(ranked)]
    return ir_measures.calc_aggregate([measure], qrels, run)[measure]


@given(rankings, judged, st.sampled_from([1, 5, 10, 20]))
def test_metrics_agree_with_ir_measures(ranked, relevant, k):
    assert ndcg(ranked, relevant, k) == pytest.approx(oracle(nDCG @ k, ranked, relevant))
    assert recall(ranked, relevant, k) == pytest.approx(oracle(R @ k, ranked, relevant))
    assert hit_rate(ranked, relevant, k) == oracle(Success @ k, ranked, relevant)


def test_metrics_by_hand():
    ranked, relevant = ["a", "x", "b", "c"], {"a", "b", "z"}
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert ndcg(ranked, relevant, 3) == pytest.approx((1 + 1 / 2) / ideal)
    assert ndcg(ranked, relevant, 2) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert recall(ranked, relevant, 3) == pytest.approx(2 / 3)
    assert recall(ranked, relevant, 1) == pytest.approx(1 / 3)
    assert hit_rate(ranked, relevant, 1) == 1.0
    assert hit_rate(ranked[1:2], relevant, 1) == 0.0


def test_nothing_relevant_scores_zero():
    for metric in (ndcg, recall, hit_rate):
        assert metric(["a"], set(), 10) == 0.0


# -- splits ----------------------------------------------------------------------------------

users = st.lists(
    st.integers(0, 300).map(str) | st.text("ab0١", min_size=1, max_size=4), unique=True, max_size=60
)
shares = st.floats(0, 0.5)


@given(users, st.integers(0, 5), shares, shares)
def test_split_is_disjoint_and_complete(people, seed, test, valid):
    split = split_users(people, seed=seed, test=test, valid=valid)
    assert sorted([*split.train, *split.valid, *split.test]) == sorted(people)
    assert len(split.test) == int(test * len(people))
    assert len(split.valid) == int(valid * len(people))


@given(users, st.randoms(use_true_random=False))
def test_split_does_not_depend_on_the_order_given(people, random):
    mixed = list(people)
    random.shuffle(mixed)
    assert split_users(mixed) == split_users(people)


def test_split_is_seeded():
    people = [str(n) for n in range(50)]
    assert split_users(people, seed=3) == split_users(people, seed=3)
    assert split_users(people, seed=3) != split_users(people, seed=4)


def test_split_of_many_leaves_most_to_train():
    split = split_users([str(n) for n in range(943)])
    assert [len(p) for p in (split.train, split.valid, split.test)] == [661, 94, 188]


@given(users)
def test_split_survives_saving(tmp_path_factory, people):
    path = tmp_path_factory.mktemp("split") / "split.json"
    split = split_users(people)
    split.save(path)
    assert Split.load(path) == split


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no split file: Expecting value"),
        ("[1, 2]", "is no split file: list indices"),
        ("3", "is no split file: "),
        ('{"train": [], "valid": []}', "is no split file: 'test'"),
        ('{"train": [], "valid": [], "test": 3}', "a part is no list"),
        ('{"train": "12", "valid": [], "test": []}', "a part is no list"),
        ('{"train": [1], "valid": [1], "test": []}', "a user is in more than one part"),
    ],
)
def test_malformed_split_files_are_data_errors(tmp_path, text, why):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match=why):
        Split.load(tmp_path / "split.json")


def test_split_file_that_is_missing_or_not_text(tmp_path):
    with pytest.raises(DataError, match=r"no split file: .*No such file.*expected lists train"):
        Split.load(tmp_path / "split.json")
    (tmp_path / "split.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match="no split file: 'utf-8' codec"):
        Split.load(tmp_path / "split.json")


def test_numbers_in_a_split_file_are_read_as_ids(tmp_path):
    (tmp_path / "split.json").write_text(json.dumps({"train": [1], "valid": [2], "test": ["3"]}))
    assert Split.load(tmp_path / "split.json") == Split(("1",), ("2",), ("3",))


# -- a world of six films --------------------------------------------------------------------

FILMS = tuple("abcdef")
TOY = Catalog(Item(item_id=i, title=f"Film {i}") for i in FILMS)


def toy(likes, profiles=None):
    return Dataset(
        "toy", TOY, {u: (profiles or {}).get(u, UserProfile()) for u in likes},
        {u: tuple(x) for u, x in likes.items()},
    )  # fmt: skip


def always(*order):
    """A system that shows the same films to everybody, less their picks."""
    counts = Counts.fit(FILMS, {}, {})
    scores = [-float(order.index(i)) if i in order else -99.0 for i in FILMS]
    return ScoredBaseline(TOY, counts, lambda profile: np.array(scores))


# -- harness ---------------------------------------------------------------------------------


def test_full_ranking_with_a_known_answer():
    cases = cold_users(toy({"u": "abcdef"}), ["u"], shots=(0, 1))
    nothing, one = evaluate({"system": always("b", "a", "c")}, cases)
    assert (nothing.shots, nothing.users) == (0, 1)
    assert set(nothing.values) == set(METRICS)
    assert nothing.values == pytest.approx(dict.fromkeys(METRICS, 1.0))
    assert one.values == pytest.approx(dict.fromkeys(METRICS, 1.0))  # the pick "a" is no target


def test_a_miss_at_the_top_costs_what_the_formula_says():
    case = ColdCase("u", 0, UserProfile(), frozenset("bc"))
    (row,) = evaluate({"system": always("a", "b", "d", "c", "e", "f")}, [case])
    ideal = 1 + 1 / math.log2(3)
    assert row.values["ndcg@10"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)
    assert row.values["recall@10"] == 1.0


def test_rows_average_over_users_and_keep_systems_apart():
    cases = [
        ColdCase("u", 0, UserProfile(), frozenset("a")),
        ColdCase("v", 0, UserProfile(), frozenset("b")),
        ColdCase("v", 1, UserProfile(liked="a"), frozenset("b")),
    ]
    rows = evaluate({"ab": always(*"abcdef"), "ba": always(*"bacdef")}, cases)
    found = {(r.system, r.shots): (r.users, r.values["ndcg@10"]) for r in rows}
    half = (1 + 1 / math.log2(3)) / 2
    assert found.keys() == {("ab", 0), ("ab", 1), ("ba", 0), ("ba", 1)}
    assert found["ab", 0] == found["ba", 0] == (2, pytest.approx(half))
    assert found["ab", 1] == found["ba", 1] == (1, 1.0)


def test_cold_users_show_the_first_likes_and_ask_for_the_rest():
    data = toy({"u": "fedcba"}, {"u": UserProfile(age=24)})
    zero, one = cold_users(data, ["u"])
    assert (zero.shots, one.shots) == (0, 1)
    assert zero.profile == UserProfile(age=24, history=True)
    assert zero.targets == set(FILMS)
    assert one.profile == UserProfile(age=24, liked="f", history=True)
    assert one.targets == set("edcba")


def test_users_with_fewer_than_five_targets_are_left_out():
    likes = {str(n): [f"i{m}" for m in range(n)] for n in range(20)}
    found = {(c.user, c.shots) for c in cold_users(toy(likes), list(likes))}
    assert found == {(str(n), k) for n in range(20) for k in SHOTS if n - k >= MIN_TARGETS}


def many_cases(n=7, shots=(0, 1)):
    rng = np.random.default_rng(0)
    likes = {f"u{m}": [FILMS[i] for i in rng.permutation(6)] for m in range(n)}
    profiles = {u: UserProfile(user_id=u) for u in likes}
    return cold_users(toy(likes, profiles), list(likes), shots)


@pytest.mark.parametrize("seed", range(10))
def test_shuffling_gives_nobody_their_own_profile(seed):
    cases = many_cases()
    mixed = shuffled(cases, seed)
    assert sorted((c.user, c.shots) for c in mixed) == sorted((c.user, c.shots) for c in cases)
    assert all(c.profile.user_id != c.user for c in mixed)
    for k in (0, 1):
        given_ = [c.profile.user_id for c in mixed if c.shots == k]
        assert sorted(given_) == [f"u{n}" for n in range(7)]  # every profile once
    own = {(c.user, c.shots): c.targets for c in cases}
    for case in mixed:
        picks = {p.item for p in case.profile.liked}
        assert len(picks) == case.shots
        assert case.targets == own[case.user, case.shots] - picks


def test_shuffling_is_seeded():
    assert shuffled(many_cases(), 1) == shuffled(many_cases(), 1)
    assert shuffled(many_cases(), 1) != shuffled(many_cases(), 2)


def test_who_is_alone_cannot_be_shuffled():
    assert shuffled(many_cases(1)) == []


def test_bootstrap_interval_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    targets = [frozenset("a") if rng.random() < 0.3 else frozenset("x") for _ in range(200)]
    cases = [ColdCase(str(n), 0, UserProfile(), t) for n, t in enumerate(targets)]
    (row,) = evaluate({"system": always(*FILMS)}, cases)
    mean = row.values["ndcg@10"]
    assert mean == pytest.approx(sum(t == {"a"} for t in targets) / 200)
    expected = 1.96 * math.sqrt(mean * (1 - mean) / 200)
    assert row.half_width["ndcg@10"] == pytest.approx(expected, rel=0.1)
    assert evaluate({"system": always(*FILMS)}, cases) == [row]
    again = [evaluate({"system": always(*FILMS)}, cases, seed=n)[0] for n in range(1, 6)]
    assert any(r.half_width != row.half_width for r in again)


def test_equal_users_have_no_interval():
    cases = [ColdCase(str(n), 0, UserProfile(), frozenset("a")) for n in range(5)]
    (row,) = evaluate({"system": always(*FILMS)}, cases)
    assert set(row.half_width.values()) == {0.0}


def test_progress_is_reported():
    seen = []
    evaluate({"x": always("a")}, many_cases(3, (0,)), report=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_no_cases_is_no_rows():
    assert evaluate({"x": always("a")}, []) == []


# -- baselines -------------------------------------------------------------------------------

PEOPLE = {
    "m1": (UserProfile(gender="M"), "abc"),
    "m2": (UserProfile(gender="M"), "ab"),
    "m3": (UserProfile(gender="M"), "ab"),
    "f1": (UserProfile(gender="F"), "ad"),
    "f2": (UserProfile(gender="F"), "de"),
}
COUNTS = Counts.fit(
    FILMS, {u: p for u, (p, _) in PEOPLE.items()}, {u: x for u, (_, x) in PEOPLE.items()}
)
BASELINES = {
    "popularity": popularity_baseline(TOY, COUNTS),
    "demographic": demographic_baseline(TOY, COUNTS),
    "knn": item_knn_baseline(TOY, COUNTS),
    "knn root": item_knn_baseline(TOY, COUNTS, weight=2.0, root=True),
}
named = st.lists(st.sampled_from([*FILMS, "unknown"]), max_size=6)


@pytest.mark.parametrize("name", BASELINES)
@given(liked=named, disliked=named, seen=named, k=st.integers(1, 9))
def test_baselines_never_return_what_was_named(name, liked, disliked, seen, k):
    profile = UserProfile(gender="F", liked=liked, disliked=disliked, seen=seen)
    out = BASELINES[name].recommend(profile, k=k)
    allowed = set(FILMS) - {*liked, *disliked, *seen}
    assert set(out.item_ids) <= allowed
    assert len(out) == len(set(out.item_ids)) == min(k, len(allowed))
    assert [r.rank for r in out] == list(range(1, len(out) + 1))
    scores = [r.score for r in out]
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(s) for s in scores)


def test_popularity_ranks_by_likes():
    assert BASELINES["popularity"].recommend(UserProfile()).item_ids == [
        "a",
        "b",
        "d",
        "c",
        "e",
        "f",
    ]


def test_demographics_move_the_list():
    strong = Counts.fit(
        FILMS,
        {f"{g}{n}": UserProfile(gender=g) for g in "MF" for n in range(100)},
        {f"{g}{n}": x for g, x in (("M", "a"), ("F", "b")) for n in range(100)},
    )
    system = demographic_baseline(TOY, strong)
    assert system.recommend(UserProfile(gender="M"), k=1).item_ids == ["a"]
    assert system.recommend(UserProfile(gender="F"), k=1).item_ids == ["b"]


def test_knn_moves_towards_the_picks():
    plain, knn = (
        BASELINES[n].recommend(UserProfile(liked="e")) for n in ("popularity", "knn root")
    )
    assert knn.item_ids.index("d") < plain.item_ids.index("d")
    assert {r.item_id: r.score for r in knn}["d"] == pytest.approx(
        {r.item_id: r.score for r in plain}["d"] + 2.0
    )


def test_root_scales_with_the_square_root_of_the_picks():
    flat, root = (item_knn_baseline(TOY, COUNTS, root=r) for r in (False, True))
    base = BASELINES["demographic"]
    profile = UserProfile(liked=["e", "c", "f", "unknown"])
    for one, two, three in zip(
        *(sorted(s.recommend(profile), key=lambda r: r.item_id) for s in (flat, root, base)),
        strict=True,
    ):
        assert two.score - three.score == pytest.approx(2 * (one.score - three.score))


def test_reserved_likes_are_neither_targets_nor_shown():
    data = toy({"u": "abcdefgh", "v": "abcdefg"})
    cases = cold_users(data, ["u", "v"], (0, 1, 3), reserved=3)
    assert [(c.user, c.shots) for c in cases] == [("u", 0), ("u", 1), ("u", 3)]
    for case in cases:
        assert case.targets == frozenset("defgh")
        liked, seen = ([p.item for p in x] for x in (case.profile.liked, case.profile.seen))
        assert liked + seen == ["a", "b", "c"]
        assert len(liked) == case.shots
    expected = support_cases(data, ["u", "v"], (0, 1, 3), support=3).cases
    assert [(c.user, c.shots, c.targets) for c in cases] == [
        (c.user, c.shots, c.targets) for c in expected
    ]
    for case, other in zip(cases, expected, strict=True):
        assert case.profile.liked == other.profile.liked
        picks = {p.item for p in (*case.profile.liked, *case.profile.seen)}
        assert picks == other.excluded
    shown = popularity_baseline(data.catalog, Counts.fit(data.catalog.ids, {}, {}))
    for case in cases:
        assert not set(shown.recommend(case.profile, k=8).item_ids) & set("abc")


def test_shuffled_cases_hide_what_was_reserved_for_the_user():
    likes = {"u": "abcdefghi", "v": "ihgfedcba"}
    cases = cold_users(toy(likes), ["u", "v"], (1,), min_targets=2, reserved=3)
    for other in shuffled(cases):
        hidden = {p.item for p in other.profile.seen}
        assert hidden == set(likes[other.user][:3])
        assert not other.targets & {p.item for p in other.profile.liked}


def test_shares_together_are_the_whole_evaluation():
    from coldstart.evaluation.figures import Plan, classical, score_share
    from tests.toy import toy_dataset, toy_recommender, toy_split

    rec = toy_recommender()
    split = toy_split()
    plan = Plan(toy_dataset(), split.train, split.valid, split.test[:5], (0, 3), reserved=3)
    whole = score_share(rec, plan, 0, 1)
    parts = [s for n in range(3) for s in score_share(rec, plan, n, 3)]
    assert sorted(map(repr, parts)) == sorted(map(repr, whole))
    assert {s.system for s in whole} >= {"language model alone, free", "**coldstart, both**"}
    assert {s.shots for s in whole} == {0, 3}
    assert "popularity" in (systems := classical(rec, plan))
    assert all(len(s.recommend(plan.cases[-1].profile, k=3)) == 3 for s in systems.values())
