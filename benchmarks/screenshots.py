"""Pictures of the page for the documentation, of services that this starts itself.

Needs ``chromium`` on the PATH, ``playwright`` of the dev extra, and the fonts of ``make browser``.

    python benchmarks/screenshots.py                 # of films, and of a shop that just started
    python benchmarks/screenshots.py --only shop

``make screenshots`` also keeps a picture of the end of each of the tests' tasks in build/tasks.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

MOST_BYTES = 250_000
SHOP = "examples/shop.csv"
FILMS = "adapters/movies"
DESKTOP = {"width": 1200, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def service(artifact: str) -> Iterator[str]:
    """A service of its own; yields its address."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "coldstart", "serve", "--open", "--artifact", artifact]
        command += ["--port", str(port), "--db", f"{folder}/p.db", "--drain", "0"]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        url = f"http://127.0.0.1:{port}/"
        try:
            wait_until_ready(process, url + "readyz")
            yield url
        finally:
            process.terminate()
            process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while True:
        if process.poll() is not None or time.monotonic() > until:
            sys.exit(f"the service does not start: coldstart serve ended with {process.poll()}")
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


@contextmanager
def started(items: str) -> Iterator[str]:
    """An artifact made of a table of items; yields its folder."""
    with tempfile.TemporaryDirectory() as folder:
        made = f"{folder}/shop"
        command = [sys.executable, "-m", "coldstart", "start", items, "--out", made]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield made


class Camera:
    """Opens the page of one service and saves what is seen."""

    def __init__(self, browser: Browser, url: str, out: Path) -> None:
        self.browser, self.url, self.out = browser, url, out

    def page(self, scheme: str = "light", locale: str = "en-GB", **options: Any) -> Page:
        """The page with its first rows."""
        options = {"viewport": DESKTOP, "reduced_motion": "reduce"} | options
        page = self.browser.new_page(color_scheme=scheme, locale=locale, **options)
        page.goto(self.url)
        settle(page)
        return page

    def save(self, page: Page, name: str, height: int | None = None) -> None:
        """Save the window, or what is seen of the page down to ``height``."""
        if page.locator("#hits").is_hidden():
            page.evaluate("document.activeElement.blur()")
        if height is not None:
            page.set_viewport_size({"width": DESKTOP["width"], "height": height})
        page.wait_for_timeout(400)  # nothing moves any more
        file = self.out / f"{name}.png"
        page.screenshot(path=file)
        size = file.stat().st_size
        print(f"{file}  {size // 1000} kB")
        if size > MOST_BYTES:
            sys.exit(f"{file} has {size} bytes, at most {MOST_BYTES} are wanted")


def settle(page: Page) -> None:
    page.wait_for_function(
        "() => document.getElementById('rows').getAttribute('aria-busy') === 'false'"
        " && document.getElementById('notice').hidden && document.querySelector('#rows .card h3')"
    )


def ask(page: Page, text: str, field: str = "#words", answer: str = "**/rows") -> None:
    """Write a wish and wait for what follows it."""
    page.locator(field).fill(text)
    with page.expect_response(answer):
        page.locator(field).press("Enter")
    page.locator("#wishes .chip").first.wait_for()
    settle(page)


def like(page: Page, title: str) -> None:
    """Add a favourite by search."""
    page.locator("#search").fill(title)
    page.locator("#hits li").first.wait_for()
    with page.expect_response("**/rows"):
        page.locator("#search").press("Enter")
    settle(page)


def films(camera: Camera) -> None:
    page = camera.page()
    page.locator("#open-favourites").click()
    like(page, "blade runner")
    page.locator("#open-favourites").click()
    ask(page, "space adventures, no horror")
    camera.save(page, "onboarding-light", height=1290)

    page = camera.page()
    ask(page, "something gentle for my daughter, 5, no violence")
    page.locator("#rows .why").first.click()
    camera.save(page, "onboarding-why")

    page = camera.page("dark")
    page.locator("#open-favourites").click()
    page.locator("#quiz h4").first.wait_for()
    like(page, "matrix")
    page.locator("#search").fill("lord")
    page.locator("#hits li").first.wait_for()
    camera.save(page, "onboarding-dark")

    page = camera.page()
    ask(page, "space adventures")
    page.locator("#open-two").click()
    page.locator("#words-other").fill("for my son, 8")
    with page.expect_response("**/recommendations"):
        page.locator("#words-other").press("Enter")
    page.locator("#two .card").first.wait_for()
    camera.save(page, "onboarding-two", height=1290)

    phone = camera.page("light", "zh-CN", viewport=PHONE, device_scale_factor=2, has_touch=True)
    ask(phone, "适合五岁女儿看的，温馨一点，不要暴力")
    camera.save(phone, "onboarding-phone-zh")


def shop(camera: Camera) -> None:
    page = camera.page()
    ask(page, "a present for a ten-year-old under 20 euros, nothing electronic")
    camera.save(page, "shop-light")


SCENES: dict[str, Callable[[Camera], None]] = {"films": films, "shop": shop}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--artifact", default=FILMS, help="the artifact of films")
    parser.add_argument("--only", choices=SCENES, help="films, or a shop made of " + SHOP)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on the PATH: make browser")
    asked.out.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        for name in [asked.only] if asked.only else SCENES:
            with ExitStack() as stack:
                artifact = stack.enter_context(started(SHOP)) if name == "shop" else asked.artifact
                url = stack.enter_context(service(artifact))
                SCENES[name](Camera(browser, url, asked.out))
        browser.close()


if __name__ == "__main__":
    main()
