"""Rivals that put an artifact's language model to another use, and the memo that all share."""

from __future__ import annotations

import math
from collections import Counter
from functools import partial

import numpy as np
import pytest

from coldstart import Recommender, UserProfile, prompts
from coldstart.errors import ArtifactError, ConfigError
from coldstart.evaluation import recommender_adapter
from coldstart.evaluation.baselines import selection
from coldstart.evaluation.baselines.base_lm import base_lm
from coldstart.evaluation.baselines.bigrec import GAMMAS, TitleSpace, bigrec, title_space
from coldstart.evaluation.baselines.d3 import ALPHAS, d3
from coldstart.evaluation.baselines.item_knn_prior import item_knn_baseline
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.cases import prefix_cases
from coldstart.evaluation.recommender_adapter import (
    CachedSignals,
    LoadedArtifact,
    StrategySystem,
    base_model,
    language_model_only,
)
from coldstart.interactions.interaction_stats import Counts, popularity
from coldstart.protocols import Recommends
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime import models
from coldstart.settings import Settings
from coldstart.testing.probes import lm_signals_of, prompt_of
from tests.fakes import FakeEncoder
from tests.fakes_lm import TITLES, tiny_gpt2, tiny_llama
from tests.toy import save_tiny_base, toy_catalog, toy_dataset, toy_split

NEW = UserProfile(age=21, gender="F", occupation="nurse")
PEOPLE = [NEW, NEW.model_copy(update={"liked": UserProfile(liked=["i0", "i4"]).liked})]


def make(lm=None, **settings):
    data, train = toy_dataset(), toy_split().train
    known = {u: data.users[u] for u in train}
    return Recommender(
        toy_catalog(),
        lm or tiny_llama(),
        prompts.load("movies-en"),
        Counts.fit(data.catalog.ids, known, data.likes),
        FakeEncoder(),
        BlendRanker.default(),
        Settings(written_titles=4, **settings),
    )


class Counting(CachedSignals):
    """A memo that counts what its model was asked."""

    def __init__(self, recommender, **more):
        super().__init__(recommender, **more)
        self.asked = Counter()
        for scorer in self._cached:
            count_calls(scorer._scorer, self.asked)


def count_calls(scorer, asked):
    """Count the requests of a scorer under the strategy that it stands for."""
    strategy = {"language_model": "catalog", "written_titles": "free"}[scorer.name]
    real = scorer.score

    def score(batch):
        asked[strategy] += len(batch)
        return real(batch)

    scorer.score = score


@pytest.fixture
def memo():
    return Counting(make())


def artifact_of(memo):
    """An artifact without a folder, with another base model."""
    loaded = LoadedArtifact(lambda: memo.recommender)
    loaded._made |= {recommender_adapter._signals: memo, recommender_adapter._base: tiny_gpt2()}
    return loaded


@pytest.fixture
def artifact(memo):
    return artifact_of(memo)


@pytest.fixture(scope="module")
def space():
    return title_space(artifact_of(CachedSignals(make())))


# -- the memo ------------------------------------------------------------------------------------


def test_no_half_of_the_evidence_is_asked_twice(memo):
    systems = [
        StrategySystem(memo, "prior"),
        StrategySystem(memo, "catalog"),
        StrategySystem(memo, "both"),
        StrategySystem(memo, "free"),
        language_model_only(memo, "logprobs"),
        language_model_only(memo, "written"),
    ]
    for _ in range(2):
        for system in systems:
            for person in PEOPLE:
                system.recommend(person, k=5)
    assert memo.asked == {"catalog": 2, "free": 2}


def test_who_asks_for_titles_only_waits_for_nothing_else(memo):
    language_model_only(memo, "logprobs").recommend(NEW)
    assert memo.asked == {"catalog": 1}


@pytest.mark.parametrize("strategy", ["prior", "catalog", "free", "both"])
def test_the_memo_changes_no_answer(memo, strategy):
    for person in PEOPLE:
        user, found = memo.lm_signals(person, strategy)
        plain = lm_signals_of(make(), user, strategy)
        for name in ("logprobs", "model", "written"):
            kept, fresh = getattr(found, name), getattr(plain, name)
            assert (kept is None) == (fresh is None)
            assert kept is None or kept.tolist() == fresh.tolist()
        assert (found.groundings, found.found) == (plain.groundings, plain.found)
        assert (found.prompt, found.notes) == (plain.prompt, plain.notes)


