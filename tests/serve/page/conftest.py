"""A browser, and services for it."""

from __future__ import annotations

import os

import pytest

from tests.serve.page.browser import ARTIFACT, CHROMIUM, Served, sync_api
from tests.serve.processes import start
from tests.waiting import PATIENCE


@pytest.fixture
def own(tmp_path):
    """For tests that stop it, or change its catalog."""
    served = Served(tmp_path)
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="package")
def toy(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("toy"))
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="package")
def browser():
    with sync_api.sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield made
        made.close()


@pytest.fixture(scope="package")
def shipped(tmp_path_factory):
    """The real service, with the shipped artifact."""
    where = tmp_path_factory.mktemp("page")
    process, client = start(ARTIFACT, where / "p.db", where / "log", "--open", "--drain", "0")
    yield str(client.base_url) + "/", client
    client.close()
    process.terminate()
    assert process.wait(PATIENCE) == 0
