"""How long each request of the page takes: understanding and search while typing, lists, rows.

    python benchmarks/page_requests.py --artifact adapters/movies --artifact adapters/ml-100k

One visitor at a time, over HTTP without the network, in milliseconds; every text is new, so that
nothing is answered from a cache.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from results import Report, command_line, table
from starlette.testclient import TestClient

from coldstart import Recommender
from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store

TEXTS = (
    "something gentle and funny for tonight, no violence", "like Alien but not so scary",
    "a war film from the 80s", "for my daughter, 7", "a love story in Paris", "westerns",
    "I am sad, cheer me up", "something by Hitchcock", "space", "a heist with a twist",
    "90s comedies", "old musicals",
)  # fmt: skip
TYPED = ("lotr", "termi", "godfahter", "star", "a", "am", "pulp fi", "silense of the lam")
COLUMNS = ("request", "n", "p50, ms", "p95, ms", "most, ms")
Rows = list[list[object]]


def measured(artifact: str, rounds: int) -> Rows:
    """One row per kind of request."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(
            lambda path: Recommender.from_pretrained(path),
            {"": artifact},
            ServeSettings(open=True, hosts=("testserver",), deadline=60.0, drain=0.0),
            Store.open(f"sqlite:///{folder}/visits.db"),
        )
        with TestClient(create_app(service)) as client:
            begun = client.post("/v1/sessions", json={"profile": {"liked": ["Toy Story"]}})
            path = f"/v1/sessions/{begun.json()['session_id']}"

            def said(n: int, what: str, body: dict[str, Any]) -> Callable[[], Any]:
                client.put(f"{path}/text", json={"text": f"{TEXTS[n % len(TEXTS)]} {n}"})
                return lambda: client.post(f"{path}/{what}", json=body)

            kinds: dict[str, Callable[[int], Callable[[], Any]]] = {
                "POST /v1/understand": lambda n: (
                    lambda: client.post(
                        "/v1/understand", json={"text": f"{TEXTS[n % len(TEXTS)]} {n}"}
                    )
                ),
                "GET /v1/items/search": lambda n: (
                    lambda: client.get("/v1/items/search", params={"q": TYPED[n % len(TYPED)]})
                ),
                "PUT …/text": lambda n: (
                    lambda: client.put(
                        f"{path}/text", json={"text": f"{TEXTS[n % len(TEXTS)]}, {n}"}
                    )
                ),
                "POST …/recommendations, k = 20": lambda n: said(n, "recommendations", {"k": 20}),
                "POST …/rows, k = 8": lambda n: said(n, "rows", {"k": 8, "explain": True}),
                "GET …/questions, n = 6": lambda n: (
                    lambda: client.get(f"{path}/questions", params={"n": 6})
                ),
            }
            out: Rows = []
            for name, make in kinds.items():
                times = []
                for n in range(rounds + 1):
                    ask = make(n)
                    start = time.perf_counter()
                    answer = ask()
                    times.append(1000 * (time.perf_counter() - start))
                    assert answer.status_code == 200, answer.text
                times = sorted(times[1:])  # the first loads what is loaded when it is needed
                p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
                figures = (statistics.median(times), p95, times[-1])
                out.append([name, rounds, *(round(f, 1) for f in figures)])
            return out


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", action="append")
    parser.add_argument("--rounds", type=int, default=24)
    options = parser.parse_args()
    report = Report("How long each request of the page takes", "torch", "rapidfuzz")
    text, figures = [], {}
    for artifact in options.artifact or ["adapters/movies"]:
        rows = measured(artifact, options.rounds)
        text += [f"## {artifact}", table(COLUMNS, rows)]
        figures[artifact] = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    report.publish(options.out, text, figures)


if __name__ == "__main__":
    main()
