"""The command, the process it becomes, and the parts that need no server to be tried."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.cli import main
from coldstart.errors import ConfigError
from coldstart.serve import limits
from coldstart.serve.errors import ApiError
from coldstart.serve.experiment import Experiment, arm_reports
from coldstart.serve.limits import RateLimiter, check_depth
from coldstart.serve.logs import JsonFormatter
from coldstart.serve.segments import segment_profiles
from coldstart.serve.settings import ServeSettings, refuse_open_to_all
from coldstart.serve.store import ArmOutcome, Store
from coldstart.training.run import train
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split
from tests.waiting import PATIENCE, no_error, until


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """A trained toy artifact on disk."""
    where = tmp_path_factory.mktemp("served")
    config = toy_config(save_tiny_base(where / "base"), prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, where / "artifact", runs=where / "run")
    return where / "artifact"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(artifact, db, log, *options):
    """A real service; returns the process and a client of it, once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "coldstart", "serve", "--artifact", str(artifact)]
    command += ["--port", str(port), "--db", str(db), "--deadline", str(PATIENCE), *options]
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stderr=out, stdout=out)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
    listens = no_error(lambda: client.get("/readyz"), httpx.TransportError)
    until(lambda: process.poll() is not None or listens(), "the service to listen")
    assert process.poll() is None, Path(log).read_text()
    until(lambda: client.get("/readyz").status_code == 200, "the service to be ready")
    return process, client


def listening(port):
    """Whether new connections are accepted."""
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def test_a_process_reloads_on_sighup_and_on_sigterm_goes_in_good_order(artifact, tmp_path):
    log = tmp_path / "log"
    process, client = start(artifact, tmp_path / "p.db", log, "--open", "--drain", "3600")
    try:
        assert (
            len(client.post("/v1/recommend", content='{"input": "robots", "k": 3}').json()["items"])
            == 3
        )
        at = client.post("/v1/sessions", json={}).json()["session_id"]
        client.put("/v1/items/new", json={"title": "Newcomer"})

        process.send_signal(signal.SIGHUP)
        done = 'coldstart_reloads_total{outcome="done"} 1.0'
        until(lambda: done in client.get("/metrics").text, "the reload")
        assert client.get("/v1/items/new").status_code == 200

        process.send_signal(signal.SIGTERM)
        until(lambda: client.get("/readyz").status_code == 503, "the service to be unready")
        assert client.get("/healthz").status_code == 200
        with client.stream("POST", "/v1/generate?stream=true", json={"n": 5}) as slow:
            process.send_signal(signal.SIGTERM)  # the drain has lasted long enough
            until(lambda: not listening(client.base_url.port), "the service to stop listening")
            lines = [json.loads(line) for line in slow.iter_lines()]
        assert lines[-1]["done"] is True
        assert process.wait(PATIENCE) == 0
        with pytest.raises(httpx.TransportError):
            client.get("/healthz")
    finally:
        client.close()
        if process.poll() is None:
            process.kill()
            process.wait()
    events = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    names = [e["event"] for e in events]
    assert names.index("reload") < names.index("draining") < names.index("stopped")
    assert events[names.index("stopped")]["finished"] is True
    assert at not in log.read_text()


