"""The service and the one that tutorials build, under the same clients, one after the other.

    python benchmarks/load_compare.py --seconds 120 --clients 200 --out docs/results/load

Starts ``coldstart serve --open`` for each strategy, then ``naive_service.py`` (``pip install
flask``), each by itself; loads it as ``load.py`` does, and stops it. Clients and service share the
machine.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import httpx
from load import GIVEN_UP, RECOVERED, Figures, Target, load
from results import Report, command_line, table

HERE = Path(__file__).parent
OURS = {"prior": "coldstart prior", "catalog": "coldstart catalog"}
NAIVE = "naive Flask"
READY_WITHIN = 300.0
PACKAGES = ("torch", "transformers", "uvicorn", "flask")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def command_of(strategy: str | None, artifact: str, port: int, folder: Path) -> list[str]:
    """What starts a service; ``None`` is the naive one."""
    if strategy is None:
        ours = [str(HERE / "naive_service.py")]
    else:
        ours = ["-m", "coldstart", "serve", "--open", "--db", str(folder / "people.db")]
    return [sys.executable, *ours, "--artifact", artifact, "--port", str(port)]


@contextmanager
def running(strategy: str | None, artifact: str) -> Iterator[Target]:
    """A service that is ready, and is stopped afterwards."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="coldstart-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as out:
            process = subprocess.Popen(
                command_of(strategy, artifact, port, Path(folder)), stdout=out, stderr=out
            )
        try:
            ready = url + ("/ready" if strategy is None else "/readyz")
            wait_until_ready(process, ready, log)
            path = "/recommend" if strategy is None else "/v1/recommend"
            yield Target(url, strategy or "catalog", None, process.pid, path)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Return once ``url`` answers 200; tell what the service wrote if it ends before."""
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"the service ended:\n{log.read_text(errors='replace')[-2000:]}")
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{url} was not ready within {READY_WITHIN:.0f} s")


def cells(rows: list[Figures]) -> str:
    """The rows as Markdown."""
    names = ("clients", "users/s", "p50 ms", "p95 ms", "p99 ms", "answered", "refused")
    more = ("faults", "recovery, s", "memory before, most, after, MB", "alone, ms")
    lines = []
    for row in rows:
        faults = [f"{n} {what}" for what, n in sorted(row["faults"].items())]
        if row["ended for memory"]:
            faults.append(f"ended for its memory after {row['seconds']:g} s")
        late = f"> {GIVEN_UP:.0f}" if row["recovery s"] is None else row["recovery s"]
        memory = ", ".join("–" if m is None else f"{m}" for m in row["memory MB"])
        line = [row["system"], *(row[n] for n in names)]
        lines.append([*line, ", ".join(faults) or 0, late, memory, row["alone ms"]])
    return table(["system", *names, *more], lines)


def main() -> None:
    """Load each service in turn, and report."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--few", type=int, default=4, help="clients of a second load; 0: none")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--most-mb", type=float, default=12000, help="memory of a service")
    given = parser.parse_args()
    if find_spec("flask") is None:
        raise SystemExit("the naive service is a Flask app: pip install flask")

    report = Report("Under load", *PACKAGES)
    rows: list[Figures] = []
    for clients in [n for n in (given.clients, given.few) if n]:
        for strategy in (*OURS, None):
            name = NAIVE if strategy is None else OURS[strategy]
            print(f"{name}, {clients} clients …", file=sys.stderr)
            with running(strategy, given.artifact) as target:
                loaded = replace(target, most_mb=given.most_mb)
                figures = asyncio.run(load(loaded, clients, given.seconds))
            rows.append({"system": name, **figures})
    told = f"""\
users/s counts answers while the load lasted. A refusal is 429 or 503 with Retry-After; all else
but an answer is a fault; a client gives a request up after {GIVEN_UP:.0f} s. Recovery is the time
from the end of the load to the answer of a request that took less than {RECOVERED} × as long as one
alone. A service with more than {given.most_mb:g} MB is ended."""
    report.publish(given.out, [cells(rows), told], {"rows": rows})


if __name__ == "__main__":
    main()
