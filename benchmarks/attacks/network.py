"""Attacks on a running service over the network, all from this machine: what they did to others.

    python benchmarks/attack.py --only network

Starts ``coldstart serve`` with two keys, attacks it in eight ways, and meanwhile sends requests
with another key, each over a new connection. Reported for each attack: wrong answers (5xx other
than 503 with ``Retry-After``, or no answer and no end), answers or log lines that repeat what was
sent, and the seconds in which the other key was not answered within the deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from typing import TypeVar

from results import table

from attacks import Outcome
from coldstart.serve.store import Store

ROOT = Path(__file__).parents[2]
ARTIFACT = "tests/data/small/artifact"
MARK = "qzxattackzxq"  # in everything hostile, so that one look finds it in answers and logs
DEADLINE = 10.0
PROBE_EVERY = 0.25
AFTER = 3.0  # seconds of watching after an attack
START_WITHIN = 300.0
HOSTILE = 500
INTERIM = re.compile(rb"\AHTTP/1\.1 1\d\d.*?\r\n\r\n", re.DOTALL)
T = TypeVar("T")
JUNK = [
    "../../etc/passwd", "..%2f..%2f", "%00", "' OR 1=1 --", "<script>", "{{ 7*7 }}", "\u202e",
    "A" * 3000, "%", "%ff%fe", "\r\nX-Evil: 1", "${jndi:x}", "\ud800", "🎬" * 50, "<|im_start|>",
]  # fmt: skip
VALUES: list[object] = [
    None, True, -1, 0, 1e308, -1e308, 2**63, 2**200, "", [], {}, [[]], {"a": {}}, "x" * 5000,
    ["x"] * 600, {"item": "x"}, {"item": "x", "at": "9999-12-31T23:59:59Z"}, "\u0000",
]  # fmt: skip
PATHS = [
    "/v1/recommend", "/v1/generate", "/v1/generate?stream=true", "/v1/sessions", "/v1/items",
    "/v1/outcomes", "/v1/subjects/export", "/v1/items/{junk}", "/v1/items/{junk}/audience",
    "/v1/sessions/{junk}/questions?n={junk}", "/v1/items?limit={junk}", "/{junk}", "/page/{junk}",
    "/healthz", "/metrics", "/openapi.json", "//v1/items", "/v1/../v1/items", "/%76%31/items",
]  # fmt: skip
FIELDS = [
    "input", "profile", "context", "k", "strategy", "filters", "diversity", "seed", "n", "language",
    "understood", "subject", "items", "quiz", "exploration", "popularity_penalty", "explain",
]  # fmt: skip


@dataclass
class Found:
    """What an attack did.

    Args:
        attack: name.
        tried: requests or connections.
        answers: by status; ``closed`` for a connection that was ended without an answer.
        wrong: 5xx other than 503 with ``Retry-After``, and requests without answer or end.
        leaks: answers and log lines that repeat what was sent.
        unreachable: seconds in which another key was not answered.
        probes: how often that was tried.
        slowest: seconds of the slowest of them.
    """

    attack: str
    tried: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    wrong: int = 0
    leaks: int = 0
    unreachable: float = 0.0
    probes: int = 0
    slowest: float = 0.0

    def note(self, answer: bytes | None) -> None:
        """Count what came back; ``None``: neither an answer nor an end."""
        final = INTERIM.sub(b"", answer or b"", count=1)
        head = final.partition(b"\r\n\r\n")[0].lower()
        status = head[9:12].decode("ascii", "replace") if head.startswith(b"http/1.1 ") else ""
        name = "no end" if answer is None else status or "closed"
        self.answers[name] = self.answers.get(name, 0) + 1
        allowed = status == "503" and b"retry-after" in head
        self.wrong += answer is None or (status.startswith("5") and not allowed)
        self.leaks += MARK.encode() in (answer or b"").lower() and not status.startswith("2")


@dataclass(frozen=True)
class Target:
    """The service under attack.

    Args:
        port: on the loopback interface.
        key: of whoever must be answered.
        greedy: of the attacker; without a rate.
        process: of the service.
        log: its log.
    """

    port: int
    key: str
    greedy: str
    process: subprocess.Popen[bytes]
    log: Path

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection."""
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, request: bytes, seconds: float = 3 * DEADLINE) -> bytes | None:
        """Send bytes over a new connection; all that comes back, ``None`` if there is no end."""
        try:
            reader, writer = await self.connect()
        except OSError:
            return None
        try:
            writer.write(request)
            return await asyncio.wait_for(reader.read(), seconds)
        except ConnectionError:
            return b""
        except TimeoutError:
            return None
        finally:
            writer.transport.abort()