def test_keys_are_made_shown_and_revoked_for_a_running_service(artifact, tmp_path, capsys):
    db = str(tmp_path / "p.db")
    assert main(["serve", "keys", "add", "shop", "--rate", "30", "--db", db]) == 0
    secret = capsys.readouterr().out.strip()
    process, client = start(artifact, db, tmp_path / "log", "--drain", "0")
    try:
        headers = {"Authorization": f"Bearer {secret}"}
        assert client.get("/v1/items", headers=headers).status_code == 200
        assert client.get("/v1/items").status_code == 401
        assert main(["serve", "keys", "list", "--json", "--db", db]) == 0
        (key,) = json.loads(capsys.readouterr().out)
        assert (key["name"], key["rate_limit"], key["admin"]) == ("shop", 30, False)
        assert secret not in str(key)
        assert main(["serve", "keys", "revoke", key["id"], "--db", db]) == 0
        assert client.get("/v1/items", headers=headers).status_code == 401
        assert main(["serve", "keys", "revoke", key["id"], "--db", db]) == 2
        assert "no key" in capsys.readouterr().err
        assert main(["serve", "keys", "list", "--db", db]) == 0
        assert "shop" in capsys.readouterr().out
    finally:
        client.close()
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert secret.encode() not in b"".join(f.read_bytes() for f in tmp_path.glob("p.db*"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--open", "--host", "0.0.0.0"], "--open on 0.0.0.0"),
        (["--open", "--host", "example.org"], "--open on example.org"),
        (["--open", "--artifact", "nowhere"], "nowhere"),
        (["--open", "--deadline", "0"], "deadline is 0"),
        (["--open", "--origin", "*"], "origins are '*'"),
        (["--open", "--max-k", "1001"], "max_k is 1001"),
        (["--open", "--experiment", "none.toml"], "none.toml"),
        (["--open", "--db", "mysql://x/y"], "mysql"),
    ],
)
def test_the_command_says_what_is_wrong(options, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["serve", *options]) == 2
    assert told in capsys.readouterr().err


def test_a_missing_library_is_named_with_the_extra(tmp_path):
    code = (
        "import sys; sys.modules['fastapi'] = None\n"
        "from coldstart.cli import main; sys.exit(main(['serve', '--open']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2
    assert "pip install 'coldstart-rec[serve]'" in done.stderr


# -- experiments ----------------------------------------------------------------------------------

TOML = """
name = "ranker"
[[arms]]
name = "old"
artifact = "a"
weight = 3
[[arms]]
name = "new"
artifact = "b"
"""


def test_arms_get_their_share_and_everybody_stays(tmp_path):
    file = tmp_path / "ab.toml"
    file.write_text(TOML)
    test = Experiment.load(file)
    ids = [f"s{n}" for n in range(8000)]
    dealt = [test.arm_of(i) for i in ids]
    assert dealt == [test.arm_of(i) for i in ids]
    assert dealt.count("old") / len(ids) == pytest.approx(0.75, abs=0.02)
    other = test.model_copy(update={"name": "another"})
    both = sum(a == other.arm_of(i) for a, i in zip(dealt, ids, strict=True)) / len(ids)
    assert both == pytest.approx(0.75**2 + 0.25**2, abs=0.02)  # dealt anew


def test_artifacts_are_looked_for_beside_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    file = tmp_path / "ab.toml"
    file.write_text(TOML)
    assert Experiment.load(file).artifacts(tmp_path) == {
        "old": str(tmp_path / "a"),
        "new": str(tmp_path / "b"),
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: "{", "not TOML"),
        (lambda t: t.replace('name = "new"', 'name = "old"'), "two arms of one name"),
        (lambda t: t.replace("weight = 3", "weight = 0"), "arms.0.weight"),
        (lambda t: t.replace("weight", "wieght"), "wieght"),
        (lambda t: t[: t.rindex("[[arms]]")], "at least 2"),
    ],
)
def test_a_wrong_experiment_is_refused(change, told, tmp_path):
    file = tmp_path / "ab.toml"
    file.write_text(change(TOML))
    with pytest.raises(ConfigError, match=told):
        Experiment.load(file)


def test_a_gain_that_is_there_is_found_and_one_that_is_not_is_not():
    same = arm_reports([ArmOutcome("a", 400, 900, 300, 100), ArmOutcome("b", 400, 900, 300, 104)])
    assert same[0].gain is None
    assert same[1].gain == pytest.approx(0.01)
    assert same[1].gain_interval[0] < 0 < same[1].gain_interval[1]
    more = arm_reports([ArmOutcome("a", 400, 900, 300, 100), ArmOutcome("b", 400, 900, 600, 200)])
    assert 0 < more[1].gain_interval[0] < 0.25 < more[1].gain_interval[1]
    width = np.diff(more[1].gain_interval)[0]
    usual = 2 * 1.96 * np.sqrt(0.25 * 0.75 / 400 + 0.5 * 0.5 / 400)  # normal approximation
    assert width == pytest.approx(usual, rel=0.1)
    assert arm_reports([]) == []
    assert arm_reports([ArmOutcome("a", 0, 0, 0, 0)])[0].share is None


