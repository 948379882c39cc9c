"""Everything one process holds: the recommenders' worker, the store, limits and numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from coldstart.schema import Item, Strategy, UserProfile
from coldstart.serve import catalogs, logs
from coldstart.serve.errors import Refusal
from coldstart.serve.limits import RateLimit
from coldstart.serve.metrics import Metrics
from coldstart.serve.settings import ServeSettings
from coldstart.serve.worker import Arms, Worker
from coldstart.session import OnboardingSession

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.experiment import Experiment
    from coldstart.serve.store import CatalogChange, ChangeKind, Store

_KEPT_EXPIRED = timedelta(days=1)
Loader = Callable[[str], "Recommender"]


class Service:
    """What the routes work with.

    Args:
        load: makes a recommender of an artifact's folder; called again on a reload.
        artifacts: the folders, by arm; the first is for whoever is in no experiment.
        settings: limits.
        store: sessions, keys, catalog changes and what was shown.
        experiment: which session gets which arm; without one there is one arm.
        turn: held while recommenders are at work; services that share one take turns.
    """

    def __init__(
        self,
        load: Loader,
        artifacts: Mapping[str, str],
        settings: ServeSettings,
        store: Store,
        experiment: Experiment | None = None,
        *,
        turn: AbstractContextManager[None] | None = None,
    ) -> None:
        self._turn = turn or nullcontext()
        self.settings, self.store, self.experiment = settings, store, experiment
        self.metrics, self.rates = Metrics(), RateLimit()
        self.draining = False
        self.artifacts, self.arm = dict(artifacts), next(iter(artifacts))
        self._load, self._reloading, self._items = load, False, 0
        self._changing = asyncio.Lock()  # a change is applied and logged before the next begins
        arms, self._seq = self._loaded()
        self._count(arms)
        self.worker = Worker(
            arms,
            queue_size=settings.queue,
            batch=settings.batch,
            deadline=settings.deadline,
            metrics=self.metrics,
            turn=self._turn,
        )
        self.metrics.watch(self.worker.waiting, lambda: self._items)

    @property
    def ready(self) -> bool:
        """Whether new requests should be sent here."""
        return self.worker.alive and not self.draining

    def admit(self) -> None:
        """Refuse work beyond what can be held at a time.

        Raises:
            Refusal: 503.
        """
        if self.metrics.in_flight_now > self.settings.in_flight:
            raise Refusal(
                503, "overloaded", "too many requests at once", "try again later", retry_after=1
            )

    async def put(self, items: Sequence[Item]) -> list[str]:
        """Add or replace items; returns the ids that were new."""

        def run(arms: Arms) -> list[str]:
            new = catalogs.put(arms, items)
            self._count(arms)
            return new

        def log() -> None:
            for item in items:
                kind: ChangeKind = "add" if item.item_id in new else "update"
                self.store.log_change(kind, item.item_id, item.model_dump_json())

        async with self._changing:
            new = set(await self.worker.call_all(run))
            await run_in_threadpool(log)
        return list(new)

    async def remove(self, item_id: str) -> None:
        """Take an item out."""

        def run(arms: Arms) -> None:
            catalogs.remove(arms, item_id)
            self._count(arms)

        async with self._changing:
            await self.worker.call_all(run)
            await run_in_threadpool(self.store.log_change, "remove", item_id)

    async def follow(self) -> None:
        """Take over what other processes changed; our own changes come by again, and fit."""

        def run(arms: Arms) -> None:
            catalogs.replay(arms, changes)
            self._count(arms)

        async with self._changing:
            changes = await run_in_threadpool(self._changes_since, self._seq)
            if changes:
                await self.worker.call_all(run)
                self._seq = changes[-1].seq

    async def purge(self) -> None:
        """Delete sessions that expired a day ago or longer."""
        await run_in_threadpool(self.store.purge, _KEPT_EXPIRED)

    async def reload(self) -> None:
        """Load the artifacts anew beside those in use, then swap; nobody waits for it.

        Raises:
            Refusal: 409 if one is under way.
            ColdstartError: an artifact cannot be loaded; the old ones stay.
        """
        if self._reloading:
            raise Refusal(409, "conflict", "a reload is under way", "wait for it")
        self._reloading = True
        try:
            arms, seq = await run_in_threadpool(self._loaded)

            def swap(_: Arms) -> Arms:
                catalogs.replay(arms, missed)
                self._count(arms)
                return arms

            async with self._changing:
                missed = await run_in_threadpool(self._changes_since, seq)
                await self.worker.replace(swap)
                self._seq = missed[-1].seq if missed else seq
        except Exception as e:
            self.metrics.reloads.labels("failed").inc()
            logs.failure("reload", e)
            raise
        finally:
            self._reloading = False
        self.metrics.reloads.labels("done").inc()
        logs.event("reload", items=self._items)

    def _loaded(self) -> tuple[Arms, int]:
        """Recommenders with all logged changes, none of which starts cold."""
        arms = {arm: self._load(folder) for arm, folder in self.artifacts.items()}
        changes = self._changes_since(0)
        catalogs.replay(arms, changes)
        for rec in arms.values():
            with self._turn:
                _warm(rec)
        return arms, changes[-1].seq if changes else 0

    def _changes_since(self, seq: int) -> list[CatalogChange]:
        return list(self.store.changes(after=seq))

    def artifact_of(self, arm: str | None) -> str:
        """Name of the artifact that answers in an arm."""
        return Path(self.artifacts.get(arm or self.arm, self.artifacts[self.arm])).name

    def _count(self, arms: Arms) -> None:
        self._items = len(next(iter(arms.values())).catalog)


def _warm(rec: Recommender) -> None:
    """Have everything loaded and computed that the first request of each kind would wait for."""
    here = rec.lm is not None and rec.generator is None  # a server may be away for a while
    strategy: Strategy = "both" if here else "prior"
    rec.recommend(UserProfile(about="hello", interests=("hello",)), k=1, strategy=strategy)
    OnboardingSession(rec).say("hello").next_question()
