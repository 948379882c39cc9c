"""What all benchmarks share: where they ran, tables, and the files that keep the figures."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from coldstart.runtime.cache import write_atomic
from coldstart.runtime.hardware import processor


def command_line(doc: str | None) -> argparse.ArgumentParser:
    """A command line with ``--out``; its help is the first line of ``doc``."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--out", type=Path, help="write OUT.md and OUT.json")
    return parser


def memory(field: str) -> float:
    """``VmRSS``, or ``VmHWM``, its peak, of this process, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1e3 for line in lines if line.startswith(field))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Markdown; ``None`` is a dash."""
    lines = [head, ["---"] * len(head), *(["–" if c is None else c for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


class Report:
    """Figures with the command, the machine and the versions that they were made by.

    Make it before measuring: the machine's load is read then, and again when it is published.

    Args:
        title: of the Markdown.
        packages: whose versions matter, beside those of coldstart and Python.
    """

    def __init__(self, title: str, *packages: str) -> None:
        self.title = title
        self.command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
        self.machine: dict[str, Any] = {
            "cores": len(os.sched_getaffinity(0)),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
            "platform": f"{platform.system()} {platform.machine()}",
            "processor": processor(),
            "load": [round(os.getloadavg()[0], 1)],
        }
        self.versions = {"python": platform.python_version()}
        self.versions |= {name: version(name) for name in ("coldstart-rec", *packages)}

    def publish(self, out: Path | None, text: Sequence[str], figures: Mapping[str, Any]) -> None:
        """Print the Markdown, and write it with the figures if there is a place.

        Args:
            out: path without an ending.
            text: paragraphs and tables.
            figures: beside command, machine and versions in OUT.json.
        """
        self.machine["load"].append(round(os.getloadavg()[0], 1))
        start, end = self.machine["load"]
        where = (
            f"{self.machine['cores']} cores, load {start} at the start, {end} at the end, "
            f"OMP_NUM_THREADS={self.machine['OMP_NUM_THREADS']}, {self.machine['platform']}, "
            f"{self.machine['processor']}; "
            + ", ".join(f"{name} {number}" for name, number in self.versions.items())
        )
        made = f"`{self.command}`: {where}."
        markdown = "\n\n".join([f"# {self.title}", made, *text]) + "\n"
        print(markdown)
        if out:
            about = {"command": self.command, "machine": self.machine, "versions": self.versions}
            whole = json.dumps(about | dict(figures), indent=1, ensure_ascii=False) + "\n"
            for end, content in (("md", markdown), ("json", whole)):
                write_atomic(out.with_name(f"{out.name}.{end}"), content)
