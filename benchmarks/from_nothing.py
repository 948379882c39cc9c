"""How long `coldstart start` takes on catalogs of several sizes: time, memory, first lists.

    python benchmarks/from_nothing.py --sizes 300,10000 --out docs/results/from-nothing
    python benchmarks/from_nothing.py --sizes 1000000 --encoder ngrams

Made-up products whose titles and descriptions are put together from those of examples/shop.csv, so
that no two are alike. Every size is a fresh process with an empty cache of vectors; the models are
in their cache. CPU seconds beside wall seconds, since other work may share the machine.
"""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from results import Report, command_line, memory, table

SHOP = Path(__file__).parents[1] / "examples" / "shop.csv"
REQUESTS = {
    "nothing": {},
    "a sentence": {"about": "a present for a ten-year-old under 20 euros, nothing electronic"},
    "two picks": {"liked": 2},
}
COLUMNS = (
    *("items", "read s", "vectors s", "language model s", "words s", "ready s", "CPU s", "save s"),
    "load s",
    *("peak MB", "artifact MB", *(f"{name}, ms" for name in REQUESTS)),
)


def write(path: Path, size: int) -> None:
    """A table of ``size`` products."""
    rng = random.Random(size)
    with SHOP.open(encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    sentences = [s for r in rows for s in r["description"].split(". ")]
    fields = ("item_id", "title", "description", "categories", "price", "stock", "brand")
    with path.open("w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow([*fields, "units_sold"])
        for n in range(size):
            a, b = rng.choice(rows), rng.choice(rows)
            title = a["title"] if n < len(rows) else f"{a['title']} & {b['title'].split(',')[0]}"
            text = ". ".join(rng.sample(sentences, 2))
            row = [n, f"{title} No. {n}", text, a["categories"], a["price"], a["stock"], b["brand"]]
            out.writerow([*row, int(rng.paretovariate(1) * 10)])


def child(table_path: str, encoder: str) -> None:
    """Measure one catalog in this process, and print the figures as JSON."""
    begun, stages = time.perf_counter(), {}
    from coldstart import Recommender
    from coldstart.catalog.catalog import Catalog

    def report(what: str, done: int, total: int) -> None:
        now = time.perf_counter()
        first, _ = stages.get(what, (now, now))
        stages[what] = first, now

    catalog = Catalog.load(table_path)
    read = time.perf_counter()
    made = Recommender.from_catalog(catalog, encoder=encoder or None, report=report)
    ready, cpu = time.perf_counter(), sum(os.times()[:2])
    out = {"items": len(catalog), "read s": read - begun, "ready s": ready - begun, "CPU s": cpu}
    vectors = stages.get("reading the items", (read, read))
    out["vectors s"] = vectors[1] - read
    words = stages.get("reading the words", (ready, ready))
    model = stages.get("measuring the language model", (words[0], words[0]))
    out["language model s"], out["words s"] = words[0] - vectors[1], words[1] - words[0]
    out["model queries"] = made.manifest["start"]["model"]["queries"]
    assert model[0] <= ready
    for name, profile in REQUESTS.items():
        if name == "two picks":
            profile = {"liked": list(catalog.ids[5:7])}
        times, cpus = [], []
        for _ in range(3):
            start, busy = time.perf_counter(), time.process_time()
            made.recommend(profile)
            times.append(1000 * (time.perf_counter() - start))
            cpus.append(1000 * (time.process_time() - busy))
        out[f"{name}, first ms"], out[f"{name}, ms"] = times[0], min(times[1:])
        out[f"{name}, first CPU ms"], out[f"{name}, CPU ms"] = cpus[0], min(cpus[1:])
    out["peak MB"] = memory("VmHWM")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "shop")
        start = time.perf_counter()
        made.save_pretrained(target)
        out["save s"] = time.perf_counter() - start
        size = sum(f.stat().st_size for f in target.rglob("*") if f.is_file())
        out["artifact MB"] = size / 1e6
        del made, catalog  # so that a large catalog is not in memory twice
        start = time.perf_counter()
        Recommender.from_pretrained(target).recommend({})
        out["load s"] = time.perf_counter() - start
    print(json.dumps(out))


def measured(size: int, encoder: str) -> dict[str, float]:
    """Figures of one size, from a fresh process with an empty cache of vectors."""
    from coldstart.runtime.cache import cache_dir

    with tempfile.TemporaryDirectory() as folder:
        path, cache = Path(folder, "items.csv"), Path(folder, "cache")
        write(path, size)
        cache.mkdir()
        for name in ("models", "bases", "packages"):  # not the vectors
            if (cache_dir() / name).exists():
                (cache / name).symlink_to(cache_dir() / name)
        done = subprocess.run(
            [sys.executable, __file__, "--child", str(path), "--encoder", encoder],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"COLDSTART_CACHE": str(cache)},
        )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure every size, one after the other."""
    parser = command_line(__doc__)
    parser.add_argument("--sizes", default="300,10000")
    parser.add_argument("--encoder", default="", help="of `coldstart start`; empty: its default")
    parser.add_argument("--child", help="table to measure in this process")
    chosen = parser.parse_args()
    if chosen.child:
        return child(chosen.child, chosen.encoder)
    report = Report("From a catalog to lists", "torch", "transformers", "sentence-transformers")
    found = [measured(int(size), chosen.encoder) for size in chosen.sizes.split(",")]
    rows = [[_shown(name, figures[name]) for name in COLUMNS] for figures in found]
    told = (
        "“Ready” is from the start of the process, imports included; “language model” the part of "
        "it that loads the model and measures whether it helps; “words” that in which the "
        "vocabulary and the indexes of words and vectors are made; “load” from the folder to a "
        "list. Lists are the better of two after the first. Their CPU time, of the first one and "
        "of later ones, is "
        + "; ".join(
            f"{f['items']:,} items: "
            + ", ".join(
                f"{n} {f[f'{n}, first CPU ms']:,.0f} and {f[f'{n}, CPU ms']:,.0f} ms"
                for n in REQUESTS
            )
            for f in found
        )
        + "."
    )
    encoder = f"Encoder {chosen.encoder or 'by default'}."
    report.publish(chosen.out, [encoder, table(COLUMNS, rows), told], {"rows": found})


def _shown(name: str, value: float) -> str:
    return f"{value:,.1f}" if name.endswith(" s") else f"{value:,.0f}"


if __name__ == "__main__":
    main()
