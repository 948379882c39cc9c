"""One pass for several users gives what a pass for each gives; who errs, errs alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import Context, Item, Recommender, UserProfile
from coldstart.errors import CatalogError, ConfigError, ModelError, ProfileError, UnknownPickError
from coldstart.generation.decoding import exact as scoring
from coldstart.generation.decoding.exact import exact_logprobs, exact_logprobs_of
from coldstart.generation.models.fused_decoder import FusedDecoder
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.ranking.filters import Years, default_filters
from coldstart.schema import DecodingConfig
from coldstart.scoring import retrieval
from coldstart.scoring.scorer import ScoreRequest
from coldstart.serve.batching import QueuedRequest, RecommendationResult, recommend_batch
from coldstart.session import OnboardingSession
from coldstart.testing.probes import lm_signals_of
from tests.conftest import ARTIFACT
from tests.fakes_lm import TITLES, tiny_gpt2, tiny_llama, trie_of
from tests.generation.fused_decoders import LIKE, decoder, question
from tests.session.sessions import NOW
from tests.toy import toy_recommender
from tests.toy_profiles import profiles

PROMPTS = ["A person.\n", "Alien\nToy Story\nA longer one.\n", "x\n", "Somebody of 24, a nurse.\n"]
BRIEF = DecodingConfig(max_new_tokens=6)


def same(
    found: RecommendationResult | Exception, expected: RecommendationResult | Exception
) -> None:
    """The same list, scores to 1e-4 and everything told about it; or the same error."""
    if isinstance(expected, Exception):
        assert type(found) is type(expected), found
        assert str(found) == str(expected)
        return
    assert not isinstance(found, Exception), found
    one, other = found.recommendations, expected.recommendations
    assert one.item_ids == other.item_ids
    np.testing.assert_allclose([r.score for r in one], [r.score for r in other], atol=1e-4)
    told = ("k", "strategy", "notes", "dropped_counts", "generated", "abstained", "prompt")
    for name in (*told, "understood"):
        assert getattr(one, name) == getattr(other, name), name
    assert [r.reason for r in one] == [r.reason for r in other]


def alone(rec: Recommender, ask: QueuedRequest) -> RecommendationResult | Exception:
    ((_, answered),) = recommend_batch(rec, [ask])
    return answered


def together(rec: Recommender, asks: list[QueuedRequest]) -> list[RecommendationResult | Exception]:
    got = dict(recommend_batch(rec, asks))
    return [got[n] for n in range(len(asks))]


def passes(rec: Recommender, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many prompts each pass of the language model reads from now on."""
    seen: list[int] = []
    once = rec.lm.read_trees
    monkeypatch.setattr(rec.lm, "read_trees", lambda asked: seen.append(len(asked)) or once(asked))
    return seen


# -- the pass -------------------------------------------------------------------------------------


