"""The reader: exact for the items that matter, whatever the size and the changes of the catalog."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart import Item
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.generation.decoding import beam
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import UserProfile
from coldstart.scoring.language_model import model_lift
from tests.fakes import FakeEncoder
from tests.fakes_lm import TITLES
from tests.toy import toy_catalog, toy_recommender

PROMPT = "Movies:\nToy Story\n"


def reader_of(recommender):
    recommender.item_store.sync()
    return recommender.pipeline.resources.model


@pytest.mark.parametrize("tokens", [1, 5, 1024])
def test_items_that_matter_are_exact_in_a_catalog_too_large_for_all(monkeypatch, tokens):
    expected = reader_of(toy_recommender()).logprobs(PROMPT)
    monkeypatch.setattr(beam, "beam_logprobs", None)  # is not asked
    reader = reader_of(toy_recommender(exact_items=0, exact_tokens=tokens))
    for seed in range(3):
        rows = np.random.default_rng(seed).choice(len(expected), 6, replace=False)
        found = reader.logprobs(PROMPT, rows)
        assert found[rows] == pytest.approx(expected[rows], abs=1e-4)
        assert np.exp(found).sum() == pytest.approx(1)


def test_all_items_of_a_large_catalog_are_left_to_the_beam(monkeypatch):
    asked, whole = [], beam.beam_logprobs

    def counted(*args, **options):
        asked.append(1)
        return whole(*args, **options)

    monkeypatch.setattr(beam, "beam_logprobs", counted)
    expected = reader_of(toy_recommender()).logprobs(PROMPT)
    assert not asked
    for limits in ({"exact_items": 3}, {"exact_tokens": 3}):
        found = reader_of(toy_recommender(beam_width=100, **limits)).logprobs(PROMPT)
        assert found == pytest.approx(expected, abs=1e-3)
    assert len(asked) == 2


def test_the_reader_follows_the_catalog():
    recommender = toy_recommender(catalog=toy_catalog())
    reader, catalog = reader_of(recommender), recommender.catalog
    reader.logprobs(PROMPT)
    catalog.remove(["i3", "i0"])
    catalog.add([Item(item_id="new", title="Alien", year=2030), Item(item_id="a", title="Zorro")])
    catalog.update(Item(item_id="i5", title="Zorro rides again"))
    recommender.item_store.sync()
    found = reader.logprobs(PROMPT)
    new = reader_of(toy_recommender(catalog=type(catalog)(catalog.items)))
    np.testing.assert_allclose(found, new.logprobs(PROMPT), atol=1e-4)
    assert len(found) == len(TITLES)
    catalog.remove(list(catalog.ids))
    recommender.item_store.sync()
    assert reader.logprobs(PROMPT).shape == (0,)


def test_a_budget_of_tree_tokens_leaves_the_best_items_exact():
    expected = reader_of(toy_recommender()).logprobs(PROMPT)
    rows = np.random.default_rng(0).permutation(len(expected))
    exact = []
    for budget in (1, 3, 8, 1000):
        reader = reader_of(toy_recommender(shortlist_tokens=budget))
        plan = reader._towards(reader._sync(), reader._trie.position[rows])
        assert len(plan.tree_token) <= max(budget, len(max(reader._titles().values(), key=len)))
        found = reader.logprobs(PROMPT, rows)
        assert np.exp(found).sum() == pytest.approx(1)
        right = np.abs(found - expected)[rows] < 1e-4
        exact.append(int(right.argmin()) if not right.all() else len(rows))
    assert exact == sorted(exact)
    assert exact[0] >= 1
    assert exact[-1] == len(rows)
    assert exact[0] < len(rows)


def small_world(new=False):
    """Three liked films and, if ``new``, two that nobody has met."""
    films = [Item(item_id=i, title=f"Film {i}") for i in "abc"]
    counts = Counts.fit(list("abc"), {"u": UserProfile()}, {"u": list("abc")})
    extra = [Item(item_id=i, title=f"New {i}") for i in "xy"] if new else []
    item_store = ItemStore(Catalog.from_items([*films, *extra]), counts, FakeEncoder())
    item_store.sync()
    return item_store


def test_model_lift_is_zero_where_the_model_repeats_the_prior():
    prior, world = np.log([1 / 8, 3 / 8, 4 / 8]), small_world()
    assert model_lift(world, prior, prior) == pytest.approx(np.zeros(3))
    found = model_lift(world, np.log([0.5, 0.25, 0.25]), prior)
    assert found[0] == pytest.approx(np.log(4))


def test_what_nobody_has_met_is_judged_by_its_better_neighbours_or_better():
    world, prior = small_world(new=True), np.log(np.full(5, 1 / 5))
    probs = np.array([0.1, 0.1, 0.3, 0.01, 0.49])
    found = model_lift(world, np.log(probs), prior)
    lift = np.log(probs * 5)
    hoped = max(np.quantile(lift[:3], 0.9), 0.0)
    assert found == pytest.approx([*lift[:3], hoped, lift[4]])
    gloomy = model_lift(world, np.log([0.01, 0.01, 0.01, 0.01, 0.96]), prior)
    assert gloomy[3] == 0.0


def test_the_title_without_a_request_is_read_once_per_catalog_version(monkeypatch):
    recommender = toy_recommender(catalog=toy_catalog(), over_unconditional=True)
    reader, read = reader_of(recommender), []
    whole = reader.logprobs_of

    def counted(asked):
        read.extend(prompt for prompt, _ in asked)
        return whole(asked)

    monkeypatch.setattr(reader, "logprobs_of", counted)
    nothing = reader.unconditional_prompt()
    users = [recommender.resolve(UserProfile(liked=[item])) for item in ("i1", "i2")]
    found = [recommender.pipeline.model_scores(user, "catalog") for user in users]
    assert read.count(nothing) == 1
    for user, (scores,) in zip(users, found, strict=True):
        expected = reader.logprobs(reader.prompt(user).text) - reader.logprobs(nothing)
        np.testing.assert_allclose(scores.lm.model, expected, atol=1e-4)
    kept = reader.unconditional_logprobs()
    assert reader.unconditional_logprobs() is kept
    recommender.catalog.add([Item(item_id="new", title="Alien", year=2030)])
    recommender.item_store.sync()
    assert len(reader.unconditional_logprobs()) == len(kept) + 1


def test_a_shortlist_is_compared_with_the_same_decisions():
    recommender = toy_recommender(over_unconditional=True)
    reader, user = reader_of(recommender), recommender.resolve(UserProfile(liked=["i1"]))
    rows = np.array([4, 0, 7])
    (scores,) = recommender.pipeline.model_scores(user, "catalog", rows=rows)
    given, usual = reader.logprobs_of(
        [(reader.prompt(user).text, rows), (reader.unconditional_prompt(), rows)]
    )
    np.testing.assert_allclose(scores.lm.model[rows], (given - usual)[rows], atol=1e-4)
    rest = np.setdiff1d(np.arange(len(given)), rows)
    np.testing.assert_allclose(scores.lm.model[rest], (given - usual)[rows].min(), atol=1e-4)
