"""What the page asks for beside lists: understanding, texts replaced, rows, search, why."""

import pytest

from tests.serve.helpers import begin, refused
from tests.toy import toy_recommender

SENTENCE = "science fiction, no drama, from the 1980s"


def test_a_text_is_understood_and_nothing_is_recorded(client):
    got = client.post("/v1/understand", json={"text": SENTENCE}).json()
    assert [(c["text"], c["wanted"]) for c in got["chips"]] == [
        ("Sci-Fi", True), ("Drama", False), ("1980s", True),
    ]  # fmt: skip
    assert got["understood"]["text"] == SENTENCE
    assert (got["notes"], got["language"]) == ([], "en")
    assert not list(client.service.store.visits())


def test_chips_follow_the_language_asked_for(shared):
    body = {"text": SENTENCE, "language": "zh-CN"}
    texts = [c["text"] for c in shared.post("/v1/understand", json=body).json()["chips"]]
    assert texts == ["科幻", "剧情", "1980 年代"]
    header = {"accept-language": "zh"}
    got = shared.post("/v1/understand", json={"text": SENTENCE}, headers=header).json()
    assert [c["text"] for c in got["chips"]] == texts


@pytest.mark.parametrize("text", ["", "   ", "zz", "🎬", "x" * 2000, "no", "<b>drama</b>"])
def test_any_text_can_be_typed(shared, text):
    assert shared.post("/v1/understand", json={"text": text}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"text": None}, {"text": "x" * 2001}, {"text": 3}])
def test_what_is_no_text_is_refused(shared, body):
    refused(shared.post("/v1/understand", json=body), 422, "invalid")


def test_a_text_replaces_all_before_and_is_taken_back(client):
    path = begin(client)
    client.post(f"{path}/text", json={"text": "no science fiction"})
    put = client.put(f"{path}/text", json={"text": SENTENCE}).json()
    assert [c["text"] for c in put["chips"]] == ["Sci-Fi", "Drama", "1980s"]
    listed = client.post(f"{path}/recommendations", json={"k": 6}).json()
    assert listed["understood"]["text"] == SENTENCE
    assert [c["text"] for c in listed["chips"]] == ["Sci-Fi", "Drama", "1980s"]
    without = put["chips"][1]["spans"]
    put = client.put(f"{path}/text", json={"text": SENTENCE, "without": without}).json()
    assert [c["text"] for c in put["chips"]] == ["Sci-Fi", "1980s"]
    assert client.put(f"{path}/text", json={"text": ""}).json()["chips"] == []
    listed = client.post(f"{path}/recommendations", json={"k": 6}).json()
    assert "understood" not in listed
    said = [
        e
        for e in client.get(path).json()["session"]["state"]["state"]["events"]
        if e["kind"] == "said"
    ]
    assert [(e["replaces"], len(e["without"])) for e in said] == [(True, 0)]


def test_sending_a_replacement_again_with_its_key_records_it_once(client):
    path, header = begin(client), {"Idempotency-Key": "once"}
    for again in (False, True):
        got = client.put(f"{path}/text", json={"text": "drama"}, headers=header).json()
        assert got["repeated"] is again
    events = client.get(path).json()["session"]["state"]["state"]["events"]
    assert len(events) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"text": "drama", "without": [[0, 99]]},
        {"text": "drama", "without": [[3, 1]]},
        {"text": "drama", "without": [[-1, 2]]},
        {"text": "drama", "without": [[1]]},
        {"text": "x" * 2001},
        {"text": None},
        {},
    ],
)
def test_a_replacement_that_is_none_is_refused_and_changes_nothing(client, body):
    path = begin(client)
    refused(client.put(f"{path}/text", json=body), 422, "invalid")
    assert client.get(path).json()["session"]["state"]["state"]["events"] == []


def test_rows_are_recorded_as_shown(client):
    path = begin(client, profile={"liked": ["Alien"]})
    got = client.post(f"{path}/rows", json={"k": 4, "explain": True}).json()
    assert [row["row"] for row in got["rows"]] == ["asked", "because", "different"]
    because = got["rows"][1]
    assert (because["title"], because["about"]) == ("Because you liked Alien", "i6")
    shown = [line["item_id"] for row in got["rows"] for line in row["items"]]
    assert len(shown) == len(set(shown))
    assert "i6" not in shown
    exported = client.get(path).json()
    assert exported["session"]["state"]["state"]["events"][-1]["items"] == shown
    assert got["request_id"] in str(exported)
    line = because["items"][0]
    assert sum(part["share"] for part in line["why"]) == pytest.approx(1.0)
    assert line["provenance"]["among"] == 24


def test_rows_speak_the_language_of_the_response(client):
    path = begin(client, profile={"liked": ["Alien"]})
    body = {"k": 3, "language": "zh", "rows": ["because", "people"]}
    got = client.post(f"{path}/rows", json=body).json()
    assert [row["title"] for row in got["rows"]] == ["因为你喜欢“Alien”"]
    assert got["rows"][0]["items"][0]["reason"].startswith("因为你喜欢“Alien”")
    assert got["notes"] == ["没有“提过类似要求的人选了”一行：还没有提出要求"]
    assert "why" not in got["rows"][0]["items"][0]


