"""The operator's view in a browser: what it tells, keyboard, phone, themes, and failures."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest

from coldstart.serve.releases import Serving
from coldstart.serve.reports.catalog_health import catalog_health
from tests.serve.helpers import serving
from tests.serve.page.browser import ARTIFACT, Served, browsing, opened

FILES = Path(__file__).parents[3] / "coldstart" / "serve" / "admin_page"
VENDORED = tomllib.loads((FILES / "vendored.toml").read_text())
IDLE = """() => document.querySelectorAll('.body[aria-busy=false]').length === 5"""
LOW_CONTRAST = """() => {
  const parts = (c) => c.match(/[\\d.]+/g).map(Number);
  const light = (c) => {
    const [r, g, b] = parts(c).map((x) => x / 255)
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
  const texts = [...document.querySelectorAll("body *")].filter((e) => e.checkVisibility()
    && !e.closest(".skip, #status")
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));
  const low = texts.filter((e) => {
    const [a, b] = [light(getComputedStyle(e).color), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  });
  return [texts.length, low.map((e) => e.outerHTML.slice(0, 120))];
}"""
SMALL = """() => [...document.querySelectorAll("button, select, summary, .tabs a, .tiles a, input")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().height < 43.9)
  .map((e) => e.outerHTML.slice(0, 120))"""


def visits(url, headers=None):
    """Three people: two with words that nothing is made of, and one like."""
    with httpx.Client(base_url=url, headers=headers or {}) as client:
        for text in ("no drama, axolotls", "Axolotls!", "science fiction"):
            at = "/v1/sessions/" + client.post("/v1/sessions", json={}).json()["session_id"]
            client.post(f"{at}/text", json={"text": text}).raise_for_status()
            shown = client.post(f"{at}/recommendations", json={"k": 3}).json()["items"]
            like = {"item_id": shown[0]["item_id"], "kind": "like"}
        client.post(f"{at}/feedback", json=like).raise_for_status()


@pytest.fixture
def locked(tmp_path):
    """A service with keys, and what people did there; (service, key by rights)."""
    served = Served(tmp_path, {"open": False})
    served.start()
    store = served.service.store
    keys = {
        name: store.create_key(name, admin=name == "admin").secret for name in ("admin", "shop")
    }
    visits(served.url, {"Authorization": f"Bearer {keys['shop']}"})
    yield served, keys
    served.stop()


@pytest.fixture
def shown(own):
    visits(own.url)
    return own


def arrive(page, url, at="admin"):
    page.goto(url + at)
    page.wait_for_function(IDLE)


@browsing
def test_what_was_not_understood_is_two_steps_away_for_an_admin_key_only(browser, locked):
    served, keys = locked
    with opened(browser, expected=("401", "403")) as page:
        page.goto(served.url + "admin")
        ask = page.get_by_label("Key", exact=True)
        for wrong, why in ((keys["shop"], "no admin rights"), ("x" * 40, "not known")):
            ask.fill(wrong)
            page.keyboard.press("Enter")
            page.get_by_role("alert").filter(has_text=why).wait_for()
            assert page.locator("section .card").count() == 0
        ask.fill(keys["admin"])
        page.keyboard.press("Enter")
        page.wait_for_function(IDLE)
        row = page.get_by_role("region", name="Not understood").locator("tbody tr").first
        assert re.split(r"\s*\t\s*|\n", row.inner_text())[0] == "axolotls"
        assert row.locator("td").all_inner_texts() == ["2", "2"]
        page.get_by_label("People who must have written it").select_option("3")
        page.get_by_text("Everything was understood.").wait_for()
        sentence = page.get_by_label("Newest sentences").locator("li").filter(has_text="drama")
        assert sentence.locator("mark.lost").all_inner_texts() == ["axolotls"]
        assert "drama" in sentence.locator("mark.read").inner_text()
        assert page.evaluate("Object.values(localStorage).join()").find(keys["admin"]) < 0


@browsing
def test_results_have_intervals_and_plots_have_tables(browser, shown):
    with opened(browser) as page:
        arrive(page, shown.url)
        results = page.locator("#results")
        assert "11.1 %" in results.locator(".figure").first.inner_text()  # 1 of 9 shown items
        assert page.locator(".uplot canvas").count() == 4
        results.get_by_text("As a table").first.click()
        days = results.get_by_role("region", name="Click-through rate by day").locator("tbody tr")
        assert days.count() == 7
        assert "11.1 % (" in days.first.inner_text()  # the present day comes first
        page.locator("#days").select_option("30")
        page.wait_for_function(
            "() => document.querySelectorAll('#results details[open] tbody tr').length === 30"
        )
        arm = page.get_by_role("region", name="By arm").locator("tbody tr")
        assert arm.count() == 1
        assert "33.3 % (" in arm.inner_text()  # one of three people


@browsing
def test_everything_is_reached_by_keyboard_and_saved_in_one_file(browser, shown):
    with opened(browser) as page:
        arrive(page, shown.url)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.locator("#export summary").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        with page.expect_download() as saving:
            page.keyboard.press("Enter")
        saved = Path(saving.value.path()).read_bytes()
        assert saving.value.suggested_filename.endswith(".zip")
        assert b"axolotls" in zipfile.ZipFile(io.BytesIO(saved)).read("not_understood.csv")
        assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert page.evaluate("document.getElementById('export').open") is False
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        assert page.evaluate("document.getElementById('export').open") is False
        page.locator(".tabs a", has_text="Catalog").focus()
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.activeElement.id === 'h-catalog'")
        assert page.locator(".tabs a[aria-current]").inner_text() == "Catalog"


@browsing
def test_an_artifact_is_served_tried_on_a_share_and_rolled_back(browser, own, tmp_path):
    for name in ("toy", "toy-2"):
        (tmp_path / name).mkdir()
        shutil.copy(ARTIFACT / "manifest.json", tmp_path / name)
        shutil.copy(ARTIFACT / "README.md", tmp_path / name)
    own.service.started = own.service.serving = Serving({"": str(tmp_path / "toy")})
    with opened(browser) as page:
        arrive(page, own.url, "admin#artifacts")
        two = page.locator(".artifacts .card", has=page.get_by_role("heading", name="toy-2"))
        assert "not served" in two.inner_text()
        two.get_by_text("Figures of its card").click()
        assert two.get_by_role("cell", name="0.324 ± 0.042").count() > 0
        two.get_by_role("button", name="Try on a share").click()
        page.get_by_role("button", name="Cancel").click()
        assert own.service.store.release() is None
        two.get_by_role("button", name="Try on a share").click()
        page.get_by_label("Share of people").fill("30")
        page.get_by_role("button", name="Start").click()
        two.get_by_text("serves 30 %").wait_for()
        assert [arm.weight for arm in own.service.store.release().arms] == [0.7, 0.3]
        page.get_by_role("button", name="Roll back").click()
        page.locator("#confirm-yes").click()
        two.get_by_text("not served").wait_for()
        assert own.service.serving.experiment is None


@browsing
@pytest.mark.parametrize("width", [360, 1280])
def test_it_fits_reads_and_can_be_hit_in_both_themes(browser, shown, width):
    size = {"width": width, "height": 800}
    for theme in ("light", "dark"):
        with opened(browser, viewport=size, color_scheme=theme) as page:
            arrive(page, shown.url)
            wide = "() => document.documentElement.scrollWidth - innerWidth"
            assert page.evaluate(wide) <= 0
            looked, low = page.evaluate(LOW_CONTRAST)
            assert looked > 60
            assert low == []
            assert page.evaluate(SMALL) == []
            named = page.locator("main [role=img], main [role=region], main section")
            assert all(
                named.nth(n).get_attribute("aria-label")
                or named.nth(n).get_attribute("aria-labelledby")
                for n in range(named.count())
            )
            ink = page.evaluate("getComputedStyle(document.body).color")
            page.get_by_role("button", name="Dark" if theme == "light" else "Light").click()
            assert page.evaluate("getComputedStyle(document.body).color") != ink


@browsing
def test_it_speaks_chinese_on_demand_and_says_so(browser, shown):
    with opened(browser) as page:
        arrive(page, shown.url)
        page.get_by_role("button", name="中文").click()
        page.get_by_role("heading", name="人们想要什么").wait_for()
        page.wait_for_function(IDLE)
        assert page.title() == "coldstart: 运营视图"
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert "axolotls" in page.get_by_role("region", name="没有理解").inner_text()
        left = page.evaluate("document.body.innerText.match(/[A-Za-z]{4,}( [A-Za-z]{3,}){2,}/g)")
        shown_in_english = ("axolotls", "fiction", "coldstart", "Star", "Raiders", "Return")
        assert [x for x in left or [] if not any(word in x for word in shown_in_english)] == []
        page.reload()
        page.get_by_role("heading", name="人们想要什么").wait_for()


@browsing
def test_axe_finds_nothing(browser, shown):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with opened(browser) as page:
        arrive(page, shown.url)
        found = axe.Axe().run(page).response["violations"]
        assert [(v["id"], [n["html"] for n in v["nodes"]]) for v in found] == []


@browsing
def test_a_service_that_is_away_is_told_and_tried_again(browser, own):
    with opened(browser, expected=("Failed to load", "ERR_")) as page:
        arrive(page, own.url)
        assert page.get_by_text("No sentence yet.").count() == 1
        assert page.get_by_text("Nobody was shown a list in these days.").count() == 1
        own.stop()
        page.get_by_role("button", name="Refresh").click()
        alert = page.locator("#asked").get_by_role("alert")
        alert.get_by_text("cannot be reached").wait_for()
        own.start()
        alert.get_by_role("button", name="Try again").click()
        page.get_by_text("No sentence yet.").wait_for()


def test_the_files_are_served_without_a_key_and_with_a_strict_policy(tmp_path):
    with serving(tmp_path, open=False) as client:
        page = client.get("/admin")
        named = re.findall(r'(?:src|href)="((?:admin|page)/[^"]+)"', page.text)
        assert len(named) >= 5
        for path in ("/admin", *(f"/{name}" for name in named)):
            answer = client.get(path)
            assert answer.status_code == 200, path
            (policy,) = answer.headers.get_list("content-security-policy")
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
            assert "unsafe" not in policy
        for other in ("nope.js", "vendored.toml", "..%2fapp.py", "uplot.LICENSE"):
            assert client.get(f"/admin/{other}").status_code == 404


def test_every_sentence_has_a_chinese_one_with_the_same_places():
    chinese = json.loads((FILES / "words.zh.json").read_text())
    code = {f.name: f.read_text() for f in FILES.iterdir() if f.suffix in (".js", ".html")}
    code.pop("uplot.js")
    text = "".join(code.values())
    used = set(re.findall(r'\bt\("([^"]+)"', text))
    used |= {
        one for pair in re.findall(r'plural\([^"]*?"([^"]+)", "([^"]+)"', text) for one in pair
    }
    used |= set(re.findall(r"data-t>([^<]+)<", code["index.html"]))
    used |= set(re.findall(r'data-label="([^"]+)"', code["index.html"]))
    checks = [c for all_ in (True, False) for c in catalog_health([], (), 7, complete=all_).checks]
    used |= {c.check for c in checks} | {c.why for c in checks}
    assert len(used) > 150
    assert used - chinese.keys() == set()
    reactions = {"liked", "disliked", "clicked", "bought", "seen already", "skipped", "not now"}
    assert chinese.keys() - used - reactions == set()
    for english, other in chinese.items():
        places = [sorted(re.findall(r"\{\w+\}", one)) for one in (english, other)]
        assert places[0] == places[1], english


def test_vendored_files_are_unchanged_and_have_their_licence():
    for name, about in VENDORED.items():
        assert about["version"]
        licence = about["licence"].partition(", ")[2]
        assert "Permission is hereby granted" in (FILES / licence).read_text()
        for file, digest in about["sha256"].items():
            assert hashlib.sha256((FILES / file).read_bytes()).hexdigest() == digest, (name, file)


def test_own_files_are_small_and_have_no_inline_script_or_markup():
    theirs = {file for about in VENDORED.values() for file in about["sha256"]}
    sent = [f for f in FILES.iterdir() if f.suffix in (".js", ".css", ".html")]
    assert sum(f.stat().st_size for f in sent) < 120 * 1024
    for file in sent:
        text = file.read_text()
        if file.name in theirs:
            assert not re.search(r"\beval\(|new Function", text)
            continue
        assert set(re.findall(r"https?://[^\s\"')]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
        assert not re.search(r"<style|<script>|\sstyle=|\son[a-z]+=\"", text)
