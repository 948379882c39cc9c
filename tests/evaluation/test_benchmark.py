from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from coldstart.cli import main
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation import drawing, report
from coldstart.evaluation.baselines.data import TrainingData
from coldstart.evaluation.figures import Memo
from coldstart.evaluation.judge import METRICS, UNTESTED, Judge
from coldstart.evaluation.report import make_report
from coldstart.evaluation.summary import groups_of, summarise
from coldstart.evaluation.support import SupportCase, support_cases
from coldstart.evaluation.systems import choose, registry
from coldstart.evaluation.trial import System, TrialPlan, run_trial
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.metrics.significance import holm, paired_bootstrap
from coldstart.schema import Pick, UserProfile
from coldstart.scoring.scorer import BaseScorer, Scores
from coldstart.scoring.scorers import Scorers
from coldstart.splitting.folds import user_folds
from tests.fakes import FakeEncoder
from tests.test_recommender import make
from tests.toy import toy_dataset

PLAN = TrialPlan((0, 1, 3), support=3)
FAST = ("popularity", "demographic_popularity", "item_knn", "random_items")


@pytest.fixture
def data():
    return toy_dataset()


@pytest.fixture
def folds(data):
    return user_folds(data.likes, 3)


class Counting:
    """A system that counts how often it is made and asked."""

    def __init__(self, name="counting", inner="item_knn", **more):
        self.made = self.asked = 0
        self._make = registry()[inner].make
        self.system = System(name, self.make, **more)

    def make(self, training, split, data):
        self.made += 1
        inner, outer = self._make(training, split, data), self

        class Asked:
            def recommend(self, profile, *, k=10):
                outer.asked += 1
                return inner.recommend(profile, k=k)

        return Asked()


def answers(trial):
    """Everything but the time it took."""
    return [replace(r, milliseconds=0.0) for r in trial.records]


# -- trial ---------------------------------------------------------------------------------------


def test_everyone_tested_is_asked_by_every_system_for_every_number_of_picks(data, folds):
    seen = []
    trial = run_trial(
        data, folds, choose(FAST), PLAN, only=[0, 2], report=lambda *at: seen.append(at)
    )
    tested = {(f, u) for f in (0, 2) for u in folds[f].test}
    wanted = {(n, f, u, k) for n in FAST for f, u in tested for k in PLAN.shots}
    assert {(r.system, r.fold, r.user, r.shots) for r in trial.records} == wanted
    assert len(trial.records) == len(wanted)
    assert trial.dropped == {0: 0, 2: 0}
    assert trial.folds == (0, 2)
    assert all(len(r.values) == len(METRICS) for r in trial.records)
    assert all(r.milliseconds >= 0 for r in trial.records)
    assert seen[-1] == ("fold 2: random_items", 60, 60)


def test_excluded_items_are_neither_shown_nor_counted(data, folds):
    trial = run_trial(data, folds, choose(FAST), PLAN, only=[0])
    cases = {
        (c.user, c.shots): c for c in support_cases(data, folds[0].test, (0, 1, 3), support=3).cases
    }
    for record in trial.records:
        case = cases[record.user, record.shots]
        assert not case.excluded & set(record.top)
        assert len(record.top) == 10
        assert record.values[0] == pytest.approx(ndcg(record.top, case.targets, 10))


def test_values_have_a_name_each_and_none_where_there_is_no_target():
    case = support_cases(toy_dataset(), ["u1"], (0,), support=3).cases[0]
    wanted, *others = sorted(case.targets)
    case = replace(case, targets=frozenset({wanted}))
    likes = {i: 100.0 if i == wanted else 1.0 for i in toy_dataset().catalog.ids}
    found = dict(zip(METRICS, Judge(likes).values([others[0], wanted], case), strict=True))
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
        return registry()["popularity"].make(training, split, whole)

    run_trial(data, folds, [System("x", make)], PLAN)


@pytest.mark.parametrize("regime", ["attributes", "interests", "text"])
def test_other_regimes_have_no_picks(data, folds, regime):
    plan = replace(PLAN, regime=regime)
    trial = run_trial(data, folds, choose(["bm25"]), plan, only=[0])
    assert [(r.user, r.shots) for r in trial.records] == [(u, 0) for u in folds[0].test]


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
        run_trial(data, folds, **({"systems": choose(FAST), "plan": PLAN} | change))


