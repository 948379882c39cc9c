"""The service over HTTP, around the tiny random model: every path and every refusal."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from coldstart.errors import ArtifactError
from coldstart.ranking.filters import Years, default_filters
from coldstart.serve import logs
from coldstart.serve.app import create_app
from coldstart.serve.errors import ApiError
from coldstart.serve.experiment import Experiment
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
from coldstart.session import QUIZZES
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until

CANARY = "Zanzibarina"
OPEN = {"open": True, "hosts": ("testserver",), "deadline": PATIENCE, "drain": 0.0}


@contextmanager
def serving(tmp_path, load=None, experiment=None, artifacts=None, **settings):
    """A client of a running service; ``client.service`` is what it talks to."""
    store = Store.open(f"sqlite:///{tmp_path}/people.db")
    service = Service(
        load or (lambda folder: toy_recommender()),
        artifacts or {"": "toy"},
        ServeSettings(**(OPEN | settings)),
        store,
        experiment,
    )
    with TestClient(create_app(service)) as client:
        client.service = service
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For tests that change nothing others look at."""
    with serving(tmp_path_factory.mktemp("db")) as client:
        yield client


@pytest.fixture
def client(tmp_path):
    with serving(tmp_path) as client:
        yield client


@pytest.fixture
def logged():
    """What is logged, as it would be in production."""
    stream = io.StringIO()
    before = {n: (logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in _LOGGERS}
    logs.set_up(stream)
    yield stream
    for name, (handlers, level) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)


_LOGGERS = ("", "coldstart", "coldstart.serve", "uvicorn", "uvicorn.error", "uvicorn.access")


