"""Servers, places and empty indexes."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

from tests.grounding.server_index.servers import (
    SERVERS,
    Folder,
    Memory,
    Postgres,
    Remote,
    Server,
)


@pytest.fixture(scope="session")
def started():
    """Start the PostgreSQL of a package, once."""
    servers = {}

    def start(package):
        if package not in servers:
            found = importlib.util.find_spec(package)
            if found is None:
                pytest.skip(f"no PostgreSQL with pgvector: pip install {package}")
            try:
                servers[package] = Server(Path(found.origin).parent / "pginstall" / "bin")
            except (OSError, LookupError, subprocess.CalledProcessError) as e:
                pytest.skip(f"cannot start the PostgreSQL of {package} here: {e}")
        return servers[package]

    yield start
    for server in servers.values():
        server.close()


@pytest.fixture(scope="session", params=SERVERS)
def server(request, started):
    return started(request.param)


@pytest.fixture
def remote():
    place = Remote()
    yield place
    place.close()


@pytest.fixture
def postgres(server):
    place = Postgres(server)
    yield place
    place.close()


@pytest.fixture(params=[*SERVERS, "folder"])
def place(request, started, tmp_path):
    """Where data outlast an index."""
    place = Folder(tmp_path) if request.param == "folder" else Postgres(started(request.param))
    yield place
    place.close()


@pytest.fixture(params=[*SERVERS, "memory", "remote"])
def any_place(request, started):
    made = {"memory": Memory, "remote": Remote}.get(request.param)
    place = made() if made else Postgres(started(request.param))
    yield place
    place.close()


@pytest.fixture
def index(any_place):
    return any_place.index()
