"""What one key, or one address, may take from all others."""

from __future__ import annotations

import asyncio
import math
import threading

import pytest

from coldstart.errors import ArtifactError
from coldstart.serve import costs
from coldstart.serve.admission import Claim, InFlight, KeyGuesses, KeyLookups
from coldstart.serve.errors import ApiError
from coldstart.serve.limits import RateLimiter
from coldstart.serve.metrics import Metrics
from coldstart.serve.store import StoreUnavailable
from tests.serve.helpers import begin, in_background, refused, serving
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until


def test_a_key_gets_as_many_as_are_free_so_that_there_is_room_for_another():
    flight, metrics = InFlight(12, metrics := Metrics()), metrics
    entered = []

    def enter(key):
        got = flight.enter(key)
        try:
            got.__enter__()
        except ApiError:
            return False
        entered.append(got)
        return True

    assert sum(enter("a") for _ in range(20)) == 6
    assert sum(enter("b") for _ in range(20)) == 3
    assert sum(enter("c") for _ in range(20)) >= 1
    with pytest.raises(ApiError, match="overloaded") as told, flight.enter("a"):
        pass
    assert (told.value.status, told.value.retry_after) == (503, 1)
    for one in entered:
        one.__exit__(None, None, None)
    assert metrics.in_flight_now == 0
    assert enter("a")


def test_a_rate_counts_a_request_by_its_cost():
    now = 0.0
    rates = RateLimiter(lambda: now)
    claim = Claim("k", 60, rates)  # a token a second, ten at most
    claim.charge(4)
    claim.charge(6)
    with pytest.raises(ApiError, match="rate_limited") as told:
        claim.charge(3)
    assert told.value.retry_after == pytest.approx(3)
    now = 10.0
    claim.charge(25)  # more than the bucket holds: when it is full, and paid back afterwards
    now = 24.0
    with pytest.raises(ApiError, match="rate_limited"):
        claim.charge(1)
    now = 26.0
    claim.charge(1)
    Claim("k", None, rates).charge(1000)
    Claim().charge(1000)


def test_costs_are_those_of_the_documents():
    assert costs.of_list("prior") < costs.of_list("catalog") == 1 < costs.of_list("free")
    assert (costs.of_titles("free", 100), costs.of_titles("catalog", 100)) == (11, 3)
    assert costs.of_questions(100) == pytest.approx(2.6)
    assert [costs.counts_as(c) for c in (0.1, 1.0, 1.1, 11)] == [1, 1, 2, 11]
    for strategy in ("free", "catalog"):
        for n in (1, 7, 100):
            assert costs.most_titles(strategy, costs.of_titles(strategy, n)) in (n - 1, n, 1)


def test_a_costly_request_uses_up_the_rate_of_its_key(start_service):
    with start_service(open=False) as client:
        made = client.service.store.create_key("k", rate_limit=1).secret
        other = client.service.store.create_key("o", rate_limit=60).secret
        asked = {"n": 100, "strategy": "catalog"}
        answer = client.post("/v1/generate", json=asked, headers={"X-API-Key": made})
        refused(answer, 429, "rate_limited")  # it counts as three
        answer = client.post("/v1/generate", json=asked, headers={"X-API-Key": other})
        assert answer.status_code == 200


def test_too_many_titles_at_once_are_refused_where_they_take_too_long(start_service):
    with start_service() as client:
        client.service.worker._job_seconds = 0.4 * PATIENCE / 6  # a job of cost 6 takes 40 %
        answer = client.post("/v1/generate", json={"n": 51})
        assert "at most 50 titles" in refused(answer, 422, "invalid")["message"]
        client.service.worker._job_seconds = 10 * PATIENCE  # 30 titles cost 4, which always goes
        answer = client.post("/v1/generate", json={"n": 31})
        assert "at most 30 titles" in refused(answer, 422, "invalid")["message"]
        assert client.post("/v1/generate", json={"n": 5}).status_code == 200


def test_one_key_does_not_keep_another_from_being_answered(tmp_path):
    with serving(tmp_path, open=False, queue=8, batch=1) as client:
        greedy, modest = (
            {"X-API-Key": client.service.store.create_key(n, rate_limit=None).secret} for n in "gm"
        )
        worker, go, begun = client.service.worker, threading.Event(), threading.Event()
        worker._submit(lambda rec: begun.set() or go.wait(PATIENCE), "")
        assert begun.wait(PATIENCE)
        order: list[str] = []

        def generate():
            answer = client.post("/v1/generate", json={"n": 100}, headers=greedy)
            order.append("greedy")
            return answer

        def ask():
            answer = client.post("/v1/recommend", json={"strategy": "prior"}, headers=modest)
            order.append("modest")
            return answer

        crowd, refusals = in_background(generate, 8)
        until(lambda: worker.waiting() == 8, "a full queue")
        one, got = in_background(ask, 1)
        until(lambda: len(refusals) == 1, "the newest of the greedy to make room")
        refused(refusals[0], 503, "overloaded")
        assert worker.waiting() == 8
        go.set()
        for thread in [*crowd, *one]:
            thread.join()
        assert got[0].status_code == 200
        assert order.index("modest") <= 3  # after the refusal, and at most two that had begun


