from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.encoding.vector_cache import CachedEncoder
from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index.exact import ExactIndex
from coldstart.schema import Candidate, Item
from tests.fakes import FakeEncoder

TITLES = {
    "1": "Toy Story",
    "2": "The Godfather",
    "3": "The Godfather: Part II",
    "4": "Sabrina (1954)",
    "5": "Sabrina (1995)",
    "50": "Star Wars",
    "6": "💀",
    "7": "A " + "very " * 100 + "long title",
}


class TinyCatalog:
    """The part of a catalog that grounding sees."""

    def __init__(self, titles: dict[str, str]) -> None:
        self.items = {i: Item(item_id=i, title=title) for i, title in titles.items()}
        self.log: list[tuple[str, bool]] = []

    @property
    def version(self) -> int:
        return len(self.log)

    @property
    def ids(self) -> list[str]:
        return list(self.items)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self.items

    def __getitem__(self, item_id: str) -> Item:
        return self.items[item_id]

    def put(self, item_id: str, title: str) -> None:
        self.items[item_id] = Item(item_id=item_id, title=title)
        self.log.append((item_id, True))

    def remove(self, item_id: str) -> None:
        del self.items[item_id]
        self.log.append((item_id, False))

    def changes_since(self, version: int) -> tuple[frozenset[str], frozenset[str]]:
        touched = {i for i, _ in self.log[version:]}
        return frozenset(touched & self.items.keys()), frozenset(touched - self.items.keys())

    def find_title(self, text: str) -> tuple[str, ...]:
        key = self.key(text)
        return tuple(i for i, item in self.items.items() if key and self.key(item.title) == key)

    @staticmethod
    def key(title: str) -> str:
        return re.sub(r"\(\d{4}\)$|^the |[.,:!]", "", title.casefold()).strip()


@pytest.fixture
def fake():
    return FakeEncoder()


@pytest.fixture
def catalog():
    return TinyCatalog(TITLES)


@pytest.fixture
def grounder(fake, catalog):
    grounder = Grounder(fake, ExactIndex(), threshold=0.6)
    grounder.sync(catalog)
    fake.calls.clear()
    return grounder


def ids(grounding):
    return [match.item_id for match in grounding.matches]


def test_ids_that_came_with_the_candidate_are_kept(grounder, fake):
    candidate = Candidate(text="Sabrina", logprob=-1, strategy="catalog", item_ids=("4", "5"))
    (grounding,) = grounder.ground([candidate])
    assert (grounding.method, ids(grounding)) == ("trie", ["4", "5"])
    assert grounding.candidate is candidate
    assert fake.calls == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("toy story!", ["1"]),
        ("Godfather", ["2"]),
        (" Star Wars (1977) ", ["50"]),
        ("Sabrina", ["4", "5"]),
        ("💀", ["6"]),
        (TITLES["7"], ["7"]),
    ],
)
def test_the_same_title_is_exact_and_means_every_item_of_that_title(grounder, fake, text, expected):
    (grounding,) = grounder.ground_texts([text])
    assert (grounding.method, ids(grounding)) == ("exact", expected)
    assert {match.similarity for match in grounding.matches} == {1.0}
    assert fake.calls == []


def test_a_near_title_is_found_by_similarity_best_first(grounder):
    (grounding,) = grounder.ground_texts(["The Godfathr: Part II"])
    assert (grounding.method, ids(grounding)) == ("similarity", ["3"])
    assert 1 > grounding.matches[0].similarity >= 0.6
    grounder.threshold = 0.2
    (grounding,) = grounder.ground_texts(["Toy Wars Story"])
    assert (grounding.method, ids(grounding)) == ("similarity", ["1", "50", "2"])
    best, second, _ = (match.similarity for match in grounding.matches)
    assert 1 > best > second >= 0.2


def test_similarity_finds_items_of_one_title_together_up_to_k(grounder):
    assert ids(grounder.ground_texts(["Sabrinna"])[0]) == ["4", "5"]
    assert ids(grounder.ground_texts(["Sabrinna"], k=1)[0]) == ["4"]


def test_a_title_far_from_all_abstains(grounder):
    (grounding,) = grounder.ground_texts(["Inception"])
    assert grounding.abstained
    assert (grounding.method, grounding.matches) == ("abstained", ())


def test_titles_are_not_ids(grounder):
    assert grounder.ground_texts(["50"])[0].abstained


def test_empty_texts_abstain_unread_and_endless_ones_are_cut(grounder, fake):
    texts = ["", " \n\t ", "\ud800", "x" * 1_000_000]
    assert all(grounding.abstained for grounding in grounder.ground_texts(texts))
    assert [len(text) for text in fake.texts] == [1, 2000]


def test_one_call_encodes_each_text_once_and_without_its_year(grounder, fake):
    texts = ["Toy Storie", "Toy  Storie (1995)", "Toy Story", "Heat", "Toy&#32;Storie\n"]
    found = grounder.ground_texts(texts)
    assert fake.calls == [["Toy Storie", "Heat"]]
    assert [ids(g) for g in found] == [["1"], ["1"], ["1"], [], ["1"]]


@given(st.lists(st.sampled_from([*TITLES.values(), "Godfater", "Sabrinna", "?", "Heat", ""])))
def test_a_batch_equals_the_singles(texts):
    grounder = Grounder(FakeEncoder(), ExactIndex())
    grounder.sync(TinyCatalog(TITLES))
    assert grounder.ground_texts(texts) == [grounder.ground_texts([t])[0] for t in texts]


