"""The HTTP contract: what holds however the service is run.

Modules that import it give ``client``, ``shared`` (a client for tests that change nothing) and
``start_service``.
"""

from __future__ import annotations

import json
import threading
import time

import pytest

from coldstart.ranking.filters import Years, default_filters
from coldstart.session import QUIZZES
from tests.serve.helpers import CANARY, an_answer, begin, refused
from tests.toy import toy_recommender
from tests.waiting import until


def test_a_list_is_the_one_that_the_recommender_makes(shared):
    asked = {"profile": {"age": 24, "liked": ["Alien"]}, "k": 5, "filters": {"from_year": 1975}}
    got = shared.post("/v1/recommend", json=asked).json()
    want = toy_recommender().recommend(
        {"age": 24, "liked": ["Alien"]}, k=5, filters=[*default_filters(), Years(1975)]
    )
    assert [line["item_id"] for line in got["items"]] == want.item_ids
    assert [line["score"] for line in got["items"]] == pytest.approx([r.score for r in want])
    assert got["items"][0]["reason"] == want[0].reason
    assert "provenance" not in got["items"][0]
    assert "prompt" not in got


def test_explain_adds_provenance_and_prompt(shared):
    got = shared.post("/v1/recommend", json={"k": 1, "explain": True}).json()
    assert got["items"][0]["provenance"]["matched_by"] == "trie"
    assert got["prompt"].endswith("\n")


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "application/json"])
def test_a_sentence_is_enough_for_curl(shared, kind):
    headers = {"content-type": kind} if kind else {}
    body = '{"input": "science fiction, but no drama", "k": 4}'
    got = shared.post("/v1/recommend", content=body, headers=headers).json()
    pieces = [(p["value"], p["wanted"]) for p in got["understood"]["pieces"]]
    assert pieces == [("Sci-Fi", True), ("Drama", False)]
    catalog = toy_recommender().catalog
    assert all("Sci-Fi" in catalog[line["item_id"]].categories for line in got["items"])


@pytest.mark.parametrize("strategy", ["catalog", "free", "both", "prior"])
def test_every_strategy_answers(shared, strategy):
    got = shared.post("/v1/recommend", json={"strategy": strategy, "k": 2})
    assert len(got.json()["items"]) == 2


def test_unknown_picks_are_an_error_or_a_note(shared):
    asked = {"profile": {"liked": [CANARY]}, "k": 1}
    assert CANARY not in str(refused(shared.post("/v1/recommend", json=asked), 422, "invalid"))
    got = shared.post("/v1/recommend", json=asked | {"unknown_picks": "ignore"}).json()
    assert CANARY in got["notes"][0]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "body: Field required"),
        ("{", "not JSON"),
        ("[]", "body: expected a JSON object"),
        ('{"k": 0}', "body.k: Input should be greater"),
        ('{"k": 101}', "at most 100"),
        ('{"k": 1e400}', "body.k"),
        ('{"diversity": NaN}', "body"),
        ('{"profile": {"age": 131}}', "body.profile.age"),
        (f'{{"profile": {{"{CANARY}": 1}}}}', "body.profile: a field that is not known here"),
        ('{"diversty": 1}', "here: did you mean 'diversity'?"),
        ('{"profile": {"liked": [{"item": "x"}, null]}}', "body.profile.liked.1: expected"),
        (f'{{"strategy": "{CANARY}"}}', "body.strategy: Input should be 'catalog'"),
        (
            f'{{"profile": {{"liked": [{{"item": "x", "at": "{CANARY}"}}]}}}}',
            "body.profile.liked.0",
        ),
        (json.dumps({"input": "x" * 2001}), "body.input"),
        (json.dumps({"profile": {"liked": ["x"] * 501}}), "body.profile.liked"),
        (json.dumps({"profile": {"attributes": {str(n): "x" for n in range(51)}}}), "attributes"),
        ('{"filters": {"from_year": 2000, "to_year": 1990}}', "body.filters: the value does not"),
        ('{"input": "\\ud800"}', "body.input"),
        ('{"input": "x", "strict": 3}', "body.strict"),
        ('{"understood": {"pieces": [{"kind": "colour"}]}}', "body.understood"),
        ("[" * 17 + "]" * 17, "nested more than 16"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "nested more than 16"),
    ],
)
def test_what_does_not_fit_is_refused_by_field_and_never_repeated(shared, body, told):
    got = refused(shared.post("/v1/recommend", content=body), 422, "invalid")
    assert told in got["message"]
    assert CANARY not in str(got)


