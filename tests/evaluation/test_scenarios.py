from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.selection import all_systems, choose
from coldstart.evaluation.benchmark import BenchmarkPlan, System, run_benchmark
from coldstart.evaluation.benchmark_report import make_report
from coldstart.evaluation.benchmark_summary import summarise
from coldstart.evaluation.case_metrics import COLD_METRICS, METRICS
from coldstart.evaluation.cases import support_cases
from coldstart.evaluation.scenarios import later_users, new_items, new_users
from coldstart.metrics.ranking_metrics import ndcg, recall
from coldstart.schema import UserProfile
from coldstart.splitting.folds import folds_fingerprint, user_folds
from tests.fakes import FakeEncoder
from tests.toy import toy_dataset

PLAN = BenchmarkPlan((0, 2), support=2, min_targets=1)
FAST = ("popularity", "item_knn", "bm25", "random_items")


@pytest.fixture(scope="module")
def data():
    """The toy world in time: user n's likes are at n, n + 1, …; so everyone overlaps the next."""
    toy = toy_dataset()
    times = {
        u: tuple(float(n + m) for m in range(len(toy.likes[u]))) for n, u in enumerate(toy.likes)
    }
    return replace(toy, times=times)  # fmt: skip


@pytest.fixture(scope="module")
def later(data):
    return later_users(data, quantile=0.8)


@pytest.fixture(scope="module")
def items(data):
    return new_items(data, 3, share=0.3)


def test_folds_of_users_are_what_they_were(data):
    """Kept results of earlier versions are found by this fingerprint."""
    splits = user_folds(data.likes, 3)
    scenario = new_users(data, splits)
    assert scenario.fingerprint == folds_fingerprint(splits)
    assert all(f.train is data and f.candidates is data.catalog for f in scenario.folds)
    assert (scenario.kind.name, scenario.kind.metrics) == ("users", METRICS)
    plain = run_benchmark(data, splits, choose(FAST), PLAN)
    again = run_benchmark(data, scenario, choose(FAST), PLAN)
    assert [(r.user, r.values, r.top) for r in plain.records] == [
        (r.user, r.values, r.top) for r in again.records
    ]


def test_kept_results_of_folds_of_users_are_still_found(movielens, tmp_path):
    """A new name would throw everyone's kept answers away; the last one came with fair ties."""
    from coldstart.evaluation.result_cache import ResultCache

    splits = user_folds(movielens.likes)
    kept = ResultCache(
        tmp_path,
        movielens,
        new_users(movielens, splits).fingerprint,
        BenchmarkPlan().key(),
        METRICS,
    )
    settings = all_systems()["popularity"].settings
    path = kept.path("popularity", settings, 0)
    assert path is not None
    assert path.name == "popularity-0-de1ae876cf5cc7e07f0b.json"


def test_the_past_is_all_that_systems_see(data, later):
    (fold,) = later.folds
    at = 48.0
    assert set(fold.split.test) == {u for u, t in data.times.items() if t[0] >= at}
    assert set(fold.train.likes) == {*fold.split.train, *fold.split.valid}
    assert len(fold.split.valid) == 6
    for user, likes in fold.train.likes.items():
        early = [i for i, t in zip(data.likes[user], data.times[user], strict=True) if t < at]
        assert list(likes) == early
    assert fold.train.catalog is fold.candidates
    assert set(fold.candidates.ids) == {i for x in fold.train.likes.values() for i in x}
    assert fold.targets is None
    assert "at 48:" in later.kind.facts["split"]


def test_who_validates_is_drawn_from_the_past(data):
    drawn = [later_users(data, seed=n).folds[0].split for n in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0].valid != drawn[2].valid
    assert drawn[0].test == drawn[2].test


def test_items_of_the_future_are_neither_shown_nor_missed(data):
    films = data.catalog.ids
    late = films[-3:]
    likes = {u: tuple(i for i in x if i not in late) for u, x in data.likes.items()}
    likes |= {f"u{n}": (*likes[f"u{n}"], *late) for n in range(50, 60)}
    times = {
        u: tuple(float(int(u[1:]) + n) for n in range(len(likes[u])))
        for u in likes
    }  # fmt: skip
    data = replace(data, likes=likes, times=times)
    scenario = later_users(data, at=48)
    assert not set(late) & set(scenario.folds[0].candidates.ids)
    trial = run_benchmark(data, scenario, choose(FAST), PLAN, encoder=FakeEncoder())
    assert trial.records
    assert not {i for r in trial.records for i in r.top} & set(late)
    (shares,) = trial.shares.values()
    assert set(shares) == set(scenario.folds[0].candidates.ids)
    assert max(x.coverage for x in summarise(trial, data).lists) <= 1


