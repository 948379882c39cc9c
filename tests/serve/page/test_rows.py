"""Rows of cards: their rules, how they change, and their pictures."""

from __future__ import annotations

import struct
import zlib

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.schema import Item
from tests.serve.page.browser import Served, browsing, opened, settled, titles, to_rows, write
from tests.toy import toy_catalog, toy_recommender

PICTURE = "wide.png"


def a_png(width=4, height=5):
    """The smallest picture that a browser shows: one colour."""

    def part(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    lines = (b"\0" + b"\x43\x38\xa8" * width) * height
    body = part(b"IHDR", head) + part(b"IDAT", zlib.compress(lines)) + part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@browsing
def test_rows_state_their_rule_and_no_title_comes_twice(browser, shipped):
    with opened(browser) as page:
        to_rows(page, shipped[0])
        write(page, "science fiction")
        page.locator("#rows button.like").first.click()
        page.locator("#open-favourites .badge").wait_for()
        settled(page)
        rows = page.locator("#rows section")
        assert rows.count() >= 3
        for row in rows.all():
            assert row.locator("h2").inner_text()
            assert row.locator(".rule").inner_text().endswith(".")
            assert row.locator(".card").count() >= 3
        ids = page.locator("#rows [data-item]").evaluate_all("l => l.map(e => e.dataset.item)")
        assert len(ids) == len(set(ids))


@browsing
def test_a_row_is_opened_to_show_all_at_once(browser, toy):
    with opened(browser) as page:
        to_rows(page, toy.url)
        shelf, all_ = page.locator("#rows .shelf").first, page.locator("#rows .all").first
        narrow = shelf.bounding_box()["height"]
        all_.click()
        assert all_.get_attribute("aria-expanded") == "true"
        assert shelf.bounding_box()["height"] > 1.5 * narrow
        assert shelf.evaluate("e => e.scrollWidth <= e.clientWidth")
        all_.click()
        assert shelf.bounding_box()["height"] == narrow


@browsing
@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_titles_that_stay_are_moved_and_not_made_again(browser, toy, motion):
    with opened(browser, reduced_motion=motion) as page:
        to_rows(page, toy.url)
        page.evaluate(
            "() => { window.moved = 0; const animate = Element.prototype.animate;"
            " Element.prototype.animate = function (...a) { if (JSON.stringify(a[0])"
            ".includes('translate')) window.moved += 1; return animate.apply(this, a) };"
            " for (const li of document.querySelectorAll('#rows [data-item]')) li.kept = true }"
        )
        with page.expect_response("**/rows"):
            page.locator("#rows button.seen").first.click()
        settled(page)
        kept = page.locator("#rows [data-item]").evaluate_all("l => l.filter(e => e.kept).length")
        assert kept >= 5
        assert (page.evaluate("window.moved") > 0) == (motion == "no-preference")


@browsing
def test_every_opinion_is_in_the_catalogs_terms_and_can_be_undone(browser, toy):
    with opened(browser) as page:
        before = to_rows(page, toy.url)
        for opinion, name in (("like", "Like"), ("dislike", "Not for me"), ("seen", "Seen it")):
            button = page.locator(f"#rows button.{opinion}").first
            assert button.get_attribute("aria-label") == f"{name}: {before[0]}"
            with page.expect_response("**/rows"):
                button.click()
            assert before[0] not in settled(page)
            with page.expect_response("**/rows"):
                page.get_by_role("button", name="Undo").click()
            assert settled(page) == before


def illustrated():
    """The toy catalog with a picture, one that is missing, and prices: a shop."""
    faces = {"i0": PICTURE, "i1": "missing.png"}
    items = [
        item.model_copy(
            update={
                "image": faces.get(item.item_id, ""),
                "image_alt": "a toy on a shelf" if item.item_id in faces else "",
                "price": 9.5 + n,
                "description": "One line that says what it is. And another.",
                "attributes": {"currency": "EUR"},
            }
        )
        for n, item in enumerate(toy_catalog())
    ]
    return toy_recommender(Catalog.from_items(Item.model_validate(i.model_dump()) for i in items))


@browsing
def test_pictures_prices_and_lines_are_shown_and_a_missing_picture_is_drawn(browser, tmp_path):
    (tmp_path / PICTURE).write_bytes(a_png())
    served = Served(tmp_path, {"images": str(tmp_path)}, illustrated)
    served.start()
    try:
        with opened(browser, expected=("404",)) as page:
            to_rows(page, served.url)
            assert page.locator("h1").inner_text() == "What are you looking for?"
            page.locator("#rows .all").first.click()
            page.locator("#words").fill("like Toy Story 2")
            settled(page)
            page.locator('#rows [data-item="i0"]').wait_for()
            shown = page.locator('#rows [data-item="i0"]')
            shown.scroll_into_view_if_needed()
            image = shown.get_by_role("img", name="a toy on a shelf")
            image.wait_for()
            page.wait_for_function(
                "() => document.querySelector('[data-item=\"i0\"] img').naturalWidth === 4"
            )
            assert shown.locator("h3").inner_text() == "Toy Story"
            assert shown.locator(".facts").inner_text() == "€9.50 · Drama"
            assert shown.locator(".line").inner_text() == "One line that says what it is."
            assert shown.locator("button.seen").get_attribute("aria-label").startswith("Have it")
            page.locator("#words").fill("like Contact")
            lost = page.locator('#rows [data-item="i1"]')
            lost.scroll_into_view_if_needed()
            lost.locator(".poster h3").wait_for()
            assert lost.locator("img").count() == 0
            assert "Toy Story 2" in titles(page)
    finally:
        served.stop()
