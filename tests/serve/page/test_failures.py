"""Services that go away, refuse or are slow, as the page tells it."""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest

from coldstart.cli import main
from tests.serve.page.browser import Served, browsing, opened, settled, sync_api, titles, to_list
from tests.waiting import until


@browsing
def test_a_service_that_goes_away_is_waited_for_and_nothing_is_lost_or_doubled(browser, own):
    with opened(browser, expected=("Failed to load resource",)) as page:
        shown = to_list(page, own.url)
        own.stop()
        page.locator("#items button.like").first.dblclick()
        notice = page.get_by_role("alert").filter(has_text="cannot be reached")
        notice.wait_for()
        own.start()
        page.get_by_role("button", name="Try now").click()
        notice.wait_for(state="hidden")
        page.wait_for_function(
            "t => document.querySelector('#items h3').innerText !== t", arg=shown[0]
        )
        assert shown[0] not in settled(page)
        session = page.evaluate("sessionStorage.getItem('coldstart.session')")
        data = httpx.get(f"{own.url}v1/sessions/{session}").json()
        assert [e["kind"] for e in data["events"]] == ["like"]

        httpx.delete(f"{own.url}v1/sessions/{session}").raise_for_status()
        page.locator("#items button.like").first.click()
        page.get_by_role("alert").filter(has_text="no longer there").wait_for()
        page.get_by_role("heading", name="Who are you?").wait_for()
        assert page.locator("#notice").is_visible()
        page.get_by_role("button", name="Skip this").click()
        page.locator("#cards .card h3").first.wait_for()
        assert page.evaluate("sessionStorage.getItem('coldstart.session')") != session


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
            page.get_by_role("button", name="Skip this").click()
            page.locator("#cards .card h3").first.wait_for()
            page.reload()
            page.locator("#cards .card h3").first.wait_for()
            assert not page.locator("#key").is_visible()
            assert page.evaluate("JSON.stringify(localStorage)") == "{}"
            for n in range(8):  # more than the bucket holds
                page.locator("#cards button.like").nth(n).click()
            page.get_by_role("alert").filter(has_text="a lot at once").wait_for()
            page.locator("#notice").wait_for(state="hidden")
            session = page.evaluate("sessionStorage.getItem('coldstart.session')")
            events = lambda: served.service.store.export(session)["events"]  # noqa: E731
            until(lambda: page.wait_for_timeout(100) or len(events()) >= 8, "the eight likes")
            assert len(events()) == 8
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
        to_list(page, toy.url)
        times = []

        def refuse(route):
            times.append(time.monotonic())
            if len(times) > 1:
                return route.continue_()
            headers = {"Retry-After": "2"} if status == 503 else {}
            return route.fulfill(status=status, json={}, headers=headers)

        page.route("**/text", refuse)
        page.locator("#words").fill("robots")
        page.get_by_role("button", name="Tell").click()
        page.get_by_role("alert").filter(has_text=told).wait_for()
        if not goes_on:
            assert page.locator("#words").input_value() == "robots"  # to be changed
            page.get_by_role("button", name="All right").click()
        elif status == 500:
            page.get_by_role("button", name="Try again").click()
        page.locator("#notice").wait_for(state="hidden")
        if goes_on:
            page.wait_for_function("() => document.getElementById('understood').textContent")
            assert len(times) == 2
        if status == 503:
            assert times[1] - times[0] >= 1.9


@browsing
def test_slowness_is_told_and_a_late_answer_does_not_replace_a_newer_one(browser, toy):
    with opened(browser) as page:
        page.goto(toy.url)
        page.get_by_role("button", name="Skip this").click()
        page.locator("#cards .card h3").first.wait_for()
        waiting = []

        def hold(route):
            if waiting:
                return route.continue_()
            return waiting.append(route)

        page.route("**/recommendations", hold)
        page.get_by_role("button", name="See my list").click()
        page.locator("#items .bone").first.wait_for()
        page.get_by_text("a little longer than usual").wait_for()
        page.locator("#diversity").fill("0.5")
        shown = settled(page)
        page.get_by_text("a little longer than usual").wait_for(state="hidden")
        stale = {"items": [{"item_id": "x", "title": "Stale", "rank": 1, "score": 0, "reason": ""}]}
        with contextlib.suppress(sync_api.Error):  # the page has given it up
            waiting[0].fulfill(json=stale)
        page.wait_for_timeout(300)
        assert titles(page) == shown
        assert "Stale" not in shown


@browsing
def test_a_wrong_age_is_told_beside_the_field_and_storage_may_be_off(browser, toy):
    with opened(browser) as page:
        page.add_init_script(
            "for (const s of ['localStorage', 'sessionStorage']) Object.defineProperty(window, s, "
            "{ get() { throw new DOMException('off', 'SecurityError') } })"
        )
        page.goto(toy.url)
        age = page.get_by_label("Age")
        for wrong in ("200", "-1", "2.5"):
            age.fill(wrong)
            page.get_by_role("button", name="Continue").click()
            page.get_by_text("whole number from 0 to 130").wait_for()
            assert age.get_attribute("aria-invalid") == "true"
            assert page.evaluate("document.activeElement.id") == "field-age"
        age.fill("30")
        page.get_by_role("button", name="Continue").click()
        page.locator("#cards .card h3").first.wait_for()
        page.get_by_role("button", name="See my list").click()
        assert settled(page)
        page.get_by_role("button", name="Dark").click()
        page.get_by_role("button", name="中文").click()
        page.get_by_role("heading", name="为你推荐").wait_for()
