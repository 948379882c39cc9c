"""The service as a process: signals, keys, and what its commands say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from coldstart.cli import main
from coldstart.training.run import train
from tests.serve.processes import listening, start
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split
from tests.waiting import PATIENCE, until


def test_importing_the_service_loads_no_torch():
    code = (
        "import coldstart.serve.app, coldstart.serve.server, sys; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """A trained toy artifact on disk."""
    where = tmp_path_factory.mktemp("served")
    config = toy_config(save_tiny_base(where / "base"), prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, where / "artifact", runs=where / "run")
    return where / "artifact"


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


def test_the_load_benchmark_reads_a_process():
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from benchmarks.load import resident_mb

    assert 10 < resident_mb(os.getpid()) < 100_000
    assert resident_mb(None) is None