def test_unknown_regimes_and_short_users(data, folds):
    with pytest.raises(ConfigError, match="no regime 'mood'"):
        TrialPlan(regime="mood")
    with pytest.raises(ConfigError, match="no number of picks"):
        TrialPlan(())
    with pytest.raises(DataError, match="none of the 20 test users of fold 0 has 10"):
        run_trial(data, folds, choose(FAST), TrialPlan())


# -- what is kept --------------------------------------------------------------------------------


def test_nothing_is_done_twice_and_a_cut_run_goes_on(data, folds, tmp_path):
    one = Counting()
    first = run_trial(data, folds, [one.system], PLAN, only=[0], work=tmp_path)
    assert (one.made, one.asked) == (1, 120)  # all items, and those that the user rated
    whole = run_trial(data, folds, [one.system], PLAN, work=tmp_path)
    assert (one.made, one.asked) == (3, 360)
    again = run_trial(data, folds, [one.system], PLAN, work=tmp_path)
    assert (one.made, one.asked) == (3, 360)
    assert again == whole
    assert whole.records[:60] == first.records
    assert answers(run_trial(data, folds, [one.system], PLAN)) == answers(whole)
    assert one.made == 6
    assert len(list(tmp_path.iterdir())) == 3


def test_a_system_that_fails_half_way_leaves_nothing(data, folds, tmp_path):
    one = Counting()

    class Breaks:
        def recommend(self, profile, *, k=10):
            raise KeyboardInterrupt

    broken = System("broken", lambda *given: Breaks())
    with pytest.raises(KeyboardInterrupt):
        run_trial(data, folds, [one.system, broken], PLAN, only=[0], work=tmp_path)
    assert [p.name.split("-")[0] for p in tmp_path.iterdir()] == ["counting"]


def test_what_changes_the_answers_changes_the_file(data, folds, tmp_path):
    def made(data=data, folds=folds, plan=PLAN, **more):
        one = Counting(**more)
        run_trial(data, folds, [one.system], plan, only=[0], work=tmp_path)
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
    whole = run_trial(data, folds, [one.system], PLAN, only=[0], work=tmp_path)
    (path,) = tmp_path.iterdir()
    text = path.read_text()
    assert harm(text) != text
    path.write_text(harm(text))
    again = run_trial(data, folds, [one.system], PLAN, only=[0], work=tmp_path, note=notes.append)
    assert one.made == 2
    assert answers(again) == answers(whole)
    assert len(notes) == 1
    assert re.search(f"is damaged.*{re.escape(why)}.*counting on fold 0 again", notes[0])
    assert run_trial(data, folds, [one.system], PLAN, only=[0], work=tmp_path) == again


def test_results_of_other_code_are_made_again(data, folds, tmp_path, monkeypatch):
    one, notes = Counting(), []
    old = run_trial(data, folds, [one.system], PLAN, work=tmp_path)
    monkeypatch.setattr(System, "fingerprint", lambda system: "newer")
    new = run_trial(data, folds, [one.system], PLAN, work=tmp_path, note=notes.append)
    assert one.made == 6
    assert answers(new) == answers(old)
    assert len(notes) == 3
    assert "other code made the kept answers; doing counting on fold 0 again" in notes[0]
    assert len(list(tmp_path.iterdir())) == 3
    assert run_trial(data, folds, [one.system], PLAN, work=tmp_path) == new


# -- systems -------------------------------------------------------------------------------------


def test_every_system_answers(data, folds, tmp_path):
    trial = run_trial(data, folds, choose(), PLAN, only=[1], work=tmp_path, encoder=FakeEncoder())
    missing = {s.name for s in registry().values() if s.requires and not find_spec(s.requires)}
    assert {r.system for r in trial.records} == set(registry()) - missing
    assert missing <= {"lightfm_warp"}  # the only library that the tests can do without
    assert all(len(r.top) == 10 for r in trial.records)
    assert [s.name for s in trial.systems if s.ours] == ["coldstart_prior"]