def test_a_popular_film_of_the_future_is_not_popular_yet(data):
    """Fails if counts are of all likes: then the films liked late would come first."""
    early, late = data.catalog.ids[0], data.catalog.ids[1]
    likes = {f"u{n}": (early, late) if n < 20 else (late, early) for n in range(60)}
    times = {u: (0.0 if int(u[1:]) < 30 else 50.0, 50.0) for u in likes}
    users = {u: UserProfile() for u in likes}
    data = replace(data, users=users, likes=likes, times=times, dislikes={})
    scenario = later_users(data, at=49)
    plan = BenchmarkPlan((0,), support=0, min_targets=1)
    trial = run_benchmark(data, scenario, choose(["popularity"]), plan)
    assert {r.top for r in trial.records} == {(early, late)}


def test_a_note_says_that_dislikes_are_left_out(data, later):
    trial = run_benchmark(data, later, choose(FAST), PLAN, encoder=FakeEncoder())
    text = make_report(trial, summarise(trial, data), data, "x", 0).markdown()
    assert "dislikes have no times and are left out" in text
    assert "Users who came after the moment" in text
    assert "- split: temporal, at 48: 42 users to train on and 6 to choose settings" in text
    assert not later_users(replace(data, dislikes={})).kind.notes


def test_dislikes_of_the_past_are_learned_from(data):
    """Of known items only: others are in no catalog yet."""
    when = {u: tuple(float(u[1:]) for _ in x) for u, x in data.dislikes.items()}
    scenario = later_users(replace(data, dislike_times=when), at=10)
    train = scenario.folds[0].train
    assert set(train.likes) == {f"u{n}" for n in range(10)}
    assert {u: x for u, x in train.dislikes.items() if x} == {
        u: x for u, x in data.dislikes.items() if u in train.likes and x[0] in train.catalog
    }
    assert {u: len(x) for u, x in train.dislike_times.items()} == {
        u: len(x) for u, x in train.dislikes.items()
    }
    assert not scenario.kind.notes
    early = later_users(replace(data, dislike_times=dict.fromkeys(when, (99.0,))), at=10)
    assert not any(early.folds[0].train.dislikes.values())


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"at": 5, "quantile": 0.5}, "at is 5 and quantile is 0.5"),
        ({"quantile": 1.5}, "quantile is 1.5"),
        ({"at": -1}, "at -1 there is nobody trained on"),
        ({"at": 1e9}, "there is nobody to test"),
        ({"at": 3, "valid": 0.5}, "valid is 0.5: 30 of the 3 users of the past"),
    ],
)
def test_temporal_mistakes_are_named(data, settings, why):
    with pytest.raises(ConfigError, match=why):
        later_users(data, **settings)


def test_a_temporal_split_has_one_fold(data, later):
    with pytest.raises(ConfigError, match="no fold 1 .*there is one fold, number 0"):
        run_benchmark(data, later, choose(FAST), PLAN, only=[1])


def test_moments_of_movielens_are_shown_as_dates(movielens):
    scenario = later_users(movielens)
    said = scenario.kind.facts["split"]
    assert "at 889401193 (1998-03-08 " in said
    low = scenario.folds[0].train.dislike_times.values()
    assert 0 < sum(map(len, low)) < sum(map(len, movielens.dislikes.values()))
    assert max(max(x, default=0) for x in low) < 889401193
    assert "659 users to train on and 94 to choose settings" in said
    assert "189 users after it; 1376 of 1682 items are candidates" in said


def test_nobody_has_met_the_cold_items(data, items):
    for number, fold in enumerate(items.folds):
        assert fold.split.test == user_folds(data.likes, 3)[number].test
        assert fold.targets
        assert set(fold.train.likes) == {*fold.split.train, *fold.split.valid}
        assert not fold.targets & {i for x in fold.train.likes.values() for i in x}
        assert not fold.targets & {i for x in fold.train.dislikes.values() for i in x}
        assert set(fold.train.catalog.ids) == set(data.catalog.ids) - fold.targets
        assert set(fold.candidates.ids) == set(data.catalog.ids)
    drawn = [fold.targets for fold in items.folds]
    assert len(frozenset().union(*drawn)) == sum(map(len, drawn))


