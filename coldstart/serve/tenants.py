"""Multi-tenancy: one service per tenant in one process, loaded on demand and evicted by LRU.

Each tenant has its own store, so API keys, sessions and catalog changes are isolated. Tenants share
the base model's weights, and the processor through a fair lock.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope

from coldstart.errors import ConfigError
from coldstart.serve import errors, logs, security
from coldstart.serve.admission import KeyGuesses
from coldstart.serve.app import create_app
from coldstart.serve.errors import ApiError
from coldstart.serve.fair_lock import FairLock
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.tenants_config import Tenant
from coldstart.serve.tenants_metrics import TenantCollector
from coldstart.serve.tenants_pictures import TenantPictures

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.store import Store

METRICS_KEY = "COLDSTART_METRICS_KEY"
"""Environment variable with the key that shows ``/metrics`` by tenant."""
_RETRY_SECONDS = 10.0  # after a failed load


@dataclass
class _LoadedTenant:
    """A loaded tenant.

    Args:
        service: service of the tenant.
        app: application around the service.
        stack: exit stack that stops the service and closes its store.
        using: number of requests in progress.
    """

    service: Service
    app: FastAPI
    stack: AsyncExitStack
    using: int = 0


class TenantServices:
    """LRU cache of tenant services, loaded on first use. To be used from one event loop.

    Args:
        tenants: tenant configurations by name.
        load: loads a new recommender of a tenant, or of the folder of one of its releases; called
            in threads.
        settings: defaults of the tenants' limits, and settings of the process.
        most: capacity. The least recently used idle service is evicted first; while all are busy,
            the capacity may be exceeded.

    Raises:
        ConfigError: ``most`` is less than 1.
    """

    def __init__(
        self,
        tenants: Mapping[str, Tenant],
        load: Callable[[str], Recommender],
        settings: ServeSettings,
        *,
        most: int = 8,
    ) -> None:
        if most < 1:
            raise ConfigError(f"most is {most}, expected at least 1")
        self.tenants, self.settings, self.most = dict(tenants), settings, most
        self._load, self._lock = load, FairLock()
        self._guesses = KeyGuesses(settings.wrong_keys)
        self._running: OrderedDict[str, _LoadedTenant] = OrderedDict()
        self._starts: dict[str, asyncio.Task[None]] = {}
        self._failed: dict[str, float] = {}  # time of the next attempt
        self._waiting: Counter[str] = Counter()  # requests per tenant being loaded
        self._draining = False
        self._opened: set[str] = set()  # tenants whose stores exist
        self.pictures = TenantPictures(self.tenants, settings, self._open)
        self._loading = asyncio.Lock()

    @property
    def loaded(self) -> tuple[str, ...]:
        """Names of the loaded tenants, the most recently used last."""
        return tuple(self._running)

    @property
    def draining(self) -> bool:
        """Whether the process is shutting down."""
        return self._draining

    @draining.setter
    def draining(self, value: bool) -> None:
        self._draining = value
        for running in self._running.values():
            running.service.draining = value

    async def reload(self) -> None:
        """Reload the artifacts of all loaded tenants; a failed one keeps its current artifact."""
        self._failed.clear()
        for running in [*self._running.values()]:
            with suppress(Exception):  # logged by the service
                await running.service.reload()

    async def close(self) -> None:
        """Finish requests in progress within their deadlines, and close all stores."""
        self.draining = True
        await asyncio.gather(*self._starts.values(), return_exceptions=True)
        await self._close(self.loaded)

    def may_see_tenants(self, headers: Mapping[str, str]) -> bool:
        """Whether a request has the key of the process's metrics, ``COLDSTART_METRICS_KEY``."""
        key = os.environ.get(METRICS_KEY, "")
        given = security.secret_of(headers)
        return bool(key) and hmac.compare_digest(key.encode(), given.encode("utf-8", "replace"))

    def metrics_text(self, by_tenant: bool = False) -> bytes:
        """Metrics of all loaded tenants in the Prometheus text format.

        Args:
            by_tenant: label each number with its tenant; otherwise they are added up.
        """
        registry = CollectorRegistry()
        services = {name: running.service.metrics for name, running in self._running.items()}
        registry.register(TenantCollector(services, by_tenant=by_tenant))
        return generate_latest(registry)

    async def check_key(self, name: str, scope: Scope) -> None:
        """Check the API key of a tenant before the tenant is loaded.

        Raises:
            ApiError: 401, missing or invalid key; 429, too many wrong ones; 503, the store is
                unavailable.
        """
        if self.settings.open:
            return
        secret, address = (
            security.secret_of(Headers(scope=scope)),
            security.network_of(scope.get("client")),
        )
        if not secret:
            raise errors.unauthorized()
        self._guesses.check(address, secret)
        valid = await run_in_threadpool(self._is_valid_key, name, secret)
        self._guesses.note(address, secret, valid=valid)
        if not valid:
            raise errors.unauthorized()

    def _is_valid_key(self, name: str, secret: str) -> bool:
        with self._open(name) as store:
            return store.check_key(secret) is not None

    def _open(self, name: str) -> Store:
        """Open a tenant's store; it is made only once, so that a deleted one is an error."""
        store = self.tenants[name].open(create=name not in self._opened)
        self._opened.add(name)
        return store

    async def check_stores(self) -> None:
        """Check that a store of a loaded tenant can be written; one tenant's trouble is its own.

        Raises:
            StoreError: none of them can, for example on a full disk.
        """
        services = [running.service for running in self._running.values()]
        checks = (run_in_threadpool(service.store.check_writable) for service in services)
        found = await asyncio.gather(*checks, return_exceptions=True)
        if found and all(isinstance(e, BaseException) for e in found):
            assert isinstance(found[0], BaseException)
            raise found[0]

    @asynccontextmanager
    async def using(self, name: str, *, touch: bool = True) -> AsyncIterator[FastAPI]:
        """Context manager for a tenant's application, which is not evicted meanwhile.

        Args:
            name: name of the tenant.
            touch: whether this counts as a use for the LRU order; false for monitoring requests.

        Raises:
            ApiError: 503, the tenant cannot be loaded, or too many requests wait for it.
        """
        while (running := self._running.get(name)) is None:
            await self._ensure_loaded(name)
        if touch:
            self._running.move_to_end(name)
        running.using += 1
        try:
            yield running.app
        finally:
            running.using -= 1
            await self._evict(0)

    async def _ensure_loaded(self, name: str) -> None:
        """Wait until a tenant is loaded; concurrent requests share one load."""
        if self._waiting[name] >= self.settings.queue:
            raise _unavailable("too many requests wait for the tenant", 1)
        if self._draining:
            raise _unavailable("the service is going down", 5)
        if name not in self._starts:
            if (left := self._failed.get(name, 0) - time.monotonic()) > 0:
                raise _unavailable("the tenant could not be loaded", left)
            self._starts[name] = asyncio.create_task(self._load_tenant(name))
        self._waiting[name] += 1
        try:  # a client disconnect does not cancel the load
            await asyncio.shield(self._starts[name])
        finally:
            self._waiting[name] -= 1

    async def _load_tenant(self, name: str) -> None:
        try:
            async with self._loading:
                await self._evict(1)
                start = time.monotonic()
                service = await run_in_threadpool(self._build_service, name)
                app, stack = create_app(service), AsyncExitStack()
                await stack.enter_async_context(app.router.lifespan_context(app))
            service.draining = self._draining
            self._running[name] = _LoadedTenant(service, app, stack)
            logs.event("loaded", tenant=name, seconds=round(time.monotonic() - start, 2))
        except Exception as e:
            logs.failure("load", e, tenant=name)
            self._failed[name] = time.monotonic() + _RETRY_SECONDS
            raise _unavailable("the tenant could not be loaded", _RETRY_SECONDS) from None
        finally:
            del self._starts[name]

    def _build_service(self, name: str) -> Service:
        tenant = self.tenants[name]
        store = self._open(name)
        try:
            return Service(
                lambda folder: self._load(name if folder == tenant.artifact else folder),
                {"": tenant.artifact},
                tenant.settings(self.settings),
                store,
                lock=self._lock,
                guesses=self._guesses,
            )
        except BaseException:
            store.close()
            raise

    async def _evict(self, free: int) -> None:
        """Close idle tenants, least recently used first, until ``free`` slots are available."""
        idle = [name for name, running in self._running.items() if not running.using]
        surplus = len(self._running) + free - self.most
        await self._close(idle[: max(0, surplus)])

    async def _close(self, names: Sequence[str]) -> None:
        closing = {name: self._running.pop(name) for name in names}  # no more requests from here
        for name, running in closing.items():
            self.pictures.remember(name, running.service.pictures.hosts)
        ends = await asyncio.gather(
            *(running.stack.aclose() for running in closing.values()), return_exceptions=True
        )
        for name, end in zip(closing, ends, strict=True):
            if isinstance(end, BaseException):
                logs.failure("close", end, tenant=name)
            else:
                logs.event("closed", tenant=name)


def _unavailable(why: str, seconds: float) -> ApiError:
    return ApiError(503, "not_loaded", why, "try again later", retry_after=seconds)