def test_systems_without_their_library_are_left_out_with_a_reason(monkeypatch):
    from coldstart.evaluation.baselines import library

    monkeypatch.setattr(library, "find_spec", lambda name: None)
    notes = []
    names = [s.name for s in choose(note=notes.append)]
    assert set(registry()) - set(names) == {"als", "lightfm_warp", "coldstart_prior"}
    assert "als is left out: needs implicit (pip install 'coldstart-rec[rivals]')" in notes
    assert "lightfm_warp is left out: needs lightfm (pip install lightfm-next)" in notes
    with pytest.raises(ConfigError, match="no system to run"):
        choose(["als"])


def test_unknown_systems_are_named():
    with pytest.raises(ConfigError, match="no system 'magic'"):
        choose(["popularity", "magic"])


def test_trees_are_learned_as_in_training(monkeypatch, data, folds):
    from coldstart.evaluation.systems import without_model
    from coldstart.training import crossfit, run

    training = TrainingData.of(data, folds[0].train, encoder=FakeEncoder())
    assert without_model(training, folds[0], data).recommender.ranker.trees is None
    monkeypatch.setattr(crossfit, "ENOUGH_USERS", 10)
    ranker = without_model(training, folds[0], data).recommender.ranker
    config = run.TrainConfig()
    out_of_fold = run.OutOfFold(data, folds[0].train, FakeEncoder(), seed=config.seed)
    learned = run._classical(data, folds[0], config, out_of_fold, None, lambda row: None)
    assert ranker.trees is not None
    assert ranker.to_dict() == learned.to_dict()


# -- summary -------------------------------------------------------------------------------------


@pytest.fixture
def trial(data, folds):
    return run_trial(data, folds, choose(FAST), PLAN)


def of(trial, system, shots, metric="ndcg@10"):
    at = METRICS.index(metric)
    rows = [r for r in trial.records if (r.system, r.shots) == (system, shots)]
    return {r.user: r.values[at] for r in rows if r.values[at] is not None}


def test_means_are_over_the_users_of_all_folds(trial, data):
    rows = {(m.system, m.shots, m.metric): m for m in summarise(trial, data).means}
    for name in FAST:
        for k in PLAN.shots:
            for metric in set(METRICS) - set(UNTESTED):
                row, values = rows[name, k, metric], of(trial, name, k, metric)
                assert row.value == pytest.approx(np.mean(list(values.values())))
                assert row.low <= row.value <= row.high
                assert row.users == len(values) <= 60


def test_differences_are_those_of_the_paired_bootstrap(trial, data):
    found = summarise(trial, data, seed=4).paired
    for k in PLAN.shots:
        best = max(FAST, key=lambda n: np.mean(list(of(trial, n, k).values())))
        rows = [p for p in found if p.shots == k]
        assert [p.system for p in rows] == [n for n in FAST if n != best]
        assert {p.reference for p in rows} == {best}
        expected = [paired_bootstrap(of(trial, p.system, k), of(trial, best, k), 4) for p in rows]
        assert [p.difference for p in rows] == expected
        assert [p.adjusted for p in rows] == holm([d.p_value for d in expected])


def test_the_reference_is_chosen_or_the_best_that_is_not_ours(data, folds):
    ours = Counting("ours", "popularity", ours=True).system
    trial = run_trial(data, folds, [ours, *choose(["random_items"])], PLAN)
    summary = summarise(trial, data)
    assert {p.reference for p in summary.paired} == {"random_items"}
    assert {s.system for s in summary.served} == {"ours", "random_items"}
    chosen = summarise(trial, data, reference="ours").paired
    assert {(p.system, p.reference) for p in chosen} == {("random_items", "ours")}
    with pytest.raises(ConfigError, match="no system 'x'"):
        summarise(trial, data, reference="x")
    for metric in ("x", *UNTESTED):
        with pytest.raises(ConfigError, match=f"no metric '{metric}' to compare .one of ndcg@10"):
            summarise(trial, data, metric=metric)


def test_lists_are_described(trial, data):
    vectors = {i: np.eye(len(data.catalog))[n] for n, i in enumerate(data.catalog.ids)}
    rows = {(x.system, x.shots): x for x in summarise(trial, data, vectors=vectors).lists}
    assert rows["random_items", 0].coverage > rows["popularity", 0].coverage
    assert rows["random_items", 0].gini < rows["popularity", 0].gini
    assert rows["random_items", 0].popularity < rows["popularity", 0].popularity
    assert rows["random_items", 0].novelty > rows["popularity", 0].novelty
    assert rows["popularity", 0].diversity == pytest.approx(1.0)
    assert all(x.diversity is None for x in summarise(trial, data).lists)


