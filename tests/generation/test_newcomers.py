"""Items added after training: they take no probability from others, and share that of namesakes."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.generation.trie.mass import Mass
from coldstart.generation.trie.prompt_titles import PromptTitles
from coldstart.generation.trie.trie import TitleTrie
from coldstart.schema import Item

END = 0
titles = st.lists(st.integers(1, 3), max_size=4).map(lambda tokens: (*tokens, END))
catalogs = st.lists(titles, min_size=1, max_size=8)


def trie_of(known, new=()):
    named = {f"k{n}": t for n, t in enumerate(known)} | {f"n{n}": t for n, t in enumerate(new)}
    return TitleTrie(named)


def mass_of(trie):
    values = np.array([1.0 + zlib.crc32(i.encode()) % 7 for i in trie.item_ids])
    return Mass(values, trie.newcomers(np.array([i[0] == "k" for i in trie.item_ids])))


def logits_of(plan, mass, prior):
    """A number for every edge that follows from the tokens up to it alone."""

    def path(position):
        if position < 0:
            return ()
        return (*path(int(plan.tree_parent[position])), int(plan.tree_token[position]))

    ways = zip(plan.edge_position.tolist(), plan.edge_token.tolist(), strict=True)
    raw = [zlib.crc32(str((*path(at), token)).encode()) % 100 / 20 for at, token in ways]
    return np.array(raw) + (plan.edge_prior(mass) if prior else 0.0)


def trie_plan(trie, chosen):
    positions = np.array(sorted(trie.index(i) for i in chosen))
    return trie.towards(positions, mass_of(trie).newcomers)


def logprobs(trie, prior=False, chosen=None):
    mass = mass_of(trie)
    positions = None if chosen is None else np.array(sorted(trie.index(i) for i in chosen))
    new = mass.newcomers
    plan = trie.plan(new) if chosen is None else trie.towards(positions, new)
    found = plan.item_logprobs(logits_of(plan, mass, prior), mass)
    return dict(zip(trie.item_ids, found.tolist(), strict=True))


@given(catalogs, catalogs, st.booleans())
def test_known_items_keep_their_probabilities(known, new, prior):
    before, after = logprobs(trie_of(known), prior), logprobs(trie_of(known, new), prior)
    assert {i: after[i] for i in before} == pytest.approx(before, abs=1e-9)
    assert sum(np.exp(after[i]) for i in before) == pytest.approx(1)
    assert all(np.isfinite(v) and v <= 1e-9 for v in after.values())


@given(catalogs, catalogs, titles, st.booleans())
def test_a_newcomer_keeps_its_probability_when_another_comes(known, new, more, prior):
    before, after = (logprobs(trie_of(known, titles), prior) for titles in (new, [*new, more]))
    if prior:  # the mass below an edge that only newcomers have grows
        assert all(after[i] >= before[i] - 1e-9 for i in before)
    else:
        assert {i: after[i] for i in before} == pytest.approx(before, abs=1e-9)


@given(catalogs, catalogs, st.data())
def test_a_part_of_the_decisions_leaves_the_known_items_as_they_are(known, new, data):
    one, other = trie_of(known), trie_of(known, new)
    shortlist = data.draw(st.lists(st.sampled_from(list(one.item_ids)), min_size=1))
    before, after = logprobs(one, chosen=shortlist), logprobs(other, chosen=shortlist)
    assert {i: after[i] for i in before} == pytest.approx(before, abs=1e-9)
    assert len(trie_plan(one, shortlist).tree_token) == len(trie_plan(other, shortlist).tree_token)
    whole = logprobs(other)
    added = data.draw(st.lists(st.sampled_from(list(other.item_ids)), min_size=1))
    part = logprobs(other, chosen=added)
    assert {i: part[i] for i in added} == pytest.approx({i: whole[i] for i in added}, abs=1e-9)


@given(catalogs, catalogs, st.data())
def test_decisions_towards_newcomers_do_not_count_for_known_items(known, new, data):
    trie, one = trie_of(known, new), trie_of(known)
    mass = mass_of(trie)
    plan = trie_plan(trie, data.draw(st.lists(st.sampled_from(list(one.item_ids)), min_size=1)))
    added = data.draw(st.lists(st.sampled_from([f"n{n}" for n in range(len(new))]), min_size=1))
    shown = np.isin(np.array(trie.item_ids), added)
    both = trie.towards(np.arange(len(trie)), mass.newcomers).counting_for_known(plan)
    before, after = (p.item_logprobs(logits_of(p, mass, False), mass) for p in (plan, both))
    is_known = mass.newcomers.known
    np.testing.assert_allclose(after[is_known], before[is_known], atol=1e-9)
    whole = logprobs(trie)
    expected = [whole[i] for i in np.array(trie.item_ids)[shown]]
    np.testing.assert_allclose(after[shown], expected, atol=1e-9)


@given(catalogs, catalogs, st.booleans())
def test_a_changed_trie_has_the_newcomers_of_a_new_one(known, new, merge):
    one, other = trie_of(known, new), trie_of(known)
    other.set({f"n{n}": t for n, t in enumerate(new)})
    if merge:
        other.remove(["k0"])
        other.set({"k0": known[0]})
    assert logprobs(other) == pytest.approx(logprobs(one), abs=1e-9)


@given(catalogs, catalogs)
def test_from_the_known_items_alone_newcomers_share_by_the_prior(known, new):
    trie, one = trie_of(known, new), trie_of(known)
    mass = mass_of(trie)
    alone = logprobs(one)
    found = mass.with_newcomers(np.array([alone[i] for i in one.item_ids]))
    by_id = dict(zip(trie.item_ids, found.tolist(), strict=True))
    assert {i: by_id[i] for i in alone} == pytest.approx(alone)
    assert list(trie.of_items(mass.newcomers.known).item_ids) == list(one.item_ids)
    for n, title in enumerate(new):
        own = mass.values[trie.index(f"n{n}")]
        depth = max(d for d in range(len(title) + 1) if np.diff(one.range(title[:d]))[0])
        below = list(one.item_ids)[slice(*one.range(title[:depth]))]
        at_node = mass_of(one).values[slice(*one.range(title[:depth]))].sum()
        whole = sum(np.exp(alone[i]) for i in below)
        assert np.exp(by_id[f"n{n}"]) == pytest.approx(whole * own / (own + at_node))


def test_a_namesake_and_a_title_that_goes_on_share_by_the_prior():
    fargo, heat = (5, END), (6, END)
    trie = trie_of([fargo, heat], [fargo, (5, 9, END)])
    found, mass = logprobs(trie), mass_of(trie)
    known, same, longer = (mass.values[trie.index(i)] for i in ("k0", "n0", "n1"))
    assert np.exp(found["n0"] - found["k0"]) == pytest.approx(same / (same + known))
    assert np.exp(found["n1"] - found["k0"]) == pytest.approx(longer / (longer + known))
    assert np.exp(found["k0"]) + np.exp(found["k1"]) == pytest.approx(1)


def test_without_newcomers_or_with_nothing_else_all_items_are_alike():
    trie = trie_of([(5, END), (6, END)])
    assert trie.newcomers(np.ones(2, dtype=bool)) is None
    assert trie.newcomers(np.zeros(2, dtype=bool)) is None
    assert Mass(np.ones(2)).with_newcomers(np.zeros(2)).tolist() == [0.0, 0.0]


def film(item_id, title, year=None):
    return Item(item_id=item_id, title=title, year=year)


def test_prompts_and_trie_keep_the_title_of_a_known_item():
    catalog = Catalog([film("1", "Fargo", 1996), film("2", "Sabrina", 1954)])
    catalog.add(film("3", "Sabrina", 1995))
    known = PromptTitles({"1", "2", "3"}.__contains__)
    known.follow(catalog)
    trained = {"1": "Fargo", "2": "Sabrina (1954)", "3": "Sabrina (1995)"}
    assert known.of == trained
    catalog.add([film("4", "Fargo"), film("5", "Fargo", 2014), film("6", "Heat", 1995)])
    catalog.add(film("7", "Heat", 2000))
    assert known.follow(catalog) == {"4", "5", "6", "7"}
    assert known.of == trained | {"4": "Fargo", "5": "Fargo (2014)", "6": "Heat", "7": "Heat"}
    catalog.remove(["2", "4"])
    assert known.follow(catalog) == {"2", "3", "4"}
    assert known.of["3"] == "Sabrina"
    catalog.add(film("2", "Sabrina", 1954))
    known.follow(catalog)
    catalog.remove(["5", "6", "7"])
    known.follow(catalog)
    assert known.of == trained


def test_a_catalog_without_known_items_tells_all_namesakes_apart():
    catalog = Catalog([film("4", "Fargo", 1996), film("5", "Fargo", 2014)])
    titles = PromptTitles({"1"}.__contains__)
    titles.follow(catalog)
    assert titles.of == {"4": "Fargo (1996)", "5": "Fargo (2014)"}
    catalog.add(film("1", "Heat"))
    assert titles.follow(catalog) == {"1", "4", "5"}
    assert titles.of == {"1": "Heat", "4": "Fargo", "5": "Fargo"}