def test_questions_cost_by_their_number(client):
    at = begin(client)
    seen, submit = [], client.service.worker._submit

    def noted(work, arm, **more):
        seen.append(more.get("cost"))
        return submit(work, arm, **more)

    client.service.worker._submit = noted
    assert client.get(at + "/questions?n=100").status_code == 200
    assert seen == [pytest.approx(costs.of_questions(100))]


def test_wrong_keys_are_limited_and_right_ones_are_not():
    now = 0.0
    guesses = KeyGuesses(6, RateLimiter(lambda: now))
    guesses.note("here", "good", valid=True)
    guesses.check("here", "bad")
    guesses.note("here", "bad", valid=False)
    with pytest.raises(ApiError, match="wrong_keys") as told:
        guesses.check("here", "worse")
    assert (told.value.status, told.value.retry_after) == (429, pytest.approx(10))
    guesses.check("here", "good")
    guesses.check("elsewhere", "bad")
    guesses.note("here", "good", valid=False)  # it has been revoked
    with pytest.raises(ApiError, match="wrong_keys"):
        guesses.check("here", "good")
    now = 10.0
    guesses.check("here", "worse")


def test_requests_with_one_key_share_a_lookup_and_its_error():
    lookups, go = [], threading.Event()

    def check(secret):
        lookups.append(secret)
        assert go.wait(PATIENCE)
        if secret == "bad":
            raise StoreUnavailable("away")
        return secret.upper()

    async def test():
        keys = KeyLookups(check)
        same = [asyncio.create_task(keys.find("a")) for _ in range(50)]
        others = [asyncio.create_task(keys.find(secret)) for secret in ("b", "bad", "bad")]
        await asyncio.sleep(0)
        same[0].cancel()
        go.set()
        found = await asyncio.gather(*same[1:], *others, return_exceptions=True)
        assert found[:50] == ["A"] * 49 + ["B"]
        assert all(isinstance(e, StoreUnavailable) for e in found[50:])
        assert await keys.find("a") == "A"  # looked up again: it may have been revoked

    asyncio.run(test())
    assert sorted(lookups) == ["a", "a", "b", "bad"]


def test_a_service_limits_wrong_keys_by_address(start_service):
    with start_service(open=False, wrong_keys=6) as client:
        good = {"X-API-Key": client.service.store.create_key("k", rate_limit=None).secret}
        assert client.get("/v1/items", headers=good).status_code == 200
        lookups, check = [], client.service.store.check_key
        client.service.store.check_key = lambda secret: lookups.append(secret) or check(secret)
        answers = [client.get("/v1/items", headers={"X-API-Key": f"cs_{n}"}) for n in range(5)]
        refused(answers[0], 401, "unauthorized")
        refused(answers[-1], 429, "wrong_keys")
        assert len(lookups) < 5
        assert client.get("/v1/items", headers=good).status_code == 200
        refused(client.get("/v1/items"), 401, "unauthorized")


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/metrics", "/", "/openapi.json", "/page/x"]
)
def test_open_paths_wait_for_no_body_and_do_not_count(tmp_path, path):
    with serving(tmp_path, in_flight=1, open=False) as client:
        client.service.metrics.in_flight_now = 1
        sent = []

        async def never():
            await asyncio.Event().wait()

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"testserver"), (b"content-length", b"100000")]
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
        scope |= {"query_string": b"", "headers": headers, "client": None, "scheme": "http"}
        scope |= {"server": ("testserver", 80), "http_version": "1.1", "root_path": ""}
        asyncio.run(asyncio.wait_for(client.app(scope, never, send), PATIENCE))
        assert sent[0]["status"] == 405
        assert client.get(path).status_code in (200, 404)


def test_an_artifact_whose_scores_are_no_numbers_is_not_served(tmp_path):
    def broken(folder):
        rec = toy_recommender()
        rec.ranker.scores = lambda features, *rest: features.sum(1) * math.nan
        return rec

    with pytest.raises(ArtifactError, match="not numbers"), serving(tmp_path, broken):
        pass


def test_a_list_never_has_scores_that_are_no_numbers(client):
    client.service.worker._arms[""].ranker.scores = lambda features, *rest: (
        features.sum(1) * math.inf
    )
    answer = client.post("/v1/recommend", json={"strategy": "prior", "k": 3})
    refused(answer, 503, "artifact")
    assert answer.headers["retry-after"]
