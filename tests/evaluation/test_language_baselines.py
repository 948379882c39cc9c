"""Rivals that put an artifact's language model to another use, and the memo that all share."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from coldstart import Recommender, UserProfile, prompts
from coldstart.errors import ArtifactError, ConfigError
from coldstart.evaluation import trained
from coldstart.evaluation.baselines.language import (
    ALPHAS,
    GAMMAS,
    TitleSpace,
    base_lm,
    base_model,
    bigrec,
    d3,
    title_space,
)
from coldstart.evaluation.baselines.scored import item_knn_baseline, popularity_baseline
from coldstart.evaluation.figures import Memo, Ours, model_alone
from coldstart.evaluation.harness import cold_users
from coldstart.interactions.interaction_stats import Counts, popularity
from coldstart.protocols import Recommends
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime import models
from coldstart.settings import Settings
from coldstart.testing.probes import lm_signals_of
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


class Counting(Memo):
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


@pytest.fixture(scope="module")
def space():
    return title_space(make(), tiny_gpt2())


# -- the memo ------------------------------------------------------------------------------------


def test_no_half_of_the_evidence_is_asked_twice(memo):
    systems = [
        Ours(memo, "prior"),
        Ours(memo, "catalog"),
        Ours(memo, "both"),
        Ours(memo, "free"),
        model_alone(memo, "logprobs"),
        model_alone(memo, "written"),
    ]
    for _ in range(2):
        for system in systems:
            for person in PEOPLE:
                system.recommend(person, k=5)
    assert memo.asked == {"catalog": 2, "free": 2}


def test_who_asks_for_titles_only_waits_for_nothing_else(memo):
    model_alone(memo, "logprobs").recommend(NEW)
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
    for _ in range(2):
        user, found = memo.lm_signals(NEW, "both")
        assert found.logprobs is not None
        assert found.groundings
    assert memo.asked == {"catalog": 2, "free": 2}
    with pytest.raises(ConfigError, match="most_bytes is -1, expected at least 0"):
        Memo(make(), most_bytes=-1)


# -- the base model ------------------------------------------------------------------------------


def test_the_base_model_is_asked_with_the_same_prompt_and_no_prior():
    tuned = make(use_prior=True)
    found = base_lm(tuned, tiny_gpt2())
    alone = make(tiny_gpt2(), use_prior=False)
    for person in PEOPLE:
        user = alone.resolve(person)
        assert alone.prompt(user) == tuned.prompt(user)
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


def test_bigrec_by_hand(memo, space):
    for person in PEOPLE:
        title = memo.lm_signals(person, "free")[1].groundings[0].candidate.text
        share = popularity(memo.recommender.counts)
        scaled = (share - share.min()) / (share.max() - share.min())
        for gamma in (0.0, 1.0, 20.0):
            expected = space.distances(title) / (1 + scaled) ** gamma
            found = bigrec(memo, space, gamma=gamma).scores(person)
            assert -found == pytest.approx(expected)


def test_bigrec_is_popularity_where_gamma_is_large_but_for_the_nearest(memo, space):
    counts = memo.recommender.counts
    popular = popularity_baseline(memo.recommender.catalog, counts).recommend(NEW, k=8).item_ids
    found = bigrec(memo, space, gamma=GAMMAS[-1])
    title = memo.lm_signals(NEW, "free")[1].groundings[0].candidate.text
    nearest = counts.item_ids[int(space.distances(title).argmin())]
    ranked = found.recommend(NEW, k=8).item_ids
    assert ranked[0] == nearest
    assert [i for i in ranked if i != nearest][:4] == [i for i in popular if i != nearest][:4]


def test_who_gets_no_title_gets_popularity(memo, space):
    memo.recommender.lm_signals = lambda user, strategy, **_: lm_signals_of(make(), user, "prior")
    found = bigrec(memo, space).recommend(NEW, k=8)
    everyone = popularity_baseline(memo.recommender.catalog, memo.recommender.counts)
    assert found.item_ids == everyone.recommend(NEW, k=8).item_ids


# -- D3 ------------------------------------------------------------------------------------------


def assistant(recommender):
    return item_knn_baseline(recommender.catalog, recommender.counts, weight=2.0)


def test_d3_by_hand(memo):
    other = assistant(memo.recommender)
    for person in PEOPLE:
        logprobs = model_alone(memo, "logprobs").scores(person)
        nats = other.scores(person)
        expected = 0.3 * logprobs + 0.7 * np.log(np.exp(nats) / np.exp(nats).sum())
        assert d3(memo, other, alpha=0.3).scores(person) == pytest.approx(expected)
        assert d3(memo, other, alpha=1.0).scores(person) == pytest.approx(logprobs)
        alone = d3(memo, other, alpha=0.0).recommend(person, k=8)
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
        (lambda m, s: bigrec(m, s, gamma=-0.1), "gamma is -0.1, expected at least 0"),
        (lambda m, s: d3(m, assistant(m.recommender), alpha=1.5), "alpha is 1.5, expected a share"),
    ],
)
def test_settings_out_of_range(memo, space, build, why):
    with pytest.raises(ConfigError, match=why):
        build(memo, space)


# -- as systems ----------------------------------------------------------------------------------


@pytest.fixture
def artifact(memo, monkeypatch):
    """What ``artifact_systems`` shares, without a folder."""
    loaded = trained.Loaded.__new__(trained.Loaded)
    loaded.__dict__ |= {"memo": memo, "base": tiny_gpt2()}
    return loaded


def test_one_setting_is_chosen_for_all_numbers_of_picks(artifact, memo, caplog):
    cases = cold_users(toy_dataset(), toy_split().valid[:3], (0, 1))
    caplog.set_level("INFO", logger=trained.__name__)
    profiles = len({c.profile.model_dump_json() for c in cases})
    for name, grid in (("bigrec", GAMMAS), ("d3", ALPHAS)):
        made = trained._RIVALS[name][1](artifact, cases)
        assert isinstance(made, Recommends)
        assert len(made.recommend(NEW, k=7)) == 7
        (line,) = [r.getMessage() for r in caplog.records if r.getMessage().startswith(name)]
        assert float(line.split()[-1].rstrip("}")) in grid
    # Twelve and ten settings, but every profile was shown to the model once.
    assert memo.asked == {"free": profiles + 1, "catalog": profiles + 1}


def test_without_validation_users_the_default_stands(artifact, memo):
    for name in ("base_lm", "bigrec", "d3"):
        made = trained._RIVALS[name][1](artifact, [])
        assert len(made.recommend(NEW, k=7)) == 7
    share = trained._RIVALS["d3"][1](artifact, []).scores(NEW)
    knn = item_knn_baseline(
        memo.recommender.catalog, memo.recommender.counts, **trained.KNN_DEFAULT
    )
    assert share == pytest.approx(d3(memo, knn, alpha=0.5).scores(NEW))
