from __future__ import annotations

import numpy as np
import pytest

from coldstart.errors import ConfigError, ModelError
from coldstart.generation.decoding import exact as scoring
from coldstart.generation.decoding.beam import beam_logprobs
from coldstart.generation.decoding.exact import exact_logprobs
from coldstart.generation.trie.trie import TitleTrie
from tests.fakes_lm import TITLES, tiny_cohere, tiny_gpt2, tiny_llama, trie_of

FAMILIES = pytest.mark.parametrize("lm", [tiny_llama(), tiny_gpt2()], ids=["llama", "gpt2"])
PROMPT = "Movies:\nToy Story\n"
# Sequels and namesakes: decisions at several depths, behind ghost tokens.
MANY = [*TITLES, *(f"{title} {n}" for title in TITLES for n in (2, 3, 33)), "Heat", "Heat", "Alien"]


def masses(trie: TitleTrie) -> np.ndarray:
    return np.random.default_rng(1).pareto(1.0, len(trie)) + 0.1


@FAMILIES
@pytest.mark.parametrize("tau", [0.2, 1.0])
@pytest.mark.parametrize("prior", [True, False])
def test_a_wide_beam_is_exact(lm, tau, prior):
    trie = trie_of(MANY)
    mass = masses(trie)
    found = beam_logprobs(lm, PROMPT, trie, mass, tau, width=len(MANY), prior=prior)
    assert trie._plan is None  # a huge catalog is never compiled
    expected = exact_logprobs(lm, PROMPT, trie.plan(), mass, tau, prior=prior)
    assert found.reached.all()
    np.testing.assert_allclose(found.logprobs, expected, atol=1e-3)


def changed_trie() -> TitleTrie:
    """The trie of MANY, a third of it beside the base, and some titles gone."""
    trie = trie_of(MANY)
    whole = {i: trie.tokens(n) for n, i in enumerate(trie.item_ids)}
    late = dict(list(whole.items())[::3])
    trie.remove(late)
    trie.set(late)
    assert 0 < len(trie._trie.entries) < len(trie)
    return trie


@FAMILIES
def test_a_changed_trie_is_searched_as_a_new_one(lm):
    one, other = changed_trie(), trie_of(MANY)
    mass = masses(one)
    for width in (1, 4, len(MANY)):
        found = beam_logprobs(lm, PROMPT, one, mass, 1.0, width)
        expected = beam_logprobs(lm, PROMPT, other, mass, 1.0, width)
        np.testing.assert_array_equal(found.reached, expected.reached)
        np.testing.assert_allclose(found.logprobs, expected.logprobs, atol=1e-6)


@FAMILIES
@pytest.mark.parametrize("most", [1, 2, 7, 30, 10_000])
def test_a_tree_read_in_pieces_says_the_same(lm, most):
    trie = trie_of(MANY)
    mass, plan = masses(trie), trie.plan()
    whole = exact_logprobs(lm, PROMPT, plan, mass, 1.0)
    parts = exact_logprobs(lm, PROMPT, plan, mass, 1.0, most=most)
    np.testing.assert_allclose(parts, whole, atol=1e-4)


@FAMILIES
def test_the_model_says_the_same_of_some_items_as_of_all(lm, monkeypatch):
    trie = changed_trie()
    mass = masses(trie)
    expected = exact_logprobs(lm, PROMPT, trie.plan(), mass, 0.5)
    monkeypatch.setattr(scoring, "_WIDE", 3)  # asks large decisions one by one
    for seed in range(5):
        chosen = np.random.default_rng(seed).choice(len(trie), 7, replace=False)
        items = np.sort(chosen)
        plan = trie.towards(chosen)
        assert len(plan.tree_token) < len(trie.plan().tree_token)
        found = exact_logprobs(lm, PROMPT, plan, mass, 0.5, items=items, most=5)
        np.testing.assert_allclose(found, expected[items], atol=1e-4)


