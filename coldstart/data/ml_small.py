"""MovieLens latest-small (2016): 671 users without attributes, 9,061 films, 99,997 ratings.

F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015.
For research use; fetched into the user's cache, never shipped. The published copy lacks the titles
of five more films (seven ratings), which are left out.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import clean_text, natural_title
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.data.pickled_table import read_pickled_table
from coldstart.errors import DataError
from coldstart.runtime import fetch
from coldstart.schema import Item

NAME = "ml-small"
LIKE_AT = 4.0
DISLIKE_AT = 2.0
_FILE = "movielens.pkl.compress"
_NO_GENRES = "(no genres listed)"


def load_catalog(folder: Path | None = None) -> Catalog:
    """Load the films; titles in natural order ("The Usual Suspects"), genres as categories."""
    return Catalog(load_items(folder))


def load_items(folder: Path | None = None) -> Iterator[Item]:
    """Load the films without building their catalog, in the order of their numbers."""
    return _items(_read(folder))


def load(folder: Path | None = None) -> Dataset:
    """Load the dataset; ratings (0.5 to 5) of at least 4 are likes, of at most 2 dislikes.

    Args:
        folder: folder of ``movielens.pkl.compress``; ``None``: fetched into the cache.

    Raises:
        DataError: the file is missing or damaged.
    """
    table = _read(folder)
    ratings = table.select(
        pl.col("userId").alias("user_id"),
        pl.col("movieId").alias("item_id"),
        "rating",
        pl.col("timestamp").cast(pl.Float64),
    )
    return dataset_from_frames(
        NAME, Catalog(_items(table)), ratings, like_at=LIKE_AT, dislike_at=DISLIKE_AT
    )


def _items(table: pl.DataFrame) -> Iterator[Item]:
    films = table.select("movieId", "title", "year", "genres").unique("movieId").sort("movieId")
    return (
        Item(
            item_id=str(item_id),
            title=natural_title(clean_text(title)),
            year=int(year),
            categories=tuple(g for g in genres.split("|") if g != _NO_GENRES),
        )
        for item_id, title, year, genres in films.rows()
    )


def _read(folder: Path | None) -> pl.DataFrame:
    """Read the table: one row per rating of a film with a title."""
    path = (folder or fetch.fetch(fetch.ML_SMALL)) / _FILE
    hint = "run `coldstart fetch ml-small --force`"
    if not path.is_file():
        raise DataError(f"{path} is missing", hint=hint)
    try:
        data = lzma.decompress(path.read_bytes())
    except lzma.LZMAError as e:
        raise DataError(f"{path} is damaged: {e}", hint=hint) from e
    return read_pickled_table(data, str(path)).filter(pl.col("title").is_not_null())