def test_the_report_of_the_command_is_that_of_the_store(tmp_path, capsys):
    file, db = tmp_path / "ab.toml", tmp_path / "p.db"
    file.write_text(TOML)
    with Store.open(f"sqlite:///{db}") as store:
        for n in range(6):
            store.create("{}", artifact="a", experiment="ranker", arm="new" if n % 2 else "old")
    assert main(["serve", "ab-report", str(file), "--db", str(db), "--json"]) == 0
    got = json.loads(capsys.readouterr().out)
    assert [(a["arm"], a["sessions"], a["share"]) for a in got["arms"]] == [
        ("old", 3, 0.0),
        ("new", 3, 0.0),
    ]
    assert main(["serve", "ab-report", str(file), "--db", str(db)]) == 0
    assert "0.000 [0.000, 0.561]" in capsys.readouterr().out


# -- parts ----------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 600))
def test_nobody_gets_more_than_a_bucket_and_its_refill(gaps, per_minute):
    now, taken = 0.0, 0
    limit = RateLimiter(lambda: now)
    for gap in gaps:
        now += gap
        wait = limit.take("k", per_minute)
        taken += not wait
        if wait:
            now += wait + 1e-6  # what it says is enough
            assert limit.take("k", per_minute) == 0
            taken += 1
        assert taken <= max(1, per_minute / 6) + now * per_minute / 60 + 1e-6


@given(
    st.recursive(
        st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_depth_is_that_of_the_json(value):
    def depth(x):
        inner = x.values() if isinstance(x, dict) else x if isinstance(x, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    body = json.dumps(value).encode()
    check_depth(body, max(1, depth(value)))
    if depth(value) > 1:
        with pytest.raises(ApiError, match="invalid"):
            check_depth(body, depth(value) - 1)


@pytest.mark.parametrize("body", [b'"' + b'\\"' * 100_000, b'"a' * 100_001, b"\\" * 200_000])
def test_depth_of_strings_without_an_end(body):
    """A backtracking expression would take hours; benchmarks/steps.py says how long this takes."""
    check_depth(body, 5)
    with pytest.raises(ApiError, match="invalid"):
        check_depth(b"[" * 6 + body, 5)


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(limits, "_BODY_SECONDS", 0.05)

    async def never():
        await asyncio.Event().wait()

    with pytest.raises(ApiError, match="slow_body") as refusal:
        asyncio.run(limits.read_body(never, None, 100))
    assert refusal.value.status == 408


def test_settings_out_of_range_are_refused():
    for wrong in (
        {"queue": 0},
        {"deadline": -1},
        {"max_k": 0},
        {"drain": float("inf")},
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            ServeSettings(**wrong)
    for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8"):
        refuse_open_to_all(host, open_mode=True)
    refuse_open_to_all("0.0.0.0", open_mode=False)


def test_sample_profiles_are_the_commonest_groups_of_any_data():
    sizes = {f"age={n}0s": 10 * n for n in range(1, 7)} | {"gender=f": 9, "gender=m": 20}
    sizes |= {f"occupation=o{n}": n for n in range(1, 9)}
    people = segment_profiles(sizes)
    assert len(people) == 6 * 2 * 5
    assert people[0].model_dump(exclude_defaults=True) == {
        "age": 65, "gender": "m", "occupation": "o8"
    }  # fmt: skip
    assert {p.occupation for p in people} == {f"o{n}" for n in range(4, 9)}
    assert [p.attributes for p in segment_profiles({"diet=vegan": 3, "diet=any": 4})] == [
        {"diet": "any"}, {"diet": "vegan"}
    ]  # fmt: skip
    (nobody,) = segment_profiles({})
    assert nobody.is_empty()


def test_other_loggers_are_named_not_quoted():
    record = logging.LogRecord("coldstart.x", 30, "f.py", 7, "secret %s", ("Zanzibarina",), None)
    line = json.loads(JsonFormatter().format(record))
    assert line["logger"] == "coldstart.x"
    assert "secret" not in str(line)
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_the_load_benchmark_reads_a_process():
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from benchmarks.load import resident_mb

    assert 10 < resident_mb(os.getpid()) < 100_000
    assert resident_mb(None) is None
