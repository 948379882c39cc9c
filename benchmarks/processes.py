"""More cores: one service process after the other beside the first, on one database.

    python benchmarks/processes.py --most 2 --seconds 30 --out docs/results/processes

Starts 1, 2, … ``--most`` processes of ``coldstart serve`` on one SQLite file, each with one thread
for its arithmetic, and deals the clients to them evenly, as a proxy would. Clients and processes
share the machine. Users per processor second are those answered, by the seconds of processor that
the processes used: where other work has a core too, that is the figure to trust.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from load import Figures, Target, load
from load_compare import free_port, wait_until_ready
from results import Report, command_line, table


@contextmanager
def process(artifact: str, folder: Path, strategy: str) -> Iterator[Target]:
    """One more process on the database of ``folder``."""
    port = free_port()
    command = [sys.executable, "-m", "coldstart", "serve", "--open", "--artifact", artifact]
    command += ["--port", str(port), "--db", str(folder / "people.db")]
    log = folder / f"log-{port}"
    with log.open("wb") as out:
        one = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        running = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | one)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_ready(running, f"{url}/readyz", log)
        yield Target(url, strategy, None, running.pid)
    finally:
        running.terminate()
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def processor_seconds(pid: int | None) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def load_all(targets: list[Target], clients: int, seconds: float) -> list[Figures]:
    """Load all processes at once, each with its share of the clients."""
    return list(await asyncio.gather(*(load(t, clients // len(targets), seconds) for t in targets)))


def main() -> None:
    """Measure each number of processes, one after the other."""
    parser = command_line(__doc__)
    parser.add_argument("--most", type=int, default=2, help="processes")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--strategy", default="prior")
    parser.add_argument("--artifact", default="adapters/movies")
    given = parser.parse_args()
    report = Report("More cores: processes on one database", "torch", "uvicorn")
    rows, figures = [], []
    for n in range(1, given.most + 1):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="coldstart-")))
            targets = [
                stack.enter_context(process(given.artifact, folder, given.strategy))
                for _ in range(n)
            ]
            before = [processor_seconds(t.pid) for t in targets]
            found = asyncio.run(load_all(targets, given.clients, given.seconds))
            used = [processor_seconds(t.pid) - b for t, b in zip(targets, before, strict=True)]
        answered = sum(int(str(f["answered"])) for f in found)
        rate = sum(float(str(f["users/s"])) for f in found)
        slowest = max(int(str(f["p99 ms"])) for f in found)
        peaks = [f["memory MB"][1] for f in found if isinstance(f["memory MB"], list)]
        refused = sum(int(str(f["refused"])) for f in found)
        faults = sum(sum(x.values()) for f in found if isinstance(x := f["faults"], dict))
        row = [
            n,
            round(rate, 1),
            round(answered / sum(used), 1),
            round(sum(used) / given.seconds, 2),
        ]
        rows.append([*row, slowest, refused, faults, round(sum(m or 0 for m in peaks))])
        figures.append({"processes": n, "processor_seconds": used, "load": found})
    head = ["processes", "users/s", "users per processor second", "cores used", "p99, ms"]
    text = table([*head, "refused", "faults", "memory, MB"], rows)
    what = f"{given.clients} clients, `{given.strategy}`, {given.seconds:g} s each."
    report.publish(given.out, [what, text], {"processes": figures})


if __name__ == "__main__":
    main()