def test_only_allowed_ids_are_found(grounder):
    candidate = Candidate(text="Sabrina", logprob=-1, strategy="catalog", item_ids=("4", "5"))
    assert ids(grounder.ground([candidate], allowed=["5"])[0]) == ["5"]
    assert grounder.ground([candidate], allowed=["1"])[0].method == "abstained"
    assert ids(grounder.ground_texts(["Sabrina"], allowed=["5"])[0]) == ["5"]
    assert ids(grounder.ground_texts(["Sabrinna"], allowed=["5"])[0]) == ["5"]
    assert grounder.ground_texts(["Sabrina"], allowed=[])[0].method == "abstained"


def test_a_known_title_that_is_not_allowed_goes_to_its_nearest_allowed_neighbour(fake, catalog):
    catalog.put("9", "The Godmother")
    grounder = Grounder(fake, ExactIndex(), threshold=0.5)
    grounder.sync(catalog)
    (grounding,) = grounder.ground_texts(["The Godfather"], allowed=["1", "3", "9"])
    assert (grounding.method, ids(grounding)) == ("similarity", ["9"])


def test_changes_of_the_catalog_are_followed_without_encoding_the_rest(grounder, catalog, fake):
    catalog.put("8", "Heat")
    catalog.put("1", "Casablanca")
    catalog.remove("50")
    found = grounder.ground_texts(["Heatt", "Toy Storyy", "Casablanka", "Star Warz"])
    assert [ids(g) for g in found] == [["8"], [], ["1"], []]
    assert fake.calls[0] == ["Casablanca", "Heat"]
    assert len(grounder.index) == len(catalog.ids)


def test_another_catalog_replaces_the_first(grounder):
    grounder.sync(TinyCatalog({"1": "Heat"}))
    found = grounder.ground_texts(["Heatt", "Star Warz"])
    assert [ids(g) for g in found] == [["1"], []]
    assert list(grounder.index) == ["1"]


def test_what_left_the_catalog_while_nobody_looked_is_not_found(fake, catalog):
    index = ExactIndex()
    Grounder(fake, index).sync(TinyCatalog(TITLES | {"gone": "Heat"}))
    again = Grounder(fake, index)  # after a restart, on an index that outlives it
    again.sync(catalog)
    assert set(index) == set(catalog.ids)
    assert "gone" not in [m.item_id for g in again.ground_texts(["Heat"]) for m in g.matches]


def test_an_empty_catalog_abstains(fake):
    grounder = Grounder(fake, ExactIndex())
    grounder.sync(TinyCatalog({}))
    assert grounder.ground_texts(["Heat"])[0].abstained
    assert grounder.ground_texts([]) == []


def test_a_cache_remembers_the_catalog_and_not_the_queries(fake, catalog):
    cached = CachedEncoder(fake, None)
    grounder = Grounder(cached, ExactIndex())
    grounder.sync(catalog)
    grounder.ground_texts(["Heat"])
    assert len(cached) == len(TITLES) - 1  # two films are called Sabrina


def test_options_out_of_range_and_a_missing_catalog(grounder, fake):
    with pytest.raises(ConfigError, match="threshold is 1.5"):
        Grounder(fake, ExactIndex(), threshold=1.5)
    with pytest.raises(ConfigError, match="k is 0"):
        grounder.ground_texts(["Heat"], k=0)
    with pytest.raises(CatalogError, match="knows no catalog"):
        Grounder(fake, ExactIndex()).ground_texts(["Heat"])


SERIES = Catalog(
    Item(item_id=item_id, title=title, year=year)
    for item_id, title, year in (
        ("rocky", "Rocky", 1976),
        ("rocky2", "Rocky II", 1979),
        ("rocky3", "Rocky III", 1982),
        ("rocky5", "Rocky V", 1990),
        ("hard", "Die Hard", 1988),
        ("psycho", "Psycho", 1960),
        ("star", "Star Wars", 1977),
        ("terminator", "The Terminator", 1984),
        ("boot", "Boot, Das (Boat, The)", 1981),
        *((f"cinderella{year}", "Cinderella", year) for year in range(1900, 2000, 5)),
    )
)


@pytest.fixture(scope="module")
def of_series():
    grounder = Grounder(FakeEncoder(), ExactIndex(), threshold=0.3)
    grounder.sync(SERIES)
    return grounder


@pytest.mark.parametrize(
    "text",
    [
        "Rocky IV",
        "Rocky 4",
        "Rocky Four",
        "Rocky, Part IV",
        "Rocky II (2006)",
        "Rocky 2006",
        "Psycho (1998)",
        "Psycho 1998",
        "Star Wars: Episode V",
        "Star Wars 2: Subtitle",
        "Terminator 2: Judgment Day",
        "The Terminator II",
        "Die Hard 2",
        "Die Hard: Part Three",
    ],
)
def test_another_part_of_a_series_or_another_year_abstains(of_series, text):
    (grounding,) = of_series.ground_texts([text])
    assert (grounding.method, ids(grounding)) == ("abstained", [])


@pytest.mark.parametrize(
    ("text", "method", "item_id"),
    [
        ("Rocky 2", "similarity", "rocky2"),
        ("Rocky Part Two", "similarity", "rocky2"),
        ("Rocky V (1990)", "exact", "rocky5"),
        ("Rocky V (1991)", "similarity", "rocky5"),
        ("Rocky 1", "similarity", "rocky"),
        ("Psycho (1961)", "similarity", "psycho"),
        ("Hard", "similarity", "hard"),
        ("The Boat", "exact", "boot"),
        ("Das Boot", "exact", "boot"),
        ("Cinderela (1995)", "similarity", "cinderella1995"),
    ],
)
def test_the_part_and_the_year_that_were_written_are_found(of_series, text, method, item_id):
    (grounding,) = of_series.ground_texts([text], k=1)
    assert (grounding.method, ids(grounding)) == (method, [item_id])
