"""The small artifact of the golden lists: ``python -m tests.small_artifact`` trained it, once.

A world of 24 films with attributes, 160 people of two tastes, a tiny random Llama as base model,
and the packaged sentence encoder. There are enough people for trees.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.schema import Item, UserProfile
from coldstart.splitting.user_splits import split_users
from coldstart.training.run import train
from tests.fakes_lm import TITLES
from tests.toy import save_tiny_base, toy_config

ROOT = Path(__file__).parent.parent
FOLDER = Path("tests/data/small")


def small_dataset() -> Dataset:
    """People of two tastes; every film has a studio and an age from which it is suitable."""
    rng = np.random.default_rng(5)
    items = [
        Item(
            item_id=f"i{n}",
            title=title,
            year=1970 + n,
            categories=("Sci-Fi",) if n % 2 else ("Drama", "Classic") if n % 3 else ("Drama",),
            attributes={"studio": f"studio {n % 5}"},
            min_age=18 if n % 7 == 0 else None,
        )
        for n, title in enumerate(TITLES)
    ]
    catalog = Catalog.from_items(items)
    ids, users, likes, dislikes = list(catalog.ids), {}, {}, {}
    for n in range(160):
        student = n % 2 == 1
        weight = np.array(
            [(3.0 if (m % 2 == 1) == student else 1.0) / (1 + m / 9) for m in range(24)]
        )
        liked = rng.choice(ids, size=9, replace=False, p=weight / weight.sum())
        likes[f"u{n}"] = tuple(str(i) for i in liked)
        dislikes[f"u{n}"] = (next(i for i in ids if i not in likes[f"u{n}"]),)
        users[f"u{n}"] = UserProfile(
            age=int(rng.integers(15, 60)),
            gender="F" if n % 4 < 2 else "M",
            occupation="student" if student else "nurse",
        )
    return Dataset("small", catalog, users, likes, dislikes)


def main() -> None:
    """Train it into ``tests/data/small``, from the repository's root."""
    os.chdir(ROOT)
    data = small_dataset()
    split = split_users(list(data.likes), valid=0.15, test=0.05)
    base = save_tiny_base(FOLDER / "base")
    shutil.rmtree(FOLDER / "artifact", ignore_errors=True)
    with tempfile.TemporaryDirectory() as run:
        config = toy_config(base, prompt="catalog-en", epochs=2, valid_users=8)
        train(data, split, config, FOLDER / "artifact", runs=Path(run))


if __name__ == "__main__":
    main()