@pytest.mark.parametrize("config", LIKE.values(), ids=LIKE.keys())
def test_sequences_one_after_another_do_not_see_each_other(config):
    lean = FusedDecoder.from_model(decoder(config))
    asked = [question(seed, size) for seed, size in enumerate([5, 1, 17, 8])]
    ids, visible, position = zip(*asked, strict=True)
    states = lean(torch.cat(ids), visible, torch.cat(position))
    expected = torch.cat([lean(*one) for one in asked])
    torch.testing.assert_close(states, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("lm", [tiny_llama(), tiny_gpt2()], ids=["lean", "transformers"])
@pytest.mark.parametrize(("most", "limit"), [(None, 4096), (3, 4096), (None, 60), (3, 1)])
def test_titles_of_several_prompts_are_judged_as_of_each(lm, most, limit, monkeypatch):
    monkeypatch.setattr(scoring, "TOGETHER", limit)
    trie, mass = trie_of(TITLES), np.arange(1.0, len(TITLES) + 1)
    plans = [trie.plan(), trie.towards(np.array([0, 3])), trie.towards(np.array([7])), trie.plan()]
    items = [None, None, np.array([7]), np.array([2, 5])]
    asked = list(zip(PROMPTS, plans, items, strict=True))
    found = exact_logprobs_of(lm, asked, mass, 0.7, most=most)
    for (prompt, plan, some), one in zip(asked, found, strict=True):
        expected = exact_logprobs(lm, prompt, plan, mass, 0.7, items=some)
        np.testing.assert_allclose(one, expected, atol=1e-4)


def test_a_pass_reads_as_many_as_it_may(monkeypatch):
    lm, trie, sizes = tiny_llama(), trie_of(TITLES), []
    once = lm.read_trees

    def reading(asked):
        sizes.append(sum(len(prompt) + len(tokens) for prompt, tokens, _ in asked))
        return once(asked)

    monkeypatch.setattr(lm, "read_trees", reading)
    asked = [(PROMPTS[0], trie.plan(), None)] * 6
    exact_logprobs_of(lm, asked, np.ones(len(trie)), 1.0)
    (whole,) = sizes
    monkeypatch.setattr(scoring, "TOGETHER", whole // 2)
    exact_logprobs_of(lm, asked, np.ones(len(trie)), 1.0)
    assert sizes[1:] == [whole // 2, whole // 2]
    assert exact_logprobs_of(lm, [], np.ones(len(trie)), 1.0) == []


@pytest.mark.parametrize("limits", [{}, {"exact_items": 5}, {"exact_tokens": 10}, {"shortlist": 4}])
def test_evidence_is_what_each_would_get(limits):
    rec = toy_recommender(**limits)
    profiles = ({"age": 24}, {"liked": ["Alien", "Heat"]}, {})
    rows = [None, np.array([1, 4, 6]), np.arange(10)]
    rec.pipeline.sync()
    users = [rec.resolve(p) for p in profiles]
    asked = [ScoreRequest(u, rec.item_store, r) for u, r in zip(users, rows, strict=True)]
    (scorer,) = rec.scorers.of("catalog", "shortlist")
    for request, scores in zip(asked, scorer.score(asked), strict=True):
        found = scores.lm
        expected = lm_signals_of(rec, request.user, "catalog", rows=request.shortlist)
        np.testing.assert_allclose(found.logprobs, expected.logprobs, atol=1e-4)
        np.testing.assert_allclose(found.model, expected.model, atol=1e-4)
        assert (found.prompt, found.notes) == (expected.prompt, expected.notes)


# -- the lists ------------------------------------------------------------------------------------


common = {
    "diversity": st.sampled_from([0.0, 0.4, 1.5]),  # the last is an error
    "filters": st.sampled_from([None, [*default_filters(), Years(1980, 1988)]]),
    "near_duplicates": st.booleans(),
    "unknown_picks": st.sampled_from(["error", "ignore"]),
    "k": st.integers(1, 30),
}
of_profile = st.fixed_dictionaries(
    {"strategy": st.sampled_from(["catalog", "prior", "both"]), "decoding": st.just(BRIEF)},
    optional=common | {"popularity_penalty": st.sampled_from([0.0, 0.5, -1.0])},
)
moments = st.sampled_from([Context(), Context(time="Friday evening", occasion="date night")])
unknown = UserProfile(liked=["Alien", "No Such Film"])
said = st.sampled_from(["science fiction, but no drama", "no drama", " "])
people = profiles | st.just(unknown)
speaking = st.builds(lambda who, text: who.model_copy(update={"about": text}), people, said)
asks = st.builds(QueuedRequest, people | speaking, moments, of_profile)


@settings(max_examples=15, deadline=None)
@given(
    asked=st.lists(asks, max_size=5),
    limits=st.sampled_from([{}, {"shortlist": 3}, {"pool_from": 4, "shortlist": 3}]),
)
def test_a_batch_gives_what_everyone_would_get_alone(asked, limits):
    rec = toy_recommender(written_titles=2, **limits)
    for one, ask in zip(together(rec, asked), asked, strict=True):
        same(one, alone(rec, ask))


def test_free_writing_keeps_its_decoding_and_seed(monkeypatch):
    rec = toy_recommender()
    drawn = {"decoding": DecodingConfig(mode="sample", max_new_tokens=6), "k": 4}
    asked = [
        QueuedRequest(UserProfile(age=20), Context(), drawn | {"strategy": strategy, "seed": seed})
        for strategy in ("free", "both")
        for seed in (1, 2)
    ]
    written, once = [], rec.pipeline.resources.model.write

    def write(prompt, n, decoding, seed, rows=None):
        written.append((decoding, seed))
        return once(prompt, n, decoding, seed, rows)

    monkeypatch.setattr(rec.pipeline.resources.model, "write", write)
    found = together(rec, asked)
    assert written == [(drawn["decoding"], seed) for seed in (1, 2, 1, 2)]
    for one, ask in zip(found, asked, strict=True):
        same(one, alone(rec, ask))


def test_who_errs_errs_alone_and_the_others_share_a_pass(monkeypatch):
    rec = toy_recommender()
    seen = passes(rec, monkeypatch)
    person = UserProfile(age=24)
    got = together(
        rec,
        [
            QueuedRequest(person, Context()),
            QueuedRequest(UserProfile(liked=["No Such Film"]), Context()),
            QueuedRequest(person, Context(), {"k": 0}),
            QueuedRequest(person, Context(), {"understood": "science fiction"}),
            QueuedRequest(UserProfile(about="science fiction"), Context()),
            QueuedRequest(person, Context(), {"strategy": "prior"}),
            QueuedRequest(person, Context(), {"strategy": "catalog", "k": 3}),
        ],
    )
    kinds = [type(x) for x in got]
    assert kinds == [
        RecommendationResult,
        UnknownPickError,
        ConfigError,
        ProfileError,
        *[RecommendationResult] * 3,
    ]
    assert seen == [3]


def test_a_prompt_that_is_too_long_is_nobody_elses_error(monkeypatch):
    rec = toy_recommender()
    once = rec.lm._check
    monkeypatch.setattr(rec.lm, "_check", lambda ids: refuse() if len(ids) > 200 else once(ids))

    def refuse():
        raise ModelError("the prompt is too long")

    long = UserProfile(about="a very long story " * 30)
    got = together(
        rec, [QueuedRequest(p, Context()) for p in (UserProfile(age=30), long, UserProfile())]
    )
    assert [type(x) for x in got] == [RecommendationResult, ModelError, RecommendationResult]
    same(got[2], alone(rec, QueuedRequest(UserProfile(), Context())))


def test_who_needs_no_titles_written_does_not_wait_for_them():
    rec = toy_recommender()
    strategies = ["free", "both", "catalog", "prior", "catalog"]
    asked = [QueuedRequest(UserProfile(), Context(), {"strategy": s, "k": 2}) for s in strategies]
    assert [n for n, _ in recommend_batch(rec, asked)] == [3, 2, 4, 0, 1]


def test_a_wider_look_in_a_large_catalog_is_asked_for_like_the_first(monkeypatch):
    monkeypatch.setattr(retrieval, "POPULAR", 1)
    monkeypatch.setattr(retrieval, "BY_SIGNAL", 1)
    rec = toy_recommender(pool_from=4, shortlist=2)
    for n in range(40):
        rec.catalog.add(Item(item_id=f"n{n}", title=f"Robot {n}", year=2010))
    narrow = RecommendOptions(k=5, filters=(Years(2009, None),))
    requests = [RecommendRequest(rec.resolve({"age": age}), narrow) for age in (20, 30)]
    seen = passes(rec, monkeypatch)
    got = dict(rec.pipeline.run(requests))
    assert seen == [2, 2]
    for n, request in enumerate(requests):
        same(RecommendationResult(got[n]), RecommendationResult(rec.pipeline.one(request)))


def test_without_a_model_or_a_catalog_everyone_is_told_so():
    rec = toy_recommender()
    rec.lm = None
    asked = [
        QueuedRequest(UserProfile(), Context(), {"strategy": s})
        for s in ("catalog", "prior", "both")
    ]
    got = together(rec, asked)
    assert [type(x) for x in got] == [ConfigError, RecommendationResult, ConfigError]
    rec = toy_recommender(catalog=type(rec.catalog).from_items([]))
    assert [type(x) for x in together(rec, asked)] == [CatalogError] * 3
    assert together(rec, []) == []


def test_the_shipped_artifact_gives_the_same_lists_together():
    rec = Recommender.from_pretrained(ARTIFACT)
    asked = [
        QueuedRequest(UserProfile(age=24, occupation="student", liked=["Toy Story"]), Context()),
        QueuedRequest(UserProfile(age=60, gender="F"), Context(time="Sunday morning"), {"k": 20}),
        QueuedRequest(UserProfile(interests=["Horror"], liked=["Alien", "Fargo"]), Context()),
    ]
    for one, ask in zip(together(rec, asked), asked, strict=True):
        same(one, alone(rec, ask))


def test_lists_of_sessions_share_a_pass(monkeypatch):
    rec = toy_recommender()

    def visit(*liked: str, **options: float):
        def begin(recommender: Recommender) -> OnboardingSession:
            session = OnboardingSession(recommender, **options)
            for item in liked:
                session = session.feedback(item, "like", at=NOW)
            return session.say("no drama", at=NOW)

        return begin

    asks = [
        QueuedRequest(UserProfile(), Context(), {"k": 5}, session=visit("i1")),
        QueuedRequest(UserProfile(age=30), Context(), {"k": 5}),
        QueuedRequest(
            UserProfile(), Context(time="late"), {"k": 3, "diversity": 0.3}, session=visit()
        ),
        QueuedRequest(
            UserProfile(), Context(), session=visit("i2", exploration=0.5), explores=True
        ),
        QueuedRequest(UserProfile(), Context(), {"k": 0}, session=visit("i3")),
    ]
    expected = [alone(rec, ask) for ask in asks]
    seen = passes(rec, monkeypatch)
    found = together(rec, asks)
    assert seen == [1, 3]  # the one that explores, and the others
    for ask, one, other in zip(asks, found, expected, strict=True):
        same(one, other)
        if isinstance(one, RecommendationResult):
            assert (one.state is None) == (ask.session is None)
            if one.state is not None:
                assert one.state.events[-1].items == tuple(one.recommendations.item_ids)
                session = ask.session(rec)
                made = session.recommend(context=ask.context, **ask.options)
                assert made.item_ids == one.recommendations.item_ids
    assert isinstance(found[4], ConfigError)
