"""Services that go away, refuse or are slow, as the page tells it."""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest

from coldstart.cli import main
from tests.serve.page.browser import (
    Served,
    browsing,
    opened,
    session_of,
    settled,
    sync_api,
    titles,
    to_rows,
)
from tests.waiting import until


@browsing
def test_a_service_that_goes_away_is_waited_for_and_nothing_is_lost_or_doubled(browser, own):
    with opened(browser, expected=("Failed to load resource",)) as page:
        shown = to_rows(page, own.url)
        own.stop()
        page.locator("#rows button.like").first.dblclick()
        notice = page.get_by_role("alert").filter(has_text="cannot be reached")
        notice.wait_for()
        own.start()
        page.get_by_role("button", name="Try now").click()
        notice.wait_for(state="hidden")
        page.wait_for_function(
            "t => document.querySelector('#rows h3').innerText !== t", arg=shown[0]
        )
        assert shown[0] not in settled(page)
        session = session_of(page)
        data = httpx.get(f"{own.url}v1/sessions/{session}").json()
        assert [e["kind"] for e in data["events"]] == ["like"]

        httpx.delete(f"{own.url}v1/sessions/{session}").raise_for_status()
        page.locator("#rows button.like").first.click()
        page.locator("#toast").filter(has_text="no longer there").wait_for()
        page.wait_for_function(
            "s => (sessionStorage.getItem('coldstart.session') ?? s) !== s", arg=session
        )
        settled(page)
        assert page.locator("#open-favourites .badge").count() == 0


@browsing
def test_a_service_with_keys_asks_for_one_and_its_rate_is_kept(browser, tmp_path, capsys):
    db = str(tmp_path / "people.db")
    assert main(["serve", "keys", "add", "page", "--rate", "60", "--db", db]) == 0
    secret = capsys.readouterr().out.strip()
    served = Served(tmp_path, {"open": False})
    served.start()
    try:
        with opened(browser, expected=("401", "429")) as page:
            page.goto(served.url)
            key = page.get_by_label("Key", exact=True)
            key.fill("wrong")
            page.get_by_role("button", name="Use this key").click()
            page.get_by_text("That key is not accepted").wait_for()
            key.fill(secret)
            page.get_by_role("button", name="Use this key").click()
            settled(page)
            page.reload()
            settled(page)
            assert not page.locator("#key").is_visible()
            assert page.evaluate("JSON.stringify(localStorage)") == "{}"
            page.locator("#open-favourites").click()
            page.locator("#quiz .card h4").first.wait_for()
            for n in range(6):  # more than the bucket holds, with the rows that follow
                page.locator("#quiz button.like").nth(n).click()
                page.locator("#quiz button.dislike").nth(n).click()
            page.get_by_role("alert").filter(has_text="a lot at once").wait_for()
            page.locator("#notice").wait_for(state="hidden")
            session = session_of(page)
            events = lambda: served.service.store.export(session)["events"]  # noqa: E731
            until(lambda: page.wait_for_timeout(100) or len(events()) >= 12, "the twelve answers")
            assert len(events()) == 12
    finally:
        served.stop()


@browsing
@pytest.mark.parametrize(
    ("status", "told", "goes_on"),
    [
        (503, "Many people are here", True),
        (504, "did not answer in time", True),
        (500, "not your fault", True),
        (413, "too long", False),
        (422, "could not make sense", False),
    ],
)
def test_every_refusal_is_a_plain_sentence(browser, toy, status, told, goes_on):
    with opened(browser, expected=(str(status),)) as page:
        before = to_rows(page, toy.url)
        times = []

        def refuse(route):
            times.append(time.monotonic())
            if len(times) > 1:
                return route.continue_()
            headers = {"Retry-After": "2"} if status == 503 else {}
            return route.fulfill(status=status, json={}, headers=headers)

        page.route("**/text", refuse)
        page.locator("#words").fill("no science fiction")
        page.locator("#words").press("Enter")
        page.get_by_role("alert").filter(has_text=told).wait_for()
        if not goes_on:
            assert page.locator("#words").input_value() == "no science fiction"  # to be changed
            page.get_by_role("button", name="All right").click()
        elif status == 500:
            page.get_by_role("button", name="Try again").click()
        page.locator("#notice").wait_for(state="hidden")
        if goes_on:
            until(lambda: page.wait_for_timeout(50) or titles(page) != before, "other rows")
            settled(page)
            assert len(times) == 2
        if status == 503:
            assert times[1] - times[0] >= 1.9


@browsing
def test_slowness_is_told_and_a_late_answer_does_not_replace_a_newer_one(browser, toy):
    with opened(browser) as page:
        waiting = []

        def hold(route):
            if waiting:
                return route.continue_()
            return waiting.append(route)

        page.route("**/rows", hold)
        page.goto(toy.url)
        page.locator("#rows .bone").first.wait_for()
        page.get_by_text("a little longer than usual").wait_for()
        page.locator("#open-tune").click()
        page.get_by_label("Variety").fill("0.5")
        shown = settled(page)
        page.get_by_text("a little longer than usual").wait_for(state="hidden")
        item = {"item_id": "x", "title": "Stale", "rank": 1, "score": 0, "reason": ""}
        row = {"row": "asked", "title": "Stale", "rule": "", "items": [item]}
        with contextlib.suppress(sync_api.Error):  # the page has given it up
            waiting[0].fulfill(json={"rows": [row], "language": "en"})
        page.wait_for_timeout(300)
        assert titles(page) == shown
        assert "Stale" not in shown


@browsing
def test_without_storage_everything_works_for_the_moment(browser, toy):
    with opened(browser) as page:
        page.add_init_script(
            "for (const s of ['localStorage', 'sessionStorage']) Object.defineProperty(window, s, "
            "{ get() { throw new DOMException('off', 'SecurityError') } })"
        )
        before = to_rows(page, toy.url)
        with page.expect_response("**/rows"):
            page.locator("#rows button.like").first.click()
        assert settled(page) != before
        page.get_by_role("button", name="Dark").click()
        page.get_by_role("button", name="中文").click()
        page.get_by_role("button", name="最爱").wait_for()


@browsing
def test_where_nothing_is_left_the_page_says_so_and_how_to_go_on(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        with page.expect_response("**/rows") as answer:
            page.locator("#words").fill("no drama, no science fiction")
        if answer.value.json()["rows"]:
            pytest.fail("the toy catalog has only these two kinds")
        page.get_by_text("take one of your wishes back").first.wait_for()
        with page.expect_response("**/rows"):
            page.get_by_role("button", name="Remove: Drama").click()
        assert settled(page)
