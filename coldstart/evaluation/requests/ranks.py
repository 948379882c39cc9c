"""Ranks of the targets of recorded requests, under one protocol for all systems.

Every (request, new target) is a case. Systems see requests without chosen items. Items that a
request mentions are taken out of its ranking; other targets of the request stay in. Equal scores
are ordered at random, in an order of the items that is drawn for each request and is the same for
every system.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.requests.inputs import blinded
from coldstart.evaluation.requests.system import Floats, RequestSystem

Change = Callable[[Sequence[RecordedRequest], int], Sequence[RecordedRequest]]
"""(requests, seed) → the same number of requests, with less to go by."""

TOP = 10
BATCH = 64


@dataclass(frozen=True)
class Entrant:
    """A system under test, with what it is given.

    Args:
        system: the system.
        name: row of the tables; the system's name if empty.
        change: of the requests before the system sees them, for ablations; ``None``: none.
        description: the system's if empty.
        ours: whether it is what the benchmark is about.
    """

    system: RequestSystem
    name: str = ""
    change: Change | None = None
    description: str = ""
    ours: bool = False

    @property
    def label(self) -> str:
        """Row of the tables."""
        return self.name or self.system.name

    @property
    def what(self) -> str:
        """Description of the row."""
        return self.description or self.system.description


@dataclass(frozen=True)
class TargetRanks:
    """Ranks of one system.

    Args:
        request: position of each case's request, shape (cases,).
        rank: items ahead of the target, 0 is best, shape (cases,).
        top: ids of the first ``TOP`` items of each request.
    """

    request: NDArray[np.int64]
    rank: NDArray[np.int64]
    top: tuple[tuple[str, ...], ...]


def judged_requests(requests: Sequence[RecordedRequest]) -> tuple[RecordedRequest, ...]:
    """Requests that have a new target.

    Raises:
        DataError: none has.
    """
    found = tuple(request for request in requests if request.targets)
    if not found:
        raise DataError(
            f"none of {len(requests)} test requests has a new target",
            hint="choose items that the request does not mention",
        )
    return found


def rank_targets(
    log: RequestLog,
    requests: Sequence[RecordedRequest],
    entrants: Sequence[Entrant],
    *,
    seed: int = 0,
    questionnaire: bool = False,
    report: Callable[[str, int, int], None] | None = None,
) -> dict[str, TargetRanks]:
    """Fit systems on the training requests and rank the targets of others.

    Args:
        log: what systems are fitted on.
        requests: each with a new target; see ``judged_requests``.
        entrants: with distinct names.
        seed: of the order of ties, and of ablations.
        questionnaire: see ``inputs.blinded``.
        report: called with (what, done, total).

    Returns:
        Ranks by entrant.

    Raises:
        ConfigError: no entrant, or two of one name.
        DataError: a system's scores are of another shape or not finite.
    """
    names = [entrant.label for entrant in entrants]
    if not names or len(set(names)) < len(names):
        raise ConfigError(
            f"the systems {', '.join(names) or 'none'}",
            hint="one system or more, each with a name of its own",
        )
    for done, entrant in enumerate(entrants):
        if report:
            report("fitting", done, len(entrants))
        entrant.system.fit(log)
    if report:
        report("fitting", len(entrants), len(entrants))
    given = _inputs(requests, entrants, seed, questionnaire)
    found: dict[str, list[tuple[list[int], tuple[str, ...]]]] = {name: [] for name in names}
    for start in range(0, len(requests), BATCH):
        stop = min(start + BATCH, len(requests))
        batches = {change: tuple(changed[start:stop]) for change, changed in given.items()}
        ties = [
            np.random.default_rng(seed + at).permutation(len(log.catalog))
            for at in range(start, stop)
        ]
        order = sorted(entrants, key=lambda e: list(given).index(e.change))  # equal inputs together
        for entrant in order:
            scores = _checked(entrant, batches[entrant.change], len(log.catalog))
            for request, row, tie in zip(requests[start:stop], scores, ties, strict=True):
                found[entrant.label].append(_ranked(row, request, log, tie))
        if report:
            report("ranking", stop, len(requests))
    counts = [len(request.targets) for request in requests]
    cases = np.repeat(np.arange(len(requests)), counts)
    return {
        name: TargetRanks(
            cases,
            np.array([rank for ranks, _ in rows for rank in ranks], dtype=np.int64),
            tuple(top for _, top in rows),
        )
        for name, rows in found.items()
    }


def _inputs(
    requests: Sequence[RecordedRequest],
    entrants: Sequence[Entrant],
    seed: int,
    questionnaire: bool,
) -> Mapping[Change | None, Sequence[RecordedRequest]]:
    """What systems see, by change."""
    plain = [blinded(request, questionnaire=questionnaire) for request in requests]
    changes = dict.fromkeys([None, *(entrant.change for entrant in entrants)])
    return {c: plain if c is None else list(c(plain, seed)) for c in changes}


def _checked(entrant: Entrant, batch: Sequence[RecordedRequest], items: int) -> Floats:
    scores = np.asarray(entrant.system.scores(batch))
    if scores.shape != (len(batch), items) or not np.isfinite(scores).all():
        raise DataError(
            f"{entrant.label} gives scores of shape {scores.shape}, finite or not, for "
            f"{len(batch)} requests over {items} items",
            hint="give one finite score per request and item",
        )
    return scores


def _ranked(
    scores: Floats, request: RecordedRequest, log: RequestLog, tie: NDArray[np.int64]
) -> tuple[list[int], tuple[str, ...]]:
    """Rank of each target, and the first items."""
    rows, ids = log.catalog.rows, log.catalog.ids
    shown = np.ones(len(scores), dtype=bool)
    shown[[rows[m.item_id] for m in request.mentioned]] = False
    ranks = []
    for target in request.targets:
        row = rows[target]
        ahead = (scores > scores[row]) | ((scores == scores[row]) & (tie < tie[row]))
        ranks.append(int((ahead & shown).sum()))
    open_rows = np.flatnonzero(shown)
    if len(open_rows) > TOP:
        lowest = np.partition(scores[open_rows], -TOP)[-TOP]
        open_rows = open_rows[scores[open_rows] >= lowest]
    best = open_rows[np.lexsort((tie[open_rows], -scores[open_rows]))][:TOP]
    return ranks, tuple(ids[row] for row in best)
