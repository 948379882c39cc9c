"""Pictures of tenants that are not loaded: their folders, and the hosts that their catalogs name.

A page of such a tenant is served without loading it. The policy in its header holds until the page
is loaded again, so it has to name the hosts of the pictures that the tenant's API will answer with.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool

from coldstart.errors import ColdstartError
from coldstart.serve import logs
from coldstart.serve.pictures import Pictures
from coldstart.serve.releases import Serving, serving_of
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from coldstart.serve.tenants_config import Tenant

_CATALOG = "catalog.jsonl"
_RETRY_SECONDS = 10.0  # after hosts could not be read


class _PicturedItem(BaseModel):
    """The fields of an item that say where its picture is."""

    item_id: str
    image: str = ""


class TenantPictures:
    """Pictures by tenant, as far as they are known without a recommender.

    Hosts are read once, from the catalog saved with the artifact and the store's log of changes;
    those of a tenant that was loaded are remembered. The catalogs of named data sets have none.

    Args:
        tenants: tenant configurations by name.
        settings: defaults of the tenants' settings.
        open_store: opens the store of a tenant.
    """

    def __init__(
        self,
        tenants: Mapping[str, Tenant],
        settings: ServeSettings,
        open_store: Callable[[str], Store],
    ) -> None:
        self._tenants, self._settings, self._open = tenants, settings, open_store
        self._pictures: dict[str, Pictures] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        self._failed: dict[str, float] = {}  # time of the next attempt
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def of(self, name: str) -> Pictures:
        """Files of a tenant's folder; none while the folder does not exist."""
        if name not in self._pictures:
            folder = self._tenants[name].settings(self._settings).images_folder
            if folder is not None and not folder.is_dir():
                return Pictures()
            self._pictures[name] = Pictures(folder)
        return self._pictures[name]

    async def hosts(self, name: str) -> tuple[str, ...]:
        """Hosts that pages of a tenant may load pictures from; none where they cannot be read."""
        if name in self._hosts:
            return self._hosts[name]
        async with self._turns[name]:  # each catalog is read once, however many ask
            if name not in self._hosts and time.monotonic() >= self._failed.get(name, 0.0):
                try:
                    found = await run_in_threadpool(self._read_hosts, name)
                except (OSError, ColdstartError) as e:  # reported when the tenant is loaded
                    logs.failure("pictures", e, tenant=name)
                    self._failed[name] = time.monotonic() + _RETRY_SECONDS
                else:  # a tenant that was loaded meanwhile knows better
                    self._hosts.setdefault(name, found)
        return self._hosts.get(name, ())

    def remember(self, name: str, hosts: tuple[str, ...]) -> None:
        """Keep the hosts of a tenant that is loaded, for the time after it is closed."""
        self._hosts[name] = hosts

    def _read_hosts(self, name: str) -> tuple[str, ...]:
        pictures = Pictures(remote=self._tenants[name].settings(self._settings).remote_images)
        pictures.count(self._images(name))
        return pictures.hosts

    def _images(self, name: str) -> Iterable[str]:
        """References to the pictures of a tenant's items, read from disk."""
        with self._open(name) as store:
            started = Serving({"": self._tenants[name].artifact})
            serving, changes = serving_of(store.release(), started), store.changes()
        images: dict[str, str] = {}
        path = Path(serving.artifacts[serving.arm]) / _CATALOG
        if path.is_file():
            with path.open(encoding="utf-8", errors="replace") as lines:
                images |= _pictured(line for line in lines if '"https://' in line.lower())
        for change in changes:
            images.pop(change.item_id, None)
            images |= _pictured([change.item or ""])
        return images.values()


def _pictured(items: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Ids of the items that have a picture, with the reference to it; others are left out."""
    for text in items:
        try:
            item = _PicturedItem.model_validate_json(text)
        except ValidationError:
            continue
        if item.image:
            yield item.item_id, item.image
