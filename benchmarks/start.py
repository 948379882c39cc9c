"""How long a new process takes to its first list: import, from_pretrained, first answer; memory.

    python benchmarks/start.py --artifact adapters/ml-100k

Every figure is the median of fresh processes, after the first run (which fetches and converts).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from results import Report, command_line, table

CHILD = """
import json, resource, sys, time
start = time.perf_counter()
import coldstart
imported = time.perf_counter() - start
from coldstart import Recommender, UserProfile
rec = Recommender.from_pretrained(sys.argv[1])
loaded = time.perf_counter() - start
person = json.loads(sys.argv[2])
strategy = sys.argv[3]
rec.recommend(UserProfile(**person), strategy=strategy)
first = time.perf_counter() - start
again = time.perf_counter()
rec.recommend(UserProfile(**person), strategy=strategy)
second = time.perf_counter() - again
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([imported, loaded, first, second, peak]))
"""
PEOPLE = {
    "attributes and a pick, catalog": ({"age": 24, "liked": ["Toy Story"]}, "catalog"),
    "a sentence, catalog": ({"about": "slow-burn stories with a twist"}, "catalog"),
    "attributes and a pick, both": ({"age": 24, "liked": ["Toy Story"]}, "both"),
    "attributes and a pick, prior": ({"age": 24, "liked": ["Toy Story"]}, "prior"),
}

MEASURED = ("import, s", "+ from_pretrained", "+ first list", "second list", "peak MB")


def child(artifact: str, person: dict[str, object], strategy: str) -> list[float]:
    """The figures of one new process."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD, artifact, json.dumps(person), strategy],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Start processes, one after the other."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    report = Report("A new process", "numpy", "torch")
    rows: dict[str, list[float]] = {}
    for name, (person, strategy) in PEOPLE.items():
        child(chosen.artifact, person, strategy)  # warms the file cache
        found = [child(chosen.artifact, person, strategy) for _ in range(chosen.runs)]
        rows[name] = [statistics.median(x) for x in zip(*found, strict=True)]
    waits = []
    for _ in range(chosen.runs):
        start = time.perf_counter()
        command = [sys.executable, "-m", "coldstart", "recommend", "--artifact", chosen.artifact]
        subprocess.run([*command, "--age", "24"], capture_output=True, check=True)
        waits.append(time.perf_counter() - start)
    shell = statistics.median(waits)
    cells = [(n, *(f"{x:.2f}" for x in row[:4]), f"{row[4]:.0f}") for n, row in rows.items()]
    told = f"`coldstart recommend --age 24` from a cold shell: {shell:.1f} s"
    figures = {name: dict(zip(MEASURED, row, strict=True)) for name, row in rows.items()}
    report.publish(
        chosen.out,
        [f"Medians of {chosen.runs} processes.", table(["who asks", *MEASURED], cells), told],
        {"rows": figures, "cold_shell_s": shell},
    )


if __name__ == "__main__":
    main()
