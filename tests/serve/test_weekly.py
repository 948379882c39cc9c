"""The weekly routine on a running service: train from its store, A/B test, take over, roll back."""

from __future__ import annotations

import json
import shutil
import threading

import pytest

from coldstart.cli import main
from coldstart.serve.store import Store
from tests.cli.helpers import fails
from tests.conftest import ROOT
from tests.serve.processes import start
from tests.waiting import until

SMALL = ROOT / "tests" / "data" / "small" / "artifact"


@pytest.fixture
def run(capsys, monkeypatch):
    """Run the command line; returns exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*args):
        code = main([str(a) for a in args])
        return code, *capsys.readouterr()

    return call


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """An artifact whose base model's folder is named relative to the repository."""
    monkeypatch.chdir(ROOT)
    shutil.copytree(SMALL, tmp_path / "shop")
    return tmp_path / "shop"


def visit(client, *likes):
    made = client.post("/v1/sessions", json={}).json()["session_id"]
    at = f"/v1/sessions/{made}"
    client.post(at + "/text", json={"text": "films with toys"})
    for item in likes:
        done = client.post(at + "/feedback", json={"item_id": item, "kind": "like"})
        assert done.status_code == 200
    return at


def served(client):
    found = client.get("/v1/admin/release").json()
    return {arm["artifact"]: arm["share"] for arm in found["arms"]}


def test_a_week_of_a_running_service(run, shop, tmp_path):
    db, log, following = tmp_path / "visits.db", tmp_path / "log", tmp_path / "shop-2"
    process, client = start(shop, db, log, "--open")
    codes, stop = [], threading.Event()

    def keep_asking():
        while not stop.is_set():
            body = {"k": 1, "strategy": "prior"}
            codes.append(client.post("/v1/recommend", json=body).status_code)

    asker = threading.Thread(target=keep_asking)
    try:
        asker.start()
        visits = [visit(client, "i0", "i2") for _ in range(4)]
        client.delete(visits[0])
        code, _, err = run("train", "--from", db, "--artifact", shop, "--out", following)
        assert code == 0, err
        assert "3 sessions: 3 users with 6 likes; 3 texts, 3 with a like after them" in err

        code, _, err = run("serve", "use", following, "--db", db, "--share", 0.5)
        assert code == 0, err
        assert "release 1: as started 50%, shop-2 50%" in err
        until(lambda: served(client) == {"shop": 0.5, "shop-2": 0.5}, "the A/B test")
        for _ in range(12):
            visit(client, "i1")
        code, out, err = run("serve", "ab-report", "--db", db, "--json")
        assert code == 0, err
        arms = json.loads(out)["arms"]
        assert [arm["arm"] for arm in arms] == ["as started", "shop-2"]
        assert sum(arm["sessions"] for arm in arms) == 12

        assert run("serve", "use", following, "--db", db)[0] == 0
        until(lambda: served(client) == {"shop-2": 1.0}, "the take-over")
        assert client.get(visits[1] + "/recommendations?strategy=prior").status_code == 200
        fails(run("serve", "ab-report", "--db", db), "no A/B test is under way")

        code, _, err = run("serve", "rollback", "--db", db)
        assert "release 3: as started 50%, shop-2 50%" in err
        code, _, err = run("serve", "rollback", "--db", db)
        assert "release 4: the artifact of each service's start" in err
        until(lambda: served(client) == {"shop": 1.0}, "the roll-back")
        fails(run("serve", "rollback", "--db", db), "nothing was served before")
    finally:
        stop.set()
        asker.join()
        client.close()
        process.kill()
        process.wait()
    assert set(codes) == {200}
    events = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    followed = [e["release"] for e in events if e["event"] == "reload"]
    assert [n for n in followed if n != 3] == [1, 2, 4]  # 3 may have come and gone unseen


def test_releases_are_shown(run, shop, tmp_path):
    db = tmp_path / "visits.db"
    Store.open(f"sqlite:///{db}").close()
    assert "services serve what they were started with" in run("serve", "releases", "--db", db)[2]
    assert run("serve", "use", shop, "--db", db)[0] == 0
    code, out, _ = run("serve", "releases", "--db", db, "--json")
    found = json.loads(out)
    assert (code, found["release"], found["before"]) == (0, 1, [[]])
    assert found["arms"] == [{"name": "shop", "artifact": str(shop), "weight": 1.0}]
    text = run("serve", "releases", "--db", db)[1]
    assert str(shop) in text.replace("\n", "")
    fails(run("serve", "use", shop, "--db", db), "served already")
    fails(run("serve", "use", tmp_path / "none", "--db", db), "no artifact at")
    fails(run("serve", "use", shop, "--db", tmp_path / "none.db"), "no database at")
    (shop / "ranker.json").write_text("{}")
    fails(run("serve", "use", shop, "--db", db, "--share", 0.5), "ranker.json is damaged")
