"""How often people who are rejected are in a list all the same: "nothing with Tom Cruise".

    python benchmarks/rejected_people.py --requests FOLDER --out docs/results/rejected-people

The films of the artifact name nobody; who plays in them and who directed them is known from
ReDial's folder (``items.parquet`` and ``movielens_match.parquet``), and used to judge only. The
people are those whose films were mentioned most in the requests. The language model is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import polars as pl
from results import Report, command_line, table

from coldstart import Recommender
from coldstart.metrics.significance import bootstrap_interval

FEWEST_FILMS = 6
"""Films of a person that the catalog must have."""


def people_of(folder: Path, recommender: Recommender, most: int) -> dict[str, set[str]]:
    """Ids of the films of each person, the people who are mentioned most."""
    matched = pl.read_parquet(folder / "movielens_match.parquet")
    films = {str(row["id"]): str(row["ml_id"]) for row in matched.to_dicts()}
    found: dict[str, set[str]] = defaultdict(set)
    mentions: Counter[str] = Counter()
    for row in pl.read_parquet(folder / "items.parquet").to_dicts():
        film = films.get(str(row["item_id"]))
        if film is None or film not in recommender.catalog:
            continue
        for name in filter(None, f"{row['stars'] or ''}|{row['directors'] or ''}".split("|")):
            found[name].add(film)
            mentions[name] += row["n_mentions"]
    names = [name for name, _ in mentions.most_common() if len(found[name]) >= FEWEST_FILMS]
    return {name: found[name] for name in names[:most]}


def share(recommender: Recommender, text: str, films: set[str], *, phrases: bool = True) -> float:
    """Share of a list of ten that are films of a person.

    Args:
        recommender: makes the list.
        text: of the request.
        films: of the person.
        phrases: whether rejected words that no item has count; if not, they are not read.
    """
    read = recommender.resolve({"about": text}).understood
    kept = tuple(piece for piece in read.pieces if phrases or piece.kind != "phrase")
    made = recommender.recommend(
        {"about": text}, strategy="prior", understood=read.model_copy(update={"pieces": kept})
    )
    return float(np.mean([item in films for item in made.item_ids]))


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/movies")
    parser.add_argument("--requests", type=Path, required=True, help="folder of ReDial")
    parser.add_argument("--people", type=int, default=60)
    options = parser.parse_args()
    report = Report("Rejected people in a list of ten", "numpy")
    recommender = Recommender.from_pretrained(options.artifact)
    found: dict[str, list[float]] = defaultdict(list)
    for name, films in people_of(options.requests, recommender, options.people).items():
        kinds = Counter(c for film in sorted(films) for c in recommender.catalog[film].categories)
        kind = kinds.most_common(1)[0][0].lower()
        rejected = f"a {kind} film, but nothing with {name}"
        found["not named"].append(share(recommender, f"a {kind} film", films))
        found["rejected, the words not looked up"].append(
            share(recommender, rejected, films, phrases=False)
        )
        found["rejected"].append(share(recommender, rejected, films))
        found["wanted"].append(share(recommender, f"I'd like something with {name}", films))
    figures = {}
    for name, values in found.items():
        low, high = bootstrap_interval(values, seed=0)
        figures[name] = {
            "people": len(values),
            "share": round(float(np.mean(values)), 3),
            "low": round(low, 3),
            "high": round(high, 3),
        }
    difference = np.subtract(found["rejected"], found["rejected, the words not looked up"])
    low, high = bootstrap_interval(difference, seed=0)
    figures["looked up less not"] = {
        "people": len(difference),
        "share": round(float(difference.mean()), 3),
        "low": round(low, 3),
        "high": round(high, 3),
    }
    rows = [(n, f["people"], f["share"], f"{f['low']} to {f['high']}") for n, f in figures.items()]
    head = ("the person is", "people", "share of ten films with them", "95 % interval")
    report.publish(options.out, [table(head, rows)], figures)


if __name__ == "__main__":
    main()
