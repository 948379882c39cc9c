"""The command that serves tenants, as a process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx

from coldstart.serve.store import Store
from tests.serve.helpers import refused
from tests.serve.processes import free_port
from tests.serve.tenants.helpers import ids
from tests.tenants.worlds import alone
from tests.waiting import PATIENCE, no_error, until


def test_the_command_serves_them_until_it_is_told_to_stop(world, tmp_path):
    lines = [
        f'[{name}]\nartifact = "{world.artifact("all", seed=seed)}"\ndb = "{name}.db"'
        for seed, name in enumerate(("films", "shop"), 1)
    ]
    (tmp_path / "t.toml").write_text("\n".join(lines))
    secret = {}
    for name in ("films", "shop"):
        with Store.open(f"sqlite:///{tmp_path}/{name}.db") as store:
            secret[name] = store.create_key("x", rate_limit=None, admin=False).secret
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "coldstart", "serve", "--tenants", str(tmp_path / "t.toml")]
    command += ["--port", str(port), "--drain", "0", "--dtype", "float32", "--device", "cpu"]
    command += ["--deadline", str(PATIENCE)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            listens = no_error(lambda: client.get("/readyz"), httpx.TransportError)
            until(lambda: process.poll() is not None or listens(), "the service to listen")
            assert process.poll() is None, log.read_text()
            assert client.get("/readyz").status_code == 200
            for seed, name in enumerate(("films", "shop"), 1):
                asked = {"profile": {"age": 21, "occupation": "student"}, "k": 7}
                got = client.post(
                    f"/t/{name}/v1/recommend",
                    json=asked,
                    headers={"authorization": f"Bearer {secret[name]}"},
                )
                own = alone(world.artifact("all", seed=seed)).recommend(asked["profile"], k=7)
                assert ids(got) == own.item_ids
            other = {"authorization": f"Bearer {secret['films']}"}
            refused(client.get("/t/shop/v1/items", headers=other), 401, "unauthorized")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    events = [json.loads(x) for x in log.read_text().splitlines() if x.startswith("{")]
    assert [e["tenant"] for e in events if e["event"] == "loaded"] == ["films", "shop"]
    assert sorted(e["tenant"] for e in events if e["event"] == "closed") == ["films", "shop"]
