"""MovieLens 100K: 943 users with age, gender and occupation, 1,682 films, 100,000 ratings.

F. M. Harper and J. A. Konstan, "The MovieLens Datasets: History and Context", ACM TiiS 5(4), 2015.
For research use; fetched into the user's cache, never shipped.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import clean_text, natural_title
from coldstart.data.dataset import Dataset, dataset_from_frames
from coldstart.errors import DataError
from coldstart.runtime import fetch
from coldstart.schema import Item, UserProfile

NAME = "ml-100k"
LIKE_AT = 4.0
DISLIKE_AT = 2.0


def load_catalog(folder: Path | None = None) -> Catalog:
    """Load the films; titles in natural order ("The Usual Suspects"), genres as categories."""
    rows = _read(folder, "item").rows()
    return Catalog.from_items(
        Item(
            item_id=item_id,
            title=natural_title(clean_text(title)),
            year=int(year) if year.isdigit() else None,
            categories=tuple(g for g in (genres or "").split() if g != "unknown"),
        )
        for item_id, title, year, genres in rows
    )


def load(folder: Path | None = None) -> Dataset:
    """Load the dataset; ratings of 4 and 5 are likes, of 1 and 2 dislikes.

    Args:
        folder: folder of ``ml-100k.item`` and its siblings; ``None``: fetched into the cache.
    """
    users = {
        user: UserProfile(age=int(age), gender=gender, occupation=occupation)
        for user, age, gender, occupation, _ in _read(folder, "user").rows()
    }
    ratings = _read(folder, "inter").select(
        "user_id",
        "item_id",
        pl.col("rating").cast(pl.Float64),
        pl.col("timestamp").cast(pl.Float64),
    )
    return dataset_from_frames(
        NAME, load_catalog(folder), ratings, users, like_at=LIKE_AT, dislike_at=DISLIKE_AT
    )


def _read(folder: Path | None, kind: str) -> pl.DataFrame:
    path = (folder or fetch.fetch(fetch.ML_100K)) / f"ml-100k.{kind}"
    if not path.is_file():
        raise DataError(f"{path} is missing", hint="run `coldstart fetch ml-100k --force`")
    table = pl.read_csv(path, separator="\t", quote_char=None, infer_schema=False)
    return table.rename({c: c.split(":")[0] for c in table.columns})