def test_brackets_in_texts_are_not_depth(shared):
    body = {"input": "[[[[[[[[[[[[[[[[[[[[[[" + '\\"' * 50, "k": 1}
    assert shared.post("/v1/recommend", json=body).status_code == 200


def test_generate_is_what_the_model_writes(shared):
    got = shared.post("/v1/generate", json={"n": 5, "strategy": "catalog"}).json()
    want = toy_recommender().generate({}, n=5, strategy="catalog")
    assert [c["text"] for c in got["candidates"]] == [c.text for c in want]
    free = shared.post("/v1/generate", json={"n": 5}).json()
    assert free["abstained"] == sum(not c["matches"] for c in free["candidates"])


@pytest.mark.parametrize("strategy", ["free", "catalog"])
def test_a_stream_comes_line_by_line_and_ends_with_done(shared, strategy):
    asked = {"n": 5, "strategy": strategy}
    with shared.stream("POST", "/v1/generate?stream=true", json=asked) as response:
        lines = [json.loads(line) for line in response.iter_lines()]
    assert response.headers["content-type"] == "application/x-ndjson"
    texts = [line["text"] for line in lines[:-1]]
    assert len(texts) == len(set(texts)) == 5
    abstained = sum(not line["matches"] for line in lines[:-1])
    assert lines[-1] == {"done": True, "candidates": 5, "abstained": abstained}


def test_a_stream_that_is_refused_has_the_status(shared):
    asked = {"profile": {"liked": [CANARY]}}
    refused(shared.post("/v1/generate?stream=true", json=asked), 422, "invalid")


@pytest.mark.parametrize("quiz", QUIZZES)
def test_every_quiz_can_be_taken(shared, quiz):
    at, asked = begin(shared, quiz=quiz, exploration=0.5), []
    while len(asked) < 3 and (question := shared.get(at + "/questions").json()["question"]):
        asked.append(question["question_id"])
        assert shared.post(at + "/answers", json=an_answer(question)).status_code == 200
    assert len(set(asked)) == len(asked) > 0
    assert len(shared.get(at + "/recommendations?k=4").json()["items"]) == 4


def test_a_visit_from_the_first_question_to_erasure(client):
    at = begin(client, profile={"age": 22, "occupation": "student"})
    question = client.get(at + "/questions").json()["question"]
    assert client.get(at + "/questions").json()["question"] == question
    said = an_answer(question)
    assert client.post(at + "/answers", json=said).json() == {"repeated": False, "understood": None}
    assert client.get(at + "/questions").json()["question"] != question
    client.post(at + "/feedback", json={"item_id": "i7", "kind": "dislike"})
    read = client.post(at + "/text", json={"text": "no drama"}).json()["understood"]
    assert [(p["value"], p["wanted"]) for p in read["pieces"]] == [("Drama", False)]
    got = client.get(at + "/recommendations?k=5&strategy=prior").json()
    ids = [line["item_id"] for line in got["items"]]
    assert len(ids) == 5
    assert not {"i7", *question["items"]} & set(ids)

    data = client.get(at).json()
    assert [e["kind"] for e in data["events"]] == ["answer", "dislike", "text"]
    assert data["exposures"][0]["item_ids"] == ids
    assert client.delete(at).status_code == 204
    for path in ("", "/questions"):
        refused(client.get(at + path), 404, "not_found")
    refused(client.delete(at), 404, "not_found")


def test_feedback_changes_the_next_list(client):
    at = begin(client, profile={"occupation": "student"})
    before = client.get(at + "/recommendations?k=3").json()["items"][0]
    client.post(at + "/feedback", json={"item_id": before["item_id"], "kind": "seen"})
    after = client.post(at + "/recommendations", json={"k": 24, "filters": {}}).json()["items"]
    assert before["item_id"] not in [line["item_id"] for line in after]


@pytest.mark.parametrize(
    ("path", "body", "other"),
    [
        ("/feedback", {"item_id": "i1", "kind": "like"}, {"item_id": "i2", "kind": "like"}),
        ("/text", {"text": "science fiction"}, {"text": "drama"}),
    ],
)
def test_the_same_key_counts_once_and_other_content_is_refused(client, path, body, other):
    at, key = begin(client), {"Idempotency-Key": "one"}
    assert client.post(at + path, json=body, headers=key).json()["repeated"] is False
    state = client.get(at).json()
    assert client.post(at + path, json=body, headers=key).json()["repeated"] is True
    assert client.get(at).json() == state
    refused(client.post(at + path, json=other, headers=key), 409, "key_reused")
    assert client.post(at + path, json=other).json()["repeated"] is False
    assert len(client.get(at).json()["events"]) == 2


