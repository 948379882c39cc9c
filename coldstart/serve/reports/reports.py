"""Façade of the reports of one service."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from coldstart.serve.reports.artifact_list import Artifacts, artifact_report
from coldstart.serve.reports.catalog_health import CatalogHealth, catalog_health
from coldstart.serve.reports.engagement import Arm, Engagement, EngagementCounts
from coldstart.serve.reports.sentences import (
    Reading,
    Sentences,
    WrittenSentence,
    sentence_report,
    shared_words,
    written_in,
)
from coldstart.serve.reports.traffic import TrafficMonitor

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.schema import Item
    from coldstart.serve.service import Service

MOST_SESSIONS = 1000
"""Newest sessions whose sentences are read."""
MOST_LISTS = 20_000
"""Lists, and events, of sessions and of subjects that one report counts."""
_AT_ONCE = 16  # sentences per turn of the worker: about 20 ms


class Reports:
    """Reports of one service, computed from its store, catalog and metrics.

    They take turns, and wait for people: rows are read in small transactions, in threads, and
    sentences are read by the worker a few at a time, between lists. Nothing that somebody wrote is
    kept: a sentence of the report before is recognised by its hash.

    Args:
        service: whose reports these are.
    """

    def __init__(self, service: Service) -> None:
        self._service, self._turn = service, asyncio.Lock()
        self.traffic = TrafficMonitor(service.metrics)
        self._readings: dict[bytes, Reading] = {}
        self._read_with: tuple[int, int] | None = None

    async def sample(self) -> None:
        """Take a sample of the metrics for the history of the traffic."""
        self.traffic.sample()

    async def sentences(self, fewest: int = 1) -> Sentences:
        """Report on the sentences of the newest sessions.

        Args:
            fewest: people who must have written what was not understood for it to be listed.
        """
        async with self._turn:
            store = self._service.store
            sessions = await run_in_threadpool(lambda: [*store.newest_sessions(MOST_SESSIONS)])
            written, n, unreadable = await run_in_threadpool(written_in, sessions)
            readings = await self._read(written)
            items, _ = await self._catalog()

            def report() -> Sentences:
                shared = shared_words(written, (item.title for item in items))
                return sentence_report(
                    written, readings, shared, sessions=n, unreadable=unreadable, fewest=fewest
                )

            return await run_in_threadpool(report)

    async def engagement(self, days: int) -> Engagement:
        """Report on what was shown and taken.

        Args:
            days: length of the window, the present day included.
        """
        async with self._turn:
            items, new = await self._catalog()
            return await run_in_threadpool(self._engagement, items, new, days)

    async def catalog(self, days: int, examples: int = 20) -> CatalogHealth:
        """Report on the gaps of the catalog.

        Args:
            days: window of "never shown", of which the newest lists are read.
            examples: most items named for each gap.
        """
        async with self._turn:
            items, _ = await self._catalog()

            def report() -> CatalogHealth:
                lists = self._service.store.newest_lists(_start_of(days), MOST_LISTS)
                shown = {item for one in lists.rows for item in one.item_ids}
                return catalog_health(
                    items, shown, days, complete=lists.complete, examples=examples
                )

            return await run_in_threadpool(report)

    async def artifacts(self) -> Artifacts:
        """Report on artifacts and releases."""
        service = self._service

        def report() -> Artifacts:
            return artifact_report(service.serving, service.started, service.store.release())

        return await run_in_threadpool(report)

    def _engagement(self, items: Sequence[Item], new: frozenset[str], days: int) -> Engagement:
        since, counts, store = _start_of(days), EngagementCounts(), self._service.store
        lists = store.newest_lists(since, MOST_LISTS)
        events = store.newest_reactions(since, MOST_LISTS)
        counts.add_lists(lists.rows)
        counts.add_reactions(events.rows)
        test = self._service.experiment
        order: list[Arm] = [(test.name, arm.name) for arm in test.arms] if test else []
        return counts.report(
            {item.item_id: item for item in items},
            new,
            since,
            datetime.now(UTC),
            order=order,
            complete=lists.complete and events.complete,
        )

    async def _catalog(self) -> tuple[tuple[Item, ...], frozenset[str]]:
        """Items of the default arm, and the ids of those that its artifact was made without."""

        def look(recommender: Recommender) -> tuple[tuple[Item, ...], frozenset[str]]:
            known = recommender.counts.column
            catalog = recommender.catalog
            return catalog.items, frozenset(i for i in catalog.ids if i not in known)

        return await self._service.worker.call(look, self._service.arm)

    async def _read(self, written: Sequence[WrittenSentence]) -> dict[str, Reading]:
        """Readings by text; those of the texts of this report are kept by hash for the next one."""
        keys = {one.text: _hash(one.text) for one in written}
        version = await self._read_some({})
        before = self._readings if version == self._read_with else {}
        self._read_with = version
        self._readings = {key: before[key] for key in keys.values() if key in before}
        missing = [(text, key) for text, key in keys.items() if key not in self._readings]
        for start in range(0, len(missing), _AT_ONCE):
            # A change of the catalog meanwhile counts in the next report: this one comes to an end.
            await self._read_some(dict(missing[start : start + _AT_ONCE]))
        return {text: self._readings[key] for text, key in keys.items()}

    async def _read_some(self, keys: Mapping[str, bytes]) -> tuple[int, int]:
        """Read texts, given with their hashes; return which recommender and catalog read them."""

        def read(recommender: Recommender) -> tuple[tuple[int, int], list[Reading]]:
            version = id(recommender), recommender.catalog.version
            understand = recommender.pipeline.understand
            return version, [Reading.of(understand.read(text)) for text in keys]

        version, found = await self._service.worker.call(read, self._service.arm)
        self._readings.update(zip(keys.values(), found, strict=True))
        return version


def _start_of(days: int) -> datetime:
    """Midnight (UTC) from which on there are so many days, the present one included."""
    first = datetime.now(UTC) - timedelta(days=days - 1)
    return first.replace(hour=0, minute=0, second=0, microsecond=0)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()
