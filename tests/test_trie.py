from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.generation.trie import TitleTrie, TriePlan
from tests.fakes_lm import trie_of

END = 0  # like a line break: at the end of every title and nowhere else
TOKENS = st.lists(st.integers(1, 4), max_size=5).map(lambda ids: (*ids, END))
IDS = st.text("abc", min_size=1, max_size=3)
CATALOG = st.dictionaries(IDS, TOKENS, max_size=14)
SOME = st.dictionaries(IDS, TOKENS, min_size=1, max_size=14)


def masses(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.1, 10, n)


def walk(trie: TitleTrie, prefix: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """All titles the trie accepts."""
    below = trie.children(prefix)
    if not below:
        return [prefix] if prefix else []
    return [title for token in below for title in walk(trie, (*prefix, token))]


def assert_same_plan(one: TriePlan, other: TriePlan) -> None:
    for field in dataclasses.fields(TriePlan):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(other, field.name))


@given(CATALOG)
def test_accepts_exactly_the_catalog(titles):
    assert walk(TitleTrie(titles)) == sorted(set(titles.values()))


@given(CATALOG, TOKENS)
def test_children_count_the_items_below(titles, probe):
    trie = TitleTrie(titles)
    for depth in range(len(probe)):
        prefix = probe[:depth]
        lo, hi = trie.range(prefix)
        inside = {i for i, tokens in titles.items() if tokens[:depth] == prefix}
        assert set(trie.item_ids[lo:hi]) == inside
        assert sum(trie.children(prefix).values()) == len(inside)


@given(CATALOG, CATALOG)
def test_adding_then_removing_is_a_no_op(titles, others):
    trie = TitleTrie(titles)
    new = {i: t for i, t in others.items() if i not in titles}
    trie.set(new.items())
    assert len(trie) == len(titles) + len(new)
    trie.remove([*new, "unknown"])
    assert len(trie) == len(titles)
    assert_same_plan(trie.plan(), TitleTrie(titles).plan())


@given(CATALOG, CATALOG, st.sets(IDS))
def test_changes_equal_a_new_trie(titles, changed, removed):
    trie = TitleTrie(titles)
    trie.plan()  # must not be served again
    trie.set(changed.items())
    trie.remove(removed)
    expected = {i: t for i, t in (titles | changed).items() if i not in removed}
    assert_same_plan(trie.plan(), TitleTrie(expected).plan())
    assert {i for i in expected if i in trie} == set(expected)


@given(SOME, st.integers(0, 99))
def test_the_prior_alone_gives_the_prior(titles, seed):
    plan = TitleTrie(titles).plan()
    mass = masses(len(titles), seed)
    logprobs = plan.item_logprobs(plan.edge_prior(mass), mass)
    np.testing.assert_allclose(np.exp(logprobs), mass / mass.sum(), rtol=1e-9)


@given(SOME, st.integers(0, 99))
def test_probabilities_sum_to_one_whatever_the_logits(titles, seed):
    plan = TitleTrie(titles).plan()
    logits = np.random.default_rng(seed).normal(0, 20, len(plan.edge_token))
    logprobs = plan.item_logprobs(logits, masses(len(titles), seed))
    assert np.exp(logprobs).sum() == pytest.approx(1)


@given(SOME, st.data())
def test_towards_some_items_their_logprobs_stay(titles, data):
    plan = TitleTrie(titles).plan()
    n, seed = len(titles), data.draw(st.integers(0, 99))
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    some, mass = plan.towards(wanted), masses(n, seed)
    of_token = np.random.default_rng(seed).normal(0, 5, 9)  # any logits, as of a model
    whole = plan.item_logprobs(of_token[plan.edge_token], mass)
    part = some.item_logprobs(of_token[some.edge_token], mass)
    np.testing.assert_allclose(part[wanted], whole[wanted], atol=1e-9)
    assert np.exp(part).sum() == pytest.approx(1)
    assert len(some.tree_token) <= len(plan.tree_token)
    if not wanted.any():
        np.testing.assert_allclose(np.exp(part), mass / mass.sum())
        assert not len(some.tree_token)


