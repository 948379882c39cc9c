"""The page in a browser: first paint, bytes, and how long the rows take to follow a wish.

    python benchmarks/page_speed.py --artifact adapters/movies --rounds 20

A fresh tab for each paint. For each wish, text is written and Enter pressed; the clock stops when
the new cards are in the page. Every wish is new, so that nothing is answered from a cache.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys

from playwright.sync_api import Browser, sync_playwright
from results import Report, command_line, table
from screenshots import FILMS, service, settle

WISHES = (
    "something gentle and funny for tonight, no violence", "like Alien but not so scary",
    "a war film from the 80s", "for my daughter, 7", "a love story in Paris", "westerns",
    "I am sad, cheer me up", "something by Hitchcock", "space", "a heist with a twist",
    "90s comedies", "old musicals",
)  # fmt: skip
PAINT = """() => {
  const paint = performance.getEntriesByType("paint").find((e) => e.name.startsWith("first-c"));
  const files = performance.getEntriesByType("resource").concat(
    performance.getEntriesByType("navigation"));
  const page = files.filter((e) => !e.name.includes("/v1/"));
  return [paint.startTime, page.reduce((n, e) => n + e.decodedBodySize, 0), page.length];
}"""
FOLLOW = """(text) => new Promise((done) => {
  const field = document.getElementById("words"), rows = document.getElementById("rows");
  const start = performance.now();
  let busy = false;
  new MutationObserver((_, watch) => {
    const is = rows.getAttribute("aria-busy") === "true";
    if (busy && !is) {
      watch.disconnect();
      requestAnimationFrame(() => done(performance.now() - start));
    }
    busy = busy || is;
  }).observe(rows, { attributes: true });
  field.value = text;
  field.form.requestSubmit();
})"""


def paints(browser: Browser, url: str, n: int) -> list[tuple[float, int, int]]:
    """First contentful paint in ms, bytes and number of files of the page, of ``n`` fresh tabs."""
    out = []
    for _ in range(n):
        context = browser.new_context(viewport={"width": 1200, "height": 880}, locale="en-GB")
        page = context.new_page()
        page.goto(url)
        settle(page)
        out.append(tuple(page.evaluate(PAINT)))
        context.close()
    return out


def follows(browser: Browser, url: str, n: int) -> list[float]:
    """Milliseconds from Enter to the new cards, of ``n`` wishes after one that warms up."""
    page = browser.new_page(viewport={"width": 1200, "height": 880}, locale="en-GB")
    page.goto(url)
    settle(page)
    times = []
    for i in range(n + 1):
        times.append(page.evaluate(FOLLOW, f"{WISHES[i % len(WISHES)]} {i // len(WISHES) or ''}"))
        settle(page)
    page.close()
    return times[1:]


def main() -> None:
    """Measure and print."""
    parser = command_line(__doc__)
    parser.add_argument("--artifact", default=FILMS)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no chromium on the PATH: make browser")
    report = Report("How fast the page is in a browser", "torch", "playwright")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with service(options.artifact) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=sandbox)
        seen = paints(browser, url, max(3, options.rounds // 4))
        times = sorted(follows(browser, url, options.rounds))
        browser.close()
    paint = statistics.median(p for p, *_ in seen)
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    figures = {
        "first contentful paint, ms": round(paint),
        "files of the page": seen[0][2],
        "KiB of the page, uncompressed": round(seen[0][1] / 1024, 1),
        "rows after Enter, p50, ms": round(statistics.median(times)),
        "rows after Enter, p95, ms": round(p95),
        "wishes": len(times),
    }
    report.publish(options.out, [table(("", options.artifact), list(figures.items()))], figures)


if __name__ == "__main__":
    main()
