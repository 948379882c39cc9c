"""The page at ``/`` in a real browser, from the empty form to the third round of feedback."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn

from coldstart.cli import main
from coldstart.ranking.wording.sentences import sentence
from coldstart.schema import Item, Reason
from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from coldstart.session import OnboardingSession
from tests.serve.helpers import serving
from tests.serve.processes import free_port, start
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until

try:
    from playwright import sync_api
except ImportError:
    sync_api = None

PAGE = Path(__file__).parents[2] / "coldstart" / "serve" / "page"
ARTIFACT = Path(__file__).parents[2] / "adapters" / "ml-100k"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
EVIL = '<img src=x onerror="document.title=\'broken\'"><script>document.title="broken"</script>'


# -- without a browser ----------------------------------------------------------------------------


def test_the_page_is_served_without_a_key_and_with_a_strict_policy(tmp_path):
    with serving(tmp_path, open=False) as client:
        assert client.get("/v1/items").status_code == 401
        page = client.get("/")
        assert page.status_code == 200
        named = re.findall(r'(?:src|href)="(page/[^"]+)"', page.text)
        assert len(named) >= 4
        for path in ("/", *(f"/{name}" for name in named), "/page/words.zh.json"):
            answer = client.get(path)
            assert answer.status_code == 200, path
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
            assert "unsafe" not in policy
            assert answer.headers.get_list("content-security-policy") == [policy]
            assert answer.headers["cache-control"] == "no-cache"
            tag = answer.headers["etag"]
            again = client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
            assert (again.status_code, again.content) == (304, b"")
            assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("name", ["nope.js", "../app.py", "%2e%2e/app.py", "..%2fapp.py", ""])
def test_nothing_but_the_page_is_served(tmp_path, name):
    with serving(tmp_path) as client:
        assert client.get(f"/page/{name}").status_code == 404


def test_the_page_is_small_and_loads_nothing_from_elsewhere():
    files = {f.name: f.read_text() for f in PAGE.iterdir() if f.is_file()}
    for language in ("en", "zh"):
        other = {"en": "words.zh.json", "zh": "words.en.json"}[language]
        assert sum(len(t.encode()) for n, t in files.items() if n != other) < 60 * 1024
    for name, text in files.items():
        found = re.findall(r"https?://[^\s\"')]+", text)
        assert set(found) <= {"http://www.w3.org/2000/svg"}, name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.search(r"<style|<script>|\sstyle=|\son[a-z]+=", files["index.html"])


def test_both_languages_say_the_same_and_every_word_used_is_there():
    english, chinese = (json.loads((PAGE / f"words.{x}.json").read_text()) for x in ("en", "zh"))
    own = {k for k in english if not k.startswith("v.")}
    assert own == {k for k in chinese if not k.startswith("v.")}
    for key in own:
        holes = [sorted(re.findall(r"\{\w+\}", words[key])) for words in (english, chinese)]
        assert holes[0] == holes[1], key
    text = "".join(f.read_text() for f in PAGE.iterdir() if f.suffix in (".js", ".html"))
    used = set(re.findall(r'\bt\("([\w.]+)"', text))
    used |= set(re.findall(r'data-(?:t|label|hint)="([\w.]+)"', text))
    assert len(used) > 40
    assert used <= own


def test_a_form_offers_what_the_recommender_has_learned(tmp_path):
    with serving(tmp_path) as client:
        form = client.get("/v1/sessions").json()
    rec = toy_recommender()
    groups = {f"{name}={value}" for name, values in form["fields"].items() for value in values}
    assert groups == set(rec.counts.group_sizes)
    assert set(form["categories"]) == {c for item in rec.catalog for c in item.categories}
    assert form["strategy"] == "catalog"


def test_several_questions_stay_open_and_are_those_of_one_who_knows_nothing(tmp_path):
    with serving(tmp_path) as client:
        at = client.post("/v1/sessions", json={"quiz": "information_gain"}).json()["session_id"]
        ask = f"/v1/sessions/{at}/questions"
        four = client.get(ask, params={"n": 4}).json()
        ids = [q["question_id"] for q in four["questions"]]
        session, want = OnboardingSession(toy_recommender(), quiz="information_gain"), []
        for _ in range(4):
            want.append(session.next_question().question_id)
            session = session.answer(want[-1], "unknown")
        assert ids == want
        assert four["question"] == four["questions"][0]
        assert [i["item_id"] for i in four["items"]] == [q["items"][0] for q in four["questions"]]
        assert all(i["title"] and i["categories"] for i in four["items"])

        said = {"question_id": ids[2], "answer": "like"}
        assert client.post(f"/v1/sessions/{at}/answers", json=said).status_code == 200
        more = [q["question_id"] for q in client.get(ask, params={"n": 5}).json()["questions"]]
        assert more[:3] == [ids[0], ids[1], ids[3]]
        assert len(more) == len(set(more)) == 5
        assert ids[2] not in more
        assert client.get(ask).json()["question"]["question_id"] == ids[0]
        assert client.get(ask, params={"n": 0}).status_code == 422
        most = client.get(ask, params={"n": 100}).json()["questions"]
        assert len(most) == len(toy_recommender().catalog) - 1


# -- with a browser -------------------------------------------------------------------------------

browsing = pytest.mark.skipif(
    CHROMIUM is None or sync_api is None,
    reason="needs playwright, and chromium on the PATH (apt install chromium)",
)


@dataclass
class Served:
    """A service in this process, on a real port; it can be stopped and started again."""

    folder: Path
    settings: dict = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def start(self):
        options = {"open": True, "drain": 0.0} | self.settings
        store = Store.open(f"sqlite:///{self.folder}/people.db")
        self.service = Service(
            lambda _: toy_recommender(), {"": "toy"}, ServeSettings(**options), store
        )
        config = uvicorn.Config(
            create_app(self.service), "127.0.0.1", self.port, log_config=None, access_log=False
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        until(lambda: self.server.started or not self.thread.is_alive(), "the service to start")
        assert self.thread.is_alive()

    def stop(self):
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def own(tmp_path):
    """For tests that stop it, or change its catalog."""
    served = Served(tmp_path)
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    served = Served(tmp_path_factory.mktemp("toy"))
    served.start()
    yield served
    served.stop()


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield made
        made.close()


@contextlib.contextmanager
def opened(browser, expected=(), **options):
    """A page in which nothing may go wrong but what is ``expected`` in the console."""
    context = browser.new_context(**({"locale": "en-GB", "reduced_motion": "reduce"} | options))
    page, wrong = context.new_page(), []
    page.set_default_timeout(1000 * PATIENCE)
    page.on("pageerror", lambda e: wrong.append(str(e)))

    def heard(message):
        bad = message.type in ("error", "warning")
        if bad and not any(word in message.text for word in expected):
            wrong.append(message.text)

    page.on("console", heard)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('csp', e.blockedURI))"
    )
    yield page
    context.close()
    assert wrong == []


def titles(page):
    return [t.strip() for t in page.locator("#items .item h3").all_inner_texts()]


def settled(page):
    """Wait for the list that is being asked for."""
    page.wait_for_function(
        "() => { const list = document.getElementById('items');"
        " return list.getAttribute('aria-busy') === 'false'"
        " && list.querySelector('.item h3') && !list.querySelector('.going') }"
    )
    return titles(page)


def to_list(page, url):
    """The shortest way to a list."""
    page.goto(url)
    page.get_by_role("button", name="Skip this").click()
    page.locator("#cards .card h3").first.wait_for()
    page.get_by_role("button", name="See my list").click()
    return settled(page)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """The real service, with the shipped artifact."""
    where = tmp_path_factory.mktemp("page")
    process, client = start(ARTIFACT, where / "p.db", where / "log", "--open", "--drain", "0")
    yield str(client.base_url) + "/", client
    client.close()
    process.terminate()
    assert process.wait(PATIENCE) == 0


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
                assert all(f"《{t}》" in "".join(reasons) for t in quoted)
                assert any("属于你说的年代（+1.00 分）" in reason for reason in reasons)
            seen.append((titles_shown, reasons))
        assert seen[2] == seen[0]
        assert seen[1][0] == seen[0][0]


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
