"""The protocol: what systems see, what is ranked, how ties are broken; figures against oracles."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.requests.ablations import CHANGES, changed
from coldstart.evaluation.requests.inputs import blinded, with_shuffled_texts
from coldstart.evaluation.requests.ranks import Entrant, judged_requests, rank_targets
from coldstart.evaluation.requests.summary import (
    ALL,
    FIRST,
    METRICS,
    by_dialogue,
    case_values,
    summarise_requests,
)
from coldstart.metrics.ranking_metrics import mrr, ndcg, recall
from tests.evaluation.requests.made_up import made_catalog, made_log


class Table:
    """Fixed scores for everyone; remembers what it was given."""

    description = "fixed"

    def __init__(self, values, name="table"):
        self.values, self.name, self.seen, self.log = np.asarray(values), name, [], None

    def fit(self, log):
        self.log = log

    def scores(self, requests):
        self.seen += requests
        return np.tile(self.values, (len(requests), 1))


@pytest.fixture
def log():
    return made_log()


def request(chosen, mentioned=(), dialogue="d", first=True):
    return RecordedRequest(
        "text",
        tuple(RequestItem(i, liked=True) for i in chosen),
        tuple(RequestItem(i, liked=True) for i in mentioned),
        dialogue=dialogue,
        first=first,
    )


def ids(log, *rows):
    return [log.catalog.ids[row] for row in rows]


def test_mentioned_items_leave_the_ranking_and_other_targets_stay(log):
    n = len(log.catalog)
    asked = [request(ids(log, 3, 5, 0), ids(log, 0, 1))]  # 0 was mentioned: no new target
    found = rank_targets(log, asked, [Entrant(Table(-np.arange(n)))])["table"]
    assert found.rank.tolist() == [1, 3]  # 2 is ahead of 3; 2, 3, 4 are ahead of 5
    assert found.request.tolist() == [0, 0]
    assert list(found.top[0]) == ids(log, *range(2, 12))


def test_systems_see_neither_targets_nor_the_questionnaire(log):
    asked = [request(ids(log, 3), ids(log, 0))]
    table = Table(np.zeros(len(log.catalog)))
    rank_targets(log, asked, [Entrant(table)])
    assert table.log is log
    (seen,) = table.seen
    assert seen.chosen == ()
    assert [m.liked for m in seen.mentioned] == [None]
    rank_targets(log, asked, [Entrant(table)], questionnaire=True)
    assert [m.liked for m in table.seen[-1].mentioned] == [True]


def test_equal_scores_are_ordered_at_random_and_alike_for_all_systems(log):
    n = len(log.catalog)
    asked = [request(ids(log, k % n), dialogue=str(k)) for k in range(400)]
    flat, other = Table(np.zeros(n)), Table(np.ones(n), "other")
    found = rank_targets(log, asked, [Entrant(flat), Entrant(other)], seed=5)
    assert np.array_equal(found["table"].rank, found["other"].rank)
    assert found["table"].top == found["other"].top
    assert found["table"].rank.mean() == pytest.approx((n - 1) / 2, abs=4 * n / 12**0.5 / 20)
    again = rank_targets(log, asked, [Entrant(flat)], seed=6)["table"]
    assert not np.array_equal(again.rank, found["table"].rank)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_ranks_agree_with_the_list_and_with_the_metrics_of_lists(seed):
    catalog = made_catalog()
    log = RequestLog("x", catalog, (), (), ())
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 6, len(catalog)) / 5  # ties
    rows = rng.permutation(len(catalog))
    asked = [request(ids(log, *rows[:2]), ids(log, *rows[2:5]))]
    found = rank_targets(log, asked, [Entrant(Table(values))], seed=seed)["table"]
    top = found.top[0]
    assert len(top) == 10
    assert not set(top) & set(ids(log, *rows[2:5]))
    for target, rank in zip(asked[0].targets, found.rank, strict=True):
        assert (top[rank] == target) if rank < 10 else (target not in top)
        one = np.array([rank])
        assert case_values(one, "recall@5")[0] == recall(top, [target], 5)
        assert case_values(one, "ndcg@10")[0] == pytest.approx(ndcg(top, [target], 10))
        if rank < 10:
            assert case_values(one, "mrr")[0] == pytest.approx(mrr(top, [target], 10))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from("abcdef")),
        min_size=1,
        max_size=30,
    )
)
def test_the_mean_over_dialogues_is_the_mean_over_cases(cases):
    values = np.array([v for v, _ in cases])
    spread = by_dialogue(values, [d for _, d in cases])
    assert set(spread) == {d for _, d in cases}
    assert np.mean(list(spread.values())) == pytest.approx(values.mean(), abs=1e-12)


def test_one_case_per_dialogue_is_left_as_it_is():
    values = np.array([0.25, 1.0, 0.0])
    assert by_dialogue(values, ["x", "y", "z"]) == pytest.approx({"x": 0.25, "y": 1.0, "z": 0.0})


def test_summary_groups_pairs_and_coverage(log):
    n = len(log.catalog)
    asked = [request(ids(log, k % 5), dialogue=str(k // 2), first=k % 2 == 0) for k in range(20)]
    entrants = [Entrant(Table(-np.arange(n), "good")), Entrant(Table(np.arange(n), "bad"))]
    ranks = rank_targets(log, asked, entrants)
    summary = summarise_requests(ranks, asked, n)
    assert summary.mean("good", "recall@10").value == 1
    assert summary.mean("bad", "recall@10").value == 0
    assert summary.mean("good", "recall@10").cases == 20
    assert summary.mean("good", "recall@10", FIRST).cases == 10
    assert {m.metric for m in summary.means} == set(METRICS)
    assert summary.coverage["good"] == pytest.approx(10 / n)
    assert {(p.system, p.reference) for p in summary.paired} == {("bad", "good")}
    worst = next(p for p in summary.paired if (p.metric, p.group) == ("recall@10", ALL))
    assert (worst.difference.mean, worst.difference.high) == (-1, -1)
    turned = summarise_requests(ranks, asked, n, reference="bad")
    assert {p.system for p in turned.paired} == {"good"}
    with pytest.raises(ConfigError, match="no system 'x' to compare with"):
        summarise_requests(ranks, asked, n, reference="x")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 12))
def test_shuffled_texts_come_once_each_from_other_dialogues(seed, dialogues):
    asked = [
        replace(request(["western-0"], dialogue=str(n // 2)), text=f"text {n}")
        for n in range(2 * dialogues)
    ]
    out = with_shuffled_texts(asked, seed)
    assert sorted(r.text for r in out) == sorted(r.text for r in asked)
    giver = {r.text: r.dialogue for r in asked}
    assert all(giver[r.text] != r.dialogue for r in out)
    assert [replace(r, text="") for r in out] == [replace(r, text="") for r in asked]
    with pytest.raises(DataError, match="cannot be shuffled between dialogues"):
        with_shuffled_texts(asked[:2], seed)


def test_changes_reach_the_system(log):
    table = Table(np.zeros(len(log.catalog)))
    asked = [
        replace(request(ids(log, 3), ids(log, 0), dialogue=str(n)), text=f"t{n}") for n in range(4)
    ]
    for change in CHANGES:
        table.seen.clear()
        rank_targets(log, asked, [changed(Entrant(table), change)])
        texts = [r.text for r in table.seen]
        assert (texts == ["t0", "t1", "t2", "t3"]) == (change == "no-mentions")
        assert all(bool(r.mentioned) != (change == "no-mentions") for r in table.seen)
    assert blinded(asked[0]).text == "t0"


def test_mistakes(log):
    asked = [request(ids(log, 3))]
    with pytest.raises(ConfigError, match="a name of its own"):
        rank_targets(log, asked, [])
    same = [Entrant(Table(np.zeros(3))), Entrant(Table(np.zeros(3)))]
    with pytest.raises(ConfigError, match="a name of its own"):
        rank_targets(log, asked, same)
    with pytest.raises(DataError, match=r"table gives scores of shape \(1, 3\)"):
        rank_targets(log, asked, same[:1])
    with pytest.raises(DataError, match="none of 1 test requests has a new target"):
        judged_requests([request(["western-0"], ["western-0"])])
    with pytest.raises(ConfigError, match="no metric 'auc'"):
        case_values(np.array([0]), "auc")
