"""The store on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coldstart.serve.store import Store, engine
from tests.serve.store.postgres import Cluster
from tests.waiting import PATIENCE


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A lock that others hold is waited for however slow they are."""
    monkeypatch.setattr(engine, "WAIT", PATIENCE)


@pytest.fixture(scope="session")
def cluster():
    found = shutil.which("postgres")
    places = [Path(found).parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [p for p in places if (p / "initdb").exists() and (p / "postgres").exists()]
    if not places:
        pytest.skip("no PostgreSQL programs (initdb, postgres) on this machine")
    cluster = Cluster(places[0])
    yield cluster
    cluster.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/people.db"
    return request.getfixturevalue("cluster").database()


@pytest.fixture
def sqlite_url(tmp_path):
    return f"sqlite:///{tmp_path}/people.db"


@pytest.fixture
def store(url):
    with Store.open(url) as store:
        yield store
