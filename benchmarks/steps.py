"""How long single steps take that must never be felt: a question, a long text, a body's depth.

    python benchmarks/steps.py --runs 7

Nothing here has a language model. The catalog is made up, of 1,700 items as MovieLens 100K has
them; the texts are the longest that are read, of pieces that many rules could begin to match; the
bodies are of 200 kB and half of that: twice the body may take twice the time and no more. Every
figure is the fastest of the runs, after one that is not counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from results import Report, command_line, table

from coldstart import Catalog, Item, Recommender, UserProfile, prompts
from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.hardware import one_blas_thread
from coldstart.serve.limits import check_depth
from coldstart.session import QUIZZES, OnboardingSession, QuizState

ITEMS, USERS, LIKES = 1700, 300, 50
PIECES = ("!", "A ", "No ", "The Toy Story ", "90s ", "from 1990 to ", "'")
BODIES = {'"\\"\\"…': (b'"', b'\\"'), '"a"a…': (b"", b'"a'), "\\\\\\…": (b"", b"\\")}
BODY = 200_000  # bytes


class Letters:
    """An encoder that counts letters: contents play no part in what is measured."""

    name = "letters"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors, shape (len(texts), 32)."""
        counts = np.array(
            [np.bincount([ord(c) % 32 for c in text] or [0], minlength=32) for text in texts]
        )
        return (counts / np.linalg.norm(counts, axis=1, keepdims=True)).astype(np.float32)


def made_up() -> Recommender:
    """A recommender without a language model, of a catalog of ``ITEMS``."""
    rng, ids = np.random.default_rng(0), [f"i{n}" for n in range(ITEMS)]
    fame = 1 / np.arange(1, ITEMS + 1)
    likes = {
        f"u{n}": [ids[i] for i in rng.choice(ITEMS, LIKES, replace=False, p=fame / fame.sum())]
        for n in range(USERS)
    }
    kinds = ("Drama", "Sci-Fi", "Comedy", "War")
    titles = ["Toy Story", *(f"The Film {n}" for n in range(1, ITEMS))]
    catalog = Catalog.from_items(
        Item(item_id=i, title=t, year=1950 + n % 50, categories=(kinds[n % 4],))
        for n, (i, t) in enumerate(zip(ids, titles, strict=True))
    )
    counts = Counts.fit(ids, {u: UserProfile() for u in likes}, likes)
    prompt = prompts.load("movies-en")
    rec = Recommender(catalog, None, prompt, counts, Letters(), BlendRanker.default())
    rec.item_store.sync()
    return rec


def fastest(step: Callable[[], object], runs: int) -> float:
    """Milliseconds."""
    took = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        step()
        took.append(time.perf_counter() - began)
    return round(1000 * min(took[1:]), 2)


def question(name: str, item_store: ItemStore) -> Callable[[], object]:
    """Next question of a quiz after four answers."""
    open_ = np.ones(len(item_store.ids), dtype=bool)
    said = QuizState(item_store, (3, 20), (5,), (7,), open_, frozenset(), 0)
    return lambda: QUIZZES[name].question(said)


def reading(rec: Recommender, piece: str, runs: int) -> Callable[[], object]:
    """Read a text of 2,000 characters, another one each time, and make a list."""
    texts = iter([(piece * 2000)[:1980] + f"I like it {n}" for n in range(runs + 1)])
    return lambda: OnboardingSession(rec).say(next(texts)).recommend(3, strategy="prior")


def body(start: bytes, piece: bytes, size: int) -> Callable[[], object]:
    """Depth check of a body."""
    whole = start + piece * (size // len(piece))
    return lambda: check_depth(whole, 5)


def steps(rec: Recommender, runs: int) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """What is done, to what, and the doing."""
    for name in sorted(QUIZZES):
        yield "question", name, question(name, rec.item_store)
    for piece in PIECES:
        yield "text", repr(piece), reading(rec, piece, runs)
    for name, (start, piece) in BODIES.items():
        for size in (BODY // 2, BODY):
            yield "body", f"`{name}`, {size // 1000} kB", body(start, piece, size)


def main() -> None:
    """Take every step."""
    parser = command_line(__doc__)
    parser.add_argument("--runs", type=int, default=7)
    given = parser.parse_args()
    report = Report("Single steps", "numpy")
    with one_blas_thread():
        rows = [
            {"step": step, "of": of, "ms": fastest(act, given.runs)}
            for step, of, act in steps(made_up(), given.runs)
        ]
    head = ("step", "of", "fastest, ms")
    lines = [list(row.values()) for row in rows]
    text = (
        f"A question in a catalog of {ITEMS:,} items once the tables are made; a list after a text "
        "of 2,000 characters, without a language model; the depth of a body.",
        table(head, lines),
    )
    report.publish(given.out, text, {"rows": rows})


if __name__ == "__main__":
    main()
