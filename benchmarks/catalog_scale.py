"""What the title trie costs from a thousand titles to a million.

    python benchmarks/catalog_scale.py --out docs/results/catalog-scale
    python benchmarks/catalog_scale.py --model adapters/ml-100k

Titles are made of real ones: of the films of MovieLens-100K and MovieLens-small, the first words of
one and the last words of another, and for every third title a word of one more between them; no
two are alike. With a model, the beam's ten best are compared to the exact ten best, up to
10,000 titles. Memory is read from /proc, so Linux only.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from results import Report, command_line, memory, table

from coldstart import Recommender, UserProfile
from coldstart.data.named import NAMED
from coldstart.generation.decoding.beam import beam_logprobs
from coldstart.generation.decoding.exact import exact_logprobs
from coldstart.generation.models.line_tokenizer import LineTokenizer
from coldstart.generation.trie.trie import Mass, TitleTrie
from coldstart.runtime.models import load_tokenizer
from coldstart.testing.probes import prompt_of

SIZES = (1_682, 9_066, 100_000, 1_000_000)  # MovieLens-100K, MovieLens-small, and larger
WANTED, WIDTH, BEST = 200, 32, 10
REQUESTS, ADDED, REBUILDS = 30, 200, 20
WHOLE, PROMPTS = 10_000, 3


def made_titles(n: int, seed: int = 0) -> list[str]:
    """``n`` different titles."""
    real = sorted({item.title for d in ("ml-100k", "ml-small") for item in NAMED[d].load_catalog()})
    rng = np.random.default_rng(seed)
    words = [title.split() for title in real]
    out: dict[str, None] = {}
    while len(out) < n:
        for one, other, third in rng.integers(0, len(words), (n, 3)).tolist():
            head, tail, more = words[one], words[other], words[third]
            middle = [more[third % len(more)]] if third % 3 == 0 else []
            made = [*head[: (len(head) + 1) // 2], *middle, *tail[len(tail) // 2 :]]
            out[" ".join(made)] = None
            if len(out) == n:
                break
    return list(out)


class Timed:
    """An iterator that adds up the time spent waiting for it."""

    def __init__(self, inner: Iterable[Any]) -> None:
        self._inner, self.seconds = iter(inner), 0.0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        start = time.perf_counter()
        try:
            return next(self._inner)
        finally:
            self.seconds += time.perf_counter() - start


def milliseconds(do: Callable[[int], object], times: int) -> float:
    """Median processor time of a call that is given its number: all of these use one core."""
    waits = []
    for n in range(times):
        start = time.process_time()
        do(n)
        waits.append(time.process_time() - start)
    return 1e3 * statistics.median(waits)


def measure(n: int, model: str | None) -> dict[str, float]:
    """All that is measured at one size; in a process of its own, for the sake of its memory."""
    recommender = Recommender.from_pretrained(model) if model else None
    lines = recommender.lm.lines if recommender else LineTokenizer(load_tokenizer())
    titles, ids = made_titles(n + ADDED), [f"item-{row}" for row in range(n + ADDED)]
    added = list(zip(ids[n:], lines.titles(titles[n:]), strict=True))
    before = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    tokens = Timed(lines.titles(titles[:n]))
    start, busy = time.perf_counter(), time.process_time()
    trie = TitleTrie(zip(ids[:n], tokens, strict=True))
    whole = time.perf_counter() - start
    row: dict[str, float] = {
        "titles": n,
        "tokenization_s": tokens.seconds,
        "build_s": whole - tokens.seconds,
        "cpu_s": time.process_time() - busy,
        "peak_mb": memory("VmHWM") - before,
        "kept_mb": memory("VmRSS") - before,
    }
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        kept = Path(folder) / "trie"
        start = time.perf_counter()
        trie.save(kept)
        row["save_s"] = time.perf_counter() - start
        row["files_mb"] = sum(f.stat().st_size for f in kept.iterdir()) / 1e6
        start = time.perf_counter()
        mapped = TitleTrie.load(kept)
        row["load_s"] = time.perf_counter() - start
        row |= requests(mapped)
        if recommender and n <= WHOLE:
            row |= asked(recommender, mapped)
        row |= changes(mapped, added)
        row["add_ms"] = milliseconds(lambda r: mapped.set([added[r]]), ADDED)
        row["changed_plan_ms"] = requests(mapped)["plan_ms"]
    return row


def changes(trie: TitleTrie, added: list[tuple[str, tuple[int, ...]]]) -> dict[str, float]:
    """One added title if all arrays are made again, the sorted titles kept or not."""
    base = trie._trie
    times = 3 if len(trie) > 200_000 else REBUILDS
    return {
        "spliced_ms": milliseconds(
            lambda r: base.with_delta(dict([added[r]]), frozenset()).merged(), times
        ),
        "rebuilt_ms": milliseconds(lambda r: base.rebuilt(dict([added[r]]), frozenset()), times),
    }


def requests(trie: TitleTrie) -> dict[str, float]:
    """What one request costs, the language model aside."""
    rng = np.random.default_rng(1)
    wanted = [np.sort(rng.choice(len(trie), WANTED, replace=False)) for _ in range(REQUESTS)]
    mass = Mass(rng.pareto(1.0, len(trie)) + 0.5)
    mass.log_share  # noqa: B018 - computed once per change of the catalog, not per request
    plans = [trie.towards(items) for items in wanted]
    logits = [rng.normal(0, 3, len(plan.edge_token)) for plan in plans]
    beams = [items[:WIDTH] for items in wanted]
    prefixes = [[trie.tokens(int(i))[:2] for i in items] for items in beams]
    return {
        "plan_ms": milliseconds(lambda r: trie.towards(wanted[r]), REQUESTS),
        "logprobs_ms": milliseconds(
            lambda r: plans[r].item_logprobs(logits[r], mass, wanted[r]), REQUESTS
        ),
        "all_logprobs_ms": milliseconds(
            lambda r: plans[r].item_logprobs(logits[r], mass), REQUESTS
        ),
        "beam_step_ms": milliseconds(
            lambda r: (trie.towards(beams[r]), trie.titles(beams[r])), REQUESTS
        ),
        "children_ms": milliseconds(lambda r: [trie.children(p) for p in prefixes[r]], REQUESTS),
        "tree_tokens": statistics.median(len(plan.tree_token) for plan in plans),
        "edges": statistics.median(len(plan.edge_token) for plan in plans),
    }


def asked(recommender: Recommender, trie: TitleTrie) -> dict[str, float]:
    """The language model's time for the exact probabilities of the wanted titles, and the beam's.

    And the share of the catalog's exact ten best that are among the beam's ten best.
    """
    lm, tau, most = (
        recommender.pipeline.resources.model.lm,
        recommender.settings.tau,
        recommender.settings.exact_tokens,
    )
    rng, n = np.random.default_rng(2), len(trie)
    mass = Mass(rng.pareto(1.0, n) + 0.5)
    exact_waits, beam_waits, shares = [], [], []
    for person in range(PROMPTS):
        liked = ["Toy Story", "Fargo", "Alien"][: person % 4]
        user = recommender.resolve(UserProfile(age=20 + 5 * person, liked=liked))
        prompt = prompt_of(recommender, user)
        items = np.sort(rng.choice(n, WANTED, replace=False))
        start = time.perf_counter()
        exact_logprobs(lm, prompt, trie.towards(items), mass, tau, items=items, most=most)
        exact_waits.append(time.perf_counter() - start)
        start = time.perf_counter()
        beam = beam_logprobs(lm, prompt, trie, mass, tau, WIDTH).logprobs
        beam_waits.append(time.perf_counter() - start)
        exact = exact_logprobs(lm, prompt, trie.plan(), mass, tau, most=most)
        best = [set(np.argsort(-scores)[:BEST].tolist()) for scores in (exact, beam)]
        shares.append(len(best[0] & best[1]) / BEST)
    return {
        "exact_s": statistics.median(exact_waits),
        "beam_s": statistics.median(beam_waits),
        "recall": statistics.mean(shares),
    }


NAMES = {
    "tokenization_s": "tokenization, s",
    "build_s": "building, s",
    "cpu_s": "processor time of both, s",
    "peak_mb": "extra memory while building, MB",
    "kept_mb": "extra memory afterwards, MB",
    "save_s": "saving, s",
    "files_mb": "files, MB",
    "load_s": "loading, mapped, s",
    "add_ms": "adding an item, ms",
    "spliced_ms": "adding an item, all arrays made again from sorted titles, ms",
    "rebuilt_ms": "adding an item, all titles sorted again, ms",
    "plan_ms": f"plan towards {WANTED} items, ms",
    "changed_plan_ms": f"the same after {ADDED} additions, ms",
    "tree_tokens": "tree tokens of the plan",
    "edges": "its alternatives",
    "logprobs_ms": f"log-probabilities of the {WANTED} items, ms",
    "all_logprobs_ms": "log-probabilities of all items, ms",
    "beam_step_ms": f"the trie's part in a beam step of {WIDTH}, ms",
    "children_ms": f"{WIDTH} calls of children, ms",
    "exact_s": f"language model, {WANTED} items, s",
    "beam_s": f"language model, beam of {WIDTH}, s",
    "recall": f"share of the exact {BEST} best in the beam's {BEST} best",
}


def quantities(rows: list[dict[str, float]]) -> str:
    """One line for each quantity, one column for each size."""
    lines = [
        [name, *(f"{r[key]:,.4g}" if key in r else "" for r in rows)]
        for key, name in NAMES.items()
        if key in rows[0]
    ]
    return table(["", *(f"{r['titles']:,}" for r in rows)], lines)


def main() -> None:
    """Measure every size and print the table."""
    parser = command_line(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--model", help="artifact whose language model is asked")
    chosen = parser.parse_args()
    report = Report(
        "The title trie by size of the catalog", "numpy", "tokenizers", "torch", "transformers"
    )
    rows = []
    for n in chosen.sizes:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            rows.append(pool.submit(measure, n, chosen.model).result())
        print(json.dumps(rows[-1]), flush=True)
    told = (
        f"Medians of {REQUESTS} requests and {ADDED} additions, in milliseconds of one core's "
        "time; seconds are of the clock, and others may have used the machine."
    )
    report.publish(chosen.out, [told, quantities(rows)], {"rows": rows})


if __name__ == "__main__":
    main()
