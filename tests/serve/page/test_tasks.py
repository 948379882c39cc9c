"""What somebody new comes for, each in at most three steps.

The operator's task, "what did people ask for that we did not understand?", is among the tests of
the operator's page. ``make screenshots`` keeps a picture of the end of each task.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.serve.page.browser import (
    PHONE,
    browsing,
    chips,
    opened,
    picture,
    session_of,
    settled,
    titles,
    to_rows,
    write,
)

MOST_STEPS = 3


class Steps:
    """Counts what a person does: a tap, or writing and a key."""

    def __init__(self, page):
        self.page, self.n = page, 0

    def do(self, action, *arguments, answer=None):
        """One step; waits for the answer of the service that it leads to, if any."""
        self.n += 1
        assert self.n <= MOST_STEPS
        if answer is None:
            return action(*arguments)
        with self.page.expect_response(answer) as got:
            action(*arguments)
        return got.value.json()

    def write(self, text, field="#words"):
        """Write a wish; the rows follow without a further step."""
        found = self.do(self.page.locator(field).fill, text, answer="**/rows")
        settled(self.page)
        return found


@browsing
def test_find_a_gentle_film_for_tonight(browser, shipped):
    with opened(browser) as page:
        before = to_rows(page, shipped[0])
        found = Steps(page).write("something gentle for tonight")
        assert chips(page, "wants") == ["gentle"]
        assert titles(page, "asked") != before[:10]
        first = found["rows"][0]
        assert first["title"] == page.locator("#rows h2").first.inner_text()
        kinds = [set(item["categories"]) for item in first["items"]]
        assert not any(k & {"Horror", "War", "Thriller", "Film-Noir"} for k in kinds)
        assert page.evaluate("document.activeElement.id") == "words"
        picture(page, "01-gentle")


@browsing
def test_say_that_you_hate_violence_and_check(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        steps = Steps(page)
        found = steps.write("I hate violence")
        assert chips(page, "avoids") == ["violent"]
        steps.do(page.get_by_text("How it was understood").click)
        said = page.locator(".remarks li").all_inner_texts()
        assert any("violence" in note and "Horror" in note for note in said)
        for row in found["rows"]:
            assert not any({"Horror", "War"} & set(item["categories"]) for item in row["items"])
        picture(page, "02-no-violence")


@browsing
def test_add_your_own_favourite(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        steps = Steps(page)
        steps.do(page.get_by_role("button", name="Favourites").click)
        steps.do(page.get_by_role("combobox").fill, "bladerunner", answer="**/items/search**")
        page.get_by_role("option", name="Blade Runner").wait_for()
        found = steps.do(page.keyboard.press, "Enter", answer="**/rows")
        settled(page)
        assert "Blade Runner" in page.locator("#opinions").inner_text()
        assert page.locator("#open-favourites .badge").inner_text() == "1"
        because = next(row for row in found["rows"] if row["row"] == "because")
        assert "Blade Runner" in because["title"]
        assert "Blade Runner" not in titles(page)
        picture(page, "03-favourite")


@browsing
def test_take_a_part_of_a_sentence_back(browser, shipped):
    url, client = shipped
    with opened(browser) as page:
        to_rows(page, url)
        write(page, "comedies, but no romance")
        before = titles(page, "asked")
        steps = Steps(page)
        steps.do(page.get_by_role("button", name="Remove: Romance").click, answer="**/rows")
        assert settled(page, "asked") != before
        shown = page.locator(".avoids .chip")
        assert shown.evaluate("e => getComputedStyle(e.firstChild).textDecorationLine") == (
            "line-through"
        )
        state = client.get(f"/v1/sessions/{session_of(page)}").json()
        said = [e for e in state["session"]["state"]["state"]["events"] if e["kind"] == "said"]
        assert said[-1]["text"] == "comedies, but no romance"
        assert said[-1]["without"]
        picture(page, "04-taken-back")
        steps.do(page.get_by_role("button", name="Bring back: Romance").click, answer="**/rows")
        assert settled(page, "asked") == before
        steps.do(page.get_by_role("button", name="Clear the text").click, answer="**/rows")
        assert settled(page, "asked") != before
        assert page.locator("#wishes .chip").count() == 0


@browsing
def test_see_why(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        steps = Steps(page)
        steps.write("space adventures, no horror")
        button = page.locator("#rows .why").first
        steps.do(button.click)
        dialog = page.get_by_role("dialog", name="Why")
        dialog.wait_for()
        shares = [int(x.split()[0]) for x in dialog.locator(".shares .number").all_inner_texts()]
        assert sum(shares) == pytest.approx(100, abs=len(shares))
        assert shares == sorted(shares, reverse=True)
        text = dialog.inner_text()
        assert "of 1,682" in text
        assert "log-probability" not in text
        steps.do(dialog.get_by_text("Figures for experts").click)
        assert "log-probability" in dialog.inner_text()
        picture(page, "05-why")
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert button.evaluate("e => e === document.activeElement")


@browsing
def test_erase_everything(browser, shipped):
    url, client = shipped
    with opened(browser) as page:
        to_rows(page, url)
        write(page, "space adventures")
        session = session_of(page)
        steps = Steps(page)
        steps.do(page.get_by_role("button", name="Your data").click)
        steps.do(page.get_by_role("button", name="Erase everything").click)
        picture(page, "06-erase")
        steps.do(page.get_by_role("button", name="Erase it").click, answer="**/rows")
        page.get_by_text("Nothing you said is left").first.wait_for()
        assert client.get(f"/v1/sessions/{session}").status_code == 404
        assert page.locator("#words").input_value() == ""
        assert page.locator("#wishes .chip").count() == 0
        assert session_of(page) != session


@browsing
def test_on_a_phone(browser, shipped):
    with opened(browser, **PHONE) as page:
        before = to_rows(page, shipped[0])
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        poster = page.locator("#rows .card .poster").first.bounding_box()
        assert poster["y"] + poster["height"] / 2 < 740  # seen without scrolling
        assert page.locator(".top").bounding_box()["height"] < 72
        steps = Steps(page)
        steps.do(page.locator(".example").first.tap, answer="**/rows")
        assert settled(page) != before
        like = page.locator("#rows button.like").first
        steps.do(like.tap, answer="**/rows")
        settled(page)
        page.get_by_text("is in your favourites").first.wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        picture(page, "07-phone")
        steps.do(page.get_by_role("button", name="Undo").tap, answer="**/rows")
        settled(page)
        assert page.locator("#open-favourites .badge").count() == 0


@browsing
def test_by_keyboard(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        steps = Steps(page)

        def write():
            for _ in range(4):
                page.keyboard.press("Tab")
            page.keyboard.type("comedies for a rainy day")
            page.keyboard.press("Enter")

        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        steps.do(write, answer="**/rows")
        settled(page)
        assert page.evaluate("document.activeElement.id") == "words"

        def like():
            for _ in range(40):
                page.keyboard.press("Tab")
                if page.evaluate("document.activeElement.matches('#rows button.like')"):
                    break
            page.keyboard.press("Enter")

        before = titles(page, "asked")
        steps.do(like, answer="**/rows")
        after = settled(page, "asked")
        assert before[0] not in after
        page.wait_for_function("() => document.activeElement.matches('#rows button.like')")
        outline = page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert outline >= 2
        picture(page, "08-keyboard")


@browsing
def test_in_chinese(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        steps = Steps(page)
        steps.do(page.get_by_role("button", name="中文").click, answer="**/rows")
        settled(page)
        found = steps.write("想要喜剧，不要爱情")
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        assert chips(page, "wants") == ["喜剧"]
        assert chips(page, "avoids") == ["爱情"]
        assert found["language"] == "zh"
        row = found["rows"][0]
        assert all("Comedy" in i["categories"] for i in row["items"])
        assert page.locator("#rows h2").first.inner_text() == row["title"]
        steps.do(page.locator("#rows .why").first.click)
        assert "支持它的理由" in page.get_by_role("dialog").first.inner_text()
        picture(page, "09-chinese")


@browsing
def test_two_people(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        write(page, "space adventures")
        steps = Steps(page)
        steps.do(page.get_by_role("button", name="Two people").click)
        assert page.evaluate("document.activeElement.id") == "words-other"
        steps.do(page.locator("#words-other").fill, "for my son, 8", answer="**/recommendations")
        page.wait_for_function(
            "() => document.querySelector('#wishes .for .chip')"  # the words have been read
            " && document.querySelector('#two .lines')"
            " && document.getElementById('two').getAttribute('aria-busy') === 'false'"
        )
        both = page.locator("#two .card h3").all_inner_texts()
        assert both
        marks = page.locator("#two .card .mark").all_inner_texts()
        assert all("for you" in mark and "for the other" in mark for mark in marks)
        for column in (0, 1):
            lines = page.locator("#two .lines").nth(column).locator("li")
            shown = [line.locator("b").inner_text() for line in lines.all()]
            for line, title in zip(lines.all(), shown, strict=True):
                common = "On both" in line.locator(".mark").inner_text()
                assert common == (line.get_attribute("class") == "common")
                assert common or title not in both
        picture(page, "10-two-people")


@browsing
def test_what_was_said_can_be_taken_along(browser, shipped):
    url, client = shipped
    with opened(browser) as page:
        to_rows(page, url)
        write(page, "no horror")
        steps = Steps(page)
        steps.do(page.get_by_role("button", name="Your data").click)
        with page.expect_download() as got:
            steps.do(page.get_by_role("button", name="Download my data").click)
        data = json.loads(Path(got.value.path()).read_text())
        assert data == httpx.get(f"{url}v1/sessions/{session_of(page)}").json()
        assert "no horror" in json.dumps(data)
