from __future__ import annotations

import re
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.selection import all_systems, choose
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.benchmark import BenchmarkPlan, System, run_benchmark
from coldstart.evaluation.case_metrics import METRICS, CaseEvaluator
from coldstart.evaluation.cases import support_cases
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.splitting.folds import user_folds
from tests.evaluation.counting import Counting
from tests.fakes import FakeEncoder
from tests.toy import toy_dataset

PLAN = BenchmarkPlan((0, 1, 3), support=3)
FAST = ("popularity", "demographic_popularity", "item_knn", "random_items")


@pytest.fixture
def data():
    return toy_dataset()


@pytest.fixture
def folds(data):
    return user_folds(data.likes, 3)


def answers(trial):
    """Everything but the time it took."""
    return [replace(r, milliseconds=0.0) for r in trial.records]


def test_everyone_tested_is_asked_by_every_system_for_every_number_of_picks(data, folds):
    seen = []
    trial = run_benchmark(
        data, folds, choose(FAST), PLAN, only=[0, 2], report=lambda *at: seen.append(at)
    )
    tested = {(f, u) for f in (0, 2) for u in folds[f].test}
    wanted = {(n, f, u, k) for n in FAST for f, u in tested for k in PLAN.n_picks}
    assert {(r.system, r.fold, r.user, r.n_picks) for r in trial.records} == wanted
    assert len(trial.records) == len(wanted)
    assert trial.dropped == {0: 0, 2: 0}
    assert trial.folds == (0, 2)
    assert all(len(r.values) == len(METRICS) for r in trial.records)
    assert all(r.milliseconds >= 0 for r in trial.records)
    assert seen[-1] == ("fold 2: random_items", 60, 60)


def test_excluded_items_are_neither_shown_nor_counted(data, folds):
    trial = run_benchmark(data, folds, choose(FAST), PLAN, only=[0])
    cases = {
        (c.user, c.n_picks): c
        for c in support_cases(data, folds[0].test, (0, 1, 3), support=3).cases
    }
    for record in trial.records:
        case = cases[record.user, record.n_picks]
        assert not case.excluded & set(record.top)
        assert len(record.top) == 10
        assert record.values[0] == pytest.approx(ndcg(record.top, case.targets, 10))


def test_values_have_a_name_each_and_none_where_there_is_no_target():
    case = support_cases(toy_dataset(), ["u1"], (0,), support=3).cases[0]
    wanted, *others = sorted(case.targets)
    case = replace(case, targets=frozenset({wanted}))
    likes = {i: 100.0 if i == wanted else 1.0 for i in toy_dataset().catalog.ids}
    found = dict(zip(METRICS, CaseEvaluator(likes).values([others[0], wanted], case), strict=True))
    assert found == {
        "ndcg@10": pytest.approx(1 / np.log2(3)),
        "recall@10": 1.0,
        "recall@20": 1.0,
        "hr@10": 1.0,
        "mrr@20": 0.5,
        "ips_ndcg@10": pytest.approx(1 / np.log2(3)),
        "head_ndcg@10": pytest.approx(1 / np.log2(3)),
        "middle_ndcg@10": None,
        "tail_ndcg@10": None,
        "gauc": 0.5,  # of a list that holds neither of the two rated items
        "rated": 2.0,
    }


def test_systems_are_given_training_users_only(data, folds):
    def make(training, split, whole):
        assert set(training.users) == set(split.train)
        assert not set(training.users) & {*split.test, *split.valid}
        return all_systems()["popularity"].make(training, split, whole)

    run_benchmark(data, folds, [System("x", make)], PLAN)


@pytest.mark.parametrize("regime", ["attributes", "interests", "text"])
def test_other_regimes_have_no_picks(data, folds, regime):
    plan = replace(PLAN, regime=regime)
    trial = run_benchmark(data, folds, choose(["bm25"]), plan, only=[0])
    assert [(r.user, r.n_picks) for r in trial.records] == [(u, 0) for u in folds[0].test]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"only": [3]}, "no fold 3"),
        ({"only": []}, "0 folds and the systems"),
        ({"systems": []}, "the systems none"),
        ({"systems": choose(["ease"]) * 2}, "ease, ease"),
    ],
)
def test_mistakes_are_named(data, folds, change, why):
    with pytest.raises(ConfigError, match=why):
        run_benchmark(data, folds, **({"systems": choose(FAST), "plan": PLAN} | change))


def test_unknown_regimes_and_short_users(data, folds):
    with pytest.raises(ConfigError, match="no regime 'mood'"):
        BenchmarkPlan(regime="mood")
    with pytest.raises(ConfigError, match="no number of picks"):
        BenchmarkPlan(())
    with pytest.raises(DataError, match="none of the 20 test users of fold 0 has 10"):
        run_benchmark(data, folds, choose(FAST), BenchmarkPlan())


def test_nothing_is_done_twice_and_a_cut_run_goes_on(data, folds, tmp_path):
    one = Counting()
    first = run_benchmark(data, folds, [one.system], PLAN, only=[0], work=tmp_path)
    assert (one.made, one.asked) == (1, 120)  # all items, and those that the user rated
    whole = run_benchmark(data, folds, [one.system], PLAN, work=tmp_path)
    assert (one.made, one.asked) == (3, 360)
    again = run_benchmark(data, folds, [one.system], PLAN, work=tmp_path)
    assert (one.made, one.asked) == (3, 360)
    assert again == whole
    assert whole.records[:60] == first.records
    assert answers(run_benchmark(data, folds, [one.system], PLAN)) == answers(whole)
    assert one.made == 6
    assert len(list(tmp_path.iterdir())) == 3


