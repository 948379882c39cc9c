"""Waiting requests: answered together, refused when too many, dropped when too late."""

from __future__ import annotations

import threading

import pytest

from coldstart.serve.errors import ApiError
from tests.serve.helpers import CANARY, in_background, in_line, refused, serving
from tests.toy import toy_recommender
from tests.waiting import PATIENCE, until


def test_a_stream_writes_in_turns_so_that_others_get_theirs(client):
    turns = []
    rec = client.service.worker._arms[""]
    once = rec.generate
    rec.generate = lambda *a, **o: turns.append(o["n"]) or once(*a, **o)
    client.post("/v1/generate?stream=true", json={"n": 6})
    assert len(turns) >= 3
    assert set(turns) == {2}


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
        codes = [answer.status_code for answer in got]
        assert 504 in codes  # the one that had begun
        for answer in got:
            told = "too_late" if answer.status_code == 504 else "overloaded"
            refused(answer, 504 if told == "too_late" else 503, told)
            assert int(answer.headers["retry-after"]) >= 1
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
        refused(client.get("/v1/items/i1"), 503, "overloaded")  # it has not begun
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
            refused(answer, 503, "overloaded")
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
