"""Training on a toy world with a tiny model: objectives, determinism, resume, artifact."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from coldstart.errors import ArtifactError, ConfigError, DataError
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Context, UserProfile
from coldstart.settings import TrainConfig
from coldstart.splitting.user_splits import Split
from coldstart.training.adapter import template_of
from coldstart.training.loop import Trainer
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.run import train
from coldstart.training.simulation import simulate_profile, top_categories
from coldstart.training.teacher import Teacher
from tests.fakes import FakeEncoder
from tests.toy import (
    save_tiny_base,
    toy_config,
    toy_dataset,
    toy_out_of_fold,
    toy_split,
    toy_teacher,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny_base(tmp_path_factory.mktemp("base") / "tiny-llama")


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    return save_tiny_base(tmp_path_factory.mktemp("base") / "tiny-gpt2", "gpt2")


def trainer_of(config, out):
    return Trainer(toy_dataset(), toy_split(), config, out, toy_teacher())


def run(config, out):
    return trainer_of(config, out).run()


@pytest.mark.parametrize(
    ("objective", "use_prior"),
    [("distil", False), ("distil", True), ("branch", True), ("completion", False)],
)
def test_every_objective_learns_the_validation_users(base, tmp_path, objective, use_prior):
    config = toy_config(
        base, objective=objective, use_prior=use_prior, tau=1.0, epochs=4, patience=4
    )
    history = run(config, tmp_path).history
    losses = [row["valid_loss"] for row in history]
    assert min(losses[1:]) < 0.97 * losses[0]


def test_gpt2_trains_too(gpt2, tmp_path):
    history = run(toy_config(gpt2, epochs=4, patience=4), tmp_path).history
    assert min(row["valid_loss"] for row in history[1:]) < 0.97 * history[0]["valid_loss"]


def test_a_run_starts_from_an_earlier_adapter(base, gpt2, tmp_path):
    first = trainer_of(toy_config(base, epochs=2, patience=2), tmp_path / "one").run()
    before = first.history[first.best_epoch]
    config = toy_config(base, epochs=1, learning_rate=1e-9, start=str(first.adapter))
    after = run(config, tmp_path / "two").history[0]
    for name in ("valid_loss", "valid_ndcg@10_k0", "valid_ndcg@10_k5"):
        assert after[name] == pytest.approx(before[name], rel=1e-5)
    with pytest.raises(ArtifactError, match="does not fit the base model"):
        trainer_of(toy_config(gpt2, start=str(first.adapter)), tmp_path / "three")
    with pytest.raises(ArtifactError, match="no adapter in"):
        trainer_of(toy_config(base, start=str(tmp_path)), tmp_path / "four")


def test_without_epochs_the_adapter_stays_as_it_was(base, tmp_path):
    first = trainer_of(toy_config(base, epochs=1), tmp_path / "one").run()
    config = toy_config(base, epochs=0, start=str(first.adapter))
    again = trainer_of(config, tmp_path / "two").run()
    assert again.best_epoch == 0
    assert len(again.history) == 1
    weights = [load_file(run.adapter / "adapter_model.safetensors") for run in (first, again)]
    assert weights[0].keys() == weights[1].keys()
    for name, values in weights[0].items():
        np.testing.assert_allclose(weights[1][name], values, rtol=1e-2)


def test_the_prompt_is_that_of_the_artifact_to_go_on_from(tmp_path):
    shipped = Path(__file__).parents[2] / "adapters" / "ml-100k"
    going_on = template_of(TrainConfig(start=str(shipped)))
    assert going_on.source == (shipped / "prompt" / "template.j2").read_text(encoding="utf-8")
    assert template_of(TrainConfig()).name == "movies-en"
    assert template_of(TrainConfig(start=str(shipped), prompt="catalog-en")).name == "catalog-en"
    assert template_of(TrainConfig(start=str(shipped / "adapter"))).name == "movies-en"


def test_a_short_run_is_not_spent_on_warming_up(base, tmp_path):
    trainer = trainer_of(toy_config(base, epochs=5, warmup_steps=1000), tmp_path)
    steps = 5 * trainer.steps_per_epoch
    rates = [trainer._learning_rate(step) for step in range(steps)]
    assert max(rates) > 0.9 * trainer.config.learning_rate
    assert rates.index(max(rates)) < steps / 5
    assert rates[-1] < 0.1 * max(rates)


def test_the_best_epoch_is_the_one_kept(base, tmp_path):
    trainer = trainer_of(toy_config(base, epochs=3), tmp_path)
    trained = trainer.run()
    scores = [trainer.score_of(row) for row in trained.history]
    assert trained.best_epoch == int(np.argmax(scores))
    assert (trained.adapter / "adapter_model.safetensors").is_file()


def test_training_stops_early_when_nothing_improves(base, tmp_path):
    config = toy_config(base, epochs=30, patience=1, learning_rate=1e-9)
    assert len(run(config, tmp_path).history) < 10


def test_a_killed_run_goes_on_as_if_nothing_had_happened(base, tmp_path):
    config = toy_config(base, epochs=2, patience=5)
    whole = trainer_of(config, tmp_path / "whole")
    whole.run()

    class Killed(Exception):
        """Stands for a kill."""

    def kill(row):
        if row["stage"] == "train" and row["update"] == 7:
            raise Killed("now")

    first = trainer_of(config, tmp_path / "cut")
    with pytest.raises(Killed, match="now"):
        first.run(kill)
    first.save_checkpoint()
    second = trainer_of(config, tmp_path / "cut")
    assert second.resume()
    assert (second.epoch, second.step) == (1, 2)
    second.run()
    for ours, theirs in zip(second.masters, whole.masters, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-7)


def test_resume_refuses_other_settings_and_damaged_checkpoints(base, tmp_path):
    trainer = trainer_of(toy_config(base, epochs=1), tmp_path)
    assert not trainer.resume()
    trainer.run()
    other = trainer_of(toy_config(base, epochs=1, seed=1), tmp_path)
    with pytest.raises(ArtifactError, match="other settings or data"):
        other.resume()
    state = tmp_path / "checkpoint" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(ArtifactError, match="damaged checkpoint"):
        trainer.resume()


def test_users_are_drawn_in_proportion_to_their_likes(base, tmp_path):
    trainer = trainer_of(toy_config(base), tmp_path)
    drawn = [u for epoch in range(200) for batch in trainer.users_of(epoch) for u in batch]
    likes = toy_dataset().likes
    assert set(drawn) <= set(toy_split().train)
    many = np.mean([len(likes[u]) for u in drawn])
    weight = np.array([len(likes[u]) for u in toy_split().train], dtype=float)
    assert many == pytest.approx((weight**2).sum() / weight.sum(), rel=0.02)
    assert trainer.users_of(3) == trainer.users_of(3)


def test_train_writes_a_loadable_artifact_and_reports_progress(base, tmp_path):
    from coldstart import Recommender

    rows = []
    manifest = train(
        toy_dataset(),
        toy_split(),
        toy_config(base, prompt="catalog-en"),
        tmp_path / "artifact",
        report=rows.append,
        runs=tmp_path / "run",
    )
    assert {r["stage"] for r in rows} == {"train", "epoch", "ranker"}
    assert manifest["split"] == {"train": 36, "valid": 12, "test": 12}
    split = json.loads((tmp_path / "artifact" / "split.json").read_text())
    assert set(split) == {"train", "valid", "test"}
    assert (tmp_path / "run" / "metrics.jsonl").read_text().count("\n") == 3
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    loaded = Recommender.from_pretrained(tmp_path / "artifact")
    students = loaded.recommend(UserProfile(occupation="student", liked=["Toy Story 2"]), k=5)
    assert sum("Sci-Fi" in loaded.catalog[i].categories for i in students.item_ids) >= 3


def test_train_refuses_a_split_of_strangers(base, tmp_path):
    with pytest.raises(DataError, match="no valid users"):
        train(toy_dataset(), Split(("u0",), (), ()), toy_config(base), tmp_path / "a")
    with pytest.raises(DataError, match="'ghost' has no likes"):
        train(toy_dataset(), Split(("ghost",), ("u0",), ()), toy_config(base), tmp_path / "a")
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": -1, "start": "somewhere"}, "epochs is -1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
        ({"likes_share": 1.5}, "likes_share is 1.5"),
        ({"objective": "magic"}, "objective is 'magic'"),
    ],
)
def test_settings_are_checked(change, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**change)


def test_the_teacher_does_not_know_the_training_user_it_teaches_about():
    """A user who liked everything instead would be taught the same, but for their own likes."""
    data, split = toy_dataset(), toy_split()
    user = split.train[0]
    likes = data.likes[user]
    glutton = replace(data, likes={**data.likes, user: tuple(data.catalog.ids)})
    taught = [
        Teacher(OutOfFold(d, split.train, FakeEncoder()), BlendRanker.default()).targets(
            user, data.users[user], Context(), likes, likes, [0, 2]
        )
        for d in (data, glutton)
    ]
    np.testing.assert_array_equal(*taught)


def test_strangers_know_everyone_else():
    data, users = toy_dataset(), toy_split().train
    out_of_fold = toy_out_of_fold()
    assert out_of_fold.everyone.counts.n_users == len(users)
    for user in users:
        assert len(users) - 5 <= out_of_fold.of(user).counts.n_users < len(users)
    assert out_of_fold.of(toy_split().test[0]) is out_of_fold.everyone
    assert len({id(out_of_fold.of(u)) for u in users}) == 8
    assert out_of_fold.everyone.counts.likes.sum() == sum(len(data.likes[u]) for u in users)


def test_teacher_targets_are_distributions_without_the_listed_titles():
    data, split = toy_dataset(), toy_split()
    user = split.valid[0]
    likes, teacher = data.likes[user], toy_teacher(0.3)
    places = [0, 1, 4]
    rows = teacher.targets(user, data.users[user], Context(), likes, likes, places)
    np.testing.assert_allclose(rows.sum(axis=1), 1.0)
    column = {item: n for n, item in enumerate(teacher.item_ids)}
    for place, row in zip(places, rows, strict=True):
        assert row[[column[i] for i in likes[:place]]].sum() == 0
        # The share of the own likes that are left is spread over them.
        assert row[[column[i] for i in likes[place:]]].min() >= 0.3 / len(likes)


def test_the_teacher_hears_what_the_prompt_says():
    data, user = toy_dataset(), toy_split().valid[0]
    fans = {
        kind: toy_teacher(0).targets(user, UserProfile(interests=[kind]), Context(), [], [], [0])[0]
        for kind in ("Sci-Fi", "Drama")
    }
    is_scifi = np.array(["Sci-Fi" in item.categories for item in data.catalog])
    assert fans["Sci-Fi"][is_scifi].sum() > fans["Drama"][is_scifi].sum() + 0.05


def test_simulated_profiles_say_only_true_things():
    data = toy_dataset()
    config = TrainConfig(
        interests_share=1.0, about_share=1.0, dislikes_share=1.0, attribute_dropout=0.5
    )
    kept = set()
    for n, user in enumerate(data.likes):
        profile, _ = simulate_profile(user, data, config, np.random.default_rng(n))
        said = profile.demographics()
        assert said.items() <= data.users[user].demographics().items()
        kept.add(len(said))
        liked = {c for i in data.likes[user] for c in data.catalog[i].categories}
        assert set(profile.interests) <= liked
        assert {p.item for p in profile.disliked} <= set(data.dislikes[user])
    assert kept == {0, 1, 2, 3}


def test_top_categories_are_the_over_represented_ones():
    data = toy_dataset()
    student = next(u for u, p in data.users.items() if p.occupation == "student")
    assert top_categories(data.catalog, data.likes[student])[0] == "Sci-Fi"
    assert top_categories(data.catalog, []) == []
