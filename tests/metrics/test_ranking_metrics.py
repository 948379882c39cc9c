import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import RR, P, R, Success, nDCG
from sklearn.metrics import roc_auc_score

from coldstart.errors import ConfigError, DataError
from coldstart.metrics.ranking_metrics import (
    HEAD,
    MIDDLE,
    TAIL,
    gauc,
    hit_rate,
    inverse_propensity,
    ips_ndcg,
    mrr,
    ndcg,
    precision,
    recall,
    stratum_ndcg,
    terciles,
)

documents = [f"d{n:02}" for n in range(25)]
rankings = st.lists(st.sampled_from(documents), unique=True, max_size=25)
judged = st.sets(st.sampled_from(documents), min_size=1)
depths = st.sampled_from([1, 3, 5, 10, 20, 100])


def oracle(measure, ranked, gains):
    qrels = [ir_measures.Qrel("q", d, g) for d, g in gains.items()]
    run = [ir_measures.ScoredDoc("q", d, float(-r)) for r, d in enumerate(ranked)]
    return ir_measures.calc_aggregate([measure], qrels, run)[measure]


@given(rankings, judged, depths)
def test_binary_metrics_agree_with_ir_measures(ranked, relevant, k):
    gains = dict.fromkeys(relevant, 1)
    assert mrr(ranked, relevant, k) == pytest.approx(oracle(RR @ k, ranked, gains))
    assert precision(ranked, relevant, k) == pytest.approx(oracle(P @ k, ranked, gains))
    assert ndcg(ranked, relevant, k) == pytest.approx(oracle(nDCG @ k, ranked, gains))
    assert recall(ranked, relevant, k) == pytest.approx(oracle(R @ k, ranked, gains))


@given(rankings, st.dictionaries(st.sampled_from(documents), st.integers(1, 9), min_size=1), depths)
def test_ips_ndcg_is_the_graded_ndcg_of_ir_measures(ranked, gains, k):
    assert ips_ndcg(ranked, set(gains), k, gains) == pytest.approx(oracle(nDCG @ k, ranked, gains))


@given(rankings, judged, depths)
def test_ips_ndcg_with_equal_weights_is_ndcg(ranked, relevant, k):
    equal = dict.fromkeys(documents, 0.3)
    assert ips_ndcg(ranked, relevant, k, equal) == pytest.approx(ndcg(ranked, relevant, k))


def test_by_hand():
    ranked, relevant = ["x", "a", "b", "c"], {"a", "b", "z"}
    assert mrr(ranked, relevant, 4) == 1 / 2
    assert mrr(ranked, relevant, 1) == 0.0
    assert precision(ranked, relevant, 3) == pytest.approx(2 / 3)
    assert precision(ranked, relevant, 10) == pytest.approx(2 / 10)  # short lists are not excused
    weight = {"a": 1.0, "b": 2.0, "z": 4.0}
    gain = 1 / math.log2(3) + 2 / math.log2(4)
    assert ips_ndcg(ranked, relevant, 3, weight) == pytest.approx(
        gain / (4 + 2 / math.log2(3) + 1 / math.log2(4))
    )
    assert ips_ndcg(ranked, relevant, 2, weight) == pytest.approx(
        1 / math.log2(3) / (4 + 2 / math.log2(3))
    )


def test_the_rare_hit_is_worth_more():
    weight = inverse_propensity({"hit": 400, "niche": 4})
    rare, common = (ips_ndcg([i, "x"], {"hit", "niche"}, 2, weight) for i in ("niche", "hit"))
    assert rare == pytest.approx(10 * common)


def test_nothing_relevant_scores_zero():
    for metric in (mrr, precision):
        assert metric(["a"], set(), 10) == metric([], {"a"}, 10) == 0.0
    assert ips_ndcg(["a"], set(), 10, {}) == ips_ndcg([], {"a"}, 10, {"a": 1.0}) == 0.0
    assert precision(["a"], {"a"}, 0) == 0.0


@pytest.mark.parametrize("weight", [0.0, -1.0, math.inf, math.nan])
def test_weights_that_mean_nothing_are_refused(weight):
    with pytest.raises(DataError, match=r"1 relevant items, first 'b'.*floor the popularity"):
        ips_ndcg(["a"], {"a", "b"}, 10, {"a": 1.0, "b": weight})
    with pytest.raises(DataError, match="no positive, finite weight"):
        ips_ndcg(["a"], {"a", "b"}, 10, {"a": 1.0})


# -- popularity ------------------------------------------------------------------------------


def test_inverse_propensity_by_hand():
    likes = {"a": 100, "b": 25, "c": 1, "new": 0}
    assert inverse_propensity(likes) == pytest.approx({"a": 1, "b": 2, "c": 10, "new": 10})
    assert inverse_propensity(likes, power=0) == dict.fromkeys(likes, 1.0)
    assert inverse_propensity({}) == {}
    assert inverse_propensity({"a": 0}) == {"a": 1.0}
    with pytest.raises(ConfigError, match=r"power is 2"):
        inverse_propensity(likes, power=2)


