"""Languages of MovieLens-small's films: of films that exist, each once, and right where known."""

from __future__ import annotations

import pytest

from coldstart.catalog.known_attributes import FOREIGN, FOREIGN_VALUE, LANGUAGE
from coldstart.data import movies
from coldstart.data.film_languages import film_languages


@pytest.fixture(scope="module")
def films():
    return movies.load_catalog()


def test_every_row_is_a_film_of_the_catalog(films):
    known = film_languages()
    assert len(known) > 1000
    assert set(known) <= set(films.ids)
    assert all(name[0].isupper() and name != "English" for name in known.values())


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Amelie (Le Fabuleux destin d'Amélie Poulain)", "French"),
        ("Seven Samurai (Shichinin no samurai)", "Japanese"),
        ("Memories of Murder (Salinui chueok)", "Korean"),
        ("The Lives of Others (Das leben der Anderen)", "German"),
        ("Pan's Labyrinth (El laberinto del fauno)", "Spanish"),
        ("In the Mood For Love (Fa yeung nin wa)", "Cantonese"),
        ("The Godfather", None),
        ("The Good, the Bad and the Ugly (Buono, il brutto, il cattivo, Il)", None),
        ("Slumdog Millionaire", None),
    ],
)
def test_well_known_films(films, title, language):
    found = [films[i].attributes for i in films.find_title(title)]
    assert [a.get(LANGUAGE) for a in found] == [language]
    assert [a.get(FOREIGN) for a in found] == [language and FOREIGN_VALUE]
