"""Time of a list of ten for each packaged sentence, one after another in one process.

    python benchmarks/sentence_time.py --out docs/results/sentence-time

Loading and the first request are not counted. Sentences that the rules read and those that the
language model reads are given apart. ``--dtype float32`` measures as on processors without bfloat16
products.
"""

from __future__ import annotations

import time

import numpy as np
from results import Report, command_line, table

from coldstart import Recommender
from coldstart.evaluation.sentences.sentence_file import MOVIES, read_sentences


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/movies")
    parser.add_argument("--dtype", default="auto")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    report = Report("Time of a list for a sentence", "torch", "numpy")
    recommender = Recommender.from_pretrained(options.artifact, dtype=options.dtype)
    sentences = [s.sentence for s in read_sentences(MOVIES)]
    for text in sentences[:3]:
        recommender.recommend({"about": text})
    found: dict[str, list[float]] = {"all": [], "rules": [], "language model": []}
    for text in sentences * options.rounds:
        started = time.perf_counter()
        made = recommender.recommend({"about": text})
        taken = 1000 * (time.perf_counter() - started)
        by_model = any(piece.source == "model" for piece in made.understood.pieces)
        found["all"].append(taken)
        found["language model" if by_model else "rules"].append(taken)
    figures = {
        name: {
            "lists": len(values),
            "p50": round(float(np.percentile(values, 50)), 1),
            "p95": round(float(np.percentile(values, 95)), 1),
        }
        for name, values in found.items()
        if values
    }
    rows = [(name, f["lists"], f["p50"], f["p95"]) for name, f in figures.items()]
    text = [table(("read by", "lists", "p50, ms", "p95, ms"), rows)]
    report.publish(options.out, text, figures)


if __name__ == "__main__":
    main()
