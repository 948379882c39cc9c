"""What the page shows: readable, named, large enough to hit, and text whatever is in it."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from coldstart.ranking.wording.sentences import sentence
from coldstart.schema import Item, Reason
from tests.serve.page.browser import browsing, opened, settled

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
TARGETS = """() => [...document.querySelectorAll(
    "button, select, textarea, input:not([name=interest]), .chip, summary, .steps a")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.9)
  .map((e) => e.outerHTML.slice(0, 80))"""
NAMELESS = """() => [...document.querySelectorAll("button, input, select, textarea, a, summary")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.innerText?.trim() || e.getAttribute("aria-label")
    || [...(e.labels ?? [])].some((l) => l.innerText.trim())))
  .map((e) => e.outerHTML.slice(0, 80))"""


@browsing
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_every_step_can_be_read_named_and_hit_on_a_phone(browser, toy, scheme, language):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    with opened(browser, color_scheme=scheme, locale=language, **phone) as page:
        page.goto(toy.url)
        page.locator("#fields select").first.wait_for()
        for step in ("you", "taste", "list"):
            if step != "you":
                page.locator(f".steps a[href='#{step}']").tap()
                page.locator("#cards h3" if step == "taste" else "#items h3").first.wait_for()
            if step == "taste":
                page.locator("#cards button.dislike").first.tap()
            if step == "list":
                settled(page)
                page.locator("#items summary").first.tap()
            assert page.evaluate("document.documentElement.scrollWidth") == 360
            looked, low = page.evaluate(CONTRAST)
            assert looked > 8
            assert low == []
            assert page.evaluate(TARGETS) == []
            assert page.evaluate(NAMELESS) == []
            assert page.get_by_role("heading", level=1).count() == 1
            tree = page.locator("body").aria_snapshot()
            assert not re.search(r"- (button|textbox|combobox|slider|checkbox|link)(:| \[|$)", tree)


@browsing
def test_titles_and_reasons_are_text_whatever_is_in_them(browser, own):
    items = [Item(item_id=f"i{n}", title=f"{n} {EVIL}", categories=[EVIL]) for n in range(25)]
    with httpx.Client(base_url=own.url) as client:
        sent = [item.model_dump(mode="json") for item in items]
        assert client.post("/v1/items", json={"items": sent}).status_code == 200
    with opened(browser) as page:
        page.goto(own.url)
        page.get_by_label("Anything else").fill(EVIL)
        page.get_by_role("button", name="Continue").click()
        page.locator("#cards .card h3").first.wait_for()
        assert EVIL in page.locator("#cards h3").first.inner_text()
        page.locator("#cards button.like").first.click()
        page.get_by_role("button", name="See my list").click()
        assert all(EVIL in title for title in settled(page))
        page.locator("#words").fill(EVIL)
        page.get_by_role("button", name="Tell").click()
        page.locator("#items summary").first.click()
        page.locator("#opinions li").first.wait_for()
        page.get_by_role("button", name="中文").click()
        page.get_by_role("heading", name="为你推荐").wait_for()
        assert page.locator("main img, main script").count() == 0
        assert page.title() == "总有你喜欢的"


ODD = [
    "Good, and similar to Bad",
    'The "Best", and the Rest',
    "A: 3 people liked both.",
    "“Quoted” – (2)",
]
"""Titles that look like parts of a sentence."""


@browsing
def test_reasons_come_in_the_language_of_the_page(browser, own):
    with httpx.Client(base_url=own.url) as client:
        known = client.get("/v1/items", params={"limit": 4}).json()["items"]
        for item, title in zip(known, ODD, strict=True):
            changed = client.put(f"/v1/items/{item['item_id']}", json=item | {"title": title})
            assert changed.status_code == 200
        begun = client.post("/v1/sessions", json={"profile": {"liked": ODD}}).json()
        said = {"text": "no drama, from 1970 to 1999"}
        client.post(f"/v1/sessions/{begun['session_id']}/text", json=said).raise_for_status()
    keep = f"sessionStorage.setItem('coldstart.session', {json.dumps(begun['session_id'])})"
    with opened(browser) as page:
        page.add_init_script(keep)
        steps = {
            "en": lambda: page.goto(own.url + "#list"),
            "zh": lambda: page.get_by_role("button", name="中文").click(),
            "en again": lambda: page.get_by_role("button", name="English").click(),
        }
        seen = []
        for step, act in steps.items():
            language = step[:2]
            with page.expect_response("**/recommendations") as asked:
                act()
            assert asked.value.request.post_data_json["language"] == language
            titles_shown = settled(page)
            answer = asked.value.json()
            assert answer["language"] == language
            reasons = page.locator("#items .reason").all_inner_texts()
            assert reasons == [item["reason"] for item in answer["items"]]
            assert page.locator("#items .reason[lang]").count() == 0
            quoted = [title for title in ODD if any(title in reason for reason in reasons)]
            assert quoted
            for item in answer["items"]:
                made = [Reason.model_validate(reason) for reason in item["reasons"]]
                assert item["reason"] == sentence(made, language)
            if language == "zh":
                assert all(f"“{t}”" in "".join(reasons) for t in quoted)
                assert any("符合你的要求：1970 至 1999 年" in reason for reason in reasons)
            seen.append((titles_shown, reasons))
        assert seen[2] == seen[0]
        assert seen[1][0] == seen[0][0]


EVIL = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>'
