"""Favourites by search and by questions, opinions that are taken back, and who the person is."""

from __future__ import annotations

import json

from tests.serve.page.browser import browsing, opened, session_of, settled, titles, to_rows, write


def active(page, expression):
    return page.evaluate(f"(e => {expression})(document.activeElement)")


@browsing
def test_a_favourite_is_found_and_added_with_the_keys_alone(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        page.locator("#open-favourites").press("Enter")
        assert active(page, "e.id") == "h-favourites"
        page.keyboard.press("Tab")
        field = page.locator("#search")
        assert active(page, "e.id") == "search"
        assert field.get_attribute("aria-expanded") == "false"
        page.keyboard.type("star")
        page.locator("#hits li").nth(1).wait_for()
        assert field.get_attribute("aria-expanded") == "true"
        assert field.get_attribute("aria-activedescendant") == "hit-0"
        for key, place in (("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", -1)):
            page.keyboard.press(key)
            hits = page.locator("#hits li")
            at = hits.count() - 1 if place < 0 else place
            assert field.get_attribute("aria-activedescendant") == f"hit-{at}"
            selected = [hit.get_attribute("aria-selected") for hit in hits.all()]
            assert selected == [str(n == at).lower() for n in range(len(selected))]
        page.keyboard.press("Escape")
        assert page.locator("#hits").is_hidden()
        assert page.locator("#panel-favourites").is_visible()
        page.keyboard.press("Escape")
        assert page.locator("#panel-favourites").is_hidden()
        assert active(page, "e.id") == "open-favourites"

        page.keyboard.press("Enter")
        field.fill("star wras")
        page.get_by_role("option", name="Star Wars").wait_for()
        with page.expect_response("**/rows") as answer:
            field.press("Enter")
        settled(page)
        assert field.input_value() == ""
        assert active(page, "e.id") == "search"
        assert page.locator("#opinions b").all_inner_texts() == ["Star Wars"]
        assert all(
            "Star Wars" not in i["title"] for r in answer.value.json()["rows"] for i in r["items"]
        )
        field.fill("zzzzzz")
        page.get_by_text("Nothing is called “zzzzzz” here.").wait_for()
        assert page.locator("#hits").is_hidden()


@browsing
def test_an_opinion_is_taken_back_and_the_rows_are_as_before(browser, toy):
    with opened(browser) as page:
        before = to_rows(page, toy.url)
        page.locator("#open-favourites").click()
        page.locator("#search").fill("alien")
        page.locator("#hits li").first.wait_for()
        with page.expect_response("**/rows"):
            page.locator("#search").press("Enter")
        assert settled(page) != before
        with page.expect_response("**/rows"):
            page.get_by_role("button", name="Take back").click()
        assert settled(page) == before
        assert page.locator("#opinions li").count() == 0
        assert page.locator("#open-favourites .badge").count() == 0


@browsing
def test_questions_are_answered_and_follow_what_was_said(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        page.locator("#open-favourites").click()
        page.locator("#quiz .card h4").first.wait_for()
        first = page.locator("#quiz .card").first
        title = first.locator("h4").inner_text()
        like = first.locator("button.like")
        with page.expect_response("**/rows"):
            like.click()
        settled(page)
        assert like.get_attribute("aria-pressed") == "true"
        assert page.locator("#opinions b").all_inner_texts() == [title]
        with page.expect_response("**/rows"):
            like.click()
        settled(page)
        assert like.get_attribute("aria-pressed") == "false"
        session = toy.service.store.export(session_of(page))
        answers = [json.loads(e["detail"])["answer"] for e in session["events"]]
        assert answers == ["like", "unknown"]

        shown = page.locator("#quiz h4").all_inner_texts()
        page.get_by_role("button", name="Show others").click()
        page.wait_for_function(
            "t => document.querySelector('#quiz h4')?.innerText !== t", arg=shown[0]
        )
        assert not set(shown) & set(page.locator("#quiz h4").all_inner_texts())

        with page.expect_response("**/questions**"):
            write(page, "science fiction, no drama")
        page.wait_for_timeout(300)
        kinds = page.locator("#quiz .kind").all_inner_texts()
        assert kinds
        assert {kind.casefold() for kind in kinds} == {"sci-fi"}


@browsing
def test_who_one_is_can_be_said_at_any_time_and_a_wrong_age_is_told(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        write(page, "no drama")
        page.locator("#open-about").click()
        age = page.get_by_label("Age")
        for wrong in ("200", "-1", "2.5"):
            age.fill(wrong)
            age.press("Tab")
            page.get_by_text("whole number from 0 to 130").wait_for()
            assert age.get_attribute("aria-invalid") == "true"
        age.fill("30")
        with page.expect_response("**/rows"):
            age.press("Tab")
        settled(page)
        with page.expect_response("**/rows"):
            page.get_by_label("Occupation").select_option("student")
        settled(page)
        state = toy.service.store.export(session_of(page))["session"]["state"]["state"]
        given = [e["profile"] for e in state["events"] if e["kind"] == "profile"]
        assert (given[-1]["age"], given[-1]["occupation"]) == (30, "student")
        assert page.locator(".avoids .chip").count() == 1  # what was written stands


@browsing
def test_a_visit_outlives_a_reload_and_nothing_of_it_is_kept_longer(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        write(page, "science fiction from the 1980s")
        page.locator("#rows button.like").first.click()
        page.locator("#open-favourites .badge").wait_for()
        settled(page)
        page.get_by_role("button", name="Dark colours").click()
        shown, session = titles(page), session_of(page)
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.reload()
        assert settled(page) == shown
        assert session_of(page) == session
        assert page.locator("#words").input_value() == "science fiction from the 1980s"
        assert page.locator("#open-favourites .badge").inner_text() == "1"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
        assert page.evaluate("JSON.stringify(Object.values(localStorage))") == '["dark"]'
        assert "science" not in page.url