def test_groups_are_of_age_and_gender(trial, data):
    served = summarise(trial, data).served
    assert {(s.attribute, s.shots) for s in served} == {
        (a, k) for a in ("age", "gender") for k in PLAN.shots
    }
    gender = next(s for s in served if s.attribute == "gender")
    assert set(gender.groups.means) == {"f", "m"}
    assert gender.gap is not None
    assert gender.gap.difference >= 0
    age = next(s for s in served if s.attribute == "age")
    assert list(age.groups.means) == ["20s"]
    assert age.gap is None
    assert set(groups_of(data, "location").values()) == {"unknown"}


# -- gauc ----------------------------------------------------------------------------------------


def test_gauc_is_the_auc_of_scikit_learn_weighted_by_rated_items(data, folds):
    """As an outsider would compute it, from a list of the whole catalog."""
    low = {u: tuple(data.catalog.ids[: n % 4]) for n, u in enumerate(data.likes)}
    data = replace(data, dislikes=low)
    trial = run_trial(data, folds, choose(FAST), PLAN)
    (fold,) = [f for f in range(3) if folds[f].test[0] == trial.records[0].user]
    training = TrainingData.of(data, folds[fold].train)
    cases = support_cases(data, folds[fold].test, PLAN.shots, support=3).cases
    for name in ("popularity", "item_knn"):
        system = registry()[name].make(training, folds[fold], data)
        values, weights, none = of(trial, name, 3, "gauc"), of(trial, name, 3, "rated"), set()
        for case in (c for c in cases if c.shots == 3):
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
        values, weights = (of(trial, row.system, row.shots, m) for m in UNTESTED)
        total = sum(values[u] * weights[u] for u in values) / sum(weights.values())
        assert row.value == pytest.approx(total)
        assert row.low <= row.value <= row.high
        assert row.users == len(values) < 60


rated = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(rated, st.sets(st.sampled_from("abcd")), st.sets(st.sampled_from("efgh")))
def test_gauc_of_ranks_agrees_with_counting_pairs(ranked, liked, disliked):
    case = SupportCase(
        "u", 0, UserProfile(), frozenset(liked), frozenset(), disliked=frozenset(disliked)
    )
    judge = Judge(dict.fromkeys("abcdefgh", 1.0))
    *_, found, weight = judge.values((), case, rated=ranked)
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
    case = SupportCase(
        "u", 1, profile, frozenset("bc"), frozenset("a"), ("a",), disliked=frozenset("e")
    )
    judge = Judge(dict.fromkeys("abcdef", 1.0))
    record = judge.ask("x", 0, Ranks("bec"), case)
    assert asked == [(6, ["a"], []), (3, ["a"], ["d", "f"])]
    assert record.values[-2:] == (0.5, 3.0)
    assert judge.ask("x", 0, Ranks("e"), case).values[-2:] == (0.0, 3.0)
    asked.clear()
    alone = judge.ask("x", 0, Ranks(""), replace(case, disliked=frozenset()))
    assert alone.values[-2:] == (None, None)
    assert len(asked) == 1  # nothing more to ask
    with pytest.raises(DataError, match="x shows 'f' to somebody who has seen it"):
        judge.ask("x", 0, Ranks("bf"), case)
    with pytest.raises(DataError, match="x shows an item twice"):
        judge.ask("x", 0, Ranks("bb"), case)


def test_more_than_anybody_answers_is_not_asked_for(monkeypatch):
    """Whose excluded items are too many has seen them instead."""
    from coldstart.evaluation import judge as module

    asked = []

    class Ranks:
        def recommend(self, profile, *, k=10):
            asked.append((k, {p.item for p in profile.seen}))
            gone = {p.item for p in (*profile.liked, *profile.seen)}
            return SimpleNamespace(item_ids=[i for i in "abcdefgh" if i not in gone][:k])

    profile = UserProfile(liked=(Pick(item="a"),))
    case = SupportCase("u", 1, profile, frozenset("gh"), frozenset("abcd"), ("a",))
    judge = Judge(dict.fromkeys("abcdefgh", 1.0))
    usual = judge.ask("x", 0, Ranks(), case)
    monkeypatch.setattr(module, "MAX_K", 7)
    capped = judge.ask("x", 0, Ranks(), case)
    assert asked == [(8, set()), (module.DEPTH, set("bcd"))]
    assert (capped.top, capped.values) == (usual.top, usual.values)
    assert capped.top == tuple("efgh")


