"""Service: the model worker, the store, limits and metrics of one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from coldstart.schema import Item, Strategy, UserProfile
from coldstart.serve import catalog_updates, logs
from coldstart.serve.admission import InFlight, KeyGuesses, KeyLookups
from coldstart.serve.catalog_updates import CatalogPlan
from coldstart.serve.catalog_writer import CatalogWriter, Loaded
from coldstart.serve.errors import ApiError
from coldstart.serve.growth import LikeFollower
from coldstart.serve.limits import RateLimiter
from coldstart.serve.metrics import Metrics
from coldstart.serve.settings import ServeSettings
from coldstart.serve.worker import Arms, Worker
from coldstart.session import OnboardingSession

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.experiment import Experiment
    from coldstart.serve.store import Store

_RETENTION = timedelta(days=1)
Loader = Callable[[str], "Recommender"]


class Service:
    """Application state behind the routes.

    Args:
        load: loads a recommender from an artifact folder; called again on a reload.
        artifacts: artifact folders by arm; the first arm is the default.
        settings: limits and access control.
        store: sessions, API keys, catalog changes and exposures.
        experiment: A/B test that assigns arms; without one there is a single arm.
        lock: held while a recommender computes; services that share one compute one at a time.
        guesses: limit of wrong API keys; services of one process share it.

    Raises:
        StoreUnavailable: the database is damaged.
    """

    def __init__(
        self,
        load: Loader,
        artifacts: Mapping[str, str],
        settings: ServeSettings,
        store: Store,
        experiment: Experiment | None = None,
        *,
        lock: AbstractContextManager[None] | None = None,
        guesses: KeyGuesses | None = None,
    ) -> None:
        self._lock = lock or nullcontext()
        self.settings, self.store, self.experiment = settings, store, experiment
        self.metrics, self.rates = Metrics(), RateLimiter()
        self.in_flight = InFlight(settings.in_flight, self.metrics)
        self.guesses = guesses or KeyGuesses(settings.wrong_keys)
        self.keys = KeyLookups(lambda secret: store.check_key(secret))
        self.draining = False
        self.artifacts, self.arm = dict(artifacts), next(iter(artifacts))
        self._load, self._reloading, self._items = load, False, 0
        store.check_integrity()
        self.catalog = CatalogWriter(store, settings.deadline, self._update_size)
        self.likes = LikeFollower(store)
        arms, loaded = self._load_arms()
        self.catalog.use(loaded)
        self.catalog.compact()
        self._update_size(arms)
        self.worker = Worker(
            arms,
            queue_size=settings.queue,
            batch=settings.batch,
            deadline=settings.deadline,
            metrics=self.metrics,
            lock=self._lock,
        )
        self.metrics.watch(
            self.worker.waiting, lambda: self._items, lambda: len(self.catalog.set_aside)
        )

    @property
    def ready(self) -> bool:
        """Whether the service accepts new requests."""
        return self.worker.alive and not self.draining

    async def put_items(self, items: Sequence[Item]) -> CatalogPlan:
        """Add or replace items, all of them or none; see ``CatalogWriter.change``."""
        return await self.change_catalog(lambda arms: catalog_updates.plan_put(arms, items))

    async def remove_item(self, item_id: str) -> None:
        """Remove an item."""
        await self.change_catalog(lambda arms: catalog_updates.plan_removal(arms, item_id))

    async def change_catalog(self, plan: Callable[[Arms], CatalogPlan]) -> CatalogPlan:
        """Make a planned change; see ``CatalogWriter.change``."""
        return await self.catalog.change(self.worker, plan)

    async def sync(self) -> None:
        """Apply catalog changes of other processes, and count new likes."""
        await self.catalog.follow(self.worker)
        await self.likes.follow(self.worker)

    async def forget(self) -> None:
        """Take erased people out of the observed likes of this process, at once."""
        await self.likes.follow(self.worker, check=True)

    async def purge(self) -> None:
        """Delete sessions that expired more than a day ago, and compact the catalog's log."""
        await run_in_threadpool(self.catalog.compact)
        await run_in_threadpool(self.store.purge, _RETENTION)

    async def reload(self) -> None:
        """Reload the artifacts in the background, then swap; requests are not interrupted.

        Raises:
            ApiError: 409, a reload is in progress.
            ColdstartError: an artifact cannot be loaded; the current ones stay in use.
        """
        if self._reloading:
            raise ApiError(409, "conflict", "a reload is under way", "wait for it")
        self._reloading = True
        try:
            arms, loaded = await run_in_threadpool(self._load_arms)
            await self.catalog.swap(self.worker, arms, loaded)
        except Exception as e:
            self.metrics.reloads.labels("failed").inc()
            logs.failure("reload", e)
            raise
        finally:
            self._reloading = False
        self.metrics.reloads.labels("done").inc()
        logs.event("reload", items=self._items)

    def _load_arms(self) -> tuple[Arms, Loaded]:
        """Load and warm up all recommenders, with logged catalog changes and likes applied."""
        arms = {arm: self._load(folder) for arm, folder in self.artifacts.items()}
        loaded = self.catalog.load(arms)
        self.likes.load(arms)
        for rec in arms.values():
            with self._lock:
                _warm_up(rec)
        return arms, loaded

    def artifact_of(self, arm: str | None) -> str:
        """Name of the artifact of an arm; ``None`` for the default arm."""
        return Path(self.artifacts.get(arm or self.arm, self.artifacts[self.arm])).name

    def _update_size(self, arms: Arms) -> None:
        self._items = len(next(iter(arms.values())).catalog)


def _warm_up(rec: Recommender) -> None:
    """Run each kind of request once, so that lazy loading does not delay the first client."""
    local = rec.lm is not None and rec.generator is None  # a remote generator may be unavailable
    strategy: Strategy = "both" if local else "prior"
    rec.recommend(UserProfile(about="hello", interests=("hello",)), k=1, strategy=strategy)
    OnboardingSession(rec).say("hello").next_question()