def test_the_newest_are_of_the_latest_years_and_the_same_in_every_fold(data):
    folds = new_items(data, 3, share=0.3, newest=True).folds
    assert len({f.targets for f in folds}) == 1
    cold = folds[0].targets
    years = {i: data.catalog[i].year for i in data.catalog.ids}
    assert min(years[i] for i in cold) >= max(y for i, y in years.items() if i not in cold)


def test_the_order_of_the_catalog_says_nothing(data, items):
    """MovieLens numbers its films about by popularity: in that order, ties would be no ties."""
    orders = {data.catalog.ids, *(f.candidates.ids for f in items.folds)}
    assert len(orders) == 4
    assert new_items(data, 3, share=0.3).folds[0].candidates.ids in orders
    assert new_items(data, 3, share=0.3, seed=1).folds[0].candidates.ids not in orders


def test_popularity_knows_nothing_of_cold_items_and_words_do(data, items):
    trial = run_benchmark(data, items, choose(FAST), PLAN)
    at = {m: n for n, m in enumerate(COLD_METRICS)}

    def mean(system, metric, n_picks=2):
        rows = [r for r in trial.records if (r.system, r.n_picks) == (system, n_picks)]
        return np.mean([r.values[at[metric]] for r in rows])

    # A toy catalog is so small that popularity runs out of known items now and then.
    assert mean("popularity", "cold_share@10") < 0.05
    assert mean("random_items", "cold_share@10") > 0.2
    assert mean("bm25", "cold_share@10") > 0.2
    assert mean("bm25", "ndcg@10") > mean("popularity", "ndcg@10")
    assert mean("bm25", "cold_ndcg@10") > mean("popularity", "cold_ndcg@10") > 0


def test_both_questions_are_about_the_users_cold_likes(data, items):
    asked = []

    def make(training, split, train):
        assert set(training.users) == set(split.train)
        assert training.counts.likes[[training.catalog.rows[i] for i in cold]].sum() == 0
        inner = all_systems()["random_items"].make(training, split, train)

        class Spy:
            def recommend(self, profile, *, k=10):
                asked.append((profile, k, inner.recommend(profile, k=k).item_ids))
                return inner.recommend(profile, k=k)

        return Spy()

    fold = items.folds[0]
    cold = fold.targets
    some, *_ = sorted(cold)
    data = replace(data, dislikes={u: (some,) for u, x in data.likes.items() if some not in x})
    trial = run_benchmark(data, items, [System("spy", make)], PLAN, only=[0])
    cases = support_cases(
        data, fold.split.test, PLAN.n_picks, support=2, min_targets=1, targets=cold
    ).cases
    assert len(cases) == len(trial.records)
    questions = iter(asked)
    for case, record in zip(cases, trial.records, strict=True):
        first, second = next(questions), next(questions)
        assert case.targets <= cold
        assert first[0] == case.profile
        seen = {p.item for p in second[0].seen}
        liked = {p.item for p in case.profile.liked}
        assert seen == set(data.catalog.ids) - cold - liked
        assert second[0].liked == case.profile.liked
        assert set(second[2]) <= cold
        among = [i for i in second[2] if i in cold]
        values = dict(zip(COLD_METRICS, record.values, strict=True))
        assert values["cold_ndcg@10"] == pytest.approx(ndcg(among, case.targets, 10))
        assert values["cold_recall@20"] == pytest.approx(recall(among, case.targets, 20))
        shown = [i for i in first[2] if i not in case.excluded]
        assert values["ndcg@10"] == pytest.approx(ndcg(shown, case.targets, 10))
        assert values["cold_share@10"] == pytest.approx(len(set(shown[:10]) & cold) / 10)
        assert case.disliked <= cold
        if case.disliked:  # a third question, about cold items that were rated
            assert set(next(questions)[2]) == case.targets | case.disliked
            assert values["rated"] == len(case.targets | case.disliked)
        else:
            assert values["gauc"] is values["rated"] is None
    assert not list(questions)
    assert {bool(c.disliked) for c in cases} == {False, True}


def test_coldstart_borrows_for_items_that_came_later(data, items):
    fold = items.folds[0]
    made = []

    def make(training, split, train):
        made.append(all_systems()["coldstart_prior"].make(training, split, train).recommender)
        return all_systems()["popularity"].make(training, split, train)

    run_benchmark(data, items, [System("x", make)], PLAN, only=[0], encoder=FakeEncoder())
    (recommender,) = made
    recommender.item_store.sync()
    met = dict(zip(recommender.item_store.ids, recommender.item_store.met, strict=True))
    assert {i for i, known in met.items() if not known} == fold.targets
    rows = [recommender.item_store.rows[i] for i in fold.targets]
    assert (recommender.item_store.share[rows] > 0).all()


