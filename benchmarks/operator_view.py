"""Pictures of the operator's view, of a made-up shop that has been open for two weeks.

Starts a recommender from ``examples/shop.csv``, plays visits into a store with past dates (the
sentences below, lists of the recommender, reactions by chance, more of them in one arm of an A/B
test), serves it, and takes pictures. With ``--latency`` it measures lists instead, alone and while
all reports are computed again and again. Needs ``chromium`` and ``playwright`` for the pictures.

    python benchmarks/operator_view.py
    python benchmarks/operator_view.py --latency
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import uvicorn

from coldstart import Catalog, Recommender
from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.session_record import SessionRecord
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import NewEvent, ReleaseArm, Store
from coldstart.session import OnboardingSession

SHOP = "examples/shop.csv"
MOST_BYTES = 400_000
IDLE = "() => !document.querySelector('.body[aria-busy=true]')"
DAYS, VISITS = 14, 160
SENTENCES = """a waterproof jacket for my dad who likes fishing
something for my wrists hurting from typing
vegan protein powder under 20 euros
a gift for my nephew Oliver who is obsessed with axolotls
noise cancelling headphones for open plan offices
my daughter Emma is allergic to nuts, snacks for her lunch box
something to keep drinks cold
gluten free snacks
running shoes, nothing in pink
a silent keyboard for the office
coffe grinder that does not wake the baby
a present for a ten-year-old under 20 euros, nothing electronic
left-handed scissors
a board game for two
something against back pain, mail me at jo@example.org
refurbished phone
a tent for two, light
gift wrapping and delivery by Friday
dog food without chicken
a book like the ones by Murakami
left-handed can opener for my mother
wooden train for my son, 3
delivery by Friday please, a mug
a lamp for reading in bed
plastic free kitchen things
can I pay with PayPal
a yoga mat that does not smell
left-handed notebook
something for axolotls""".split("\n")


def open_shop(folder: Path) -> Recommender:
    """Two artifacts and a store with visits of the last two weeks."""
    recommender = Recommender.from_catalog(Catalog.load(SHOP))
    for name in ("shop", "shop-2"):
        recommender.save_pretrained(folder / name)
    rng = random.Random(0)
    now = datetime.now(UTC)
    clock = [now]
    with Store.open(f"sqlite:///{folder}/visits.db", clock=lambda: clock[0]) as store:
        arms = [ReleaseArm("as started", None, 0.5), ReleaseArm("shop-2", str(folder / "shop-2"))]
        clock[0] = now - timedelta(days=DAYS)
        store.new_release(arms)
        starts = sorted(rng.random() ** 0.7 for _ in range(VISITS))
        for at in starts:
            clock[0] = now - timedelta(days=DAYS) + at * timedelta(days=DAYS)
            visit(store, recommender, rng, rng.choice(("as started", "shop-2")))
            purchase(store, recommender, rng, rng.randrange(10_000))
    return recommender


def purchase(store: Store, recommender: Recommender, rng: random.Random, n: int) -> None:
    """One customer of a shop that asks for lists itself, and tells what was bought."""
    arm = rng.choice(("as started", "shop-2"))
    shown = recommender.recommend({"about": rng.choice(SENTENCES)}, k=8, strategy="prior").item_ids
    told = store.show(f"customer {n}", shown, experiment="release-1", arm=arm, artifact="shop")
    for item in shown[:3]:
        if rng.random() < (0.09 if arm == "shop-2" else 0.06):
            store.record(told, f"{item}-click", "click", item)
            store.record(told, item, "buy", item)


def visit(store: Store, recommender: Recommender, rng: random.Random, arm: str) -> None:
    """One visitor: a sentence, two lists at most, and what was done with them."""
    session = OnboardingSession(recommender).say(rng.choice(SENTENCES))
    result = session.recommend(k=8, strategy="prior")
    session = session.shown(result.item_ids)
    record = SessionRecord("information_gain", 0.0, session.state)
    stored = store.create(record.to_json(), artifact="shop", experiment="release-1", arm=arm)
    shown = list(result.item_ids)
    store.expose(stored.id, "1", shown, artifact="shop" if arm == "as started" else "shop-2")
    for rank, item in enumerate(shown):
        if rng.random() < (0.14 if arm == "shop-2" else 0.07) / (1 + rank / 4):
            kind = rng.choice(("like", "like", "like", "dislike", "seen"))
            store.append(stored.id, NewEvent(f"{item}-{kind}", kind, item))


@contextmanager
def serving(folder: Path, recommender: Recommender) -> Iterator[str]:
    """The service of the shop; yields its address."""
    service = Service(
        lambda _: recommender,
        {"": str(folder / "shop")},
        ServeSettings(open=True, drain=0.0),
        Store.open(f"sqlite:///{folder}/visits.db"),
    )
    config = uvicorn.Config(create_app(service), "127.0.0.1", 0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        server.should_exit = True
        thread.join()


def lists_of(url: str, n: int) -> list[float]:
    """Seconds of ``n`` lists, one after the other."""
    with httpx.Client(base_url=url, timeout=60) as client:
        spent = []
        for i in range(n):
            start = time.perf_counter()
            body = {"input": SENTENCES[i % len(SENTENCES)], "k": 10}
            client.post("/v1/recommend", json=body).raise_for_status()
            spent.append(time.perf_counter() - start)
    return spent


def latency(url: str) -> None:
    """Lists alone, and while reports are computed without a pause."""
    lists_of(url, 20)
    alone = lists_of(url, 100)
    stop, reports = threading.Event(), []

    def report() -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                start = time.perf_counter()
                client.get("/v1/admin/report/export").raise_for_status()
                reports.append(time.perf_counter() - start)

    thread = threading.Thread(target=report)
    thread.start()
    beside = lists_of(url, 100)
    stop.set()
    thread.join()
    for name, spent in (("alone", alone), ("beside reports", beside)):
        cuts = statistics.quantiles(spent, n=20)
        print(f"lists {name}: p50 {1000 * cuts[9]:.0f} ms, p95 {1000 * cuts[18]:.0f} ms")
    print(f"all reports: {len(reports)} times, median {statistics.median(reports):.2f} s")


def pictures(url: str, out: Path) -> None:
    """Both themes, and a phone in Chinese."""
    from playwright.sync_api import Page, sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on the PATH: apt install chromium")
    out.mkdir(parents=True, exist_ok=True)

    def save(page: Page, name: str) -> None:
        page.screenshot(path=out / name)
        size = (out / name).stat().st_size
        print(f"{out / name}  {size // 1000} kB")
        if size > MOST_BYTES:
            sys.exit(f"{name} has {size} bytes, at most {MOST_BYTES} are wanted")

    def opened(page: Page, at: str = "") -> None:
        page.goto(f"{url}admin{at}")
        page.locator("[data-report=artifacts] .card").first.wait_for()
        page.wait_for_function(IDLE)
        page.locator("#days").select_option("30")
        page.wait_for_function(IDLE)
        page.wait_for_timeout(500)

    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        desktop = {"width": 1280, "height": 960}
        light = browser.new_page(viewport=desktop, color_scheme="light", locale="en-GB")
        opened(light)
        save(light, "admin-light.png")
        dark = browser.new_page(viewport=desktop, color_scheme="dark", locale="en-GB")
        opened(dark)
        dark.evaluate("location.hash = 'results'")
        dark.wait_for_timeout(300)
        save(dark, "admin-dark.png")
        phone = browser.new_page(
            viewport={"width": 360, "height": 780},
            device_scale_factor=2,
            has_touch=True,
            color_scheme="light",
            locale="zh-CN",
        )
        opened(phone)
        save(phone, "admin-phone-zh.png")
        if out != Path("docs/images"):  # to look at all of it
            for page, name in ((light, "all-light"), (dark, "all-dark"), (phone, "all-phone")):
                page.evaluate("scrollTo(0, 0)")
                page.screenshot(path=out / f"{name}.png", full_page=True)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--latency", action="store_true", help="measure lists beside reports")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recommender = open_shop(folder)
        with serving(folder, recommender) as url:
            latency(url) if asked.latency else pictures(url, asked.out)


if __name__ == "__main__":
    main()
