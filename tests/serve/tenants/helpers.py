"""A service of three toy tenants in this process."""

from __future__ import annotations

from contextlib import contextmanager

from starlette.testclient import TestClient

from coldstart import Catalog
from coldstart.serve.settings import ServeSettings
from coldstart.serve.tenants import TenantServices
from coldstart.serve.tenants_app import create_tenants_app
from coldstart.serve.tenants_config import Tenant
from tests.toy import toy_catalog, toy_recommender
from tests.waiting import PATIENCE

OPEN = {"open": True, "hosts": ("testserver",), "deadline": PATIENCE, "drain": 0.0}
CATALOGS = {name: list(toy_catalog())[n:] for n, name in enumerate(("a", "b", "c"))}


def load(name):
    return toy_recommender(Catalog.from_items(CATALOGS[name]))


@contextmanager
def serving(folder, load=load, most=8, own=None, **settings):
    """A client of a running process; ``client.services`` is what it talks to."""
    own = own or {}
    tenants = {
        name: Tenant(
            **{"artifact": "toy", "db": f"sqlite:///{folder}/{name}.db"} | own.get(name, {})
        )
        for name in CATALOGS
    }
    services = TenantServices(tenants, load, ServeSettings(**(OPEN | settings)), most=most)
    with TestClient(create_tenants_app(services)) as client:
        client.services = services
        yield client


def ids(response):
    assert response.status_code == 200, response.text
    return [line["item_id"] for line in response.json()["items"]]


ASKED = {"profile": {"age": 24, "liked": ["Fargo"]}, "k": 5}


def in_line(turns):
    """How many have a turn or wait for one."""
    return turns._tickets.__reduce__()[1][0] - turns._served
