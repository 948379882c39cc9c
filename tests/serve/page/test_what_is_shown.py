"""What the page shows: readable, named, large enough to hit, and text whatever is in it."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from coldstart.schema import Item
from tests.serve.page.browser import PHONE, browsing, chips, opened, settled, titles, to_rows, write

CONTRAST = """() => {
  const light = (c) => {
    const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map((x) => x / 255)
      .map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (!/, 0\\)$/.test(c)) return c;
    }
    return "rgb(255, 255, 255)";
  };
  const low = [];
  let looked = 0;
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own || !e.checkVisibility() || e.closest("[disabled], .hidden, .skip")) continue;
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    looked += 1;
    if (ratio < 4.5) low.push([e.outerHTML.slice(0, 80), ratio]);
  }
  return [looked, low];
}"""
TARGETS = """() => [...document.querySelectorAll("button, select, textarea, input, summary")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.9)
  .map((e) => e.outerHTML.slice(0, 80))"""
NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea, a, summary")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.innerText?.trim() || e.getAttribute("aria-label")
    || document.getElementById(e.getAttribute("aria-labelledby"))?.innerText.trim()
    || [...(e.labels ?? [])].some((l) => l.innerText.trim())))
  .map((e) => e.outerHTML.slice(0, 80))"""
STATES = ("empty", "favourites", "tune", "about", "data", "wish", "why", "two")


def show(page, state):
    """Bring the page into one of its states."""
    if state == "wish":
        write(page, "something gentle, no drama, from the 1980s, for a ten-year-old")
    elif state == "why":
        page.locator("#rows .why").first.tap()
        page.locator("#why details summary").tap()
    elif state == "two":
        page.keyboard.press("Escape")
        page.locator("#why").wait_for(state="hidden")
        page.locator("#open-two").tap()
        page.locator("#two .lines li").first.wait_for()
    elif state != "empty":
        page.locator(f"#open-{state}").tap()
    if state == "favourites":
        page.locator("#search").fill("star")
        page.locator("#hits li").first.wait_for()
        page.locator("#quiz .card h4").first.wait_for()
        page.locator("#hits li").first.tap()
        page.locator("#opinions li").first.wait_for()
        page.wait_for_timeout(100)
        settled(page)


@browsing
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_state_can_be_read_named_and_hit_on_a_phone(browser, toy, scheme, language):
    with opened(browser, color_scheme=scheme, locale=language, **PHONE) as page:
        to_rows(page, toy.url)
        for state in STATES:
            show(page, state)
            assert page.evaluate("document.documentElement.scrollWidth") == 360, state
            looked, low = page.evaluate(CONTRAST)
            assert looked > 20
            assert low == [], state
            assert page.evaluate(TARGETS) == [], state
            assert page.evaluate(NAMELESS) == [], state
            assert page.get_by_role("heading", level=1).count() == 1
            tree = page.locator("body").aria_snapshot()
            assert not re.search(r"- (button|textbox|combobox|slider|checkbox|link)(:| \[|$)", tree)


@browsing
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_nothing_in_any_state(browser, toy, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    size = {"viewport": {"width": width, "height": 800}, "has_touch": True}
    # The checker is a script of its own, which the page's policy would refuse.
    with opened(browser, bypass_csp=True, **size) as page:
        to_rows(page, toy.url)
        for state in STATES:
            show(page, state)
            found = axe.Axe().run(page).response["violations"]
            told = [(v["id"], [n["html"][:90] for n in v["nodes"]]) for v in found]
            assert told == [], state


@browsing
def test_titles_and_reasons_are_text_whatever_is_in_them(browser, own):
    items = [Item(item_id=f"i{n}", title=f"{n} {EVIL}", categories=[EVIL]) for n in range(25)]
    with httpx.Client(base_url=own.url) as client:
        sent = [item.model_dump(mode="json") for item in items]
        assert client.post("/v1/items", json={"items": sent}).status_code == 200
    with opened(browser) as page:
        assert all(EVIL in title for title in to_rows(page, own.url))
        page.locator("#rows button.like").first.click()
        page.locator("#toast").get_by_text(EVIL).wait_for()
        write(page, EVIL)
        page.locator("#open-favourites").click()
        page.locator("#quiz .card h4").first.wait_for()
        assert EVIL in page.locator("#quiz h4").first.inner_text()
        assert EVIL in page.locator("#opinions").inner_text()
        page.locator("#search").fill("onerror")
        page.locator("#hits li").first.wait_for()
        page.keyboard.press("Escape")
        page.locator("#rows .why").first.click()
        assert EVIL in page.locator("#h-why").inner_text()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="中文").click()
        page.get_by_role("button", name="最爱").wait_for()
        assert page.locator("main img, main script, dialog img, dialog script").count() == 0
        assert page.title() == "总有你喜欢的"


ODD = [
    "Good, and similar to Bad",
    'The "Best", and the Rest',
    "A: 3 people liked both.",
    "“Quoted” – (2)",
]
"""Titles that look like parts of a sentence."""


@browsing
def test_rows_reasons_and_chips_come_in_the_language_of_the_page(browser, own):
    with httpx.Client(base_url=own.url) as client:
        known = client.get("/v1/items", params={"limit": 4}).json()["items"]
        for item, title in zip(known, ODD, strict=True):
            changed = client.put(f"/v1/items/{item['item_id']}", json=item | {"title": title})
            assert changed.status_code == 200
        begun = client.post("/v1/sessions", json={"profile": {"liked": ODD}}).json()
    keep = f"sessionStorage.setItem('coldstart.session', {json.dumps(begun['session_id'])})"
    with opened(browser) as page:
        page.add_init_script(keep)
        to_rows(page, own.url)
        write(page, "no drama, from 1970 to 1999")
        seen = []
        for name, language in (("中文", "zh"), ("English", "en"), ("中文", "zh")):
            with page.expect_response("**/rows") as asked:
                page.get_by_role("button", name=name).click()
            assert asked.value.request.post_data_json["language"] == language
            settled(page)
            answer = asked.value.json()
            assert answer["language"] == language
            items = [item for row in answer["rows"] for item in row["items"]]
            assert page.locator("#rows .reason").all_inner_texts() == [i["reason"] for i in items]
            assert page.locator("#rows h2").all_inner_texts() == [
                r["title"] for r in answer["rows"]
            ]
            assert page.locator("#rows .rule").all_inner_texts() == [
                r["rule"] for r in answer["rows"]
            ]
            assert page.locator("#rows .reason[lang]").count() == 0
            page.wait_for_function("() => document.querySelector('#wishes .avoids .chip')")
            seen.append((titles(page), chips(page, "avoids"), [i["reason"] for i in items]))
        assert seen[0] == seen[2]
        assert seen[0][1] == ["剧情"]
        assert seen[1][1] == ["Drama"]
        assert seen[0][0] == seen[1][0]
        reasons = "".join(seen[0][2])
        assert any(f"“{t}”" in reasons or f"《{t}》" in reasons for t in ODD) or "符合" in reasons


EVIL = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>'
