"""A small world with two groups of users, and a recommender of it without a language model."""

from __future__ import annotations

from functools import cache

import numpy as np

from coldstart import prompts
from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.data.requests.recorded import RecordedRequest, RequestItem
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


def toy_requests() -> tuple[RecordedRequest, ...]:
    """Twelve requests in people's own words for the films of the toy catalog."""
    rows = (
        ("something with aliens please", "i6 i7", ""),
        ("scary aliens in space", "i6", "i3"),
        ("a space adventure like Star Wars", "i17 i4", "i3"),
        ("space battles and aliens", "i3 i7", "i17"),
        ("a film about toys for my children", "i0 i1", ""),
        ("toys that come alive, for children", "i0 i2", "i1"),
        ("my children like toys", "i1", "i0"),
        ("a gangster drama", "i19 i20", ""),
        ("a crime drama like Fargo", "i16", "i12"),
        ("a dark crime drama", "i20 i10", "i16"),
        ("我想看一部中国剧情片", "i21 i22", ""),
        ("something scary", "i14 i15", "i6"),
    )
    return tuple(
        RecordedRequest(
            text,
            tuple(RequestItem(i, liked=n % 3 != 0) for n, i in enumerate(chosen.split(), start=1)),
            tuple(RequestItem(i, liked=True) for i in mentioned.split()),
            dialogue=f"d{at // 2}",
        )
        for at, (text, chosen, mentioned) in enumerate(rows)
    )


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
