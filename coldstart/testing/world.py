"""A small world with two groups of users, and a recommender of it without a language model."""

from __future__ import annotations

from functools import cache

import numpy as np

from coldstart import prompts
from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.recommender import Recommender
from coldstart.schema import Item, UserProfile
from coldstart.scoring.scorers import Scorers
from coldstart.testing.trigrams import TrigramEncoder

TITLES = (
    "Toy Story|Toy Story 2|Toy|Star Wars|Star Trek|Star Trek: First Contact|Alien|Aliens|"
    "Twelve Monkeys|The Matrix|The Usual Suspects|The Usual|Fargo|Contact|Scream|Scream 2|Heat|"
    "Return of the Jedi|Raiders of the Lost Ark|The Godfather|Pulp Fiction|红高粱|霸王别姬|🎬 Movie"
).split("|")


def toy_catalog() -> Catalog:
    """24 films, i0 to i23: every second one is science fiction, the others are drama."""
    return Catalog.from_items(
        Item(
            item_id=f"i{n}",
            title=title,
            year=1970 + n,
            categories=("Sci-Fi",) if n % 2 else ("Drama",),
        )
        for n, title in enumerate(TITLES)
    )


@cache
def toy_dataset() -> Dataset:
    """Likes of 60 users: students like science fiction, nurses drama, and all one other film."""
    rng = np.random.default_rng(0)
    catalog = toy_catalog()
    ids = list(catalog.ids)
    users, likes, dislikes = {}, {}, {}
    for n in range(60):
        student = n % 2 == 1
        own = [i for m, i in enumerate(ids) if (m % 2 == 1) == student]
        other = [i for m, i in enumerate(ids) if (m % 2 == 1) != student]
        chosen = [str(i) for i in rng.permutation(own)[:8]] + [str(rng.choice(other))]
        users[f"u{n}"] = UserProfile(
            age=20 + n % 3,
            gender="F" if n % 4 < 2 else "M",
            occupation="student" if student else "nurse",
        )
        likes[f"u{n}"] = tuple(dict.fromkeys(chosen))
        dislikes[f"u{n}"] = (next(i for i in other if i not in chosen),)
    return Dataset("toy", catalog, users, likes, dislikes)


def toy_prior_recommender(ranker: BlendRanker | None = None) -> Recommender:
    """A recommender of the toy catalog for ``strategy="prior"``, its scorers fitted on all users.

    Args:
        ranker: ``None``: the default weights of all registered signals.
    """
    data, scorers = toy_dataset(), Scorers()
    scorers.fit(data, list(data.likes))
    return Recommender(
        toy_catalog(),
        None,
        prompts.load("movies-en"),
        Counts.fit(data.catalog.ids, data.users, data.likes),
        TrigramEncoder(),
        ranker or BlendRanker.default(),
        scorers=scorers,
    )
