"""Attack artifacts, the store and the network of a service, and count what must not happen.

    python benchmarks/attack.py --out docs/results/attack [--only artifacts]

Each module of ``benchmarks/attacks`` is one part. Parts that are not run keep their figures of the
last run in ``OUT.json``. Exits with 1 if any count that must be 0 is not.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from dataclasses import asdict
from typing import Any

import attacks
from results import Report, command_line, table


def main() -> None:
    """Run the chosen parts and publish one table of all."""
    modules = {
        found.name: importlib.import_module(f"attacks.{found.name}")
        for found in pkgutil.iter_modules(attacks.__path__)
    }
    modules = {name: module for name, module in modules.items() if hasattr(module, "attack")}
    parser = command_line(__doc__)
    parser.add_argument("--only", choices=sorted(modules), nargs="*", default=sorted(modules))
    for module in modules.values():
        module.options(parser)
    options = parser.parse_args()
    report = Report("Attacks: what must not happen, counted")
    parts: dict[str, Any] = {}
    if options.out and (kept := options.out.with_name(f"{options.out.name}.json")).is_file():
        parts = json.loads(kept.read_text(encoding="utf-8"))["parts"]
    for name in options.only:
        parts[name] = asdict(modules[name].attack(options)) | {"command": report.command}
    parts = dict(sorted(parts.items()))
    rows = [
        [name, part["attempts"], what, count, "must be 0" if kind == "bad" else ""]
        for name, part in parts.items()
        for kind in ("bad", "fine")
        for what, count in part[kind].items()
    ]
    text = [table(["part", "attempts", "what happened", "times", ""], rows)]
    for name, part in parts.items():
        text += [f"## {name}", f"`{part['command']}`", *part["text"]]
    report.publish(options.out, text, {"parts": parts})
    if any(count for part in parts.values() for count in part["bad"].values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
