from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.baselines.selection import all_systems, choose
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
from coldstart.evaluation.benchmark_report import make_report
from coldstart.evaluation.benchmark_summary import summarise
from coldstart.evaluation.case_metrics import (
    ACCURACY,
    COLD_METRICS,
    METRICS,
    UNTESTED,
    CaseEvaluator,
    mean_by_picks,
)
from coldstart.evaluation.cases import ColdCase, support_cases
from coldstart.evaluation.recommender_adapter import CachedSignals
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, Pick, UserProfile
from coldstart.scoring.scorer import BaseScorer, Scores
from coldstart.scoring.scorers import Scorers
from coldstart.splitting.folds import user_folds
from tests.toy import toy_dataset, toy_recommender

PLAN = BenchmarkPlan((0, 1, 3), support=3)
FAST = ("popularity", "demographic_popularity", "item_knn", "random_items")


@pytest.fixture
def data():
    return toy_dataset()


@pytest.fixture
def folds(data):
    return user_folds(data.likes, 3)


def of(trial, system, n_picks, metric="ndcg@10"):
    at = METRICS.index(metric)
    rows = [r for r in trial.records if (r.system, r.n_picks) == (system, n_picks)]
    return {r.user: r.values[at] for r in rows if r.values[at] is not None}


def test_gauc_is_the_auc_of_scikit_learn_weighted_by_rated_items(data, folds):
    """As an outsider would compute it, from a list of the whole catalog."""
    low = {u: tuple(data.catalog.ids[: n % 4]) for n, u in enumerate(data.likes)}
    data = replace(data, dislikes=low)
    trial = run_benchmark(data, folds, choose(FAST), PLAN)
    (fold,) = [f for f in range(3) if folds[f].test[0] == trial.records[0].user]
    training = TrainingData.of(data, folds[fold].train)
    cases = support_cases(data, folds[fold].test, PLAN.n_picks, support=3).cases
    for name in ("popularity", "item_knn"):
        system = all_systems()[name].make(training, folds[fold], data)
        values, weights, none = of(trial, name, 3, "gauc"), of(trial, name, 3, "rated"), set()
        for case in (c for c in cases if c.n_picks == 3):
            assert case.disliked == set(low[case.user]) - set(data.likes[case.user])
            # ScoredBaseline ranks the whole catalog but for the picks; ties go by the catalog.
            order = system.recommend(case.profile, k=99).item_ids
            rated = [i for i in order if i in case.targets | case.disliked]
            if case.disliked:
                truth = [i in case.targets for i in rated]
                wanted = roc_auc_score(truth, -np.arange(len(rated)))
                assert values[case.user] == pytest.approx(wanted)
                assert weights[case.user] == len(rated)
            else:
                none.add(case.user)
        assert none
        assert not none & values.keys()
    rows = [m for m in summarise(trial, data).means if m.metric == "gauc"]
    for row in rows:
        values, weights = (of(trial, row.system, row.n_picks, m) for m in UNTESTED)
        total = sum(values[u] * weights[u] for u in values) / sum(weights.values())
        assert row.value == pytest.approx(total)
        assert row.low <= row.value <= row.high
        assert row.users == len(values) < 60


rated = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(rated, st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("efgh")))
def test_gauc_of_ranks_agrees_with_counting_pairs(ranked, liked, disliked):
    case = ColdCase(
        "u", 0, UserProfile(), frozenset(liked), frozenset(), disliked=frozenset(disliked)
    )
    evaluator = CaseEvaluator(dict.fromkeys("abcdefgh", 1.0))
    *_, found, weight = evaluator.values((), case, rated=ranked)
    if not liked or not disliked:
        assert (found, weight) == (None, None)
        return
    place = {i: n for n, i in enumerate(ranked)}
    pairs = [(place.get(a, 99), place.get(b, 99)) for a in liked for b in disliked]
    right = sum((a < b) + (a == b) / 2 for a, b in pairs)
    assert found == pytest.approx(right / len(pairs))
    assert weight == len(liked) + len(disliked)


