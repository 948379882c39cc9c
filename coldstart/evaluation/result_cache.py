"""Result cache: the records of one system on one fold, one file each.

A file is found by a fingerprint of the data, the folds, the question and the system's settings. It
remembers which code made it, and is replaced when that code has changed: a benchmark never reports
what an earlier version did.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from coldstart import __version__
from coldstart.data.dataset import Dataset
from coldstart.evaluation.case_metrics import Record
from coldstart.protocols import Encoder
from coldstart.runtime import models
from coldstart.runtime.cache import write_atomic

FORMAT = 1


class ResultCache:
    """File cache of benchmark records.

    Args:
        folder: where the files lie; ``None`` keeps nothing.
        data: the dataset.
        folds: fingerprint of all folds; see ``Scenario.fingerprint``.
        plan: ``BenchmarkPlan.key()``.
        metrics: names of the values.
        encoder: of texts; ``None``: the packaged one.
        note: called with a line about a file that is damaged, or that other code made.
    """

    def __init__(
        self,
        folder: Path | None,
        data: Dataset,
        folds: str,
        plan: Mapping[str, Any],
        metrics: Sequence[str],
        encoder: Encoder | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._folder, self._note = folder, note or (lambda line: None)
        encoder_name = encoder.name if encoder else models.DEFAULT_ENCODER
        self._question = [
            FORMAT,
            data.fingerprint_with_dislikes,
            folds,
            dict(plan),
            list(metrics),
            encoder_name,
        ]

    def path(self, system: str, settings: Mapping[str, Any], fold: int) -> Path | None:
        """File of a system's records on a fold."""
        if self._folder is None:
            return None
        whole = json.dumps(
            [*self._question, fold, system, settings], sort_keys=True, default=repr
        ).encode()
        name = re.sub(r"[^a-z0-9]+", "-", system.lower()).strip("-")[:40] or "system"
        return self._folder / f"{name}-{fold}-{hashlib.sha256(whole).hexdigest()[:20]}.json"

    def find(
        self,
        system: str,
        settings: Mapping[str, Any],
        fold: int,
        cases: Sequence[tuple[str, int]],
        code: str,
    ) -> tuple[list[Record], float] | None:
        """Cached records of a system on a fold, and its training time in seconds.

        Args:
            system: its name.
            settings: its settings.
            fold: number of the fold.
            cases: user and number of picks of every answer that there must be, in order.
            code: fingerprint of the code that would make them today.

        Returns:
            ``None`` if there is no file, or none that today's code made and that holds all of it.
        """
        path = self.path(system, settings, fold)
        if path is None or not path.exists():
            return None
        try:
            whole = json.loads(path.read_text(encoding="utf-8"))
            rows, seconds, made_by = whole["records"], float(whole["fit_seconds"]), whole["code"]
            if whole["checksum"] != _digest(rows):
                raise ValueError("its checksum is another")
            records = [
                Record(system, fold, user, n_picks, tuple(values), tuple(top), ms)
                for user, n_picks, values, top, ms in rows
            ]
            if [(r.user, r.n_picks) for r in records] != list(cases):
                raise ValueError("it answers other cases")
        except (OSError, ValueError, KeyError, TypeError) as e:
            self._note(f"{path} is damaged ({e}); doing {system} on fold {fold} again")
            return None
        if made_by != code:
            self._note(f"other code made the kept answers; doing {system} on fold {fold} again")
            return None
        return records, seconds

    def put(
        self,
        system: str,
        settings: Mapping[str, Any],
        fold: int,
        records: Sequence[Record],
        seconds: float,
        code: str,
    ) -> None:
        """Write all records of a system on a fold, atomically."""
        path = self.path(system, settings, fold)
        if path is None:
            return
        rows = [[r.user, r.n_picks, r.values, r.top, r.milliseconds] for r in records]
        whole = {
            "system": system,
            "settings": settings,
            "fold": fold,
            "version": __version__,
            "code": code,
            "fit_seconds": seconds,
            "checksum": _digest(rows),
            "records": rows,
        }
        write_atomic(path, json.dumps(whole, default=repr) + "\n")


def _digest(rows: object) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