@given(SOME, st.data())
def test_towards_some_items_reads_what_their_decisions_follow(titles, data):
    plan = TitleTrie(titles).plan()
    n = len(titles)
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    some = plan.towards(wanted)
    contexts: list[tuple[int, ...]] = []
    for token, parent in zip(some.tree_token.tolist(), some.tree_parent.tolist(), strict=True):
        contexts.append((*(contexts[parent] if parent >= 0 else ()), token))
    of = [contexts[p] if p >= 0 else () for p in some.edge_position]
    expected = set()  # the decisions on the ways of the wanted titles, found one by one
    trie = TitleTrie(titles)
    for item in np.array(plan.item_ids, dtype=object)[wanted]:
        ways = (titles[item][:d] for d in range(len(titles[item])))
        expected |= {way for way in ways if len(trie.children(way)) > 1}
    assert set(of) == expected
    for context in set(of):
        mine = [t for t, c in zip(some.edge_token.tolist(), of, strict=True) if c == context]
        assert mine == list(trie.children(context))
    needed = {way[:d] for way in expected for d in range(1, len(way) + 1)}
    assert set(contexts) == needed  # and no more


@given(SOME)
def test_every_decision_has_a_choice_and_its_context(titles):
    trie = TitleTrie(titles)
    plan = trie.plan()
    contexts: list[tuple[int, ...]] = []
    for token, parent in zip(plan.tree_token.tolist(), plan.tree_parent.tolist(), strict=True):
        contexts.append((*(contexts[parent] if parent >= 0 else ()), token))
    assert plan.tree_depth.tolist() == [len(c) - 1 for c in contexts]
    for decision, start in enumerate(plan.starts):
        edges = np.flatnonzero(plan.decision_of_edge == decision)
        position = plan.edge_position[start]
        context = contexts[position] if position >= 0 else ()
        children = trie.children(context)
        assert len(children) > 1
        assert plan.edge_token[edges].tolist() == list(children)
        assert (plan.edge_hi - plan.edge_lo)[edges].tolist() == list(children.values())


@given(SOME)
def test_next_decision_agrees_with_the_children(titles):
    trie = TitleTrie(titles)
    if trie.is_title(0, len(trie)):
        assert len(set(titles.values())) == 1
        return
    ghosts, branches = trie.next_decision(0, len(trie), 0)
    assert all(len(trie.children(ghosts[:n])) == 1 for n in range(len(ghosts)))
    assert {t: hi - lo for t, lo, hi in branches} == trie.children(ghosts)


def test_namesakes_share_their_title_by_mass():
    trie = trie_of({"a": "Heat", "b": "Alien", "c": "Heat"})
    plan = trie.plan()
    mass = np.array([{"a": 1.0, "b": 5.0, "c": 3.0}[i] for i in plan.item_ids])
    logits = np.log([0.8, 0.2]) if trie.item_ids[0] == "b" else np.log([0.2, 0.8])
    found = dict(zip(plan.item_ids, np.exp(plan.item_logprobs(logits, mass)), strict=True))
    assert found == pytest.approx({"a": 0.05, "b": 0.8, "c": 0.15})


def test_a_title_may_begin_another():
    trie = trie_of(["Toy", "Toy Story", "Toy Story 2"])
    assert len(walk(trie)) == 3
    plan = trie.plan()
    mass = masses(3)
    np.testing.assert_allclose(
        np.exp(plan.item_logprobs(plan.edge_prior(mass), mass)), mass / mass.sum()
    )


def test_ghost_tokens_cost_nothing():
    plan = TitleTrie({"short": (1, END), "long": (2, 3, 3, 3, 3, 3, END)}).plan()
    assert len(plan.tree_token) == 0
    assert len(plan.edge_token) == 2


def test_an_empty_trie():
    trie = TitleTrie()
    assert trie.children(()) == {}
    assert trie.plan().item_ids == ()
    assert trie.plan().item_logprobs(np.zeros(0), np.zeros(0)).shape == (0,)


def test_giving_an_item_the_same_title_keeps_the_plan():
    trie = trie_of(["Heat", "Alien"])
    plan = trie.plan()
    trie.set([("i0", trie_of(["Heat"])._tokens["i0"])])
    assert trie.plan() is plan
