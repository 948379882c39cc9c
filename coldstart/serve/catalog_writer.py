"""Catalog writer: every change is planned, logged in one transaction, and only then applied.

The log in the store decides: what is not in it was never applied, and what is in it is applied
after a kill as well. A change is logged only if nobody else has logged one since (otherwise those
are applied first and it is planned again), so that concurrent partial updates of one item, also by
several processes, lose no field.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.serve import catalog_updates, logs
from coldstart.serve.catalog_updates import CatalogPlan
from coldstart.serve.errors import ApiError
from coldstart.serve.store.errors import StaleCatalog, StoreError

if TYPE_CHECKING:
    from coldstart.serve.store import CatalogChange, Store
    from coldstart.serve.worker import Arms, Worker

_ATTEMPTS = 20  # each one follows a change of somebody else
_COMPACTED = 1000  # logged changes after which the log is compacted, at least
Loaded = tuple[int, int, dict[int, str]]
"""``seq`` of the last change of the log, its number of rows, and what was set aside."""


class CatalogWriter:
    """Catalog changes of one process, kept equal to the store's log.

    Args:
        store: holder of the log.
        deadline: seconds that a change may wait for others.
        changed: called in the worker's thread after every change.
    """

    def __init__(self, store: Store, deadline: float, changed: Callable[[Arms], None]) -> None:
        self._store, self._deadline, self._changed = store, deadline, changed
        self._lock = asyncio.Lock()  # one change at a time
        self._seq = self._rows = self._logged = 0
        self._aside: dict[int, str] = {}

    @property
    def set_aside(self) -> dict[int, str]:
        """Ids of the items whose logged changes cannot be applied, by ``seq``."""
        return dict(self._aside)

    def load(self, arms: Arms) -> Loaded:
        """Apply the whole log to recommenders that are not served yet; see ``use``."""
        changes = self._store.changes()
        aside = catalog_updates.replay(arms, changes)
        return (changes[-1].seq if changes else 0), len(changes), aside

    def use(self, loaded: Loaded) -> None:
        """Go on from the result of ``load``, whose recommenders are served from now on."""
        self._seq, self._rows, self._aside = loaded

    async def change(self, worker: Worker, plan: Callable[[Arms], CatalogPlan]) -> CatalogPlan:
        """Make one change: all of it, or nothing.

        Args:
            worker: owner of the recommenders.
            plan: plans the change on the current catalogs; called again after others' changes.

        Returns:
            The plan that was applied; it is durable.

        Raises:
            ApiError: as ``plan`` and ``Worker.call_all``, or the model refuses the change after
                all (422); nothing is changed.
            StoreError: the log cannot be written; nothing is changed.
        """
        async with self._turn():
            for _ in range(_ATTEMPTS):
                try:
                    made = await worker.call_all(plan)
                except Exception as e:  # such as 404 for what another process has just added
                    overloaded = isinstance(e, ApiError) and e.status >= 500
                    if overloaded or not await self._follow(worker):
                        raise
                    continue
                try:
                    logged = await run_in_threadpool(
                        self._store.log_changes, made.changes, after=self._seq
                    )
                except StaleCatalog:
                    await self._follow(worker)
                else:
                    await self._apply(worker, made, logged)
                    return made
            raise StaleCatalog("others keep changing the catalog", hint="try again")

    async def follow(self, worker: Worker) -> None:
        """Apply changes of other processes."""
        async with self._lock:
            await self._follow(worker)
        if self._logged >= max(_COMPACTED, self._rows // 2):
            await run_in_threadpool(self.compact)

    async def swap(self, worker: Worker, arms: Arms, loaded: Loaded) -> None:
        """Serve other recommenders, with what was logged since their ``load``."""
        after, rows, aside = loaded

        def replaced(_: Arms) -> Arms:
            aside.update(catalog_updates.replay(arms, missed))
            self._changed(arms)
            return arms

        async with self._lock:
            missed = await run_in_threadpool(self._store.changes, after)
            await worker.replace(replaced)
            self.use((missed[-1].seq if missed else after, rows + len(missed), aside))

    def compact(self) -> None:
        """Drop logged changes that later ones have replaced; a failure is logged only."""
        try:
            gone = self._store.compact_changes(self._seq, bad=list(self._aside))
        except StoreError as e:
            logs.failure("compact", e)
        else:
            self._rows, self._logged = self._rows - gone, 0

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._deadline):
                await self._lock.acquire()
        except TimeoutError:
            raise ApiError(
                503, "overloaded", "too many changes wait already", "try again later", retry_after=1
            ) from None
        try:
            yield
        finally:
            self._lock.release()

    async def _follow(self, worker: Worker) -> bool:
        """Apply changes of other processes; false if there were none."""
        changes = await run_in_threadpool(self._store.changes, self._seq)
        if changes:
            self._note(changes, await worker.finish(lambda arms: self._replayed(arms, changes)))
        return bool(changes)

    def _replayed(self, arms: Arms, changes: list[CatalogChange]) -> dict[int, str]:
        aside = catalog_updates.replay(arms, changes)
        self._changed(arms)
        return aside

    async def _apply(self, worker: Worker, made: CatalogPlan, logged: list[CatalogChange]) -> None:
        def run(arms: Arms) -> None:
            catalog_updates.apply(arms, made.desired)
            self._changed(arms)

        try:
            await worker.finish(run)
        except ApiError:  # shutting down: it is durable, and applied at the next start
            return
        except Exception as e:
            logs.failure("catalog_change_refused", e, seq=logged[0].seq)
            await self._take_back(made, logged)
            if isinstance(e, IndexUnavailable):
                raise
            raise catalog_updates.refused_by_model() from e
        self._note(logged, {})

    async def _take_back(self, made: CatalogPlan, logged: list[CatalogChange]) -> None:
        """Log the state before a change that was logged but cannot be applied."""
        self._note(logged, {change.seq: change.item_id for change in logged})
        try:
            undone = await run_in_threadpool(
                self._store.log_changes, made.reversal, after=self._seq
            )
        except StoreError as e:  # it stays set aside, here and after a restart
            logs.failure("catalog_change_set_aside", e, seq=logged[0].seq)
        else:
            self._note(undone, {})

    def _note(self, changes: list[CatalogChange], aside: dict[int, str]) -> None:
        """Advance past changes that were applied or set aside."""
        replaced = {c.item_id for c in changes if c.seq not in aside}
        self._aside = {s: i for s, i in self._aside.items() if i not in replaced} | aside
        self._seq = changes[-1].seq
        self._rows, self._logged = self._rows + len(changes), self._logged + len(changes)