@pytest.mark.parametrize(
    "body",
    [{"rows": ["best"]}, {"rows": []}, {"k": 0}, {"words": 1.5}, {"words": "much"}, {"row": 1}],
)
def test_rows_that_are_none_are_refused(shared, body):
    path = begin(shared)
    refused(shared.post(f"{path}/rows", json=body), 422, "invalid")


def test_rows_without_a_session_are_those_of_the_recommender(shared):
    profile = {"liked": ["Alien"], "about": "science fiction"}
    got = shared.post("/v1/rows", json={"profile": profile, "k": 4, "words": 0.3}).json()
    want = toy_recommender().rows(profile, k=4, words=0.3)
    assert [row["row"] for row in got["rows"]] == [row.row for row in want]
    found = [line["item_id"] for row in got["rows"] for line in row["items"]]
    assert found == want.item_ids
    assert got["understood"]["text"] == "science fiction"
    assert "exposure_id" not in got
    refused(shared.post("/v1/rows", json={"profile": {"liked": ["Nothing"]}}), 422, "invalid")
    refused(shared.post("/v1/rows", json={"rows": ["best"]}), 422, "invalid")


def test_words_count_as_much_as_asked(client):
    path = begin(client, profile={"liked": ["Fargo", "Heat"]})
    client.put(f"{path}/text", json={"text": "science fiction"})

    def kinds(words):
        got = client.post(f"{path}/recommendations", json={"k": 6, "words": words}).json()
        return sum("Sci-Fi" in line["categories"] for line in got["items"])

    assert kinds(0) < kinds(0.5) <= kinds(1)


def test_items_are_found_while_their_title_is_typed(shared):
    def found(q, **more):
        got = shared.get("/v1/items/search", params={"q": q, **more})
        assert got.status_code == 200, got.text
        return [card["title"] for card in got.json()["items"]]

    assert set(found("star")) >= {"Star Wars", "Star Trek"}
    assert found("twelve monk") == ["Twelve Monkeys"]
    assert found("rotj") == ["Return of the Jedi"]
    assert found("raders of the lost") == ["Raiders of the Lost Ark"]
    assert found("霸王") == ["霸王别姬"]
    assert len(found("t", limit=2)) == 2
    assert found("zzzz") == []


@pytest.mark.parametrize("query", ["", "?q=", "?q=a&limit=0", "?q=a&limit=51", f"?q={'x' * 201}"])
def test_a_search_for_nothing_is_refused(shared, query):
    refused(shared.get(f"/v1/items/search{query}"), 422, "invalid")


def test_an_item_may_be_called_search(client):
    item = {"item_id": "search", "title": "Search Party"}
    assert client.post("/v1/items", json={"items": [item]}).status_code == 200
    assert client.get("/v1/items/%73earch").json()["title"] == "Search Party"
    found = client.get("/v1/items/search", params={"q": "search"}).json()["items"]
    assert [card["item_id"] for card in found] == ["search"]


def test_questions_follow_what_was_said(client):
    path = begin(client, quiz="information_gain")
    client.get(f"{path}/questions", params={"n": 6})
    client.put(f"{path}/text", json={"text": "no drama"})
    cards = client.get(f"{path}/questions", params={"n": 6}).json()["items"]
    assert cards
    assert all(card["categories"] == ["Sci-Fi"] for card in cards)


def test_an_opinion_is_taken_back(client):
    path = begin(client)
    first = client.post(f"{path}/recommendations", json={"k": 6}).json()["items"]
    for kind in ("like", "dislike", "seen"):
        for did in (kind, "forget"):
            body = {"item_id": first[0]["item_id"], "kind": did}
            assert client.post(f"{path}/feedback", json=body).status_code == 200
        again = client.post(f"{path}/recommendations", json={"k": 6}).json()["items"]
        assert [i["item_id"] for i in again] == [i["item_id"] for i in first]


def test_a_profile_replaces_an_earlier_one_and_the_rest_stays(client):
    path, header = begin(client, profile={"age": 70}), {"Idempotency-Key": "once"}
    client.post(f"{path}/feedback", json={"item_id": "i4", "kind": "like"})
    client.put(f"{path}/text", json={"text": "drama"})
    for again in (False, True):
        body = {"profile": {"age": 20, "occupation": "student"}}
        got = client.put(f"{path}/profile", json=body, headers=header)
        assert got.json()["repeated"] is again
    exported = client.get(path).json()
    events = exported["session"]["state"]["state"]["events"]
    assert [e["kind"] for e in events] == ["profile", "feedback", "said", "profile"]
    assert events[-1]["profile"]["age"] == 20
    assert [e["kind"] for e in exported["events"]] == ["like", "text_replaced", "profile"]
    listed = client.post(f"{path}/recommendations", json={"k": 6}).json()
    assert "i4" not in [i["item_id"] for i in listed["items"]]
    assert listed["understood"]["text"] == "drama"


@pytest.mark.parametrize("profile", [{"age": -1}, {"height": 2}, {"liked": ["nothing of it"]}])
def test_a_profile_that_makes_no_sense_is_refused(client, profile):
    path = begin(client)
    refused(client.put(f"{path}/profile", json={"profile": profile}), 422, "invalid")
