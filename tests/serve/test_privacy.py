"""What people say is in no log, no number and no error."""

from __future__ import annotations

import json

from tests.serve.helpers import CANARY, begin, refused, serving


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
