"""A service in this process, its clients, and the form of its refusals."""

from __future__ import annotations

import threading
from contextlib import contextmanager

from starlette.testclient import TestClient

from coldstart.serve.app import create_app
from coldstart.serve.service import Service
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store
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


def refused(response, status, error):
    """The body of a refusal, which always has the same three texts."""
    assert response.status_code == status, response.text
    body = response.json()
    assert set(body) == {"error", "message", "hint"}
    assert all(isinstance(v, str) for v in body.values())
    assert body["error"] == error
    return body


def begin(client, **body):
    made = client.post("/v1/sessions", json=body)
    assert made.status_code == 201, made.text
    return "/v1/sessions/" + made.json()["session_id"]


def an_answer(question):
    """The first choice of a question of any kind."""
    value = question["choices"][0]["value"]
    many = question["kind"] == "categories"
    return {"question_id": question["question_id"], "answer": [value] if many else value}


def in_background(call, n):
    """Call ``n`` times at once; returns the threads and where the results go."""
    out = []
    threads = [threading.Thread(target=lambda: out.append(call())) for _ in range(n)]
    for t in threads:
        t.start()
    return threads, out


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