def test_the_memo_drops_the_oldest_beyond_its_size():
    roomy = Counting(make())
    people = [UserProfile(age=20 + n) for n in range(6)]
    sizes = []
    for person in people:
        before = roomy.bytes
        roomy.lm_signals(person, "catalog")
        sizes.append(roomy.bytes - before)
    assert min(sizes) >= 2 * 8 * len(toy_catalog())  # two arrays at least
    small = Counting(make(), most_bytes=sum(sizes[:3]))
    for person in people:
        small.lm_signals(person, "catalog")
        assert small.bytes <= sum(sizes[:3])
    assert small.asked["catalog"] == 6
    for person in people[3:]:  # the latest three are still known
        small.lm_signals(person, "catalog")
    assert small.asked["catalog"] == 6
    small.lm_signals(people[0], "catalog")
    assert small.asked["catalog"] == 7


def test_a_memo_without_room_keeps_the_latest_answer():
    memo = Counting(make(), most_bytes=0)
    for person in (NEW, NEW, UserProfile(age=61), NEW):
        user, found = memo.lm_signals(person, "both")
        assert found.logprobs is not None
        assert found.groundings
    assert memo.asked == {"catalog": 3, "free": 3}
    with pytest.raises(ConfigError, match="most_bytes is -1, expected at least 0"):
        CachedSignals(make(), most_bytes=-1)


# -- the base model ------------------------------------------------------------------------------


def test_the_base_model_is_asked_with_the_same_prompt_and_no_prior():
    tuned = make(use_prior=True)
    found = base_lm(artifact_of(CachedSignals(tuned)))
    alone = make(tiny_gpt2(), use_prior=False)
    for person in PEOPLE:
        user = alone.resolve(person)
        assert prompt_of(alone, user) == prompt_of(tuned, user)
        expected = lm_signals_of(alone, user, "catalog").logprobs
        assert found.scores(person).tolist() == expected.tolist()
    assert tuned.lm is tiny_llama()
    assert tuned.settings.use_prior


def test_the_base_model_is_loaded_by_the_name_in_the_manifest(tmp_path):
    recommender = make()
    name = save_tiny_base(tmp_path, "gpt2")
    fingerprint = models.fingerprint(models.load_causal_lm(name), models.load_tokenizer(name))
    recommender.manifest["base"] = {"name": name, "fingerprint": fingerprint}
    base = base_model(recommender)
    assert type(base.model) is type(tiny_gpt2().model)
    assert base is not recommender.lm
    recommender.manifest["base"]["fingerprint"] = "another"
    with pytest.raises(ArtifactError, match="the artifact expects another"):
        base_model(recommender)
    with pytest.raises(ArtifactError, match="the base model is unknown"):
        base_model(make())


# -- BIGRec --------------------------------------------------------------------------------------


def test_titles_lie_at_their_last_token(space):
    import torch

    lm = tiny_gpt2()

    def state(title):
        with torch.inference_mode():
            ids = torch.tensor([[*lm.lines.start, *lm.lines.line(title)]])
            return lm.model(ids, output_hidden_states=True).hidden_states[-1][0, -1].numpy()

    far = np.array([np.linalg.norm(state(t) - state("Star Wars")) for t in TITLES])
    expected = (far - far.min()) / (far.max() - far.min())
    assert space.distances("Star Wars") == pytest.approx(expected, abs=1e-4)
    assert int(space.distances("Star Wars").argmin()) == TITLES.index("Star Wars")


@pytest.mark.parametrize("title", ["Star Wars", "Nobody wrote this before", "🎬"])
def test_distances_are_between_0_and_1(space, title):
    found = space.distances(title)
    assert found.shape == (len(TITLES),)
    assert (found.min(), found.max()) == (0, 1)


def test_titles_that_all_lie_together_are_equally_far():
    assert TitleSpace(tiny_gpt2(), ["Heat", "Heat"]).distances("Heat").tolist() == [0, 0]


def test_bigrec_by_hand(memo, artifact, space):
    for person in PEOPLE:
        title = memo.lm_signals(person, "free")[1].groundings[0].candidate.text
        share = popularity(memo.recommender.counts)
        scaled = (share - share.min()) / (share.max() - share.min())
        for gamma in (0.0, 1.0, 20.0):
            expected = space.distances(title) / (1 + scaled) ** gamma
            found = bigrec(artifact, gamma=gamma).scores(person)
            assert -found == pytest.approx(expected)


