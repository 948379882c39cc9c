"""How many users a running service answers, how fast, and what it refuses, under many clients.

    coldstart serve --open --port 8000 &
    python benchmarks/load.py --url http://127.0.0.1:8000 --seconds 20 --strategy prior

Every client is a new person at every request, and asks again as soon as it is answered; after a
refusal it waits as long as Retry-After says, but ten seconds at most. Clients and server share the
machine: what the clients take, the server lacks. ``load_compare.py`` starts services by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import ssl
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

AGES = range(18, 70)
JOBS = ("student", "nurse", "technician", "writer", "engineer", "educator", "artist", "lawyer")
INTERESTS = ("Sci-Fi", "Drama", "Comedy", "Thriller", "Romance", "Action", "Horror", "Western")
PATIENCE = 10.0  # longest wait after a refusal, seconds
SINGLE = 5  # requests of nobody else's company, before the load
RECOVERED = 2  # times as long as those a request may take
GIVEN_UP = 60.0  # seconds after the load, and of one request
REFUSED = (429, 503)
Figures = dict[str, float | int | str | list[float | None] | dict[str, int] | None]


@dataclass
class Seen:
    """What the clients saw.

    Args:
        seconds: that each answer took.
        in_time: answers that came while the load lasted.
        refused: refusals that said when to try again.
        faults: everything else, by kind.
    """

    seconds: list[float] = field(default_factory=list)
    in_time: int = 0
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def note(
        self, status: int, headers: Mapping[str, str], spent: float, *, in_time: bool = True
    ) -> float:
        """Count an answer; returns how long to wait before asking again, seconds.

        A refusal is 429 or 503 and says when to try again; everything else but 200 is a fault.
        """
        if status == 200:
            self.seconds.append(spent)
            self.in_time += in_time
            return 0.0
        wait = seconds_of(headers.get("retry-after"))
        if status in REFUSED and wait is not None:
            self.refused += 1
        elif status in REFUSED:
            self.faults[f"{status} without Retry-After"] += 1
        else:
            self.faults[str(status)] += 1
        return min(0.1 if wait is None else wait, PATIENCE)

    def figures(self, lasted: float) -> Figures:
        """Rates and quantiles of a load of ``lasted`` seconds."""
        quantiles: list[float] = []
        if self.seconds:
            quantiles = np.quantile(self.seconds, [0.5, 0.95, 0.99]).tolist()
        return {
            "seconds": round(lasted, 1),
            "users/s": round(self.in_time / lasted, 2),
            **{
                f"p{p} ms": round(1000 * quantiles[n]) if quantiles else None
                for n, p in enumerate((50, 95, 99))
            },
            "answered": len(self.seconds),
            "refused": self.refused,
            "faults": dict(self.faults),
        }


def seconds_of(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After asks for; ``None`` if it does not tell any."""
    if retry_after is None or not re.fullmatch(r"\d+", retry_after.strip()):
        return None
    return float(retry_after)


def somebody(rng: random.Random) -> dict[str, object]:
    """A made-up person."""
    person: dict[str, object] = {"age": rng.choice(AGES), "gender": rng.choice("MF")}
    if rng.random() < 0.5:
        person["occupation"] = rng.choice(JOBS)
    if rng.random() < 0.5:
        person["interests"] = rng.sample(INTERESTS, 2)
    return person


@dataclass(frozen=True)
class Target:
    """What is loaded.

    Args:
        url: of the service.
        strategy: what is asked of it.
        key: an API key, if it wants one.
        pid: of its process, to look at its memory.
        path: where lists are made.
        most_mb: memory at which the process is ended, before the machine suffers.
    """

    url: str
    strategy: str
    key: str | None = None
    pid: int | None = None
    path: str = "/v1/recommend"
    most_mb: float = float("inf")

    async def ask(self, http: httpx.AsyncClient, rng: random.Random) -> httpx.Response:
        """Have a list made for somebody."""
        asked = {"profile": somebody(rng), "k": 10, "strategy": self.strategy}
        return await http.post(self.path, json=asked)