def test_each_third_holds_a_third_of_the_likes():
    likes = {"new": 0, "c": 10, "a": 40, "b": 20, "d": 20, "e": 10, "f": 10, "g": 10}
    # 40 | 20 20 | 10 10 10 10 of 120
    assert terciles(likes) == {
        "a": HEAD, "b": MIDDLE, "d": MIDDLE, "c": TAIL, "e": TAIL, "f": TAIL, "g": TAIL, "new": TAIL
    }  # fmt: skip
    assert terciles({"a": 3, "b": 3, "c": 3, "d": 3}) == {"a": 0, "b": 0, "c": 1, "d": 2}
    assert terciles({"a": 98, "b": 1, "c": 1}) == {"a": HEAD, "b": TAIL, "c": TAIL}


@given(st.dictionaries(st.sampled_from(documents), st.integers(0, 50), min_size=1))
def test_thirds_are_thirds_as_nearly_as_items_allow(likes):
    if not any(likes.values()):
        with pytest.raises(DataError, match=r"cannot be cut in three .*not all 0"):
            terciles(likes)
        return
    strata = terciles(likes)
    assert strata.keys() == likes.keys()
    assert all(strata[i] == TAIL for i, n in likes.items() if n == 0)
    for part in (HEAD, MIDDLE, TAIL):
        held = sum(n for i, n in likes.items() if strata[i] == part)
        assert abs(held - sum(likes.values()) / 3) <= max(likes.values())
    by_likes = sorted(likes, key=lambda i: (-likes[i], i))
    head = [likes[i] for i in by_likes if strata[i] == HEAD]
    assert sum(head[:-1]) < sum(likes.values()) / 3 <= sum(head)  # the fewest that hold a third
    assert [strata[i] for i in by_likes] == sorted(strata.values())
    assert terciles(dict(reversed(likes.items()))) == strata


@pytest.mark.parametrize("likes", [{}, {"a": -1, "b": 2}, {"a": math.nan}, {"a": math.inf}])
def test_likes_that_are_no_counts_are_refused(likes):
    with pytest.raises(DataError, match="cannot be cut in three"):
        terciles(likes)


def test_stratum_ndcg_keeps_the_whole_list():
    strata = {"a": HEAD, "b": MIDDLE, "c": TAIL}
    ranked, relevant = ["a", "x", "c"], {"a", "c", "new"}
    assert stratum_ndcg(ranked, relevant, 3, strata, HEAD) == 1.0
    assert stratum_ndcg(ranked, relevant, 3, strata, MIDDLE) is None
    # "c" at place 3; "new", which nobody liked, is in the tail and missed
    expected = (1 / 2) / (1 + 1 / math.log2(3))
    assert stratum_ndcg(ranked, relevant, 3, strata, TAIL) == pytest.approx(expected)
    assert stratum_ndcg(ranked, relevant, 2, strata, TAIL) == 0.0
    assert stratum_ndcg([], {"a"}, 3, strata, HEAD) == 0.0


@given(rankings, judged, depths)
def test_one_stratum_of_everything_is_ndcg(ranked, relevant, k):
    everything = dict.fromkeys(documents, HEAD)
    assert stratum_ndcg(ranked, relevant, k, everything, HEAD) == ndcg(ranked, relevant, k)


# -- gauc ------------------------------------------------------------------------------------

scores = st.lists(st.integers(-3, 3) | st.floats(-2, 2), min_size=1, max_size=20)


@given(scores, scores)
def test_gauc_of_a_user_is_the_auc_of_scikit_learn(liked, disliked):
    truth = [1] * len(liked) + [0] * len(disliked)
    assert gauc(liked, disliked) == pytest.approx(roc_auc_score(truth, [*liked, *disliked]))
    assert gauc(liked, disliked) + gauc(disliked, liked) == pytest.approx(1)


def test_gauc_by_hand():
    assert gauc([3.0, 1.0], [2.0, 1.0]) == (1 + 1 + 0 + 1 / 2) / 4
    assert gauc([-1.0], [-math.inf]) == 1.0
    assert gauc([-math.inf], [-math.inf]) == 0.5
    assert gauc(np.array([1.0]), np.array([0.0])) == 1.0


def test_gauc_needs_both_kinds():
    assert gauc([], [1.0]) is None
    assert gauc([1.0], []) is None
    with pytest.raises(DataError, match="a score is not a number"):
        gauc([math.nan], [1.0])


@given(rankings, judged, st.sampled_from([1, 5, 10, 20]))
def test_hits_agree_with_ir_measures(ranked, relevant, k):
    qrels = [ir_measures.Qrel("q", d, 1) for d in relevant]
    run = [ir_measures.ScoredDoc("q", d, float(-r)) for r, d in enumerate(ranked)]
    expected = ir_measures.calc_aggregate([Success @ k], qrels, run)[Success @ k]
    assert hit_rate(ranked, relevant, k) == expected


def test_ndcg_recall_and_hits_by_hand():
    ranked, relevant = ["a", "x", "b", "c"], {"a", "b", "z"}
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert ndcg(ranked, relevant, 3) == pytest.approx((1 + 1 / 2) / ideal)
    assert ndcg(ranked, relevant, 2) == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert recall(ranked, relevant, 3) == pytest.approx(2 / 3)
    assert recall(ranked, relevant, 1) == pytest.approx(1 / 3)
    assert hit_rate(ranked, relevant, 1) == 1.0
    assert hit_rate(ranked[1:2], relevant, 1) == 0.0
