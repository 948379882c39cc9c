"""MovieLens latest-small with ages and running times: films and users of ``ml_small``.

The ratings are those of the data set ``movies`` of the R package ggplot2movies (58,788 titles of
the Internet Movie Database up to 2005), joined by title and year. It has the ratings PG, PG-13, R
and NC-17 of films that were rated with a reason, which is nearly always from 1990 on, and no G. Of
the 9,061 films 2,130 have a rating: 2,056 of the 3,734 from 1990 to 2005, 74 of the 2,967 before,
none after; they have 41 % of all likes. The minimum age of all others is inferred from genres and
year (``age_ratings.inferred_min_age``). The attribute ``age_basis`` says which it is. Running
times, the attribute ``minutes``, are of the same table: 5,872 films have one. Languages: see
``film_languages``.
"""

from __future__ import annotations

import lzma
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.known_attributes import MINUTES
from coldstart.catalog.titles import clean_text, natural_title, without_article
from coldstart.data import ml_small
from coldstart.data.age_ratings import INFERRED, MPAA, RATED, inferred_min_age
from coldstart.data.film_languages import with_languages
from coldstart.data.pickled_table import read_pickled_table
from coldstart.errors import DataError
from coldstart.runtime import fetch

if TYPE_CHECKING:
    import polars as pl

    from coldstart.data.dataset import Dataset
    from coldstart.schema import Item

NAME = "movies"
LIKE_AT = ml_small.LIKE_AT
DISLIKE_AT = ml_small.DISLIKE_AT
YEARS_APART = 1
"""Largest difference of the two sources' years of one film."""
_SHORT, _FEW_VOTES = 60, 100  # minutes, users: shorter films with fewer are namesakes
_FILE = "movies.pkl.compress"


@dataclass(frozen=True)
class RatedFilm:
    """A film of ggplot2movies.

    Args:
        year: of release.
        votes: number of users of the Internet Movie Database who rated it.
        mpaa: MPAA rating; ``None``: not in the table.
        minutes: running time; ``None``: not in the table.
    """

    year: int
    votes: int
    mpaa: str | None
    minutes: int | None = None


def load_catalog(folder: Path | None = None) -> Catalog:
    """Load the films of ``ml_small`` with ``min_age``, ``age_basis`` and, if known, ``minutes``.

    Args:
        folder: folder of ``movies.pkl.compress``; ``None``: fetched into the cache.
    """
    return _enriched(ml_small.load_items(), _ratings(folder))


def load(folder: Path | None = None) -> Dataset:
    """Load the users, likes and dislikes of ``ml_small`` over the catalog with minimum ages.

    Args:
        folder: folder of ``movies.pkl.compress``; ``None``: fetched into the cache.

    Raises:
        DataError: the file is missing or damaged.
    """
    data = ml_small.load()
    return replace(data, name=NAME, catalog=_enriched(data.catalog, _ratings(folder)))


def _enriched(items: Iterable[Item], films: Mapping[str, list[RatedFilm]]) -> Catalog:
    return Catalog(with_languages(with_ages(items, films)))


def with_ages(items: Iterable[Item], films: Mapping[str, list[RatedFilm]]) -> Iterator[Item]:
    """Add ``min_age``, ``age_basis`` and known ``minutes`` to every film.

    Args:
        items: films with years and MovieLens genres.
        films: candidates of the join by normalised title.
    """
    return (_with_age(item, films) for item in items)


def _with_age(item: Item, films: Mapping[str, list[RatedFilm]]) -> Item:
    found = matching(item, films)
    rated = found is not None and found.mpaa in MPAA
    age = MPAA[str(found.mpaa)] if found and rated else inferred_min_age(item.categories, item.year)
    more = {"age_basis": RATED if rated else INFERRED}
    if found is not None and found.minutes and not _is_namesake(found):
        more[MINUTES] = str(found.minutes)
    return item.model_copy(update={"min_age": age, "attributes": item.attributes | more})


def _is_namesake(film: RatedFilm) -> bool:
    """Whether a film is rather a short one of the same name that few people have rated."""
    return (film.minutes or 0) < _SHORT and film.votes < _FEW_VOTES


def matching(item: Item, films: Mapping[str, list[RatedFilm]]) -> RatedFilm | None:
    """Find a film of the other source by title and year.

    Of several films with the same title the nearest year wins, then the most votes. The title
    before its first colon counts in the same year only ("Star Wars: Episode IV - A New Hope").

    Returns:
        The film, or ``None``.
    """
    if item.year is None:
        return None
    for title, apart in _titles(item.title):
        near = [f for f in films.get(title, ()) if abs(f.year - item.year) <= apart]
        if near:
            year = item.year
            return min(near, key=lambda film: (abs(film.year - year), -film.votes))
    return None


def _titles(title: str) -> Iterator[tuple[str, int]]:
    """Normalised titles of one film, the surest first, with the years they may be apart."""
    inside = re.findall(r"\(([^()]+)\)", title)
    outside = title.partition("(")[0]
    for name in (title, outside, *(name.removeprefix("a.k.a. ") for name in inside)):
        yield without_article(natural_title(name.strip())), YEARS_APART
    if ":" in outside:
        yield without_article(outside.partition(":")[0]), 0


def _ratings(folder: Path | None) -> dict[str, list[RatedFilm]]:
    """Read the films of ggplot2movies by normalised title."""
    path = (folder or fetch.fetch(fetch.MOVIES)) / _FILE
    hint = "run `coldstart fetch movies --force`"
    if not path.is_file():
        raise DataError(f"{path} is missing", hint=hint)
    try:
        data = lzma.decompress(path.read_bytes())
    except lzma.LZMAError as e:
        raise DataError(f"{path} is damaged: {e}", hint=hint) from e
    return by_title(read_pickled_table(data, str(path)))


def by_title(table: pl.DataFrame) -> dict[str, list[RatedFilm]]:
    """Group films by normalised title.

    Args:
        table: columns ``title``, ``year``, ``votes``, ``mpaa`` and ``length``.
    """
    films: dict[str, list[RatedFilm]] = defaultdict(list)
    columns = table.select("title", "year", "votes", "mpaa", "length")
    for title, year, votes, mpaa, length in columns.rows():
        minutes = None if length is None else int(length)
        film = RatedFilm(int(year), int(votes), mpaa, minutes)
        films[without_article(clean_text(title))].append(film)
    return dict(films)
