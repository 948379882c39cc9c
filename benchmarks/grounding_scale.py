"""Nearest titles in catalogs of ten thousand to a million: time, recall and memory by filter.

    OMP_NUM_THREADS=1 python benchmarks/grounding_scale.py --out docs/results/grounding-scale

Vectors are the encoder's own for the distinct MovieLens titles, as far as they go. Each further one
is made of them: a random title, moved by up to half the way to one of its ten nearest titles, plus
a deviation of length 0.3 to 0.9, which is a random sum of four differences between neighbouring
titles; scaled to length 1. Deviations thus go where titles really differ. Half of the queries are
rows of the catalog with such a deviation of length 0.3 to 0.6 (a title that is nearly right), half
are made in the same way from a tenth of the titles that is held out of everything else (a title the
catalog lacks).

Filters allow random rows, or, "alike", those nearest to one title: a genre, far from most queries.
They are prepared once (``Allowed``), or come with each query as a list of ids. Times are medians of
single queries, by the clock, and of the processor, which other work on the machine disturbs less.
Recall is the share of the ten nearest by ``ExactIndex`` that are found. With ``--faiss``
``FaissIndex`` is measured, too: lists of floats, bytes (SQ8) and codes of 48 bytes (PQ48), and, up
to 100,000 rows, a graph. Its bytes per row are those of its file.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from results import Report, command_line, memory, table

from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.titles import natural_title, split_year
from coldstart.data.named import NAMED
from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.approximate import ApproximateIndex
from coldstart.grounding.index.exact import ExactIndex
from coldstart.runtime.models import DEFAULT_ENCODER

Floats = NDArray[np.float32]
Search = Callable[[Floats, str], list[list[str]]]

K, BATCH = 10, 32
FILTERS = {"all": 1.0, "10 %": 0.1, "1 %": 0.01, "0.1 %": 0.001, "10 % alike": 0.1}
MOST_HNSW = 100_000  # rows; a million take half an hour to link


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    rows: int
    index: str
    allowed: str
    ms: float  # median of single queries, the filter prepared
    cpu_ms: float  # the same, processor time
    ms_list: float | None  # the same, the filter a list of ids
    per_second: float  # queries in batches of 32, the filter prepared
    recall: float
    build_s: float  # processor time
    bytes_per_row: float


class Titles:
    """Real title vectors, and any number of others like them.

    Args:
        vectors: unit rows, shape (N, dim).
        rng: chooses.
    """

    def __init__(self, vectors: Floats, rng: np.random.Generator) -> None:
        self.vectors, self._rng = vectors, rng
        cosines = vectors @ vectors.T
        np.fill_diagonal(cosines, -2)
        self._near = np.argpartition(-cosines, 10, axis=1)[:, :10]

    def more(self, n: int, low: float = 0.3, high: float = 0.9) -> Floats:
        """Further titles, shape (n, dim); ``low`` and ``high`` bound how far they deviate."""
        parts = [self._block(min(20_000, n - at), low, high) for at in range(0, n, 20_000)]
        return np.concatenate([np.empty((0, self.vectors.shape[1]), np.float32), *parts])

    def deviate(self, rows: Floats, low: float, high: float) -> Floats:
        """Move unit rows in directions in which neighbouring titles differ."""
        noise = np.zeros_like(rows)
        for _ in range(4):
            one, other = self._pairs(len(rows))
            weight = self._rng.normal(size=(len(rows), 1)).astype(np.float32)
            noise += weight * (self.vectors[one] - self.vectors[other])
        far = self._rng.uniform(low, high, (len(rows), 1)).astype(np.float32)
        return _unit(rows + far * _unit(noise))

    def _block(self, n: int, low: float, high: float) -> Floats:
        one, other = self._pairs(n)
        way = self._rng.uniform(0, 0.5, (n, 1)).astype(np.float32)
        mixed = self.vectors[one] + way * (self.vectors[other] - self.vectors[one])
        return self.deviate(_unit(mixed), low, high)

    def _pairs(self, n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        one = self._rng.integers(len(self.vectors), size=n)
        return one, self._near[one, self._rng.integers(self._near.shape[1], size=n)]


def _unit(rows: Floats) -> Floats:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def real_vectors() -> Floats:
    """Of the distinct titles of both MovieLens catalogs, without years, in alphabetic order."""
    items = [item for name in ("ml-100k", "ml-small") for item in NAMED[name].load_catalog()]
    titles = sorted({natural_title(split_year(item.title)[0]) for item in items} - {""})
    return make_encoder(DEFAULT_ENCODER).encode(titles)


def chosen(vectors: Floats, rng: np.random.Generator) -> dict[str, NDArray[np.int64]]:
    """Rows that each filter allows."""
    out = {}
    for name, share in FILTERS.items():
        n = max(K, round(len(vectors) * share))
        if name.endswith("alike"):
            closeness = vectors @ vectors[rng.integers(len(vectors))]
            out[name] = np.sort(np.argpartition(-closeness, n - 1)[:n])
        else:
            out[name] = np.sort(rng.choice(len(vectors), n, replace=False))
    return out


def clock(call: Callable[..., object], *args: Any) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    call(*args)
    return time.perf_counter() - start


def effort(call: Callable[[], object]) -> float:
    """Seconds of the processor that a call takes."""
    start = time.process_time()
    call()
    return time.process_time() - start


def medians(call: Callable[..., object], queries: Floats, *args: Any) -> tuple[float, float]:
    """Median milliseconds of one query at a time, by the clock and of the processor."""
    both = []
    for query in queries[:, None]:
        start = time.process_time()
        both.append((clock(call, query, *args), time.process_time() - start))
    wall, cpu = (1000 * statistics.median(times) for times in zip(*both, strict=True))
    return wall, cpu


def measure(
    name: str,
    search: Search,
    queries: Floats,
    rows: int,
    build_s: float,
    nbytes: float,
    truth: dict[str, list[list[str]]],
    by_list: Search | None = None,
) -> list[Row]:
    """Time one index with every filter.

    Args:
        name: of the index.
        search: answers queries with ids, under a filter named so.
        queries: shape (n, dim).
        rows: in the index.
        build_s: seconds of the processor to build it.
        nbytes: memory that it takes.
        truth: by filter, the ids that should be found; filled where missing.
        by_list: as ``search``, the filter being looked up at every call.
    """
    out = []
    for allowed in FILTERS:
        found = search(queries, allowed)
        right = truth.setdefault(allowed, found)
        recall = np.mean([len({*a} & {*b}) / len(b) for a, b in zip(found, right, strict=True)])
        ms, cpu_ms = medians(search, queries, allowed)
        listed = None
        if by_list is not None and allowed != "all":
            listed = round(medians(by_list, queries[: max(10, len(queries) // 4)], allowed)[0], 2)
        batches = [queries[at : at + BATCH] for at in range(0, len(queries), BATCH)]
        whole = sum(clock(search, batch, allowed) for batch in batches)
        row = Row(
            rows,
            name,
            allowed,
            round(ms, 2),
            round(cpu_ms, 2),
            listed,
            round(len(queries) / whole, 1),
            round(float(recall), 4),
            round(build_s, 1),
            round(nbytes / rows, 1),
        )
        print(json.dumps(asdict(row)), flush=True)
        out.append(row)
    return out


def study_ours(
    kind: type[ExactIndex],
    vectors: Floats,
    queries: Floats,
    filters: dict[str, NDArray[np.int64]],
    truth: dict[str, list[list[str]]],
) -> tuple[list[Row], dict[str, Any]]:
    """Measure ``ExactIndex`` or ``ApproximateIndex``, then what changes cost."""
    ids = [f"item-{n}" for n in range(len(vectors))]
    index = kind()

    def build() -> None:
        index.set(ids, vectors)
        if isinstance(index, ApproximateIndex):
            index.arrange()

    build_s = effort(build)
    lists = {name: [ids[n] for n in rows] for name, rows in filters.items()}
    prepared = {name: Allowed(some) for name, some in lists.items()}

    def search(
        queries: Floats, name: str, given: dict[str, Sequence[str]] = prepared
    ) -> list[list[str]]:
        found = index.search(queries, K, None if name == "all" else given[name])
        return [[i for i, _ in hits] for hits in found]

    rows = measure(
        kind.__name__,
        search,
        queries,
        len(ids),
        build_s,
        index.nbytes,
        truth,
        lambda q, name: search(q, name, lists),
    )
    one = vectors[:1]
    changes = {
        "rows": len(ids),
        "index": kind.__name__,
        "set_one_ms": 1000 * statistics.median(clock(lambda: index.set(["x"], one)) for _ in "ab"),
        "remove_one_ms": 1000 * clock(lambda: index.remove(["x"])),
    }
    some = len(ids) // 100  # the vectors of others
    changes["set_1_percent_s"] = clock(lambda: index.set(ids[-some:], vectors[:some]))
    changes["ms_after"], changes["cpu_ms_after"] = medians(search, queries, "all")
    print(json.dumps(changes), flush=True)
    return rows, changes


def study_faiss(
    kind: str,
    vectors: Floats,
    queries: Floats,
    filters: dict[str, NDArray[np.int64]],
    truth: dict[str, list[list[str]]],
) -> list[Row]:
    """Measure a kind of ``FaissIndex``, on as many threads as numpy has."""
    from coldstart.grounding.index.faiss import FaissIndex

    ids, index = [f"item-{n}" for n in range(len(vectors))], FaissIndex(kind)
    prepared = {name: Allowed(ids[n] for n in rows) for name, rows in filters.items()}

    def search(queries: Floats, name: str) -> list[list[str]]:
        found = index.search(queries, K, None if name == "all" else prepared[name])
        return [[i for i, _ in hits] for hits in found]

    def build() -> None:
        index.set(ids, vectors)
        search(queries[:1], "all")  # it learns now

    build_s = effort(build)
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder, "index"))
        size = Path(folder, "index", "vectors.faiss").stat().st_size
    return measure(f"FaissIndex {kind}", search, queries, len(ids), build_s, size, truth)


HEAD = ("rows", "index", "allowed", "ms", "CPU ms", "ms, ids as a list", "queries/s, by 32")
HEAD += ("recall@10", "built, CPU s", "bytes per row")
CHANGES = ("rows", "index", "set one", "remove one", "replace 1 %, s", "then, ms", "CPU ms")


def cells(row: Row) -> list[str | None]:
    """As ``HEAD`` names them."""
    as_list = None if row.ms_list is None else f"{row.ms_list:.2f}"
    times = [f"{row.ms:.2f}", f"{row.cpu_ms:.2f}", as_list, f"{row.per_second:.0f}"]
    costs = [f"{row.recall:.3f}", f"{row.build_s:.1f}", f"{row.bytes_per_row:.0f}"]
    return [f"{row.rows:,}", row.index, row.allowed, *times, *costs]


def cells_of_change(cost: dict[str, Any]) -> list[str]:
    """As ``CHANGES`` names them."""
    times = ("set_one_ms", "remove_one_ms", "set_1_percent_s", "ms_after", "cpu_ms_after")
    return [f"{cost['rows']:,}", cost["index"], *(f"{cost[name]:.2f}" for name in times)]


def main() -> None:
    parser = command_line(__doc__)
    parser.add_argument(
        "--sizes", default="10000,100000,200000,1000000", help="rows, comma-separated"
    )
    parser.add_argument("--queries", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faiss", action="store_true", help="measure faiss, too")
    options = parser.parse_args()
    try:
        sizes = [int(size) for size in options.sizes.split(",")]
    except ValueError:
        parser.error(f"--sizes is {options.sizes!r}, expected whole numbers with commas between")
    if min(sizes) < 1000 or options.queries < BATCH:
        parser.error(f"sizes from 1000, and queries from {BATCH}, can be measured")
    if options.faiss and find_spec("faiss") is None:
        parser.error("--faiss needs faiss: pip install 'coldstart-rec[faiss]'")

    report = Report("Grounding at scale", "numpy")
    rng = np.random.default_rng(options.seed)
    real = rng.permutation(real_vectors())
    held_out = Titles(real[: len(real) // 10], rng)
    titles = Titles(real[len(real) // 10 :], rng)
    known = titles.vectors[: max(sizes)]
    vectors = np.concatenate([known, titles.more(max(sizes) - len(known))])
    absent = held_out.more(options.queries // 2, 0.3, 0.6)
    rows: list[Row] = []
    changes, cosines = [], {}
    for size in sizes:
        some = vectors[:size]
        start = some[rng.integers(size, size=options.queries - len(absent))]
        queries = rng.permutation(np.concatenate([absent, titles.deviate(start, 0.3, 0.6)]))
        best = [float((some @ query).max()) for query in queries]
        cosines[size] = np.quantile(best, (0.1, 0.5, 0.9)).round(3).tolist()
        filters, truth = chosen(some, rng), {}
        for kind in (ExactIndex, ApproximateIndex):
            found, cost = study_ours(kind, some, queries, filters, truth)
            rows += found
            changes.append(cost)
        if options.faiss:
            lists = int(4 * size**0.5)
            kinds = [f"IVF{lists},{codes}" for codes in ("Flat", "SQ8", "PQ48")]
            for name in [*kinds, "HNSW32"] if size <= MOST_HNSW else kinds:
                rows += study_faiss(name, some, queries, filters, truth)

    report.machine["threads"] = _threads()
    peak = memory("VmHWM") / 1e3
    spread = "; ".join(
        f"{n:,} rows {low:.2f}, {mid:.2f}, {high:.2f}" for n, (low, mid, high) in cosines.items()
    )
    about = (__doc__ or "").split("\n\n")
    report.publish(
        options.out,
        [
            about[2].strip(),
            about[3].strip(),
            f"{len(titles.vectors):,} real vectors, {options.queries} queries, seed "
            f"{options.seed}. Cosine of a query's nearest row, quantiles .1, .5, .9: {spread}. "
            f"{_threads()} thread(s) used. Peak memory of the process, its vectors included: "
            f"{peak:.1f} GB.",
            table(HEAD, [cells(row) for row in rows]),
            "## Changes",
            "Milliseconds to set or remove one row, seconds to replace 1 % of the rows, and "
            "milliseconds per query, without filter, after that.",
            table(CHANGES, [cells_of_change(cost) for cost in changes]),
        ],
        {
            "real": len(titles.vectors),
            "queries": options.queries,
            "seed": options.seed,
            "nearest_cosine": cosines,
            "peak_gb": peak,
            "rows": [asdict(row) for row in rows],
            "changes": changes,
        },
    )


def _threads() -> int:
    """Threads of numpy's BLAS."""
    from threadpoolctl import threadpool_info

    return max((pool["num_threads"] for pool in threadpool_info()), default=1)


if __name__ == "__main__":
    main()
