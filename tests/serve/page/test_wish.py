"""The question: what is understood while it is written, links that ask, and the two sliders."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.serve.page.browser import (
    browsing,
    chips,
    opened,
    session_of,
    settled,
    titles,
    to_rows,
    write,
)


def said(service, page):
    """The texts of the page's session, as the store has them."""
    state = service.store.export(session_of(page))["session"]["state"]["state"]
    return [event for event in state["events"] if event["kind"] == "said"]


@browsing
def test_chips_follow_each_key_while_nothing_of_it_is_recorded(browser, toy):
    with opened(browser) as page:
        before = to_rows(page, toy.url)
        held = []
        page.route("**/text", lambda route: held.append(route))
        field = page.locator("#words")
        field.press_sequentially("drama", delay=10)
        page.locator(".wants .chip").wait_for()
        assert chips(page, "wants") == ["Drama"]
        field.press_sequentially(" from the 1980s", delay=10)
        page.locator(".wants .chip").nth(1).wait_for()
        assert said(toy.service, page) == []
        assert titles(page) == before
        assert page.locator("#wishes [role=status]").inner_text().startswith("Wants Drama")
        page.wait_for_timeout(600)
        with page.expect_response("**/rows"):
            for route in held:
                route.continue_()
        settled(page)
        assert said(toy.service, page)[-1]["text"] == "drama from the 1980s"
        field.press("Escape")
        page.wait_for_function("() => document.querySelector('#words').value === ''")
        assert page.locator("#wishes .chip").count() == 0
        assert page.locator(".example").count() >= 2


@browsing
def test_an_example_is_asked_with_one_tap_and_is_understood(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        for n in range(page.locator(".example").count()):
            example = page.locator(".example").nth(n)
            text = example.inner_text().removeprefix("Try").strip()
            with page.expect_response("**/rows"):
                example.click()
            settled(page)
            assert page.locator("#words").input_value() == text
            assert page.locator("#wishes .chip").count() >= 1, text
            with page.expect_response("**/rows"):
                page.get_by_role("button", name="Clear the text").click()
            settled(page)


@browsing
def test_a_removed_part_stays_removed_while_its_words_are_there(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        write(page, "drama, no science fiction")
        with page.expect_response("**/rows"):
            page.locator(".avoids .chip").click()
        settled(page)
        chip = page.locator(".avoids .chip")
        assert chip.get_attribute("class") == "chip gone"
        write(page, "well, drama from the 1980s, no science fiction")
        assert chip.get_attribute("class") == "chip gone"
        last = said(toy.service, page)[-1]
        start, end = last["without"][0]
        assert "science fiction" in last["text"][start:end]
        page.reload()
        settled(page)
        page.locator(".avoids .chip.gone").wait_for()
        write(page, "drama")
        assert said(toy.service, page)[-1].get("without", []) == []


@browsing
def test_words_that_name_nothing_are_said_to_be_compared_as_a_whole(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        write(page, "qqq zzz")
        page.get_by_text("compared as a whole").wait_for()
        assert page.locator("#wishes .chip").count() == 0
        assert titles(page)


@browsing
def test_keys_of_an_input_method_do_not_send(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        sent = []
        page.on("request", lambda r: sent.append(r.url) if r.url.endswith("/text") else None)
        page.evaluate(
            "() => document.getElementById('words').dispatchEvent(new KeyboardEvent('keydown',"
            " {key: 'Enter', isComposing: true, bubbles: true, cancelable: true}))"
        )
        page.wait_for_timeout(300)
        assert sent == []


@browsing
def test_a_link_asks_and_the_address_does_not_keep_it(browser, toy):
    link = f"{toy.url}#q={quote('no drama')}&words=0.9&diversity=0.3&language=zh"
    with opened(browser) as page:
        with page.expect_response(lambda r: r.url.endswith("/rows")) as answer:
            page.goto(link)
        settled(page)
        sent = answer.value.request.post_data_json
        assert (sent["words"], sent["diversity"], sent["language"]) == (0.9, 0.3, "zh")
        page.locator(".avoids .chip").wait_for()
        assert chips(page, "avoids") == ["剧情"]
        assert page.url == toy.url
    with opened(browser, permissions=["clipboard-read", "clipboard-write"]) as page:
        to_rows(page, toy.url)
        write(page, "drama & more, 100 %?")
        page.locator("#open-data").click()
        page.get_by_role("button", name="Copy a link").click()
        page.locator("#toast").get_by_text("copied").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        other = page.context.new_page()
        other.goto(copied)
        settled(other)
        assert other.locator("#words").input_value() == "drama & more, 100 %?"
        assert session_of(other) != session_of(page)


@browsing
@pytest.mark.parametrize("bad", ["#q=drama&words=7&diversity=x&language=qq", "#q=%", "#nothing"])
def test_a_damaged_link_opens_the_page(browser, toy, bad):
    with opened(browser) as page:
        page.goto(toy.url + bad)
        assert settled(page)


@browsing
def test_a_panel_has_an_address(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url + "#favourites")
        assert page.locator("#panel-favourites").is_visible()
        page.locator("#open-tune").click()
        assert page.url.endswith("#tune")
        assert page.locator("#panel-favourites").is_hidden()
        page.locator("#h-tune").press("Escape")
        assert page.url == toy.url
        assert page.evaluate("document.activeElement.id") == "open-tune"


@browsing
def test_the_sliders_weigh_words_and_variety(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        write(page, "something with aliens")
        page.locator("#open-tune").click()
        taste, variety = page.locator("#taste"), page.locator("#variety")
        assert taste.get_attribute("aria-valuetext") == "Both alike"
        taste.focus()
        with page.expect_response("**/rows") as answer:
            page.keyboard.press("End")
        assert answer.value.request.post_data_json["words"] == 0
        assert taste.get_attribute("aria-valuetext") == "More of my taste"
        settled(page)
        with page.expect_response("**/rows") as answer:
            page.keyboard.press("Home")
        assert answer.value.request.post_data_json["words"] == 1
        settled(page)
        variety.focus()
        with page.expect_response("**/rows") as answer:
            for _ in range(3):  # taps that come close together are one request
                page.keyboard.press("ArrowRight")
        assert answer.value.request.post_data_json["diversity"] == 0.3
        assert answer.value.request.post_data_json["words"] == 1
        settled(page)
        page.reload()
        settled(page)
        page.locator("#open-tune").click()
        assert (taste.input_value(), variety.input_value()) == ("0", "0.3")
