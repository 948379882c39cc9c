"""A catalog with every genre of MovieLens, a few titles and people; and a shop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Item, Understood, UserProfile
from coldstart.understanding.reader import RequestReader

GENRES = (
    "Action Adventure Animation Children Comedy Crime Documentary Drama Fantasy Film-Noir Horror "
    "Musical Mystery Romance Sci-Fi Thriller War Western"
).split()
TITLES = (
    "Toy Story|Alien|Heat|Titanic|Pulp Fiction|The Dark Knight|The Big Lebowski|Saw|Fargo|"
    "Star Wars: Episode IV - A New Hope|Once Upon a Time in the West|Something New|"
    "Love & Friendship|A Fish Called Wanda|The Mask|Brazil|War|Robots|霸王别姬|"
    "卧虎藏龙 (Crouching Tiger, Hidden Dragon)"
).split("|")


@pytest.fixture(scope="session")
def films() -> Catalog:
    genres = [
        Item(item_id=f"g{n}", title=f"Zzyzx {n}", year=1930 + 5 * n, categories=(genre,))
        for n, genre in enumerate(GENRES)
    ]
    titles = [
        Item(item_id=title.split(" (")[0], title=title, year=1975 + n, categories=("Drama",))
        for n, title in enumerate(TITLES)
    ]
    people = [
        Item(
            item_id="p0",
            title="Zzyzx by people",
            year=1990,
            attributes={
                "director": "Sofia Coppola|Akira Kurosawa",
                "stars": "Tom Hanks, Meg Ryan",
                "language": "French",
            },
        )
    ]
    return Catalog([*genres, *titles, *people])


@pytest.fixture(scope="session")
def reader(films) -> RequestReader:
    users = {"u": UserProfile()}
    return RequestReader(films, Counts.fit(list(films.ids), users, {"u": ["Heat"]}))


@pytest.fixture(scope="session")
def shop() -> RequestReader:
    catalog = Catalog(
        [
            Item(
                item_id="1",
                title="Pegasus 40",
                categories=("Running shoes",),
                attributes={"brand": "Nike", "color": "red"},
            ),
            Item(
                item_id="2",
                title="Samba",
                categories=("Trainers",),
                attributes={"brand": "Adidas", "color": "black", "material": "suede|rubber"},
            ),
        ]
    )
    return RequestReader(catalog, Counts.fit(["1", "2"], {}, {}))


@pytest.fixture(scope="session")
def told() -> Callable[[Understood], set[str]]:
    """Pieces in short: "+Horror", "-Horror", "~Comedy" (inferred), "!Comedy" (inferred, rejected).

    Of a mood and of a child, their own name alone, and so of a word that stands for others; of a
    topic that is a guess at a category, that alone; values of one group are joined by "|".
    """

    def short(understood: Understood) -> set[str]:
        pieces = understood.pieces
        moods = {(p.start, p.end) for p in pieces if p.kind in ("tone", "audience")}
        words = {(p.start, p.end) for p in pieces if p.kind in ("term", "type")}
        out: set[str] = set()
        groups: dict[int, list[str]] = {}
        guessed = {(p.start, p.end) for p in pieces if p.kind == "category"}
        for p in pieces:
            if p.value == "mild" or (
                p.kind == "phrase" and p.wanted and (p.start, p.end) in guessed
            ):
                continue
            if p.kind not in ("tone", "audience") and (p.start, p.end) in moods:
                continue
            if p.kind in ("category", "attribute") and (p.start, p.end) in words:
                continue
            sign = ("+" if p.strict else "~") if p.wanted else ("-" if p.strict else "!")
            if p.kind in ("tone", "audience", "title"):
                mark = {"tone": "tone", "audience": "age", "title": "title"}[p.kind]
                out.add(f"{'+' if p.wanted else '-'}{mark}:{p.value}")
            elif p.wanted and p.group:
                groups.setdefault(p.group, []).append(sign + p.value)
            else:
                out.add(sign + p.value)
        return out | {"|".join(dict.fromkeys(values)) for values in groups.values()}

    return short
