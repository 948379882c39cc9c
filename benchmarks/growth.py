"""How long a list takes from a thousand items to a million.

    python benchmarks/growth.py --out docs/results/growth

Titles are made as in ``catalog_scale.py``. People who like some of them are made up as well: each
has a taste, which is one of 200 regions of the catalog, and likes popular items of it (Zipf). The
language model, the ranker and its settings are the artifact's. Vectors of items are sums of random
vectors of their words instead of MiniLM's, which would take an hour for a million titles on two
cores; how long a search among them takes is the same.

A recommender of the smallest catalog answers between the requests of each other one, so that a busy
moment slows both: the ratio is what to look at.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from zlib import crc32

import numpy as np
from catalog_scale import made_titles
from results import Report, command_line, memory, table

from coldstart import Catalog, Item, Recommender, UserProfile
from coldstart.interactions.interaction_stats import Counts
from coldstart.runtime.hardware import use_all_cores

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DIMENSIONS, TASTES, PEOPLE, LIKES = 384, 200, 20_000, 20
CATEGORIES = ("Action", "Comedy", "Drama", "Horror", "Romance", "Sci-Fi", "Thriller", "War")
WAYS = {
    "prior, attributes": ("prior", 0),
    "prior, three picks": ("prior", 3),
    "catalog, attributes": ("catalog", 0),
    "catalog, three picks": ("catalog", 3),
}


class RandomWords:
    """Unit vectors of texts: the sum of a random vector for each word."""

    name = f"random-words-{DIMENSIONS}"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), 384)."""
        out = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                out[row] += _of_word(word)
        out[:, 0] += 1e-6  # no text is without length
        lengths = np.linalg.norm(out, axis=1, keepdims=True)
        return np.asarray(out / lengths, dtype=np.float32)


@lru_cache(maxsize=1 << 16)
def _of_word(word: str) -> np.ndarray:
    rng = np.random.default_rng(crc32(word.encode()))
    return rng.standard_normal(DIMENSIONS, dtype=np.float32)