def test_every_system_answers_about_new_items_and_later_users(data, items, later):
    systems = choose()
    for scenario in (items, later):
        trial = run_benchmark(data, scenario, systems, PLAN, only=[0], encoder=FakeEncoder())
        assert {r.system for r in trial.records} == {s.name for s in systems}


def test_the_report_of_new_items(data, items):
    trial = run_benchmark(data, items, choose(FAST), PLAN, encoder=FakeEncoder())
    summary = summarise(trial, data)
    assert {m.metric for m in summary.means} == set(COLD_METRICS) - {"rated"}
    assert {p.metric for p in summary.paired} == {"ndcg@10", "cold_ndcg@10"}
    assert {s.metric for s in summary.served} == {"ndcg@10"}
    made = make_report(trial, summary, data, "x", 0)
    titles = [t.title for t in made.tables]
    assert titles[:2] == ["NDCG@10", "NDCG@10 among cold items only"]
    assert "Share of cold items in lists of ten" in titles
    assert "Recall@10 among cold items only" in titles
    assert made.brief == 2 + 2 * len(PLAN.n_picks)
    assert titles[made.brief].startswith("What the lists are like")
    assert all("NDCG@10" in t and "less that of" in t for t in titles[2 : made.brief])
    text = made.markdown()
    assert "New users and new items at once" in text
    assert "users dropped (under 2 likes of known items or 1 of cold ones)" in text
    assert "items: 7 of 24 items are cold, 0.3 of those that anyone likes, drawn for" in text
    assert titles[-2:] == ["GAUC on rated items, for comparability only", "Systems"]
    with pytest.raises(ConfigError, match="no metric 'ips_ndcg@10' to compare .one of ndcg@10"):
        summarise(trial, data, metric="ips_ndcg@10")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"share": 0.0}, "share is 0"),
        ({"share": 1.0}, "share is 1"),
        ({"share": float("nan")}, "share is nan"),
        ({"folds": 1}, "users make no 1 folds"),
    ],
)
def test_item_mistakes_are_named(data, settings, why):
    with pytest.raises(ConfigError, match=why):
        new_items(data, **({"folds": 3, "share": 0.3} | settings))


def test_a_split_that_leaves_nobody_to_train_on(data):
    one, other = data.catalog.ids[:2]
    likes = {"u0": (other,), "u1": (one,), "u2": (one,)}
    users = {u: UserProfile() for u in likes}
    small = replace(data, users=users, likes=likes, dislikes={}, times={})
    # One of these seeds makes "one" cold in the fold that tests u0.
    with pytest.raises(ConfigError, match="likes anything but cold items .a smaller share"):
        _ = [new_items(small, 3, share=0.5, seed=seed) for seed in range(8)]


def test_nobody_with_a_cold_like(data, items):
    with pytest.raises(DataError, match="the latter among cold items .lower --support or --min-t"):
        run_benchmark(data, items, choose(FAST), replace(PLAN, min_targets=12))


def test_what_a_scenario_holds_changes_its_fingerprint(data):
    found = [
        new_users(data, user_folds(data.likes, 3)),
        later_users(data),
        later_users(data, at=40),
        later_users(data, seed=1),
        new_items(data, 3, share=0.3),
        new_items(data, 3, share=0.2),
        new_items(data, 4, share=0.3),
        new_items(data, 3, share=0.3, newest=True),
        new_items(data, 3, share=0.3, seed=1),
    ]
    assert len({s.fingerprint for s in found}) == len(found)
    (fold,) = found[1].folds
    mixed = replace(fold, candidates=Catalog(reversed(fold.candidates.items)))
    assert replace(found[1], folds=(mixed,)).fingerprint != found[1].fingerprint
    # Said otherwise, the same: 0.8 is the default, and 48 is where it cuts.
    same = [later_users(data), later_users(data, quantile=0.8), later_users(data, at=48)]
    assert len({s.fingerprint for s in same}) == 1


def test_answers_about_one_split_are_not_taken_for_another(data, later, items, tmp_path):
    made = []

    def make(training, split, train):
        made.append(split)
        return all_systems()["popularity"].make(training, split, train)

    system = System("x", make)
    splits = user_folds(data.likes, 3)
    for scenario in (splits, later, items, splits, later, items):
        run_benchmark(data, scenario, [system], PLAN, only=[0], work=tmp_path)
    assert len(made) == len(list(tmp_path.iterdir())) == 3