def refused(response, status, error):
    """The body of a refusal, which always has the same three texts."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error", "message", "hint"}
    assert all(isinstance(v, str) for v in body.values())
    assert body["error"] == error
    return body


# -- recommend ------------------------------------------------------------------------------------


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
    assert got["understood"]["categories"] == ["Sci-Fi"]
    assert got["understood"]["unwanted"] == ["Drama"]
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
        ("[]", "valid dictionary"),
        ('{"k": 0}', "body.k: Input should be greater"),
        ('{"k": 101}', "at most 100"),
        ('{"k": 1e400}', "body.k"),
        ('{"diversity": NaN}', "body"),
        ('{"profile": {"age": 131}}', "body.profile.age"),
        (f'{{"profile": {{"{CANARY}": 1}}}}', "body.profile: Extra inputs"),
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
        ('{"input": "x", "popularity_penalty": 1}', "do not go with input"),
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


# -- generate -------------------------------------------------------------------------------------


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


def test_a_stream_writes_in_turns_so_that_others_get_theirs(client):
    turns = []
    rec = client.service.worker._arms[""]
    once = rec.generate
    rec.generate = lambda *a, **o: turns.append(o["n"]) or once(*a, **o)
    client.post("/v1/generate?stream=true", json={"n": 6})
    assert len(turns) >= 3
    assert set(turns) == {2}


def test_a_stream_that_is_refused_has_the_status(shared):
    asked = {"profile": {"liked": [CANARY]}}
    refused(shared.post("/v1/generate?stream=true", json=asked), 422, "invalid")


# -- sessions -------------------------------------------------------------------------------------


def begin(client, **body):
    made = client.post("/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    return "/v1/sessions/" + made.json()["session_id"]


def an_answer(question):
    """The first choice of a question of any kind."""
    value = question["choices"][0]["value"]
    many = question["kind"] == "categories"
    return {"question_id": question["question_id"], "answer": [value] if many else value}


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
    assert read["unwanted"] == ["Drama"]
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
    refused(client.post(at + "/feedback", json={"item_id": CANARY, "kind": "like"}), 422, "invalid")
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


def test_sessions_outlive_the_process(tmp_path):
    with serving(tmp_path) as client:
        at = begin(client, profile={"age": 30})
        client.post(at + "/feedback", json={"item_id": "i3", "kind": "like"})
    with serving(tmp_path) as client:
        got = client.get(at + "/recommendations").json()
        assert "i3" not in [line["item_id"] for line in got["items"]]
        assert "Star Wars" in str(got)


# -- items ----------------------------------------------------------------------------------------


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


def test_changes_survive_a_reload_and_a_restart_and_reach_others(tmp_path):
    with serving(tmp_path) as client:
        client.put("/v1/items/new", json={"title": "Newcomer"})
        client.delete("/v1/items/i5")
        assert client.post("/v1/admin/reload").json() == {"status": "reloaded"}
        assert client.get("/v1/items/new").status_code == 200
        with serving(tmp_path) as other:
            assert other.get("/v1/items/new").status_code == 200
            assert other.get("/v1/items/i5").status_code == 404
            client.put("/v1/items/late", json={"title": "Latecomer"})
            until(lambda: other.get("/v1/items/late").status_code == 200, "the other process")
            assert other.get("/v1/items/late").json()["title"] == "Latecomer"


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


# -- keys, limits, safety -------------------------------------------------------------------------


def test_keys_open_the_door_and_only_admins_change_things(tmp_path):
    with serving(tmp_path, open=False) as client:
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


def test_a_key_is_limited_by_itself(tmp_path):
    with serving(tmp_path, open=False) as client:
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


def test_long_bodies_are_refused_before_they_are_read(tmp_path):
    with serving(tmp_path, max_body=1000) as client:
        refused(client.post("/v1/recommend", content=b" " * 1001), 413, "too_large")
        pieces = (b" " * 600 for _ in range(100))
        refused(client.post("/v1/recommend", content=pieces), 413, "too_large")
        lying = {"content-length": "9" * 30}
        refused(client.post("/v1/recommend", content=b"{}", headers=lying), 413, "too_large")
        assert client.post("/v1/recommend", content=b"{}" + b" " * 900).status_code == 200


class Slow:
    """A recommender that takes as long as one lets it; counts what has begun since it is held."""

    def __init__(self):
        self.real = toy_recommender()
        self.go, self.begun = threading.Event(), 0
        self.go.set()

    def hold(self):
        self.begun = 0
        self.go.clear()

    def _wait(self):
        self.begun += 1
        assert self.go.wait(PATIENCE)

    def __getattr__(self, name):
        return getattr(self.real, name)

    def recommend(self, *args, **options):
        self._wait()
        return self.real.recommend(*args, **options)

    @property
    def pipeline(self):
        self._wait()
        return self.real.pipeline


def in_background(call, n):
    """Call ``n`` times at once; returns the threads and where the results go."""
    out = []
    threads = [threading.Thread(target=lambda: out.append(call())) for _ in range(n)]
    for t in threads:
        t.start()
    return threads, out


def test_a_full_queue_refuses_at_once_and_those_in_it_are_answered_together(tmp_path):
    slow = Slow()
    with serving(tmp_path, lambda _: slow, queue=3, batch=3) as client:
        slow.hold()

        def ask():
            return client.post("/v1/recommend", json={"k": 1, "strategy": "prior"})

        first, got = in_background(ask, 1)
        until(lambda: slow.begun, "the first to begin")
        rest, more = in_background(ask, 3)
        until(lambda: client.service.worker.waiting() == 3, "three in the queue")
        answer = ask()
        refused(answer, 503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
        slow.go.set()
        for t in first + rest:
            t.join()
        assert [r.status_code for r in got + more] == [200] * 4
        until(lambda: "coldstart_batch_size_sum 4.0" in client.get("/metrics").text, "the count")
        text = client.get("/metrics").text
        assert 'coldstart_refusals_total{reason="overloaded"} 1.0' in text
        assert "coldstart_batch_size_count 2.0" in text  # one alone, then three together


def test_who_waits_too_long_is_told_and_nobody_works_for_them(tmp_path):
    slow = Slow()
    with serving(tmp_path, lambda _: slow, deadline=0.3) as client:
        slow.hold()
        threads, got = in_background(lambda: client.post("/v1/recommend", json={"k": 1}), 3)
        for t in threads:
            t.join()
        for answer in got:
            refused(answer, 504, "too_late")
        calls = []
        slow.real.recommend = lambda *a, **o: calls.append(1)
        slow.go.set()
        last = client.service.worker._submit(lambda rec: True, "", deadline=float("inf"))
        assert last.result(PATIENCE)  # whoever came before it has had their turn
        assert len(calls) <= 1  # the one that had begun


def test_a_change_that_has_begun_is_waited_for_and_one_that_has_not_is_not_made(tmp_path):
    with serving(tmp_path, deadline=0.3) as client:
        rec, go, begun = client.service.worker._arms[""], threading.Event(), threading.Event()
        once = rec.item_store.sync
        rec.item_store.sync = lambda: begun.set() or (go.wait(PATIENCE) and once())

        def change():
            """Until it begins within the deadline, as it does at once but on a busy machine."""
            code = client.put("/v1/items/x", json={"title": "X-Men"}).status_code
            return code if begun.is_set() else change()

        threads, got = in_background(change, 1)
        assert begun.wait(PATIENCE)
        refused(client.get("/v1/items/i1"), 504, "too_late")
        assert got == []
        go.set()
        threads[0].join()
        until(lambda: client.get("/v1/items/x").status_code == 200, "the change")
        assert [c.item_id for c in client.service.store.changes()] == ["x"]


def test_too_many_at_once_are_refused(tmp_path):
    with serving(tmp_path, in_flight=1) as client:
        client.service.metrics.in_flight_now += 1
        refused(client.post("/v1/recommend", json={}), 503, "overloaded")
        assert client.get("/healthz").status_code == 200


def test_one_users_error_is_not_their_neighbours(tmp_path):
    calls = [{"k": 1}, {"k": 1}, {"profile": {"liked": [CANARY]}}, {"k": 1}]
    with serving(tmp_path, batch=8) as client:
        assert [r.status_code for r in in_line(client, calls)] == [200, 200, 422, 200]


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


def test_named_origins_may_call(tmp_path):
    with serving(tmp_path, origins=("https://shop.example",)) as client:
        good = {"Origin": "https://shop.example"}
        answer = client.post("/v1/recommend", json={}, headers=good)
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        asks = {**good, "Access-Control-Request-Method": "POST"}
        assert client.options("/v1/recommend", headers=asks).status_code == 200
        refused(client.get("/v1/items", headers={"Origin": "https://evil.example"}), 403, "origin")


def test_what_people_say_is_in_no_log_no_number_and_no_error(tmp_path, logged):
    """A name that nobody else has goes in everywhere, and must come out nowhere else."""
    with serving(tmp_path) as client:
        rec = client.service.worker._arms[""]
        at = begin(client, profile={"about": f"I am {CANARY}", "user_id": CANARY})
        session_id = at.rpartition("/")[2]
        client.get(at + "/recommendations")
        for path, body in [
            ("/v1/recommend", {"input": f"{CANARY} likes robots"}),
            ("/v1/recommend", {"profile": {"liked": [CANARY]}}),
            ("/v1/recommend", {"profile": {CANARY: CANARY}}),
            ("/v1/recommend", {"strategy": CANARY}),
            ("/v1/generate", {"profile": {"about": CANARY}}),
            (at + "/text", {"text": CANARY}),
            (at + "/answers", {"question_id": CANARY, "answer": CANARY}),
            (at + "/feedback", {"item_id": CANARY, "kind": "like"}),
            (f"/v1/{CANARY}", {}),
        ]:
            answer = client.post(path, json=body, headers={"Idempotency-Key": CANARY})
            if answer.status_code >= 400:
                assert CANARY not in answer.text
        client.get(f"/v1/items/{CANARY}?offset={CANARY}")
        client.request(CANARY.upper(), "/v1/items")

        def fail(*args, **options):
            raise KeyError(f"{CANARY} broke it")

        rec.recommend = fail
        answer = client.post("/v1/recommend", json={"profile": {"about": CANARY}})
        assert CANARY not in str(refused(answer, 500, "internal"))
        numbers = client.get("/metrics").text
        client.post("/v1/admin/reload")
    text = logged.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len([x for x in lines if x["event"] == "request"]) >= 12
    broken = [x for x in lines if x["event"] == "error"]
    assert [x["exception"] for x in broken] == ["KeyError"]
    assert "fail" in broken[0]["at"][-1]
    for secret in (CANARY, CANARY.upper(), session_id):
        assert secret not in text
        assert secret not in numbers


# -- running it -----------------------------------------------------------------------------------


def test_reload_swaps_while_requests_go_on(tmp_path):
    made = []

    def load(folder):
        made.append(toy_recommender())
        return made[-1]

    with serving(tmp_path, load) as client:
        codes, stop = [], threading.Event()

        def keep_asking():
            while not stop.is_set():
                codes.append(client.post("/v1/recommend", json={"k": 1}).status_code)

        threads, _ = in_background(keep_asking, 3)
        until(lambda: codes, "the first answer")
        assert client.post("/v1/admin/reload").status_code == 200
        stop.set()
        for t in threads:
            t.join()
        assert set(codes) == {200}
        assert client.service.worker._arms[""] is made[1]


def test_a_reload_that_fails_keeps_the_old_one(tmp_path):
    loads = []

    def load(folder):
        loads.append(folder)
        if len(loads) > 1:
            raise ArtifactError(f"damaged {CANARY}")
        return toy_recommender()

    with serving(tmp_path, load) as client:
        assert CANARY not in str(refused(client.post("/v1/admin/reload"), 500, "reload_failed"))
        assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
        assert 'coldstart_reloads_total{outcome="failed"} 1.0' in client.get("/metrics").text


def test_readiness_goes_first_and_those_in_flight_are_answered(client):
    assert client.get("/readyz").json() == {"status": "ready"}
    client.service.draining = True
    refused(client.get("/readyz"), 503, "not_ready")
    assert client.get("/healthz").status_code == 200
    assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
    client.service.worker.stop(PATIENCE)
    refused(client.post("/v1/recommend", json={"k": 1}), 503, "closing")


def test_sessions_are_dealt_to_arms_and_stay_there(tmp_path):
    test = Experiment.model_validate(
        {"name": "t", "arms": [{"name": "a", "artifact": "x"}, {"name": "b", "artifact": "y"}]}
    )
    asked = {"x": 0, "y": 0}

    def load(folder):
        rec = toy_recommender()
        once = rec.pipeline.run

        def run(*args, **options):
            asked[folder] += 1
            return once(*args, **options)

        rec.pipeline.run = run
        return rec

    with serving(tmp_path, load, test, {"a": "x", "b": "y"}) as client:
        for _ in range(12):
            at = begin(client)
            arm = client.get(at).json()["session"]["arm"]
            assert arm == test.arm_of(at.rpartition("/")[2])
            before = dict(asked)
            client.get(at + "/recommendations?strategy=prior")
            moved = [folder for folder in asked if asked[folder] > before[folder]]
            assert moved == [{"a": "x", "b": "y"}[arm]]
            client.post(at + "/feedback", json={"item_id": "i1", "kind": "like"})
        got = {o.arm: o for o in client.service.store.outcomes("t")}
        assert sum(o.sessions for o in got.values()) == 12
        assert all(o.likers == o.sessions == o.exposures for o in got.values())
        client.put("/v1/items/new", json={"title": "Newcomer"})
        arms = client.service.worker._arms
        assert all("new" in rec.catalog for rec in arms.values())


def test_importing_the_service_loads_no_torch():
    code = (
        "import coldstart.serve.app, coldstart.serve.server, sys; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# -- several at once ------------------------------------------------------------------------------


def in_line(client, bodies, **more):
    """Send requests while the worker is busy, so that they wait together; their answers."""
    worker, go = client.service.worker, threading.Event()
    begun = threading.Event()
    busy = worker._submit(lambda rec: begun.set() or go.wait(PATIENCE), "")
    assert begun.wait(PATIENCE)
    threads, got = [], []
    for n, body in enumerate(bodies, start=1):
        one, out = in_background(lambda b=body: client.post("/v1/recommend", json=b, **more), 1)
        threads += one
        got.append(out)
        until(lambda n=n: worker.waiting() == n, f"{n} in the queue")
    go.set()
    for t in threads:
        t.join()
    assert busy.result(PATIENCE) is True
    return [out[0] for out in got]


def test_those_who_wait_are_read_in_one_pass_and_get_what_they_would_alone(tmp_path, monkeypatch):
    bodies = [
        {"profile": {"age": 24}, "k": 3},
        {"input": "science fiction, but no drama", "k": 4},
        {"profile": {"liked": [CANARY]}},
        {"strategy": "prior", "k": 2},
        {"profile": {"liked": ["Alien"]}, "strategy": "both", "k": 5},
    ]
    with serving(tmp_path, batch=8) as client:
        alone = [client.post("/v1/recommend", json=body) for body in bodies]
        lm, passes = client.service.worker._arms[""].lm, []
        once = lm.read_trees
        monkeypatch.setattr(lm, "read_trees", lambda x: passes.append(len(x)) or once(x))
        together = in_line(client, bodies)
    assert [r.status_code for r in together] == [200, 200, 422, 200, 200]
    assert passes == [2, 1]
    for one, other in zip(together, alone, strict=True):
        told, expected = one.json(), other.json()
        for got, want in zip(told.pop("items", []), expected.pop("items", []), strict=True):
            assert got.pop("score") == pytest.approx(want.pop("score"), abs=1e-4)
            assert got == want
        assert told == expected


def test_whose_time_is_over_is_not_read_for(tmp_path, monkeypatch):
    with serving(tmp_path, batch=8, deadline=0.4) as client:
        lm, passes = client.service.worker._arms[""].lm, []
        once = lm.read_trees
        monkeypatch.setattr(lm, "read_trees", lambda x: passes.append(len(x)) or once(x))
        worker, go = client.service.worker, threading.Event()
        worker._submit(lambda rec: go.wait(PATIENCE), "", deadline=float("inf"))
        threads, got = in_background(lambda: client.post("/v1/recommend", json={}), 3)
        for t in threads:
            t.join()
        for answer in got:
            refused(answer, 504, "too_late")
            assert int(answer.headers["retry-after"]) >= 1
        go.set()
        worker._deadline = PATIENCE  # for one more, who is in no hurry
        assert client.post("/v1/recommend", json={}).status_code == 200
    assert passes == [1]


def test_a_batch_takes_a_share_of_the_deadline_and_who_comes_too_late_is_refused(tmp_path):
    with serving(tmp_path, batch=16, deadline=8.0) as client:
        worker = client.service.worker
        worker._job_seconds = 0.5
        assert worker._batch_limit() == 4
        go, begun = threading.Event(), threading.Event()
        worker._submit(lambda rec: begun.set() or go.wait(PATIENCE), "", deadline=float("inf"))
        assert begun.wait(PATIENCE)
        waiting = []
        with pytest.raises(ApiError) as told:  # noqa: PT012 - how many fit is what is asked
            while len(waiting) < 50:
                waiting.append(worker._submit(lambda rec: None, ""))
        # Of 3.2 s, two are for the batch that the last one would be in, .5 for what has begun.
        assert 1 <= len(waiting) <= 3
        assert told.value.status == 503
        assert told.value.retry_after > 0
        go.set()
        until(lambda: all(f.done() for f in waiting), "their answers")
        worker._job_seconds = 100.0  # even so: whoever has nobody before them is let in
        until(lambda: not worker._free_at, "the end of the batch")
        worker._deadline = PATIENCE
        assert client.post("/v1/recommend", json={"k": 1}).status_code == 200
