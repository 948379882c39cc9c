"""The page without a browser: what is served, in two languages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from coldstart.session import OnboardingSession
from tests.serve.helpers import serving
from tests.toy import toy_recommender

PAGE = Path(__file__).parents[3] / "coldstart" / "serve" / "page"


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
        assert sum(len(t.encode()) for n, t in files.items() if n != other) <= 100 * 1024
    for name, text in files.items():
        found = re.findall(r"https?://[^\s\"')]+", text)
        assert set(found) <= {"http://www.w3.org/2000/svg"}, name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    assert not re.search(r"<style|<script>|\sstyle=|\son[a-z]+=", files["index.html"])


def test_both_languages_say_the_same_and_every_word_used_is_there():
    english, chinese = (json.loads((PAGE / f"words.{x}.json").read_text()) for x in ("en", "zh"))
    own = {k for k in english if not k.startswith("v.")}
    assert own == {k for k in chinese if not k.startswith("v.")}
    for key in own:  # a wording for a kind of catalog stands beside the general one
        general, _, purpose = key.rpartition(".")
        assert purpose not in ("shop", "films", "library") or general in own
    for key in own:
        holes = [sorted(re.findall(r"\{\w+\}", words[key])) for words in (english, chinese)]
        assert holes[0] == holes[1], key
    text = "".join(f.read_text() for f in PAGE.iterdir() if f.suffix in (".js", ".html"))
    used = set(re.findall(r'\bt\("([\w.]+)"', text))
    used |= set(re.findall(r'data-(?:t|label)="([\w.]+)"', text))
    assert len(used) > 60
    assert used <= own


def test_every_word_that_is_there_is_used():
    words = json.loads((PAGE / "words.en.json").read_text())
    text = "".join(f.read_text() for f in PAGE.iterdir() if f.suffix in (".js", ".html"))
    made = tuple(re.findall(r"`([\w.]+\.)\$\{", text))
    for key in words:
        general = re.sub(r"\.(shop|films|library)$", "", key)
        named = re.search(rf"[\"'`]{re.escape(general)}[\"'`]", text)
        assert named or general.startswith((*made, "v.")), key


def test_a_form_offers_what_the_recommender_has_learned(tmp_path):
    with serving(tmp_path) as client:
        form = client.get("/v1/sessions").json()
    rec = toy_recommender()
    groups = {f"{name}={value}" for name, values in form["fields"].items() for value in values}
    assert groups == set(rec.counts.group_sizes)
    assert set(form["categories"]) == {c for item in rec.catalog for c in item.categories}
    assert form["strategy"] == "catalog"


def test_a_form_has_examples_that_are_understood_in_this_catalog(tmp_path):
    with serving(tmp_path) as client:
        english = client.get("/v1/sessions").json()["catalog"]
        chinese = client.get("/v1/sessions", params={"language": "zh-CN"}).json()["catalog"]
        assert english["purpose"] == chinese["purpose"] == "films"
        assert len(english["examples"]) >= 2
        assert chinese["examples"]
        for language, texts in (("en", english["examples"]), ("zh", chinese["examples"])):
            for text in texts:
                body = {"text": text, "language": language}
                read = client.post("/v1/understand", json=body).json()
                assert read["chips"], text
                assert read["language"] == language


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
