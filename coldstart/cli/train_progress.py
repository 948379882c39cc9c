"""Progress of a training in stages."""

from __future__ import annotations

from typing import Any

from coldstart.cli import output


class StageBars:
    """A bar on stderr for each stage of a training."""

    NAMES = {  # noqa: RUF012
        "trees": "blend without words",
        "encoder": "request encoder",
        "texts": "encoding requests",
        "head": "item vectors",
        "blend": "blend of requests",
        "reading": "reading",
        "compare": "comparing",
    }

    def __init__(self) -> None:
        self._bars = output.progress()
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> StageBars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, row: dict[str, Any]) -> None:
        """Show a progress report."""
        if "step" not in row:
            return
        epoch = f" {int(row['epoch'])}" if "epoch" in row else ""
        name = f"{self.NAMES.get(row['stage'], row['stage'])}{epoch}"
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=row.get("steps"))
        self._bars.update(self._tasks[name], completed=row["step"], total=row.get("steps"))