def test_gauc_is_shown_as_what_it_is_and_never_compared(trial, data):
    summary = summarise(trial, data)
    assert not {p.metric for p in summary.paired} & set(UNTESTED)
    made = make_report(trial, summary, data, "x", 0)
    title = "GAUC on rated items, for comparability only"
    *_, table, legend = made.tables
    assert (table.title, legend.title) == (title, "Systems")
    assert title not in [t.title for t in made.tables[: made.brief]]
    assert [row[0] for row in table.rows] == list(FAST)
    assert "0 of 60 users lack one of the two kinds and are left out" in table.note
    assert "tested nowhere" in made.markdown()
    assert f"<h2>{title}</h2>" in made.page()
    assert not any("rated" in t.title for t in made.tables[:-2])
    some = {u: x for n, (u, x) in enumerate(data.dislikes.items()) if n % 3}
    part = replace(data, dislikes=some)
    trial = run_trial(part, user_folds(part.likes, 3), choose(FAST), PLAN)
    made = make_report(trial, summarise(trial, part), part, "x", 0)
    assert "20 of 60 users lack one of the two kinds" in made.tables[-2].note
    assert made.tables[-2].columns[1] == "k=0 (n=40)"


def test_without_dislikes_there_is_no_gauc(data, folds):
    data = replace(data, dislikes={})
    trial = run_trial(data, folds, choose(FAST), PLAN)
    summary = summarise(trial, data)
    assert not {m.metric for m in summary.means} & set(UNTESTED)
    assert "GAUC" not in make_report(trial, summary, data, "x", 0).markdown()


def test_the_model_is_asked_once_whatever_was_seen():
    asked = []

    class Model(BaseScorer):
        name, scope = "model", "shortlist"

        def score(self, batch):
            asked.extend(batch)
            return [Scores() for _ in batch]

    recommender = make()
    recommender.scorers = Scorers([Model()])
    memo = Memo(recommender)
    plain, seen, older = (UserProfile(age=a, seen=s) for a, s in ((3, ()), (3, "i7"), (4, "i7")))
    for profile, so_far in ((plain, 1), (seen, 1), (older, 2), (plain, 2)):
        assert memo.lm_signals(profile)[0].profile == profile
        assert len(asked) == so_far


# -- report --------------------------------------------------------------------------------------

EVIL = "<script>alert(1)</script> | $x^2$"


@pytest.fixture
def evil(data, folds):
    systems = [Counting(EVIL, "popularity", ours=True).system, *choose(["item_knn"])]
    trial = run_trial(data, folds, systems, PLAN)
    return make_report(trial, summarise(trial, data), data, "coldstart benchmark <b>", 0)


def test_the_page_needs_nothing_else_and_escapes_names(evil):
    pytest.importorskip("matplotlib")
    page = evil.page()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert page.count('<img src="data:image/svg+xml;base64,') == 3
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"<(link|iframe|object|embed)\b|@import|url\(", page)
    assert page == evil.page()
    assert page.count("<table>") == len(evil.tables)


def test_the_page_says_so_without_matplotlib(evil, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    page = evil.page()
    assert "No plots: plots need matplotlib" in page
    assert "<img" not in page


def test_markdown_tables_hold_together(evil):
    text = evil.markdown()
    assert "<script" not in text
    for table in text.split("\n\n"):
        if table.startswith("|"):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
            assert len(widths) == 1
    for what in ("command: coldstart benchmark &lt;b&gt;", "seed: 0", "data fingerprint",
                 "folds fingerprint", "numpy 2", "users dropped", "Python 3"):  # fmt: skip
        assert what in text


def test_saved_under_the_name_given(evil, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "pictures", lambda *given: {})
    paths = evil.save(tmp_path / "v1.2")
    assert [p.name for p in paths] == ["v1.2.md", "v1.2.html", "v1.2.json"]
    found = json.loads(paths[2].read_text())
    assert found["about"]["seed"] == "0"
    assert {m["metric"] for m in found["means"]} == set(METRICS) - {"rated"}
    assert len(found["means"]) == 2 * 3 * (len(METRICS) - 1)
    assert {p["system"] for p in found["paired"]} == {EVIL}
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths)