def test_bigrec_is_popularity_where_gamma_is_large_but_for_the_nearest(memo, artifact, space):
    counts = memo.recommender.counts
    popular = popularity_baseline(memo.recommender.catalog, counts).recommend(NEW, k=8).item_ids
    found = bigrec(artifact, gamma=GAMMAS[-1])
    title = memo.lm_signals(NEW, "free")[1].groundings[0].candidate.text
    nearest = counts.item_ids[int(space.distances(title).argmin())]
    ranked = found.recommend(NEW, k=8).item_ids
    assert ranked[0] == nearest
    assert [i for i in ranked if i != nearest][:4] == [i for i in popular if i != nearest][:4]


def test_who_gets_no_title_gets_popularity(memo, artifact, monkeypatch):
    model = memo.recommender.pipeline.resources.model
    monkeypatch.setattr(model, "write", lambda *_: [])
    found = bigrec(artifact).recommend(NEW, k=8)
    everyone = popularity_baseline(memo.recommender.catalog, memo.recommender.counts)
    assert found.item_ids == everyone.recommend(NEW, k=8).item_ids


# -- D3 ------------------------------------------------------------------------------------------


def assistant(recommender):
    return item_knn_baseline(recommender.catalog, recommender.counts, weight=2.0, root=True)


def test_d3_by_hand(memo, artifact):
    other = assistant(memo.recommender)
    for person in PEOPLE:
        logprobs = language_model_only(memo, "logprobs").scores(person)
        nats = other.scores(person)
        expected = 0.3 * logprobs + 0.7 * np.log(np.exp(nats) / np.exp(nats).sum())
        assert d3(artifact, alpha=0.3).scores(person) == pytest.approx(expected)
        assert d3(artifact, alpha=1.0).scores(person) == pytest.approx(logprobs)
        alone = d3(artifact, alpha=0.0).recommend(person, k=8)
        assert alone.item_ids == other.recommend(person, k=8).item_ids


def test_along_a_title_the_assistants_shares_make_its_probability():
    recommender = make()
    nats = assistant(recommender).scores(NEW)
    p = np.exp(nats) / np.exp(nats).sum()
    column = {i: n for n, i in enumerate(recommender.counts.item_ids)}
    trie = recommender.pipeline.resources.model._sync()
    order = [column[i] for i in trie.item_ids]
    below = np.concatenate([[0.0], np.cumsum(p[order])])
    for place, item in enumerate(trie.item_ids):
        total, tokens = 0.0, trie.tokens(place)
        for depth in range(len(tokens)):
            (lo, hi), (a, b) = trie.range(tokens[:depth]), trie.range(tokens[: depth + 1])
            total += math.log(below[b] - below[a]) - math.log(below[hi] - below[lo])
        assert total == pytest.approx(math.log(p[column[item]]))


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda a: bigrec(a, gamma=-0.1), "gamma is -0.1, expected at least 0"),
        (lambda a: d3(a, alpha=1.5), "alpha is 1.5, expected a share"),
    ],
)
def test_settings_out_of_range(artifact, build, why):
    with pytest.raises(ConfigError, match=why):
        build(artifact)


# -- as systems ----------------------------------------------------------------------------------


def tuned(name, artifact, cases):
    one = baselines(artifact=True)[name]
    build = partial(one.build, artifact)
    setting = selection.best_setting(one, build, cases)
    return build(**setting), setting


def test_one_setting_is_chosen_for_all_numbers_of_picks(artifact, memo):
    cases = prefix_cases(toy_dataset(), toy_split().valid[:3], (0, 1))
    profiles = len({c.profile.model_dump_json() for c in cases})
    for name, setting, grid in (("bigrec", "gamma", GAMMAS), ("d3", "alpha", ALPHAS)):
        made, best = tuned(name, artifact, cases)
        assert isinstance(made, Recommends)
        assert len(made.recommend(NEW, k=7)) == 7
        assert best[setting] in grid
    # Twelve and ten settings, but every profile was shown to the model once.
    assert memo.asked == {"free": profiles + 1, "catalog": profiles + 1}


def test_without_validation_users_the_default_stands(artifact, memo):
    for name in ("base_lm", "bigrec", "d3"):
        made, setting = tuned(name, artifact, [])
        assert len(made.recommend(NEW, k=7)) == 7
        assert setting == baselines(artifact=True)[name].defaults
    assert setting["assistant"] == baselines()["item_knn_prior"].defaults
    assert made.scores(NEW) == pytest.approx(d3(artifact, alpha=0.5).scores(NEW))
