"""How long people wait: loading, the first answer, and one user after another.

Run `python benchmarks/latency.py --artifact adapters/ml-100k`; for the cold shell, time
`coldstart recommend --age 24 --liked "Toy Story"`.
"""

from __future__ import annotations

import argparse
import statistics
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--users", type=int, default=10)
    options = parser.parse_args()

    start = time.perf_counter()
    from coldstart import Recommender, UserProfile

    recommender = Recommender.from_pretrained(options.artifact)
    print(f"import and from_pretrained: {time.perf_counter() - start:.1f} s")
    liked = [["Toy Story"], ["Fargo", "Alien"], []]
    for strategy in ("catalog", "free", "both", "prior"):
        waits = []
        for n in range(options.users + 1):
            person = UserProfile(age=20 + n, occupation="student", liked=liked[n % 3])
            start = time.perf_counter()
            recommender.recommend(person, k=10, strategy=strategy)
            waits.append(time.perf_counter() - start)
        median = statistics.median(waits[1:])
        print(f"{strategy:8} first answer {waits[0]:.2f} s, then median {median:.2f} s per user")


if __name__ == "__main__":
    main()
