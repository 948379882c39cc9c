"""How many users a running service answers, how fast, and what it refuses, under many clients.

    coldstart serve --open --port 8000 &
    python benchmarks/load.py --url http://127.0.0.1:8000 --seconds 20 --strategy prior

Every client is a new person at every request, and asks again as soon as it is answered; after a
refusal it waits as long as Retry-After says, but two seconds at most. Client and server share the
machine: what the client takes, the server lacks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import ssl
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

AGES = range(18, 70)
JOBS = ("student", "nurse", "technician", "writer", "engineer", "educator", "artist", "lawyer")
INTERESTS = ("Sci-Fi", "Drama", "Comedy", "Thriller", "Romance", "Action", "Horror", "Western")
PATIENCE = 2.0  # longest wait after a refusal, seconds


@dataclass
class Seen:
    """What the clients saw."""

    seconds: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)


def somebody(rng: random.Random) -> dict[str, object]:
    """A made-up person."""
    person: dict[str, object] = {"age": rng.choice(AGES), "gender": rng.choice("MF")}
    if rng.random() < 0.5:
        person["occupation"] = rng.choice(JOBS)
    if rng.random() < 0.5:
        person["interests"] = rng.sample(INTERESTS, 2)
    return person


async def client(
    http: httpx.AsyncClient, number: int, strategy: str, until: float, seen: Seen
) -> None:
    """Ask again and again, over a connection of its own."""
    rng = random.Random(number)
    await asyncio.sleep(rng.random())
    while time.monotonic() < until:
        asked = {"profile": somebody(rng), "k": 10, "strategy": strategy}
        start = time.perf_counter()
        try:
            answer = await http.post("/v1/recommend", json=asked)
        except httpx.HTTPError as e:
            seen.codes[type(e).__name__] += 1
            await asyncio.sleep(0.1)
            continue
        seen.codes[str(answer.status_code)] += 1
        if answer.status_code == 200:
            seen.seconds.append(time.perf_counter() - start)
        else:
            wait = float(answer.headers.get("retry-after", 0.1))
            await asyncio.sleep(min(wait, PATIENCE))


def resident_mb(pid: int | None) -> float | None:
    """Resident memory of a process, MB; ``None`` where it cannot be told."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) / 1024 if found else None


async def run(args: argparse.Namespace) -> dict[str, object]:
    """Load the service; returns the figures."""
    headers = {"X-API-Key": args.key} if args.key else {}
    tls = ssl.create_default_context()

    def connection() -> httpx.AsyncClient:  # one pool for all takes time that grows with its size
        return httpx.AsyncClient(base_url=args.url, headers=headers, timeout=60, verify=tls)

    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(connection())
        clients = [await stack.enter_async_context(connection()) for _ in range(args.clients)]
        (await http.get("/readyz")).raise_for_status()
        (await http.post("/v1/recommend", json={"strategy": args.strategy})).raise_for_status()
        before, seen, start = resident_mb(args.pid), Seen(), time.monotonic()
        until = start + args.seconds
        await asyncio.gather(
            *(client(one, n, args.strategy, until, seen) for n, one in enumerate(clients))
        )
        spent = time.monotonic() - start
        after = resident_mb(args.pid)
        numbers = (await http.get("/metrics")).text
    total, count = (
        float(re.search(rf"coldstart_batch_size_{part} (\S+)", numbers)[1])  # type: ignore[index]
        for part in ("sum", "count")
    )
    quantiles = np.quantile(seen.seconds, [0.5, 0.95, 0.99]) if seen.seconds else [np.nan] * 3
    codes = seen.codes
    return {
        "clients": args.clients,
        "strategy": args.strategy,
        "seconds": round(spent, 1),
        "users/s": round(len(seen.seconds) / spent, 1),
        **{f"p{p} ms": round(1000 * q) for p, q in zip((50, 95, 99), quantiles, strict=True)},
        "answered": codes["200"],
        "refused (429, 503, 504)": sum(codes[c] for c in ("429", "503", "504")),
        "other 5xx": sum(
            n for c, n in codes.items() if c.startswith("5") and c not in ("503", "504")
        ),
        "codes": dict(codes),
        "mean batch": round(total / max(count, 1), 1),
        "memory MB": [m and round(m) for m in (before, after)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--strategy", default="catalog")
    parser.add_argument("--key", help="an API key, if the service wants one")
    parser.add_argument("--pid", type=int, help="of the server, to report its memory")
    print(json.dumps(asyncio.run(run(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