def test_a_system_that_fails_half_way_leaves_nothing(data, folds, tmp_path):
    one = Counting()

    class Breaks:
        def recommend(self, profile, *, k=10):
            raise KeyboardInterrupt

    broken = System("broken", lambda *given: Breaks())
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(data, folds, [one.system, broken], PLAN, only=[0], work=tmp_path)
    assert [p.name.split("-")[0] for p in tmp_path.iterdir()] == ["counting"]


def test_what_changes_the_answers_changes_the_file(data, folds, tmp_path):
    def made(data=data, folds=folds, plan=PLAN, **more):
        one = Counting(**more)
        run_benchmark(data, folds, [one.system], plan, only=[0], work=tmp_path)
        return one.made

    assert made() == 1
    assert made() == 0
    assert made(settings={"weight": 2}) == 1
    assert made(name="other") == 1
    assert made(plan=replace(PLAN, order="random")) == 1
    assert made(folds=user_folds(data.likes, 3, seed=1)) == 1
    assert made(data=replace(data, dislikes={})) == 1
    assert made() == 0


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda text: text[: len(text) // 2], ""),
        (lambda text: "[]", "list indices"),
        (lambda text: "", "Expecting value"),
        (lambda text: text.replace('"i4"', '"i5"'), "its checksum is another"),
    ],
)
def test_a_damaged_file_is_made_again(data, folds, tmp_path, harm, why):
    one, notes = Counting(), []
    whole = run_benchmark(data, folds, [one.system], PLAN, only=[0], work=tmp_path)
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert harm(text) != text
    path.write_text(harm(text))
    again = run_benchmark(
        data, folds, [one.system], PLAN, only=[0], work=tmp_path, note=notes.append
    )
    assert one.made == 2
    assert answers(again) == answers(whole)
    assert len(notes) == 1
    assert re.search(f"is damaged.*{re.escape(why)}.*counting on fold 0 again", notes[0])
    assert run_benchmark(data, folds, [one.system], PLAN, only=[0], work=tmp_path) == again


def test_results_of_other_code_are_made_again(data, folds, tmp_path, monkeypatch):
    one, notes = Counting(), []
    old = run_benchmark(data, folds, [one.system], PLAN, work=tmp_path)
    monkeypatch.setattr(System, "fingerprint", lambda system: "newer")
    new = run_benchmark(data, folds, [one.system], PLAN, work=tmp_path, note=notes.append)
    assert one.made == 6
    assert answers(new) == answers(old)
    assert len(notes) == 3
    assert "other code made the kept answers; doing counting on fold 0 again" in notes[0]
    assert len(list(tmp_path.iterdir())) == 3
    assert run_benchmark(data, folds, [one.system], PLAN, work=tmp_path) == new


SLOW = {"promptrec", "untuned_lm", "untuned_lm_lift"}  # named, or not measured


def test_every_system_answers(data, folds, tmp_path):
    trial = run_benchmark(
        data, folds, choose(), PLAN, only=[1], work=tmp_path, encoder=FakeEncoder()
    )
    missing = {s.name for s in all_systems().values() if s.requires and not find_spec(s.requires)}
    assert {r.system for r in trial.records} == set(all_systems()) - missing - SLOW
    assert missing <= {"lightfm_warp"}  # the only library that the tests can do without
    assert all(len(r.top) == 10 for r in trial.records)
    assert [s.name for s in trial.systems if s.ours] == ["coldstart_prior", "from_nothing"]


def test_systems_without_their_library_are_left_out_with_a_reason(monkeypatch):
    from coldstart.evaluation.baselines import registry

    monkeypatch.setattr(registry, "find_spec", lambda name: None)
    notes = []
    names = [s.name for s in choose(note=notes.append)]
    left_out = set(all_systems()) - set(names) - SLOW
    assert left_out == {"als", "lightfm_warp", "coldstart_prior"}
    assert "als is left out: needs implicit (pip install 'coldstart-rec[rivals]')" in notes
    assert "lightfm_warp is left out: needs lightfm (pip install lightfm-next)" in notes
    with pytest.raises(ConfigError, match="no system to run"):
        choose(["als"])


def test_unknown_systems_are_named():
    with pytest.raises(ConfigError, match="no system 'magic'"):
        choose(["popularity", "magic"])


def test_trees_are_learned_as_in_training(monkeypatch, data, folds):
    from coldstart.evaluation.baselines.coldstart_prior import coldstart_prior
    from coldstart.training import crossfit, run

    training = TrainingData.of(data, folds[0].train, encoder=FakeEncoder())
    assert coldstart_prior(training, folds[0], data).recommender.ranker.trees is None
    monkeypatch.setattr(crossfit, "ENOUGH_USERS", 10)
    ranker = coldstart_prior(training, folds[0], data).recommender.ranker
    config = run.TrainConfig()
    out_of_fold = run.OutOfFold(data, folds[0].train, FakeEncoder(), seed=config.seed)
    learned = run._classical(data, folds[0], config, out_of_fold, None, lambda row: None)
    assert ranker.trees is not None
    assert ranker.to_dict() == learned.to_dict()
