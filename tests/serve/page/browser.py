"""The page in a real browser: services to visit, and how to get to a list."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn

from coldstart.recommender import Recommender
from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from tests.serve.processes import free_port
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until

ARTIFACT = Path(__file__).parents[3] / "adapters" / "ml-100k"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


try:
    from playwright import sync_api
except ImportError:
    sync_api = None


browsing = pytest.mark.skipif(
    CHROMIUM is None or sync_api is None,
    reason="needs playwright, and chromium on the PATH (apt install chromium)",
)


@dataclass
class Served:
    """A service in this process, on a real port; it can be stopped and started again."""

    folder: Path
    settings: dict = field(default_factory=dict)
    make: Callable[[], Recommender] = toy_recommender
    port: int = field(default_factory=free_port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        options = {"open": True, "drain": 0.0} | self.settings
        store = Store.open(f"sqlite:///{self.folder}/people.db")
        self.service = Service(lambda _: self.make(), {"": "toy"}, ServeSettings(**options), store)
        config = uvicorn.Config(
            create_app(self.service), "127.0.0.1", self.port, log_config=None, access_log=False
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        until(lambda: self.server.started or not self.thread.is_alive(), "the service to start")
        assert self.thread.is_alive()

    def stop(self):
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@contextlib.contextmanager
def opened(browser, expected=(), **options):
    """A page in which nothing may go wrong but what is ``expected`` in the console."""
    context = browser.new_context(**({"locale": "en-GB", "reduced_motion": "reduce"} | options))
    page, wrong = context.new_page(), []
    page.set_default_timeout(1000 * PATIENCE)
    page.on("pageerror", lambda e: wrong.append(str(e)))

    def heard(message):
        bad = message.type in ("error", "warning")
        if bad and not any(word in message.text for word in expected):
            wrong.append(message.text)

    page.on("console", heard)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('csp', e.blockedURI))"
    )
    yield page
    context.close()
    assert wrong == []


def titles(page, row=None):
    """Titles as they stand on the page, of one row or of all."""
    shelf = "#rows .shelf" if row is None else f'#rows .shelf[data-row="{row}"]'
    return [t.strip() for t in page.locator(f"{shelf} .card h3").all_inner_texts()]


def settled(page, row=None):
    """Wait for the rows that are being asked for; their titles."""
    page.wait_for_function(
        "() => { const rows = document.getElementById('rows');"
        " return rows.getAttribute('aria-busy') === 'false'"
        " && rows.querySelector('.card h3') && !rows.querySelector('.going') }"
    )
    return titles(page, row)


def to_rows(page, url):
    """Open the page; titles of the rows that are there at once."""
    page.goto(url)
    return settled(page)


def write(page, text, field="#words"):
    """Write a wish and wait for the rows that follow it; the answer with them."""
    page.locator(field).fill(text)
    with page.expect_response("**/rows") as answer:
        page.locator(field).press("Enter")
    settled(page)
    return answer.value.json()


def session_of(page):
    return page.evaluate("sessionStorage.getItem('coldstart.session')")


def chips(page, group):
    """Texts of the chips of a group: wants, avoids or for."""
    return page.locator(f"#wishes .{group} .chip").all_inner_texts()


def picture(page, name):
    """Save what is seen, where ``COLDSTART_SCREENSHOTS`` names a folder."""
    if folder := os.environ.get("COLDSTART_SCREENSHOTS"):
        page.wait_for_timeout(300)
        page.screenshot(path=Path(folder) / f"{name}.png")
