"""What people say is in no log, no number and no error."""

from __future__ import annotations

import gc
import json

from tests.serve.helpers import CANARY, begin, refused, serving
from tests.waiting import until


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


def test_nothing_of_what_an_erased_person_said_stays_in_memory(tmp_path):
    """Caches of readings, tokens and SQL are not for what people write."""
    with serving(tmp_path) as client:
        at = begin(client, profile={"about": f"I like {CANARY} robots"})
        client.put(at + "/text", json={"text": f"no drama for {CANARY}, like Fargo"})
        body = {"k": 4, "context": {"text": f"with {CANARY} tonight"}}
        assert client.post(at + "/recommendations", json=body).status_code == 200
        assert client.post(at + "/text", json={"text": f"and {CANARY} again"}).status_code == 200
        assert client.post(at + "/rows", json=body | {"strategy": "prior"}).status_code == 200
        assert _kept(CANARY)
        assert client.delete(at).status_code == 204
        until(lambda: not _kept(CANARY), "nobody holds it")


def test_texts_that_are_not_read_again_are_forgotten_in_time(start_service, monkeypatch):
    """Those of people whom another process erased are among them."""
    monkeypatch.setattr("coldstart.serve.app._SYNC_SECONDS", 0.01)
    with start_service() as client:
        understand = client.service.worker._arms[""].pipeline.understand
        sent = client.post("/v1/recommend", json={"input": f"{CANARY} likes robots"})
        assert sent.status_code == 200
        until(lambda: CANARY not in str(understand._read), "forgetting")


def _kept(text):
    """Containers that hold a text, but for lists: those of source lines and of the fake encoder."""
    gc.collect()
    return [
        type(o).__name__
        for o in gc.get_objects()
        if type(o).__name__ not in ("list", "Request", "Response", "ByteStream")  # the client's
        and any(type(r) is str and text in r and r != text for r in gc.get_referents(o))
    ]