def request(method: str, path: str, body: bytes = b"", key: str = "", *more: str) -> bytes:
    """A request that closes its connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *more]
    lines += [f"X-API-Key: {key}"] if key else []
    lines += (
        []
        if any("ength:" in m or "ncoding:" in m for m in more)
        else [f"Content-Length: {len(body)}"]
    )
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body


def promised(path: str, key: str = "") -> bytes:
    """The beginning of a request whose body never comes."""
    return request("POST", path, b"{", key, "Content-Length: 100000").replace(
        b"close", b"keep-alive"
    )


async def hostile_requests(target: Target, found: Found) -> None:
    """Requests that no client would send: paths, bodies, headers and framings."""
    rng = random.Random(17)
    ours = [hostile(rng, target.greedy) for _ in range(HOSTILE)]
    await in_parallel(ours, lambda one: noted(target, found, one), 16)


def hostile(rng: random.Random, key: str) -> bytes:
    """One hostile request."""
    junk = MARK + rng.choice(JUNK)
    line = "".join(c if " " < c < "\x7f" else f"%{ord(c) % 256:02x}" for c in junk)
    path = rng.choice(PATHS).format(junk=line)
    method = rng.choice(
        [*["POST"] * 9, *["GET"] * 4, "PUT", "PATCH", "DELETE", "HEAD", MARK.upper()]
    )
    value = rng.choice([*VALUES, junk])
    names = rng.sample(FIELDS, rng.randint(1, 4))
    body = json.dumps(dict.fromkeys(names, value)).encode()
    body = rng.choice(
        [
            body,
            body,
            body,
            body[:-1],
            b"[" * 50_000,
            b"\xff" + body,
            b"\x00",
            b'{"k": 1e999}',
            b"NaN",
        ]
    )
    more = rng.choice(
        [
            (), (), (), ("Content-Type: text/plain",), ("Transfer-Encoding: chunked",),
            ("Content-Length: -1",), ("Content-Length: 99999999999999999999",),
            ("Content-Length: 5", "Content-Length: 6"), ("Expect: 100-continue",),
            ("Transfer-Encoding: chunked", "Content-Length: 3"), (f"Origin: http://{MARK}",),
            (f"X-Forwarded-For: {MARK}",), (f"Idempotency-Key: {MARK}",), ("X: " + "y" * 20_000,),
            ("Upgrade: websocket", "Connection: upgrade"), (f"Cookie: {MARK}",), (" folded: x",),
        ]
    )  # fmt: skip
    sent = request(method, path, body, rng.choice([key, key, key, "", MARK]), *more)
    return rng.choice([sent] * 9 + [sent[: rng.randrange(len(sent))] + b"\r\n\r\n"])


async def endless_headers(target: Target, found: Found) -> None:
    """Four connections whose headers never end, as fast as they can, again and again."""

    async def one(_: int) -> None:
        until = time.monotonic() + 6
        while time.monotonic() < until:
            reader, writer = await target.connect()
            found.tried += 1
            try:
                writer.write(b"GET / HTTP/1.1\r\n")
                while time.monotonic() < until and not reader.at_eof():
                    writer.write(b"x: " + b"y" * 4000 + b"\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.001)
            except ConnectionError:
                pass
            finally:
                writer.transport.abort()

    await asyncio.gather(*map(one, range(4)))


async def held(target: Target, found: Found, first: bytes, n: int, seconds: float) -> None:
    """``n`` connections that say ``first`` and nothing more, and are held open."""
    writers: list[asyncio.StreamWriter] = []

    async def one(_: int) -> None:
        try:
            _, writer = await target.connect()
        except OSError:
            return
        found.tried += 1
        writers.append(writer)
        writer.write(first)

    await in_parallel(range(n), one, 64)
    await asyncio.sleep(seconds)
    for writer in writers:
        writer.transport.abort()


async def half_open(target: Target, found: Found) -> None:
    """Half-open connections: half of them silent, half in the middle of a header."""
    await held(target, found, b"", 1100, 2)
    await held(target, found, b"GET /healthz HTTP/1.1\r\nHo", 1100, 8)


async def keyless_bodies(target: Target, found: Found) -> None:
    """Requests without a key that promise a body."""
    await held(target, found, promised("/healthz"), 2050, 2)
    await held(target, found, promised("/v1/recommend"), 2050, 6)


async def slow_bodies(target: Target, found: Found) -> None:
    """Requests with a valid key that promise a body."""
    await held(target, found, promised("/v1/recommend", target.greedy), 2050, 8)


async def unread_answers(target: Target, found: Found) -> None:
    """Clients that send many requests and read no answer."""
    one = request("GET", "/openapi.json").replace(b"close", b"keep-alive")
    await held(target, found, one * 100, 50, 6)


async def wrong_keys(target: Target, found: Found) -> None:
    """Wrong keys, one after the other."""
    rng = random.Random(5)
    keys = [f"cs_{rng.getrandbits(64):016x}_{MARK}" for _ in range(1500)]
    sent = [request("GET", "/v1/items", b"", key) for key in keys]
    await in_parallel(sent, lambda one: noted(target, found, one), 32)


async def starvation(target: Target, found: Found) -> None:
    """One valid key sends the costliest requests, 64 at a time."""
    begun = await target.send(request("POST", "/v1/sessions", b"{}", target.greedy))
    session = json.loads((begun or b"").partition(b"\r\n\r\n")[2])["session_id"]
    titles = json.dumps({"n": 100, "input": "robots " * 200}).encode()
    costly = [
        request("POST", "/v1/generate", titles, target.greedy),
        request("GET", f"/v1/sessions/{session}/questions?n=100", b"", target.greedy),
        request("POST", "/v1/recommend", b'{"strategy": "both", "k": 100}', target.greedy),
    ]
    until = time.monotonic() + 15

    async def one(n: int) -> None:
        while time.monotonic() < until:
            await noted(target, found, costly[n % len(costly)])
            await asyncio.sleep(0.05)

    await asyncio.gather(*map(one, range(64)))


ATTACKS: dict[str, Callable[[Target, Found], Awaitable[None]]] = {
    "hostile requests": hostile_requests,
    "headers without an end": endless_headers,
    "half-open connections": half_open,
    "promised bodies, no key": keyless_bodies,
    "promised bodies, a key": slow_bodies,
    "answers that nobody reads": unread_answers,
    "wrong keys": wrong_keys,
    "costliest requests of one key": starvation,
}


async def noted(target: Target, found: Found, sent: bytes) -> None:
    """Send a request and count what comes back."""
    found.tried += 1
    found.note(await target.send(sent))


async def in_parallel(things: Iterable[T], work: Callable[[T], Awaitable[None]], n: int) -> None:
    """Do ``work`` for each thing, ``n`` at a time."""
    left = iter(things)

    async def one() -> None:
        for thing in left:
            await work(thing)

    await asyncio.gather(*(one() for _ in range(n)))


async def watch(target: Target, found: Found) -> None:
    """Ask with the other key, over new connections, and note when it is not answered."""
    asked = request("POST", "/v1/recommend", b'{"strategy": "prior", "k": 5}', target.key)
    while True:
        start = time.monotonic()
        answer = await target.send(asked, DEADLINE) or b""
        spent = time.monotonic() - start
        found.probes += 1
        found.slowest = max(found.slowest, spent)
        if not answer.startswith(b"HTTP/1.1 200 "):
            found.unreachable += max(spent, PROBE_EVERY)
        await asyncio.sleep(PROBE_EVERY)


async def attacked(target: Target, name: str) -> Found:
    """Run one attack, watching what becomes of others, and for three seconds after it."""
    found, logged = Found(name), target.log.stat().st_size
    watching = asyncio.create_task(watch(target, found))
    try:
        await ATTACKS[name](target, found)
        await asyncio.sleep(AFTER)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    written = target.log.read_bytes()[logged:].lower()
    found.leaks += written.count(MARK.encode())
    found.wrong += target.process.poll() is not None
    return found


@asynccontextmanager
async def serving(artifact: str) -> AsyncIterator[Target]:
    """A service in a process of its own, with two keys, ready."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = int(s.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        db, log = f"{folder}/people.db", Path(folder, "log")
        with Store.open(f"sqlite:///{db}") as store:
            keys = [store.create_key(n, rate_limit=None).secret for n in ("other", "greedy")]
        command = [sys.executable, "-m", "coldstart", "serve", "--artifact", artifact]
        command += ["--port", str(port), "--db", db, "--deadline", str(DEADLINE)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
        target = Target(port, *keys, process, log)
        try:
            until = time.monotonic() + START_WITHIN
            while not (await target.send(request("GET", "/readyz")) or b"").startswith(
                b"HTTP/1.1 200"
            ):
                if process.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"the service is not ready:\n{log.read_text()[-2000:]}")
                await asyncio.sleep(0.3)
            yield target
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def run_all(artifact: str, names: list[str]) -> list[Found]:
    """Run attacks one after the other on one service."""
    async with serving(artifact) as target:
        out = []
        for name in names:
            print(f"{name} …", file=sys.stderr, flush=True)
            out.append(await attacked(target, name))
            print(out[-1], file=sys.stderr, flush=True)
        return out


