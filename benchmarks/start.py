"""How long a new process takes to its first list: import, from_pretrained, first answer; memory.

    python benchmarks/start.py --artifact adapters/ml-100k

Every figure is the median of fresh processes, after the first run (which fetches and converts).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time

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


def main() -> None:
    """Start processes, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print("| who asks | import, s | + from_pretrained | + first list | second list | peak MB |")
    print("|---|---|---|---|---|---|")
    for name, (person, strategy) in PEOPLE.items():
        found = []
        for n in range(options.runs + 1):
            done = subprocess.run(
                [sys.executable, "-c", CHILD, options.artifact, json.dumps(person), strategy],
                capture_output=True,
                text=True,
                check=True,
            )
            if n:  # the first one warms the file cache
                found.append(json.loads(done.stdout.splitlines()[-1]))
        middle = [statistics.median(x) for x in zip(*found, strict=True)]
        print(f"| {name} | " + " | ".join(f"{x:.2f}" for x in middle[:4]) + f" | {middle[4]:.0f} |")
    waits = []
    for _ in range(options.runs):
        start = time.perf_counter()
        command = [sys.executable, "-m", "coldstart", "recommend", "--artifact", options.artifact]
        subprocess.run([*command, "--age", "24"], capture_output=True, check=True)
        waits.append(time.perf_counter() - start)
    print(f"\n`coldstart recommend --age 24` from a cold shell: {statistics.median(waits):.1f} s")


if __name__ == "__main__":
    main()
