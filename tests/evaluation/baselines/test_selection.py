"""The shipped artifact as systems of a trial, on the users it was trained without."""

from __future__ import annotations

import pytest

from coldstart.errors import ArtifactError, ConfigError, DataError
from coldstart.evaluation import recommender_adapter
from coldstart.evaluation.baselines.base_lm import base_lm
from coldstart.evaluation.baselines.selection import all_systems, artifact_split, choose
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
from coldstart.evaluation.recommender_adapter import CachedSignals, LoadedArtifact, StrategySystem
from coldstart.evaluation.scenarios import new_users
from coldstart.schema import Pick
from coldstart.splitting.user_splits import Split, split_users
from tests.conftest import ARTIFACT
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def few(movielens):
    """The artifact's split with three test users who have likes enough."""
    split = artifact_split(ARTIFACT)
    test = [u for u in split.test if len(movielens.likes[u]) >= 20][:3]
    return Split(split.train, split.valid, tuple(test))


def test_every_strategy_answers_as_the_recommender_does(movielens, few, shipped):
    names = ["popularity", "coldstart_catalog", "coldstart_prior", "model_catalog"]
    systems = choose(names, artifact=ARTIFACT)
    scenario = new_users(movielens, [few])
    plan = BenchmarkPlan(n_picks=(0, 2))
    trial = run_benchmark(movielens, scenario, systems, plan, encoder=FakeEncoder())
    tops = {(r.system, r.user, r.n_picks): r.top for r in trial.records}
    assert len(tops) == len(names) * 3 * 2
    for user in few.test:
        for strategy in ("catalog", "prior"):
            picks = tuple(Pick(item=i) for i in movielens.likes[user][:2])
            said = {"liked": picks, "history": True}
            profile = movielens.users[user].model_copy(update=said)
            ours = StrategySystem(CachedSignals(shipped), strategy)
            reserved = set(movielens.likes[user][:10])
            listed = [i for i in ours.recommend(profile, k=20).item_ids if i not in reserved]
            assert tops[f"coldstart_{strategy}", user, 2] == tuple(listed[:10])
        assert tops["model_catalog", user, 2] != tops["coldstart_prior", user, 2]
    assert {s.name for s in trial.systems if s.ours} == set(names[1:])


def test_all_of_its_parts_are_offered_once():
    names = list(all_systems(artifact=ARTIFACT))
    assert len(names) == len(set(names)) == len(all_systems()) + 8
    assert {"coldstart_free", "coldstart_both", "model_free"} <= set(names)
    added = {n: s for n, s in all_systems(artifact=ARTIFACT).items() if n not in all_systems()}
    assert {n for n, s in added.items() if not s.ours} == {"base_lm", "bigrec", "d3"}
    with pytest.raises(ConfigError, match="no system 'coldstart_free'"):
        choose(["coldstart_free"])


def test_other_uses_of_its_model_are_measured_beside_it(movielens, few, shipped, smollm2):
    """All are asked, with a setting of their own, and none answers as another does."""
    names = ["model_catalog", "base_lm", "bigrec", "d3"]
    systems = choose(names, artifact=ARTIFACT)
    split = Split(few.train, few.valid[:1], few.test[:1])
    trial = run_benchmark(
        movielens, new_users(movielens, [split]), systems, BenchmarkPlan(n_picks=(2,))
    )
    tops = {r.system: r.top for r in trial.records}
    assert list(tops) == names
    assert len(set(tops.values())) == len(names)
    (user,) = split.test
    picks = tuple(Pick(item=i) for i in movielens.likes[user][:2])
    profile = movielens.users[user].model_copy(update={"liked": picks})
    artifact = LoadedArtifact(lambda: shipped)
    artifact._made[recommender_adapter._base] = smollm2
    untuned = base_lm(artifact).recommend(profile, k=20).item_ids
    reserved = set(movielens.likes[user][:10])
    assert tops["base_lm"] == tuple(i for i in untuned if i not in reserved)[:10]


def test_two_folders_share_nothing():
    one, two = (all_systems(seed, ARTIFACT)["coldstart_catalog"] for seed in (0, 1))
    assert one.settings != two.settings


def test_it_is_not_asked_about_its_own_training_users(movielens):
    other = split_users(list(movielens.likes), seed=1)
    systems = choose(["coldstart_prior"], artifact=ARTIFACT)
    with pytest.raises(ConfigError, match="trained on other users than the fold's"):
        run_benchmark(
            movielens, new_users(movielens, [other]), systems, BenchmarkPlan(n_picks=(0,))
        )


def test_it_is_not_asked_about_users_who_chose_its_settings(movielens):
    own = artifact_split(ARTIFACT)
    moved = Split(own.train, own.valid[5:], (*own.test, *own.valid[:5]))
    systems = choose(["coldstart_prior"], artifact=ARTIFACT)
    with pytest.raises(ConfigError, match="chose its settings on some of the fold's test users"):
        run_benchmark(
            movielens, new_users(movielens, [moved]), systems, BenchmarkPlan(n_picks=(0,))
        )


def test_users_of_other_data_are_named(movielens):
    with pytest.raises(DataError, match="1 users, first 'nobody', have no likes in ml-100k"):
        TrainingData.of(movielens, ["1", "nobody"])


def test_a_folder_without_an_artifact_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="no artifact at"):
        all_systems(artifact=tmp_path)