def test_a_name_may_begin_with_an_underscore():
    assert drawing.label_of("_x$") == r"x\$"


# -- the command ---------------------------------------------------------------------------------


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)

    def call(*args):
        code = main(["benchmark", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ([], ["no data was given", "--data ml-100k, --data ml-small, or --items FILE"]),
        (["--data", "ml-100k", "--items", "x.csv"], ["--data and own tables"]),
        (["--data", "ml-small", "--items", "x.csv"], ["--data and own tables"]),
        (["--data", "ml-small", "--like-at", 3], ["are for own tables"]),
        (["--items", "x.csv"], ["own tables without --interactions", "--data ml-small"]),
        (["--data", "ml-1b"], ["--data"]),
        (["--data", "ml-100k", "--systems", "magic"], ["no system 'magic'", "hint: all, or some"]),
        (["--data", "ml-100k", "--systems", ","], ["no system to run"]),
        (["--data", "ml-100k", "--shots", "a"], ["--shots 'a'", "whole numbers"]),
        (["--data", "ml-100k", "--shots=-1"], ["--shots '-1'"]),
        (["--data", "ml-100k", "--only", ""], ["--only ''"]),
        (["--data", "ml-100k", "--only", "7"], ["no fold 7", "folds are 0 to 4"]),
        (["--data", "ml-100k", "--shots", "11"], ["shots (11,), support 10"]),
        (["--data", "ml-100k", "--folds", "1"], ["--folds"]),
        (["--data", "ml-100k", "--folds", "5000"], ["942 users make no 5000 folds"]),
        (["--data", "ml-100k", "--support", "5000"], ["none of the", "lower --support or --min-t"]),
        (["--data", "ml-100k", "--regime", "mood"], ["--regime"]),
        (["--data", "ml-100k", "--systems", "ease", "--against", "x"], ["--against 'x'", "ease"]),
    ],
)
def test_mistakes_get_one_line_with_a_hint(run, args, parts, tmp_path):
    code, out, err = run(*args, "--work", tmp_path)
    assert (code, out) == (2, "")
    (line,) = [x for x in err.splitlines() if " is left out: needs " not in x]
    assert "(hint: " in line
    assert all(part in line for part in parts), err


def test_help_has_examples(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "coldstart benchmark --data ml-100k --only 0 --systems popularity,later_lift" in out


def test_own_tables(run, tmp_path, data):
    items, likes = tmp_path / "items.csv", tmp_path / "likes.csv"
    titles = [f'{i.item_id},"{i.title}"' for i in data.catalog]
    items.write_text("\n".join(["item_id,title", *titles]))
    rows = [f"{u},{i},{n}" for u, x in data.likes.items() for n, i in enumerate(x)]
    likes.write_text("\n".join(["user_id,item_id,timestamp", *rows]))
    code, out, _ = run(
        "--items", items, "--interactions", likes, "--systems", "popularity,ease", "--folds", 3,
        "--support", 3, "--shots", "0,3", "--work", tmp_path / "work", "--json",
    )  # fmt: skip
    assert code == 0
    found = json.loads(out)
    assert found["about"]["test users"] == "60"
    assert found["served"] == []


def test_a_slice_of_movielens(run, tmp_path):
    args = ["--data", "ml-100k", "--only", 0, "--systems", "popularity,later_lift",
            "--shots", "0,5", "--work", tmp_path / "work", "--out", tmp_path / "bm"]  # fmt: skip
    code, out, err = run(*args)
    assert code == 0, err
    assert "later_lift" in out
    assert (tmp_path / "bm.html").read_text().startswith("<!DOCTYPE html>")
    found = json.loads((tmp_path / "bm.json").read_text())
    assert found["about"]["command"].startswith("coldstart benchmark --data ml-100k --systems pop")
    value = {(m["system"], m["shots"]): m for m in found["means"] if m["metric"] == "ndcg@10"}
    assert {m["users"] for m in value.values()} == {162}
    assert 0.25 < value["popularity", 0]["value"] < 0.45
    assert value["later_lift", 5]["value"] > value["popularity", 5]["value"]
    files = {p: p.stat().st_mtime_ns for p in (tmp_path / "work").iterdir()}
    assert run(*args)[1] == out
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "work").iterdir()} == files