def test_gauc_asks_about_rated_items_only_and_a_bad_answer_is_refused():
    asked = []

    class Ranks:
        def __init__(self, answer):
            self.answer = answer

        def recommend(self, profile, *, k=10):
            asked.append((k, [p.item for p in profile.liked], [p.item for p in profile.seen]))
            return SimpleNamespace(item_ids=list(self.answer if profile.seen else "bcde")[:k])

    profile = UserProfile(liked=(Pick(item="a"),))
    case = ColdCase(
        "u", 1, profile, frozenset("bc"), frozenset("a"), ("a",), disliked=frozenset("e")
    )
    evaluator = CaseEvaluator(dict.fromkeys("abcdef", 1.0))
    record = evaluator.evaluate("x", 0, Ranks("bec"), case)
    assert asked == [(6, ["a"], []), (3, ["a"], ["d", "f"])]
    assert record.values[-2:] == (0.5, 3.0)
    assert evaluator.evaluate("x", 0, Ranks("e"), case).values[-2:] == (0.0, 3.0)
    asked.clear()
    alone = evaluator.evaluate("x", 0, Ranks(""), replace(case, disliked=frozenset()))
    assert alone.values[-2:] == (None, None)
    assert len(asked) == 1  # nothing more to ask
    with pytest.raises(DataError, match="x shows 'f' to somebody who has seen it"):
        evaluator.evaluate("x", 0, Ranks("bf"), case)
    with pytest.raises(DataError, match="x shows an item twice"):
        evaluator.evaluate("x", 0, Ranks("bb"), case)


def test_more_than_anybody_answers_is_not_asked_for(monkeypatch):
    """Whose excluded items are too many has seen them instead."""
    from coldstart.evaluation import case_metrics as module

    asked = []

    class Ranks:
        def recommend(self, profile, *, k=10):
            asked.append((k, {p.item for p in profile.seen}))
            gone = {p.item for p in (*profile.liked, *profile.seen)}
            return SimpleNamespace(item_ids=[i for i in "abcdefgh" if i not in gone][:k])

    profile = UserProfile(liked=(Pick(item="a"),))
    case = ColdCase("u", 1, profile, frozenset("gh"), frozenset("abcd"), ("a",))
    evaluator = CaseEvaluator(dict.fromkeys("abcdefgh", 1.0))
    usual = evaluator.evaluate("x", 0, Ranks(), case)
    monkeypatch.setattr(module, "MAX_K", 7)
    capped = evaluator.evaluate("x", 0, Ranks(), case)
    assert asked == [(8, set()), (module.DEPTH, set("bcd"))]
    assert (capped.top, capped.values) == (usual.top, usual.values)
    assert capped.top == tuple("efgh")


def test_without_dislikes_there_is_no_gauc(data, folds):
    data = replace(data, dislikes={})
    trial = run_benchmark(data, folds, choose(FAST), PLAN)
    summary = summarise(trial, data)
    assert not {m.metric for m in summary.means} & set(UNTESTED)
    assert "GAUC" not in make_report(trial, summary, data, "x", 0).markdown()


I7 = Pick(item="i7", by="id")


def test_the_model_is_asked_once_whatever_was_seen():
    asked = []

    class Model(BaseScorer):
        name, scope = "model", "shortlist"

        def score(self, batch):
            asked.extend(batch)
            return [Scores() for _ in batch]

    recommender = toy_recommender()
    recommender.scorers = Scorers([Model()])
    memo = CachedSignals(recommender)
    plain, seen, older = (UserProfile(age=a, seen=s) for a, s in ((3, ()), (3, I7), (4, I7)))
    for profile, so_far in ((plain, 1), (seen, 1), (older, 2), (plain, 2)):
        assert memo.lm_signals(profile)[0].profile == profile
        assert len(asked) == so_far


# -- one case --------------------------------------------------------------------------------------


class Fixed:
    """Answers with a list, or with another one whoever has seen something."""

    def __init__(self, first, second=()):
        self.first, self.second = first, second

    def recommend(self, profile, *, k=10):
        class Answer:
            item_ids = list(self.second if profile.seen else self.first)[:k]

        return Answer


def case(**changes):
    whole = ColdCase("u", 0, UserProfile(), frozenset("d"), frozenset("a"), ("a",))
    return replace(whole, **changes)


LIKES = {"a": 3.0, "b": 2.0, "c": 0.0, "d": 0.0}


def test_values_of_a_known_list():
    evaluator = CaseEvaluator(LIKES, frozenset("cd"))
    record = evaluator.evaluate("x", 0, Fixed("abcd", "dc"), case())
    values = dict(zip(COLD_METRICS, record.values, strict=True))
    assert record.top == ("b", "c", "d")
    assert values == {
        "ndcg@10": 0.5,
        "recall@10": 1.0,
        "recall@20": 1.0,
        "hr@10": 1.0,
        "mrr@20": pytest.approx(1 / 3),
        "cold_share@10": pytest.approx(2 / 3),
        "cold_ndcg@10": 1.0,
        "cold_recall@10": 1.0,
        "cold_recall@20": 1.0,
        "gauc": None,
        "rated": None,
    }


