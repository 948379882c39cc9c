"""The language of a response's reasons, and the reasons as data."""

from __future__ import annotations

import pytest

from coldstart.ranking.wording.sentences import sentence
from coldstart.schema import Reason
from tests.serve.helpers import serving
from tests.toy import toy_recommender

WHO = {"age": 21, "occupation": "student", "liked": ["Alien"], "interests": ["Drama", "Sci-Fi"]}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("db")) as client:
        yield client


def test_reasons_are_english_sentences_and_data_unless_a_language_is_named(client):
    body = {"profile": WHO, "k": 20, "strategy": "prior"}
    got = client.post("/v1/recommend", json=body).json()
    want = toy_recommender().recommend(WHO, k=20, strategy="prior")
    assert got["language"] == "en"
    assert [x["reason"] for x in got["items"]] == [r.reason for r in want]
    for line, expected in zip(got["items"], want, strict=True):
        assert tuple(Reason(**reason) for reason in line["reasons"]) == expected.reasons
    # The field decides before a browser's own header.
    headers, named = {"Accept-Language": "zh-CN"}, {"language": "en"}
    assert client.post("/v1/recommend", json=body | named, headers=headers).json() == got


@pytest.mark.parametrize(
    ("header", "given"), [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en, zh;q=0.5", "en"), ("fr", "en")]
)
def test_without_it_the_header_of_the_client_decides(client, header, given):
    headers = {"Accept-Language": header}
    body = {"profile": WHO, "k": 30, "strategy": "prior"}
    got = client.post("/v1/recommend", json=body, headers=headers).json()
    at = client.post("/v1/sessions", json={"profile": WHO}).json()["session_id"]
    path = f"/v1/sessions/{at}/recommendations"
    lists = [got, client.get(path, headers=headers).json()]
    lists.append(client.post(path, json={"k": 5}, headers=headers).json())
    assert [one["language"] for one in lists] == [given] * 3
    for one in lists:
        for line in one["items"]:
            assert line["reason"] == sentence([Reason(**r) for r in line["reasons"]], given)
    assert any("目录" in note for note in got["notes"]) == (given == "zh")


@pytest.mark.parametrize(
    ("asked", "given"),
    [("zh", "zh"), ("zh-CN", "zh"), ("ZH_hant", "zh"), ("en-GB", "en"), ("fr", "en"), ("", "en")],
)
def test_the_language_asked_for_decides_and_an_unknown_one_is_english(client, asked, given):
    body = {"profile": WHO, "k": 5, "strategy": "prior", "language": asked}
    got = client.post("/v1/recommend", json=body).json()
    assert got["language"] == given
    for line in got["items"]:
        assert line["reason"] == sentence([Reason(**r) for r in line["reasons"]], given)


def test_lists_of_sessions_speak_the_language_by_get_and_post(client):
    at = client.post("/v1/sessions", json={"profile": WHO}).json()["session_id"]
    path = f"/v1/sessions/{at}/recommendations"
    client.post(f"/v1/sessions/{at}/text", json={"text": "no drama, from 1970 to 1999"})
    asked = {"k": 20, "strategy": "prior", "language": "zh"}
    quick = client.get(path, params=asked).json()
    full = client.post(path, json=asked | {"explain": True}).json()
    english = client.get(path, params=asked | {"language": "en"}).json()
    assert (quick["language"], full["language"], english["language"]) == ("zh", "zh", "en")
    assert [x["reason"] for x in quick["items"]] == [x["reason"] for x in full["items"]]
    assert all("1970 至 1999 年" in x["reason"] for x in full["items"])
    assert all("From 1970 to 1999" in x["reason"] for x in english["items"])
    for line in full["items"]:
        parts, groups = (line["provenance"][x] for x in ("contributions", "groups"))
        assert sum(groups.values()) == pytest.approx(sum(parts.values()))


def test_a_language_is_a_short_text(client):
    for wrong in ("x" * 36, 7):
        answer = client.post("/v1/recommend", json={"input": "robots", "language": wrong})
        assert answer.status_code == 422
        assert "language" in answer.text


def test_the_document_describes_it(client):
    document = client.get("/openapi.json").json()
    for name in ("RecommendIn", "ListIn"):
        about = document["components"]["schemas"][name]["properties"]["language"]
        assert "default" not in about
        assert "falls back to English" in str(about)
    get = document["paths"]["/v1/sessions/{session_id}/recommendations"]["get"]
    assert "language" in {p["name"] for p in get["parameters"]}
    assert "reasons" in document["components"]["schemas"]["Line"]["properties"]