def made_likes(n: int, seed: int = 0) -> tuple[dict[str, UserProfile], dict[str, list[str]]]:
    """People and what they like of items ``item-0`` … in the order of the likes."""
    rng = np.random.default_rng(seed)
    users, likes = {}, {}
    for person in range(PEOPLE):
        taste = rng.integers(TASTES)
        inside = np.minimum(rng.zipf(1.3, LIKES), n) - 1  # how popular within the taste
        anywhere = np.minimum(rng.zipf(1.2, LIKES // 4), n) - 1
        rows = [*(taste + TASTES * inside) % n, *anywhere]
        name = f"person-{person}"
        users[name] = UserProfile(age=int(rng.integers(15, 75)), gender="MF"[rng.integers(2)])
        likes[name] = [f"item-{row}" for row in dict.fromkeys(rows)]
    return users, likes


def made(n: int, artifact: str) -> tuple[Recommender, dict[str, float]]:
    """A recommender of ``n`` items, and the seconds it took to be made."""
    rng, spent = np.random.default_rng(1), {}
    start = time.perf_counter()
    titles, kinds = made_titles(n), rng.integers(0, len(CATEGORIES), (n, 2)).tolist()
    years = rng.integers(1930, 2026, n).tolist()
    catalog = Catalog(
        Item(
            item_id=f"item-{row}",
            title=title,
            year=years[row],
            categories=[CATEGORIES[c] for c in kinds[row]],
        )
        for row, title in enumerate(titles)
    )
    users, likes = made_likes(n)
    counts = Counts.fit(catalog.ids, users, likes)
    spent["catalog_and_counts_s"] = time.perf_counter() - start
    start = time.perf_counter()
    shipped = Recommender.from_pretrained(artifact)
    out = Recommender(
        catalog,
        shipped.lm,
        shipped.template,
        counts,
        RandomWords(),
        shipped.ranker,
        shipped.settings,
    )
    out.recommend({}, strategy="catalog")
    spent["first_list_s"] = time.perf_counter() - start
    return out, spent


def people(recommender: Recommender, picks: int, n: int) -> list[UserProfile]:
    """Who asks, with picks that other people made together."""
    ids = set(recommender.catalog.ids)
    users, likes = made_likes(len(ids), seed=1)
    names = list(users)[:n]
    return [users[u].model_copy(update={"liked": _picks(likes[u][:picks])}) for u in names]


def _picks(ids: Sequence[str]) -> tuple[object, ...]:
    return UserProfile.parse({"liked": [{"item": i} for i in ids]}).liked


def measure(n: int, artifact: str, requests: int) -> dict[str, object]:
    """All that is measured at one size; in a process of its own, for the sake of its memory."""
    use_all_cores()
    smallest, _ = made(SIZES[0], artifact)
    before = memory("VmRSS")
    recommender, spent = made(n, artifact)
    row: dict[str, object] = {"items": n, **spent}
    for name, (strategy, picks) in WAYS.items():
        waits: tuple[list[float], list[float]] = ([], [])
        asked = [people(r, picks, requests + 1) for r in (smallest, recommender)]
        for turn in range(requests + 1):
            for which, one in enumerate((smallest, recommender)):
                start = time.perf_counter()
                one.recommend(asked[which][turn], strategy=strategy)
                if turn:  # the first one pays for what is kept
                    waits[which].append(1e3 * (time.perf_counter() - start))
        medians = [float(np.median(w)) for w in waits]
        row[name] = {
            "p50_ms": medians[1],
            "p95_ms": float(np.quantile(waits[1], 0.95)),
            "smallest_p50_ms": medians[0],
            "ratio": medians[1] / medians[0],
        }
    start = time.perf_counter()
    recommender.catalog.add(Item(item_id="new", title="Something Entirely New", year=2026))
    recommender.recommend({}, strategy="catalog")
    row["list_after_an_addition_s"] = time.perf_counter() - start
    row["memory_mb"] = memory("VmRSS") - before
    row["peak_mb"] = memory("VmHWM")
    return row


def quantities(rows: Sequence[dict[str, object]]) -> str:
    """One line for each quantity, one column for each size."""
    lines: list[list[str]] = []
    for name in WAYS:
        found: list[dict[str, float]] = [r[name] for r in rows]  # type: ignore[misc]
        lines += [
            [f"{name}: p50, ms", *(f"{f['p50_ms']:.0f}" for f in found)],
            [f"{name}: p95, ms", *(f"{f['p95_ms']:.0f}" for f in found)],
            [f"{name}: p50 ÷ that of {SIZES[0]:,} items in the same run"]
            + [f"{f['ratio']:.2f}" for f in found],
        ]
    for key, name in {
        "catalog_and_counts_s": "making catalog and counts, s",
        "first_list_s": "first list, everything prepared for it, s",
        "list_after_an_addition_s": "next list after an item was added, s",
        "memory_mb": "memory more than at first, MB",
        "peak_mb": "peak of the process, MB",
    }.items():
        lines.append([name, *(f"{r[key]:,.1f}" for r in rows)])
    return table(["", *(f"{r['items']:,}" for r in rows)], lines)


def main() -> None:
    """Measure every size and print the table."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--requests", type=int, default=20, help="of each kind")
    chosen = parser.parse_args()
    report = Report("A list by size of the catalog", "numpy", "torch")
    rows = []
    for n in chosen.sizes:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            rows.append(pool.submit(measure, n, chosen.artifact, chosen.requests).result())
        print(json.dumps(rows[-1]), flush=True)
    told = f"The clock's time of one list of ten, of {chosen.requests} requests each."
    report.publish(chosen.out, [told, quantities(rows)], {"rows": rows})


if __name__ == "__main__":
    main()
