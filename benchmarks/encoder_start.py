"""Time and memory from a new process to the first sentence vector, by encoder implementation.

    python benchmarks/encoder_start.py --out docs/results/encoder-start

The packaged encoder in three implementations: BERT and mean pooling of this package, Transformers'
model with mean pooling of this package, and sentence-transformers. Each run is a process of its
own; Linux only, as memory is read from /proc.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import Any

from results import Report, command_line, table

RUNS = 5
CODE = """
import json, sys, time
start = time.perf_counter()
from pathlib import Path
from coldstart.encoding import mean_pooling
from coldstart.encoding.sentence_encoder import SentenceEncoder
from coldstart.runtime.models import DEFAULT_ENCODER, resolve
folder, kind = Path(resolve(DEFAULT_ENCODER)), sys.argv[1]
mean_pooling.is_bert = lambda _: kind == "bert"
encoder = (
    SentenceEncoder.from_pretrained(folder)
    if kind == "sentence-transformers"
    else mean_pooling.MeanPoolingEncoder(folder)
)
encoder.encode(["slow-burn science fiction"])
seconds = time.perf_counter() - start
peak = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
print(json.dumps({"seconds": seconds, "mb": int(peak.split()[1]) / 1e3}))
"""
KINDS = {
    "bert": "BERT and mean pooling of this package",
    "transformers": "Transformers, mean pooling of this package",
    "sentence-transformers": "sentence-transformers",
}


def measure(kind: str) -> dict[str, Any]:
    """Medians of ``RUNS`` new processes; one before them fills the file cache."""
    rows = []
    for _ in range(RUNS + 1):
        command = [sys.executable, "-c", CODE, kind]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(done.stdout.splitlines()[-1]))
    return {"kind": kind} | {
        name: statistics.median(row[name] for row in rows[1:]) for name in ("seconds", "mb")
    }


def main() -> None:
    """Measure every implementation and print the table."""
    parser = command_line(__doc__)
    chosen = parser.parse_args()
    report = Report("First sentence vector", "torch", "transformers", "sentence-transformers")
    rows = [measure(kind) for kind in KINDS]
    lines = [[KINDS[r["kind"]], f"{r['seconds']:.2f}", f"{r['mb']:.0f}"] for r in rows]
    text = table(["implementation", "first vector, s", "peak memory, MB"], lines)
    report.publish(chosen.out, [f"Medians of {RUNS} new processes.", text], {"rows": rows})


if __name__ == "__main__":
    main()
