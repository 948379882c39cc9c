"""Service: the model worker, the store, limits and metrics of one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from coldstart.errors import ColdstartError
from coldstart.schema import Item, Strategy, UserProfile
from coldstart.serve import catalog_updates, logs
from coldstart.serve.admission import InFlight, KeyGuesses, KeyLookups
from coldstart.serve.catalog_updates import CatalogPlan
from coldstart.serve.catalog_writer import CatalogWriter, Loaded
from coldstart.serve.errors import ApiError
from coldstart.serve.growth import LikeFollower
from coldstart.serve.item_search import ItemSearch
from coldstart.serve.limits import RateLimiter
from coldstart.serve.metrics import Metrics
from coldstart.serve.pictures import Pictures
from coldstart.serve.releases import Serving, arms_with, beside, serving_after, serving_of
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store.errors import Conflict
from coldstart.serve.worker import Arms, Worker
from coldstart.session import OnboardingSession

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.experiment import Experiment
    from coldstart.serve.store import Release, Store

_RETENTION = timedelta(days=1)
_FORGETTING = 15  # calls of ``sync`` in which the reading of a text must be used to be kept
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
        self.settings, self.store = settings, store
        self.metrics, self.rates = Metrics(), RateLimiter()
        self.in_flight = InFlight(settings.in_flight, self.metrics)
        self.guesses = guesses or KeyGuesses(settings.wrong_keys)
        self.keys = KeyLookups(lambda secret: store.check_key(secret))
        self.pictures = Pictures(settings.images_folder, remote=settings.remote_images)
        self.search = ItemSearch(self.pictures)
        self.draining = False
        self.started = self.serving = Serving(dict(artifacts), experiment)
        self._load, self._reloading = load, False
        self._items = self._seen = self._turn = 0
        store.check_integrity()
        self.catalog = CatalogWriter(store, settings.deadline, self._update_size)
        self.likes = LikeFollower(store)
        arms, loaded = self._load_first()
        self.metrics.release.set(self.serving.seq)
        self.catalog.use(loaded)
        self.catalog.compact()
        self._update_size(arms)
        self.search.cards("a", 1, next(iter(arms.values())))  # makes its index
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
    def experiment(self) -> Experiment | None:
        """A/B test that assigns arms, if there is one."""
        return self.serving.experiment

    @property
    def arm(self) -> str:
        """The default arm."""
        return self.serving.arm

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
        """Apply catalog changes and releases of other processes, and count new likes.

        Raises:
            ColdstartError: a release cannot be loaded; it is not tried again.
        """
        await self.catalog.follow(self.worker)
        await self.likes.follow(self.worker)
        self._turn += 1
        if self._turn % _FORGETTING == 0:  # replaced texts, and those that other processes erased
            await self.worker.finish(partial(_forget_texts, unused=True))
        if self.started.experiment is None and not self._reloading:
            release = await run_in_threadpool(self.store.release)
            if release is not None and release.seq > self._seen:
                self._seen = release.seq
                await self._switch(serving_of(release, self.started))

    async def forget(self) -> None:
        """Take erased people's likes and texts out of the memory of this process, at once."""
        await self.likes.follow(self.worker, check=True)
        with suppress(ApiError):  # shutting down, and the memory with it
            await self.worker.finish(_forget_texts)

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
        await self._switch(self.serving)

    async def use(self, name: str, share: float = 1.0) -> Serving:
        """Take over an artifact without interruption; all services of the store follow.

        Args:
            name: of a folder beside the artifact that the service was started with.
            share: as for ``releases.arms_with``.

        Raises:
            ApiError: 404, no such artifact; 409, a reload is in progress, or the service was
                started with an A/B test.
            ConfigError: as ``releases.arms_with``.
            ColdstartError: the artifact cannot be loaded; nothing is changed.
        """
        self._refuse_fixed()
        artifact = beside(self.started, name)
        found = await run_in_threadpool(self.store.release)
        arms, seq = arms_with(found, artifact, share), found.seq if found else 0
        following = serving_after(arms, seq, self.started)
        await self._switch(following, lambda: self.store.new_release(arms, after=seq))
        return following

    async def roll_back(self) -> Serving:
        """Serve what was served before the latest release; all services of the store follow.

        Raises:
            ApiError: 409, nothing was served before, a reload is in progress, or the service was
                started with an A/B test.
            ColdstartError: it cannot be loaded; nothing is changed.
        """
        self._refuse_fixed()
        found = await run_in_threadpool(self.store.release)
        seq = found.seq if found else 0
        if found is None or not found.before:
            raise ApiError(
                409, "conflict", "nothing was served before", "release an artifact first"
            )
        following = serving_after(found.before[-1], seq, self.started)
        await self._switch(following, lambda: self.store.roll_back(after=seq))
        return following

    def _refuse_fixed(self) -> None:
        if self.started.experiment is not None:
            raise ApiError(
                409, "conflict", "the service runs an A/B test of a file", "start it without one"
            )

    async def _switch(
        self, following: Serving, record: Callable[[], Release] | None = None
    ) -> None:
        """Load artifacts in the background, record the release, then swap."""
        if self._reloading:
            raise ApiError(409, "conflict", "a reload is under way", "wait for it")
        self._reloading = True
        try:
            arms, loaded = await run_in_threadpool(self._load_arms, following.artifacts)
            if record is not None:
                await run_in_threadpool(_recorded, record)
            await self.catalog.swap(self.worker, arms, loaded)
            self.serving, self._seen = following, max(self._seen, following.seq)
            self.metrics.release.set(following.seq)
        except Exception as e:
            self.metrics.reloads.labels("failed").inc()
            logs.failure("reload", e)
            raise
        finally:
            self._reloading = False
        self.metrics.reloads.labels("done").inc()
        logs.event("reload", items=self._items, release=following.seq)

    def _load_first(self) -> tuple[Arms, Loaded]:
        """Load the store's release; what the service was started with if that fails."""
        release = None if self.started.experiment is not None else self.store.release()
        if release is not None:
            self._seen, self.serving = release.seq, serving_of(release, self.started)
            if self.serving.artifacts != self.started.artifacts:
                try:
                    return self._load_arms(self.serving.artifacts)
                except ColdstartError as e:
                    logs.failure("release", e, release=release.seq)
                    self.serving = self.started
        return self._load_arms(self.started.artifacts)

    def _load_arms(self, artifacts: Mapping[str, str]) -> tuple[Arms, Loaded]:
        """Load and warm up recommenders, with logged catalog changes and likes applied."""
        arms = {arm: self._load(folder) for arm, folder in artifacts.items()}
        loaded = self.catalog.load(arms)
        self.likes.load(arms)
        for rec in arms.values():
            with self._lock:
                _warm_up(rec)
        return arms, loaded

    def artifact_of(self, arm: str | None) -> str:
        """Name of the artifact of an arm; ``None`` for the default arm."""
        return self.serving.artifact_of(arm)

    def _update_size(self, arms: Arms) -> None:
        catalog = next(iter(arms.values())).catalog
        self._items = len(catalog)
        self.pictures.follow(catalog)


def _forget_texts(arms: Arms, *, unused: bool = False) -> None:
    for recommender in arms.values():
        recommender.pipeline.understand.forget(unused=unused)
        recommender.item_store.forget_queries()


def _recorded(record: Callable[[], Release]) -> None:
    try:
        record()
    except Conflict:
        raise ApiError(
            409, "conflict", "another release was made meanwhile", "look at it, then send it again"
        ) from None


def _warm_up(rec: Recommender) -> None:
    """Run each kind of request once, so that lazy loading does not delay the first client."""
    local = rec.lm is not None and rec.generator is None  # a remote generator may be unavailable
    strategy: Strategy = "both" if local else "prior"
    item = next(iter(rec.catalog), None)  # its words are known, so that what searches words is made
    words = "hello" if item is None else ". ".join(["hello", *item.categories, item.title])
    rec.recommend(UserProfile(about=words, interests=("hello",)), k=1, strategy=strategy)
    OnboardingSession(rec).say("hello").next_question()