def test_a_repeated_answer_counts_once(client):
    at, key = begin(client), {"Idempotency-Key": "one"}
    question = client.get(at + "/questions").json()["question"]
    said = an_answer(question)
    got = [client.post(at + "/answers", json=said, headers=key).json()["repeated"] for _ in "ab"]
    assert got == [False, True]
    assert len(client.get(at).json()["events"]) == 1


def test_what_a_session_refuses(client):
    at = begin(client)
    no = refused(
        client.post(at + "/answers", json={"question_id": CANARY, "answer": "x"}), 422, "invalid"
    )
    assert CANARY not in str(no)
    no = refused(
        client.post(at + "/feedback", json={"item_id": CANARY, "kind": "like"}), 422, "invalid"
    )
    assert no["message"] == "the item is not in the catalog"
    refused(client.post(at + "/feedback", json={"item_id": "i1", "kind": CANARY}), 422, "invalid")
    refused(client.post(at + "/text", json={"text": "  "}), 422, "invalid")
    refused(client.post(at + "/text", json={"text": "\x00"}), 422, "invalid")
    long = {"Idempotency-Key": "k" * 201}
    refused(client.post(at + "/text", json={"text": "x"}, headers=long), 422, "invalid")
    refused(client.get("/v1/sessions/" + "x" * 32), 404, "not_found")
    refused(client.get("/v1/sessions/short"), 422, "invalid")
    refused(client.post("/v1/sessions", json={"quiz": CANARY}), 422, "invalid")
    refused(client.post("/v1/sessions", json={"profile": {"liked": [CANARY]}}), 422, "invalid")
    assert client.get(at).json()["events"] == []