def test_nobody_has_seen_what_they_pick():
    class Asks:
        def recommend(self, profile, *, k=10):
            seen.append({p.item for p in profile.seen})
            return Fixed("d").recommend(UserProfile())

    seen = []
    profile = UserProfile(liked=(Pick(item="a"),))
    CaseEvaluator(LIKES, frozenset("cd")).evaluate("x", 0, Asks(), case(profile=profile))
    assert seen == [set(), {"b"}]


@pytest.mark.parametrize(
    ("lists", "cold", "why"),
    [
        (("bb", ""), None, "x shows an item twice"),
        (("be", ""), None, "x shows 'e', which is no candidate .recommend from the catalog"),
        (("b", "bd"), "cd", "x shows 'b' to somebody who has seen it"),
        (("b", "dd"), "cd", "x shows an item twice"),
        (("b", "de"), "cd", "x shows 'e', which is no candidate"),
    ],
)
def test_lists_that_break_the_rules(lists, cold, why):
    with pytest.raises(DataError, match=why):
        CaseEvaluator(LIKES, cold).evaluate("x", 0, Fixed(*lists), case())


# -- means -----------------------------------------------------------------------------------------

FILMS = tuple("abcdef")


def always(*order):
    """A system that shows the same films to everybody, less their picks."""
    catalog = Catalog(Item(item_id=i, title=f"Film {i}") for i in FILMS)
    scores = [-float(order.index(i)) if i in order else -99.0 for i in FILMS]
    counts = Counts.fit(FILMS, {}, {})
    return ScoredBaseline(catalog, counts, lambda profile: np.array(scores))


def test_picks_are_neither_shown_nor_missed():
    whole = ColdCase("u", 0, UserProfile(), frozenset("abcdef"))
    picked = ColdCase("u", 1, UserProfile(liked="a"), frozenset("bcdef"), frozenset("a"))
    for metric in ACCURACY:
        found = mean_by_picks(always("b", "a", "c"), [whole, picked], metric)
        assert found == pytest.approx({0: 1.0, 1: 1.0})


def test_a_miss_at_the_top_costs_what_the_formula_says():
    case = ColdCase("u", 0, UserProfile(), frozenset("bc"))
    system = always("a", "b", "d", "c", "e", "f")
    ideal = 1 + 1 / math.log2(3)
    expected = (1 / math.log2(3) + 1 / math.log2(5)) / ideal
    assert mean_by_picks(system, [case]) == pytest.approx({0: expected})
    assert mean_by_picks(system, [case], "recall@10") == {0: 1.0}


def test_means_are_over_the_users_of_each_number_of_picks():
    cases = [
        ColdCase("u", 0, UserProfile(), frozenset("a")),
        ColdCase("v", 0, UserProfile(), frozenset("b")),
        ColdCase("v", 1, UserProfile(liked="a"), frozenset("b"), frozenset("a")),
    ]
    half = (1 + 1 / math.log2(3)) / 2
    for order in ("abcdef", "bacdef"):
        assert mean_by_picks(always(*order), cases) == pytest.approx({0: half, 1: 1.0})
    assert mean_by_picks(always("a"), []) == {}
    with pytest.raises(ConfigError, match="unknown metric 'mrr@20'"):
        mean_by_picks(always("a"), cases, "mrr@20")


def test_only_the_metrics_asked_for_are_computed():
    asked = []

    class Asks:
        def recommend(self, profile, *, k=10):
            asked.append(k)
            return Fixed("bcd").recommend(profile, k=k)

    rated = case(disliked=frozenset("b"))
    whole = CaseEvaluator(LIKES).evaluate("x", 0, Asks(), rated)
    assert len(asked) == 2  # the list, and the order of the rated items
    some = CaseEvaluator(LIKES, metrics=ACCURACY).evaluate("x", 0, Asks(), rated)
    assert len(asked) == 3
    assert some.values == whole.values[: len(ACCURACY)]
    with pytest.raises(ConfigError, match="no metric 'luck'"):
        CaseEvaluator(LIKES, metrics=("luck",))
