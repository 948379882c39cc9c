"""Words of the request in the items' texts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Piece, Understood, UserProfile
from coldstart.scoring.lexical import LexicalScorer, stated_text
from coldstart.testing.trigrams import TrigramEncoder
from tests.ten_films import film, resolved


def make_store():
    catalog = Catalog(
        [
            film("1", "Quiet Garden", 1991, ("Drama",), description="Letters of a gardener."),
            film("2", "Alien Night", 1979, ("Horror", "Sci-Fi"), attributes={"star": "A. Weaver"}),
            film("3", "Toys", 1995, ("Animation", "Children's")),
            film("4", "红高粱", 1988, ("战争",), description="一部战争电影"),
        ]
    )
    store = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), TrigramEncoder())
    store.sync()
    return store


STORE = make_store()


def lexical(about, store=STORE, scorer=None):
    user = resolved({"about": about} if about else {}, item_store=store)
    values = (scorer or LexicalScorer()).columns(user, store)["lexical"]
    return {i: float(v) for i, v in zip(store.ids, values, strict=True) if v}


@pytest.mark.parametrize(
    ("about", "found"),
    [
        ("letters from a garden", "1"),
        ("something with Weaver", "2"),
        ("from 1979", "2"),
        ("scary", "2"),
        ("a cartoon for the kids", "3"),
        ("animated", "3"),
        ("我想看战争片", "4"),
        ("想看动画片", "3"),
    ],
)
def test_it_finds_titles_texts_people_years_and_everyday_words(about, found):
    assert set(lexical(about)) == {found}


@pytest.mark.parametrize("about", ["", "please recommend a movie", "🎬", "xyzzy"])
def test_nothing_stated_or_nothing_in_common_is_zero(about):
    assert lexical(about) == {}


def test_retrieved_are_the_rows_that_match():
    scorer, user = LexicalScorer(), resolved({"about": "gardens, toys"}, item_store=STORE)
    (rows,) = scorer.retrieve(user, STORE, nearest=None)
    assert sorted(rows.tolist()) == [0, 2]


def test_facts_are_words_as_the_user_wrote_them():
    user = resolved({"about": "Scary Gardens, letters; in a GARDEN"}, item_store=STORE)
    scorer = LexicalScorer()
    assert scorer.facts("mentions_words", user, STORE, 0) == {"words": ["Gardens", "letters"]}
    assert scorer.facts("mentions_words", user, STORE, 1) is None  # "scary" is not stated of it


def test_facts_leave_out_words_that_were_read():
    piece = Piece(kind="title", value="1", words="Quiet Garden", start=5, end=17)
    text = "like Quiet Garden, with letters"
    read = Understood(text=text, wanted_text=text, pieces=(piece,))
    user = ResolvedProfile(UserProfile(about=text), Context(), understood=read)
    assert LexicalScorer().facts("mentions_words", user, STORE, 0) == {"words": ["letters"]}


def test_the_text_of_an_item_is_what_the_catalog_states():
    assert stated_text(STORE.items[1]) == "Alien Night\n1979\nHorror\nSci-Fi\nA. Weaver"


def test_only_the_end_of_a_long_conversation_counts():
    assert set(lexical("toys. " + "Hello there. " * 60 + "a garden")) == {"1"}


def test_threads_get_what_one_gets():
    scorer, texts = LexicalScorer(), ["garden", "toys", "scary", "letters"] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: lexical(text, scorer=scorer), texts))
    assert found == [lexical(text) for text in texts]


def test_scores_do_not_depend_on_the_rest_of_the_candidates():
    user = resolved({"about": "a garden"}, item_store=STORE)
    scorer = LexicalScorer()
    whole = scorer.columns(user, STORE)["lexical"]
    part = scorer.columns(user, STORE.part(np.array([0, 2]), []))["lexical"]
    np.testing.assert_array_equal(part, whole[[0, 2]])


def test_rejected_clauses_match_nothing():
    text = "a garden, no toys"
    read = Understood(text=text, wanted_text="a garden")
    user = ResolvedProfile(UserProfile(about=text), Context(), understood=read)
    values = LexicalScorer().columns(user, STORE)["lexical"]
    assert [STORE.ids[n] for n in np.flatnonzero(values)] == ["1"]


def test_limits_on_numbers_are_no_words_to_look_for():
    text = "toys and a garden, maybe an hour and a half"
    limit = Piece(
        kind="attribute",
        attribute="minutes",
        value="76 to 103 minutes",
        words="a garden",  # whatever stands for the limit
        start=9,
        end=17,
        low=76,
        high=103,
    )
    read = Understood(text=text, wanted_text=text, pieces=(limit,))
    user = ResolvedProfile(UserProfile(about=text), Context(), understood=read)
    values = LexicalScorer().columns(user, STORE)["lexical"]
    assert "1" not in {STORE.ids[n] for n in np.flatnonzero(values)}
