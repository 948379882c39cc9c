"""Pictures of the onboarding page for the README, of a service that this starts itself.

Needs ``chromium`` on the PATH, ``playwright`` of the dev extra and a Chinese font
(``apt install chromium fonts-wqy-microhei``).

    python benchmarks/screenshots.py
    python benchmarks/screenshots.py --shop      # of a shop that has just started
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
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

MOST_BYTES = 200_000
SHOP = "examples/shop.csv"
WISH = "a present for a ten-year-old under 20 euros, nothing electronic"
DESKTOP = {"width": 1200, "height": 880}
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


def to_cards(page: Page, url: str) -> None:
    page.goto(url)
    page.locator("#field-age").fill("24")
    page.locator("#field-occupation").select_option("technician")
    page.locator(".chip", has=page.locator("[value='Sci-Fi']")).click()
    page.locator("#profile [type=submit]").click()
    page.locator("#cards h3").first.wait_for()
    for n, opinion in ((0, "like"), (1, "like"), (5, "dislike")):
        page.locator("#cards .card").nth(n).locator(f"button.{opinion}").click()
    page.evaluate("document.activeElement.blur()")


def to_list(page: Page, text: str) -> None:
    page.locator("#to-list").click()
    page.locator("#items .item h3").first.wait_for()
    page.locator("#words").fill(text)
    with page.expect_response("**/recommendations"):
        page.keyboard.press("Enter")
    page.locator("#items[aria-busy=false]").wait_for()
    page.wait_for_timeout(500)  # nothing moves any more
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def save(page: Page, file: Path) -> None:
    page.screenshot(path=file)
    size = file.stat().st_size
    print(f"{file}  {size // 1000} kB")
    if size > MOST_BYTES:
        sys.exit(f"{file} has {size} bytes, at most {MOST_BYTES} are wanted")


def take(browser: Browser, url: str, out: Path) -> None:
    light = browser.new_page(viewport=DESKTOP, color_scheme="light", locale="en-GB")
    to_cards(light, url)
    to_list(light, "space adventures, no horror")
    light.locator("#items summary").first.click()
    light.wait_for_timeout(300)
    save(light, out / "onboarding-light.png")

    dark = browser.new_page(viewport=DESKTOP, color_scheme="dark", locale="en-GB")
    to_cards(dark, url)
    save(dark, out / "onboarding-dark.png")

    phone = browser.new_page(
        viewport=PHONE, device_scale_factor=2, color_scheme="light", locale="zh-CN", has_touch=True
    )
    to_cards(phone, url)
    to_list(phone, "space adventures, no horror")
    save(phone, out / "onboarding-phone-zh.png")


def take_shop(browser: Browser, url: str, out: Path) -> None:
    page = browser.new_page(viewport=DESKTOP, color_scheme="light", locale="en-GB")
    page.goto(url)
    page.locator("#profile [type=submit]").click()
    page.locator("#cards h3").first.wait_for()
    to_list(page, WISH)
    save(page, out / "shop-light.png")


@contextmanager
def started(items: str) -> Iterator[str]:
    """An artifact made of a table of items; yields its folder."""
    with tempfile.TemporaryDirectory() as folder:
        made = f"{folder}/shop"
        command = [sys.executable, "-m", "coldstart", "start", items, "--out", made]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        yield made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--artifact", default="adapters/ml-100k")
    parser.add_argument("--shop", action="store_true", help=f"of {SHOP} instead of an artifact")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on the PATH: apt install chromium")
    asked.out.mkdir(parents=True, exist_ok=True)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with ExitStack() as stack:
        artifact = stack.enter_context(started(SHOP)) if asked.shop else asked.artifact
        url = stack.enter_context(service(artifact))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        (take_shop if asked.shop else take)(browser, url, asked.out)
        browser.close()


if __name__ == "__main__":
    main()