def options(parser: argparse.ArgumentParser) -> None:
    """Options of this part."""
    parser.add_argument("--served", default=ARTIFACT, help="artifact of the attacked service")
    parser.add_argument("--attacks", nargs="*", default=list(ATTACKS), help="some of these only")


def attack(given: argparse.Namespace) -> Outcome:
    """Run the attacks, one after the other, on one service."""
    rows = asyncio.run(run_all(given.served, given.attacks))
    answers: Counter[str] = Counter()
    for row in rows:
        answers.update(row.answers)
    head = ["attack", "tried", "wrong", "leaks", "unreachable, s", "probes", "slowest probe, s"]
    cells = [
        [
            r.attack,
            r.tried,
            r.wrong,
            r.leaks,
            round(r.unreachable, 1),
            r.probes,
            round(r.slowest, 2),
        ]
        for r in rows
    ]
    return Outcome(
        attempts=sum(row.tried for row in rows),
        bad={
            "5xx other than 503 with Retry-After, or no end": sum(row.wrong for row in rows),
            "answers and log lines that repeat what was sent": sum(row.leaks for row in rows),
            "seconds in which another key was not answered": ceil(sum(r.unreachable for r in rows)),
        },
        fine={f"answer {status}": n for status, n in sorted(answers.items())},
        text=[
            "A probe is a request of another key over a new connection, four times a second; it is "
            f"answered if a list comes within {DEADLINE:.0f} s. Attacker, probe and service share "
            "the machine.",
            table(head, cells),
        ],
        figures={"attacks": [asdict(row) for row in rows]},
    )


if __name__ == "__main__":
    named = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options(named)
    print(json.dumps(asdict(attack(named.parse_args())), indent=1))