def test_feedback_of_many_at_once_is_all_kept(client):
    at = begin(client)
    codes = []

    def like(n):
        body = {"item_id": f"i{n}", "kind": "like"}
        codes.append(client.post(at + "/feedback", json=body).status_code)

    threads = [threading.Thread(target=like, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    data = client.get(at).json()
    assert len(data["events"]) == codes.count(200)
    assert set(codes) <= {200, 409}
    liked = [e for e in data["session"]["state"]["state"]["events"] if e["kind"] == "feedback"]
    assert len(liked) == codes.count(200) >= 2


def test_an_item_is_recommendable_at_once_and_gone_at_once(client):
    item = {"title": "Robots of Dawn", "categories": ["Sci-Fi"], "year": 1984}
    assert client.put("/v1/items/new", json=item).json()["title"] == "Robots of Dawn"
    ids = [x["item_id"] for x in client.post("/v1/recommend", json={"k": 25}).json()["items"]]
    assert "new" in ids
    liked = {"profile": {"liked": ["Robots of Dawn"]}}
    assert client.post("/v1/recommend", json=liked).status_code == 200
    client.patch("/v1/items/new", json={"available": False, "year": None})
    assert client.get("/v1/items/new").json()["year"] is None
    ids = [x["item_id"] for x in client.post("/v1/recommend", json={"k": 25}).json()["items"]]
    assert "new" not in ids
    assert client.delete("/v1/items/new").status_code == 204
    refused(client.get("/v1/items/new"), 404, "not_found")
    refused(client.delete("/v1/items/new"), 404, "not_found")
    refused(client.patch("/v1/items/new", json={}), 404, "not_found")


def test_many_items_are_put_together_or_not_at_all(client):
    items = [{"item_id": "i0", "title": "Toy Story, Again"}, {"item_id": "z", "title": "Zardoz"}]
    assert client.post("/v1/items", json={"items": items}).json() == {"added": 1, "updated": 1}
    page = client.get("/v1/items?limit=10").json()
    assert (page["total"], page["next"]) == (25, 10)
    assert page["items"][0]["title"] == "Toy Story, Again"
    bad = [{"item_id": "y", "title": "Y"}, {"item_id": "y", "title": "Z"}]
    refused(client.post("/v1/items", json={"items": bad}), 422, "invalid")
    refused(client.put("/v1/items/y", json={"title": "\x01\x02"}), 422, "invalid")
    refused(client.put("/v1/items/y", json={"title": "Y", "year": CANARY}), 422, "invalid")
    refused(client.put("/v1/items/y", json={"item_id": "other", "title": "Y"}), 422, "invalid")
    refused(client.get("/v1/items/y"), 404, "not_found")
    many = [{"item_id": str(n), "title": f"T {n}"} for n in range(501)]
    refused(client.post("/v1/items", json={"items": many}), 422, "invalid")


def test_the_audience_of_a_new_item_is_those_who_like_its_kind(client):
    client.put("/v1/items/new", json={"title": "Robots of Dawn", "categories": ["Sci-Fi"]})
    for n in range(4):  # the toy world's encoder goes by spelling
        client.put(f"/v1/items/new{n}", json={"title": f"Kitchen {n}", "categories": ["Drama"]})
    got = client.get("/v1/items/i3/audience").json()
    jobs = [g["profile"]["occupation"] for g in got["groups"]]
    assert len(jobs) == 4  # one age band × two genders × two occupations
    assert jobs[:2] == ["student", "student"]
    assert jobs[2:] == ["nurse", "nurse"]
    ranks = [g["rank"] for g in got["groups"]]
    assert ranks == sorted(ranks)
    assert got["of"] == 29
    assert got["sentence"].startswith("Most at home with student")
    new = client.get("/v1/items/new/audience").json()
    assert new["sentence"]
    client.patch("/v1/items/new", json={"min_age": 99})
    assert client.get("/v1/items/new/audience").json()["groups"] == []
    refused(client.get("/v1/items/nope/audience"), 404, "not_found")


def test_keys_open_the_door_and_only_admins_change_things(start_service):
    with start_service(open=False) as client:
        store = client.service.store
        user, boss = store.create_key("u").secret, store.create_key("b", admin=True)
        refused(client.post("/v1/recommend", json={}), 401, "unauthorized")
        for bad in ("Bearer nonsense", "Bearer", "Basic " + user, user, "Bearer \xff"):
            answer = client.post(
                "/v1/recommend", json={}, headers={"Authorization": bad.encode("latin-1")}
            )
            refused(answer, 401, "unauthorized")
            assert answer.headers["www-authenticate"] == "Bearer"
        for good in ({"Authorization": f"Bearer {user}"}, {"X-API-Key": user}):
            assert client.post("/v1/recommend", json={}, headers=good).status_code == 200
            refused(client.put("/v1/items/x", json={"title": "X"}, headers=good), 403, "forbidden")
            refused(client.delete("/v1/items/i1", headers=good), 403, "forbidden")
            refused(client.post("/v1/admin/reload", headers=good), 403, "forbidden")
        admin = {"X-API-Key": boss.secret}
        assert client.put("/v1/items/x", json={"title": "X"}, headers=admin).status_code == 200
        store.revoke_key(boss.key.id)
        refused(client.get("/v1/items/x", headers=admin), 401, "unauthorized")
        for free in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
            assert client.get(free).status_code == 200


def test_a_key_is_limited_by_itself(start_service):
    with start_service(open=False) as client:
        store = client.service.store
        slow = {"X-API-Key": store.create_key("slow", rate_limit=1).secret}
        other = {"X-API-Key": store.create_key("other", rate_limit=1).secret}
        began, answers = time.monotonic(), []
        until(
            lambda: (
                answers.append(client.get("/v1/items", headers=slow))
                or answers[-1].status_code != 200
            ),
            "a refusal",
        )
        # One, and another for every minute that this took.
        assert 1 <= len(answers) - 1 <= 1 + (time.monotonic() - began) / 60
        refused(answers[-1], 429, "rate_limited")
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
        assert client.get("/v1/items", headers=other).status_code == 200


def test_headers_are_safe_and_cors_is_closed(shared):
    for path in ("/healthz", "/v1/items", "/nope", "/openapi.json"):
        headers = shared.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in headers
    evil = {"Origin": "https://evil.example"}
    refused(shared.post("/v1/recommend", content="{}", headers=evil), 403, "origin")
    refused(shared.options("/v1/recommend", headers=evil), 403, "origin")
    refused(shared.get("/v1/items", headers={"Host": "evil.example"}), 421, "wrong_host")
    refused(shared.get("/v1/items", headers={"Origin": "null"}), 403, "origin")
    own = {"Origin": "http://testserver"}
    assert shared.post("/v1/recommend", content="{}", headers=own).status_code == 200


def test_named_origins_may_call(start_service):
    with start_service(origins=("https://shop.example",)) as client:
        good = {"Origin": "https://shop.example"}
        answer = client.post("/v1/recommend", json={}, headers=good)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        asks = {**good, "Access-Control-Request-Method": "POST"}
        assert client.options("/v1/recommend", headers=asks).status_code == 200
        refused(client.get("/v1/items", headers={"Origin": "https://evil.example"}), 403, "origin")