async def client(
    http: httpx.AsyncClient, number: int, target: Target, until: float, seen: Seen
) -> None:
    """Ask again and again, over a connection of its own."""
    rng = random.Random(number)
    await asyncio.sleep(rng.random())
    while time.monotonic() < until:
        start = time.perf_counter()
        try:
            answer = await target.ask(http, rng)
        except httpx.HTTPError as e:
            seen.faults[type(e).__name__] += 1
            await asyncio.sleep(0.1)
            continue
        left, spent = until - time.monotonic(), time.perf_counter() - start
        wait = seen.note(answer.status_code, answer.headers, spent, in_time=left > 0)
        await asyncio.sleep(min(wait, max(0.0, left)))


def resident_mb(pid: int | None) -> float | None:
    """Resident memory of a process, MB; ``None`` where it cannot be told."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else None


async def watch_memory(pid: int | None, most: float, seen: list[float]) -> None:
    """Note a process's memory twice a second; end the process once it has more than ``most`` MB."""
    while True:
        now = resident_mb(pid)
        if now is not None:
            seen.append(now)
            if now > most:
                os.kill(pid, signal.SIGKILL)
                return
        await asyncio.sleep(0.5)


async def single(http: httpx.AsyncClient, target: Target, rng: random.Random) -> float | None:
    """Seconds of one request; ``None`` if it was not answered."""
    start = time.perf_counter()
    try:
        answer = await target.ask(http, rng)
    except httpx.HTTPError:
        return None
    return time.perf_counter() - start if answer.status_code == 200 else None


async def recovery(http: httpx.AsyncClient, target: Target, alone: float) -> float | None:
    """Seconds from now until a request is answered as fast as before the load.

    ``None``: not within ``GIVEN_UP``.
    """
    rng, start = random.Random(-1), time.monotonic()
    while time.monotonic() - start < GIVEN_UP:
        spent = await single(http, target, rng)
        if spent is not None and spent < RECOVERED * alone:
            return time.monotonic() - start
        await asyncio.sleep(0.05)
    return None


async def load(target: Target, clients: int, seconds: float) -> Figures:
    """Load a service that is ready; returns the figures.

    When the time is over nobody asks any more, but who has asked is waited for. The recovery begins
    at that moment: the service has them to answer, too.
    """
    headers = {"X-API-Key": target.key} if target.key else {}
    tls = ssl.create_default_context()

    def connection() -> httpx.AsyncClient:  # one pool for all takes time that grows with its size
        return httpx.AsyncClient(base_url=target.url, headers=headers, timeout=GIVEN_UP, verify=tls)

    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(connection())
        crowd = [await stack.enter_async_context(connection()) for _ in range(clients)]
        rng = random.Random(-2)
        (await target.ask(http, rng)).raise_for_status()
        times = [await single(http, target, rng) for _ in range(SINGLE)]
        answered = [t for t in times if t is not None]
        if not answered:
            raise SystemExit(f"{target.url} answers nobody, even without a load")
        alone = float(np.median(answered))
        before, seen, memory = resident_mb(target.pid), Seen(), list[float]()
        watching = asyncio.create_task(watch_memory(target.pid, target.most_mb, memory))
        start = time.monotonic()
        asking = [
            asyncio.create_task(client(one, n, target, start + seconds, seen))
            for n, one in enumerate(crowd)
        ]
        await asyncio.wait({watching}, timeout=seconds)
        lasted, recovered = time.monotonic() - start, None
        if not watching.done():
            recovered = await recovery(http, target, alone)
            await asyncio.wait(asking)
        ended = watching.done()
        for task in (watching, *asking):
            task.cancel()
        await asyncio.gather(watching, *asking, return_exceptions=True)
        after = resident_mb(target.pid)
    peak = max(memory, default=None)
    return {
        "clients": clients,
        "strategy": target.strategy,
        "alone ms": round(1000 * alone, 1),
        **seen.figures(lasted),
        "ended for memory": ended,
        "recovery s": None if recovered is None else round(recovered, 2),
        "memory MB": [m and round(m) for m in (before, peak, after)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--strategy", default="catalog")
    parser.add_argument("--key", help="an API key, if the service wants one")
    parser.add_argument("--pid", type=int, help="of the server, to report its memory")
    given = parser.parse_args()
    target = Target(given.url, given.strategy, given.key, given.pid)
    print(json.dumps(asyncio.run(load(target, given.clients, given.seconds)), indent=1))


if __name__ == "__main__":
    main()