@FAMILIES
@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_a_narrow_beam_is_a_distribution_and_exact_where_it_got_to(lm, width):
    trie = trie_of(MANY)
    mass = masses(trie)
    logprobs, reached = beam_logprobs(lm, PROMPT, trie, mass, 1.0, width)
    assert np.exp(logprobs).sum() == pytest.approx(1)
    assert reached.any()
    assert not reached.all()
    expected = exact_logprobs(lm, PROMPT, trie.plan(), mass, 1.0)
    np.testing.assert_allclose(logprobs[reached], expected[reached], atol=1e-3)


@FAMILIES
def test_a_wider_beam_reaches_more_and_finds_the_best(lm):
    trie = trie_of(MANY)
    mass = masses(trie)
    exact = exact_logprobs(lm, PROMPT, trie.plan(), mass, 1.0)
    beams = [beam_logprobs(lm, PROMPT, trie, mass, 1.0, width) for width in (1, 4, 16, 64)]
    counts = [int(b.reached.sum()) for b in beams]
    assert counts == sorted(counts)
    for scores in beams[2:]:
        assert np.argmax(scores.logprobs) == np.argmax(exact)
        assert len({*np.argsort(-exact)[:10]} & {*np.argsort(-scores.logprobs)[:10]}) >= 8


def test_a_branch_off_the_beam_keeps_its_probability_and_the_prior_splits_it():
    lm, trie = tiny_llama(), trie_of(MANY)
    mass = masses(trie)
    logprobs, reached = beam_logprobs(lm, PROMPT, trie, mass, 1.0, width=1)
    exact = exact_logprobs(lm, PROMPT, trie.plan(), mass, 1.0)
    heads = np.array([trie.tokens(n)[0] for n in range(len(trie))])
    lost = [head for head in np.unique(heads) if not reached[heads == head].any()]
    assert lost
    for head in lost:
        below = heads == head
        whole = np.exp(exact[below]).sum()
        np.testing.assert_allclose(
            np.exp(logprobs[below]), whole * mass[below] / mass[below].sum(), rtol=1e-3
        )


def test_without_the_model_the_beam_gives_the_prior():
    trie = trie_of(MANY)
    mass = masses(trie)
    for width in (1, 8, 99):
        logprobs = beam_logprobs(tiny_gpt2(), PROMPT, trie, mass, 0.0, width).logprobs
        np.testing.assert_allclose(np.exp(logprobs), mass / mass.sum(), rtol=1e-9)


def test_nothing_to_decide():
    lm = tiny_llama()
    assert beam_logprobs(lm, PROMPT, TitleTrie(), np.zeros(0), 1.0).logprobs.shape == (0,)
    logprobs, reached = beam_logprobs(lm, PROMPT, trie_of(["Heat"]), np.ones(1), 1.0)
    assert (logprobs.tolist(), reached.tolist()) == ([0.0], [True])
    pair = beam_logprobs(lm, PROMPT, trie_of(["Heat", "Heat"]), np.array([1.0, 3.0]), 1.0)
    np.testing.assert_allclose(np.exp(pair.logprobs), [0.25, 0.75])


def test_titles_that_all_begin_alike():
    lm, trie = tiny_llama(), trie_of([f"Star Trek {n}" for n in (1, 2, 3, 31, 32)])
    found = beam_logprobs(lm, PROMPT, trie, np.ones(5), 1.0)
    expected = exact_logprobs(lm, PROMPT, trie.plan(), np.ones(5), 1.0)
    np.testing.assert_allclose(found.logprobs, expected, atol=1e-3)


def test_width_is_checked():
    with pytest.raises(ConfigError, match="beam width is 0"):
        beam_logprobs(tiny_llama(), PROMPT, trie_of(["Heat"]), np.ones(1), 1.0, width=0)


def test_a_model_that_post_processes_its_logits_is_refused():
    trie = trie_of(["Heat", "Alien"])
    with pytest.raises(ModelError, match="post-processes its logits"):
        beam_logprobs(tiny_cohere(), PROMPT, trie, np.ones(2), 1.0)
