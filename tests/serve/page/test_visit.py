"""A visit in a real browser, from the empty page to the third round and to erasure."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.serve.page.browser import browsing, opened, settled, titles


@browsing
def test_a_visit_from_the_empty_page_to_the_third_round_and_to_erasure(browser, shipped):
    url, client = shipped
    with opened(browser) as page:
        page.goto(url)
        page.get_by_label("Age").fill("24")
        page.get_by_label("Occupation").select_option("technician")
        page.get_by_text("Sci-Fi", exact=True).click()
        page.get_by_role("button", name="Continue").click()
        page.locator("#cards .card h3").first.wait_for()
        assert page.locator("#cards .card").count() == 12
        assert page.evaluate("document.activeElement.id") == "h-taste"
        first = page.locator("#cards .card").nth(0)
        assert re.search(r"^\d{4} · \w", first.locator("p").inner_text())
        for n, opinion in ((0, "like"), (1, "like"), (2, "dislike")):
            button = page.locator("#cards .card").nth(n).locator(f"button.{opinion}")
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
        before = page.locator("#cards h3").all_inner_texts()
        page.get_by_role("button", name="Show me others").click()
        page.wait_for_function(
            "t => document.querySelector('#cards h3')?.innerText !== t", arg=before[0]
        )
        assert not set(before) & set(page.locator("#cards h3").all_inner_texts())
        page.get_by_role("button", name="See my list").click()
        shown = settled(page)
        assert len(shown) == 10

        page.get_by_label("What are you in the mood for?").fill("space adventures, no horror")
        with page.expect_response("**/recommendations"):
            page.get_by_role("button", name="Tell").click()
        assert "no Horror" in page.locator("#understood").inner_text()
        lists = [shown, settled(page)]
        gone = []
        for opinion in ("Like", "Not for me", "Seen it"):
            gone.append(lists[-1][1])
            button = page.locator("#items .item").nth(1).get_by_role("button", name=opinion)
            with page.expect_response("**/recommendations"):
                button.click()
            lists.append(settled(page))
            assert not set(gone) & set(lists[-1])
        assert all(a != b for a, b in zip(lists, lists[1:], strict=False))
        assert page.locator("#opinions li").count() == 6

        page.locator("#items summary").first.click()
        details = page.locator("#items details").first
        sums = [float(x.replace("−", "-")) for x in details.locator(".number").all_inner_texts()]
        assert len(sums) >= 4
        score = re.search(r"score of ([+−]\d+\.\d+)", details.inner_text())[1].replace("−", "-")
        assert sum(sums) == pytest.approx(float(score), abs=0.05)
        assert "log-probability of" in details.inner_text()

        slider = page.get_by_label("Diversity")
        slider.focus()
        with page.expect_response("**/recommendations") as asked:
            for _ in range(10):
                page.keyboard.press("ArrowRight")
        assert page.locator("#diversity-value").inner_text() == "1.0"
        assert asked.value.request.post_data_json["diversity"] == 1.0
        varied = settled(page)
        assert varied != lists[-1]

        page.get_by_role("button", name="中文").click()
        page.get_by_role("heading", name="为你推荐").wait_for()
        assert settled(page) == varied
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        reasons = page.locator("#items .reason").all_inner_texts()
        assert all("喜欢" in r or "相似" in r or "符合" in r for r in reasons)
        assert page.locator("#items .reason[lang]").count() == 0
        page.get_by_role("button", name="深色").click()
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.reload()
        settled(page)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        page.get_by_role("heading", name="为你推荐").wait_for()
        page.wait_for_function("() => document.querySelectorAll('#opinions li').length === 6")
        assert not set(gone) & set(titles(page))

        session = page.evaluate("sessionStorage.getItem('coldstart.session')")
        assert page.evaluate("Object.values(localStorage).sort()") == ["dark", "zh"]
        with page.expect_download() as got:
            page.locator("#export").click()
        data = json.loads(Path(got.value.path()).read_text())
        kinds = [e["kind"] for e in data["events"]]
        assert kinds == ["answer", "answer", "answer", "text", "like", "dislike", "seen"]

        page.locator("#erase").click()
        page.locator("#erase-no").click()
        assert client.get(f"/v1/sessions/{session}").status_code == 200
        page.locator("#erase").click()
        page.locator("#erase-yes").click()
        page.get_by_role("heading", name="你是谁").wait_for()
        assert client.get(f"/v1/sessions/{session}").status_code == 404
        assert page.evaluate("sessionStorage.getItem('coldstart.session')") is None
        assert page.locator("#field-age").input_value() == ""
        assert page.locator("#field-age").is_enabled()


@browsing
def test_everything_can_be_done_with_the_keyboard(browser, toy):
    with opened(browser) as page:
        page.goto(toy.url)
        page.locator("#fields select").first.wait_for()

        def reach(selector, key="Tab"):
            for _ in range(60):
                if page.evaluate("s => document.activeElement.matches(s)", selector):
                    outline = page.evaluate(
                        "(e => { const s = getComputedStyle(e.closest('.chip') ?? e);"
                        " return parseFloat(s.outlineWidth) })(document.activeElement)"
                    )
                    assert outline >= 2 or selector.startswith("h2"), selector
                    return
                page.keyboard.press(key)
            pytest.fail(f"{selector} is never reached")

        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        reach("[name=interest]")
        page.keyboard.press("Space")
        reach("#profile [type=submit]")
        page.keyboard.press("Enter")
        page.locator("#cards .card h3").first.wait_for()
        reach(".card button.like")
        page.keyboard.press("Space")
        reach("#to-list")
        page.keyboard.press("Enter")
        before = settled(page)
        reach("#items button.dislike")
        with page.expect_response("**/recommendations"):
            page.keyboard.press("Enter")
        after = settled(page)
        assert before[0] not in after
        page.wait_for_function("() => document.activeElement.matches('#items button.dislike')")
        reach("#items summary")
        page.keyboard.press("Enter")
        assert page.locator("#items details").first.get_attribute("open") is not None
        reach("#erase")
        page.keyboard.press("Enter")
        page.locator("#confirm").wait_for()
        page.keyboard.press("Escape")
        assert not page.locator("#confirm").is_visible()
        assert page.evaluate("document.activeElement.id") == "erase"
