"""What Ray Serve costs: ``coldstart serve`` and one replica on Ray, under the same clients.

    python benchmarks/ray_serve.py --seconds 30 --clients 8 --out docs/results/ray-serve

Each by itself, one after the other, with all processors of this machine, which it shares with the
clients, and Ray with its own processes, too. ``load.py`` says how it is loaded.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from load import Figures, Target, load
from load_compare import cells, free_port, running
from results import Report, command_line


@contextmanager
def on_ray(strategy: str, artifact: str) -> Iterator[Target]:
    """The service on a Ray of its own, with one replica; gone afterwards."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray import serve

    from coldstart.serve.ray_app import app

    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))  # sockets need a short path
    args = {
        "artifact": os.path.abspath(artifact),
        "db": str(folder / "people.db"),
        "settings": {"open": True},
    }
    try:
        ray.init(
            address="local",
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=80 << 20,
            _temp_dir=str(folder / "ray"),
        )
        serve.start(
            http_options={"host": "127.0.0.1", "port": port},
            logging_config={"enable_access_log": False, "log_level": "WARNING"},
        )
        serve.run(app(args))
        yield Target(f"http://127.0.0.1:{port}", strategy)
    finally:
        serve.shutdown()
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Load both, and report."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--strategy", default="prior")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=30)
    given = parser.parse_args()
    warnings.simplefilter("ignore", DeprecationWarning)
    os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))  # else Ray sets it to one

    report = Report("Ray Serve", "torch", "ray", "uvicorn")
    rows: list[Figures] = []
    for name, start in (("coldstart serve", running), ("Ray Serve, one replica", on_ray)):
        print(f"{name} …", file=sys.stderr)
        with start(given.strategy, given.artifact) as target:
            figures = asyncio.run(load(target, given.clients, given.seconds))
        rows.append({"system": name, **figures})
    report.publish(given.out, [cells(rows)], {"rows": rows})


if __name__ == "__main__":
    main()
