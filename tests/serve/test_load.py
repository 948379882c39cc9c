"""The load benchmark counts what happened; a service of a few lines stands for the real one."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

HERE = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))


@contextmanager
def service(answer):
    """A service whose nth request gets ``answer(n)``: status, headers; its address."""
    count = iter(range(10**9))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            status, headers = answer(next(count))
            self.send_response(status)
            for name, value in {"content-length": "2", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def loaded(url, clients=2, seconds=2.0, **more):
    from load import Target, load

    return asyncio.run(load(Target(url, "prior", **more), clients, seconds))


def test_refusals_say_when_to_come_again_and_all_else_is_a_fault():
    from load import PATIENCE, Seen

    seen = Seen()
    assert seen.note(200, {}, 0.5) == 0
    assert seen.note(200, {}, 0.7, in_time=False) == 0
    assert seen.note(503, {"retry-after": "1"}, 0.1) == 1
    assert seen.note(429, {"retry-after": "60"}, 0.1) == PATIENCE
    for status, headers in [
        (503, {}),
        (503, {"retry-after": "soon"}),
        (504, {"retry-after": "1"}),
        (500, {}),
        (422, {}),
    ]:
        assert 0 < seen.note(status, headers, 0.1) <= PATIENCE
    found = seen.figures(10.0)
    assert (found["answered"], found["refused"], found["users/s"]) == (2, 2, 0.1)
    assert found["faults"] == {"503 without Retry-After": 2, "504": 1, "500": 1, "422": 1}


def test_quantiles_are_of_the_answers():
    from load import Seen

    seen = Seen(seconds=[n / 100 for n in range(1, 102)], in_time=101)
    found = seen.figures(2.0)
    assert [found[f"p{p} ms"] for p in (50, 95, 99)] == [510, 960, 1000]
    assert found["users/s"] == 50.5
    nobody = Seen().figures(2.0)
    assert (nobody["p50 ms"], nobody["users/s"], nobody["answered"]) == (None, 0.0, 0)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        (None, None),
        ("", None),
        ("-1", None),
        ("1e400", None),
        ("²", None),
    ],
)
def test_a_retry_after_is_whole_seconds(given, seconds):
    from load import seconds_of

    assert seconds_of(given) == seconds


def test_people_differ_and_come_again_by_seed():
    from load import somebody

    from coldstart import UserProfile

    people = [somebody(random.Random(n)) for n in range(50)]
    assert people == [somebody(random.Random(n)) for n in range(50)]
    assert len({json.dumps(p) for p in people}) > 30
    for person in people:
        UserProfile.model_validate(person)


def test_a_load_is_measured_from_the_first_request_to_the_recovery():
    def answer(n):
        return [(200, {}), (503, {"Retry-After": "0"}), (500, {})][max(0, n - 6) % 3]

    for seconds in (2.0, 10.0, 50.0):  # a busy machine needs more for eight requests
        with service(answer) as url:
            found = loaded(url, clients=3, seconds=seconds)
        if found["faults"]:
            break
    assert found["clients"] == 3
    assert found["refused"] >= 1
    assert set(found["faults"]) == {"500"}
    # At most three answers, one of each client, came when the time was over, which is told to a
    # tenth of a second.
    in_time = found["users/s"] * found["seconds"]
    assert in_time == pytest.approx(found["answered"], rel=0.03, abs=3.1)
    assert found["answered"] >= 1
    assert found["recovery s"] is not None
    assert found["memory MB"] == [None, None, None]


def test_recovery_is_when_answers_are_fast_again(monkeypatch):
    import load

    took = [None, 9.0, 0.4, 0.2, 0.1]

    async def single(*_):
        return took.pop(0)

    monkeypatch.setattr(load, "single", single)
    assert asyncio.run(load.recovery(None, None, alone=0.15)) > 0
    assert took == [0.1]  # a fifth of a second is less than twice as long as alone
    monkeypatch.setattr(load, "GIVEN_UP", 0.0)
    assert asyncio.run(load.recovery(None, None, alone=0.15)) is None


def test_a_service_that_answers_nobody_is_told():
    with service(lambda n: (200 if n == 0 else 503, {})) as url:
        with pytest.raises(SystemExit, match="answers nobody"):
            loaded(url)


def test_a_service_of_too_much_memory_is_ended():
    held = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with held, service(lambda n: (200, {})) as url:
        found = loaded(url, seconds=3600.0, pid=held.pid, most_mb=1.0)
        held.wait(PATIENCE)
    assert found["ended for memory"] is True
    assert found["seconds"] < 3600
    assert found["recovery s"] is None


def test_the_table_shows_faults_and_what_never_came():
    from load import Seen
    from load_compare import cells

    seen = Seen(seconds=[0.1], in_time=1)
    seen.note(500, {}, 0.1)
    common = {"clients": 5, "alone ms": 10.0, "ended for memory": False}
    rows = [
        {"system": "a", **seen.figures(1), "recovery s": 1.5, "memory MB": [1, 2, 3], **common},
        {"system": "b", **Seen().figures(1), "recovery s": None, "memory MB": [None] * 3, **common},
    ]
    rows[1]["ended for memory"] = True
    head, line, one, other = cells(rows).splitlines()
    assert len({x.count("|") for x in (head, line, one, other)}) == 1
    assert one.endswith("| 1 | 0 | 1 500 | 1.5 | 1, 2, 3 | 10.0 |")
    assert "ended for its memory after 1 s | > 60 | –, –, – |" in other


def test_a_service_that_ends_at_once_is_told_with_its_words(monkeypatch):
    import load_compare

    with pytest.raises(SystemExit, match="no artifact"):
        with load_compare.running("prior", "no/such/folder"):
            pass
    monkeypatch.setattr(load_compare, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["load_compare.py"])
    with pytest.raises(SystemExit, match="pip install flask"):
        load_compare.main()
