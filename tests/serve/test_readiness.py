"""When a service is ready, and how its database is backed up and checked."""

from __future__ import annotations

import json
import shutil

import pytest

from coldstart.cli import main
from coldstart.serve.store import Store, StoreUnavailable
from tests.serve.helpers import begin, refused, serving


@pytest.mark.parametrize("harm", ["deleted", "replaced"])
def test_a_service_whose_database_is_gone_is_not_ready_and_acknowledges_nothing(
    client, tmp_path, logged, harm
):
    at = begin(client)
    assert client.get("/readyz").json() == {"status": "ready"}
    file = tmp_path / "people.db"
    if harm == "replaced":
        shutil.copy(file, tmp_path / "other.db")
        (tmp_path / "other.db").replace(file)
    else:
        file.unlink()
    refused(client.get("/readyz"), 503, "not_ready")
    refused(client.post(at + "/feedback", json={"item_id": "i1", "kind": "like"}), 503, "store")
    refused(client.put("/v1/items/x", json={"title": "X"}), 503, "store")
    assert client.get("/v1/items/x").status_code == 404
    assert client.get("/healthz").status_code == 200
    assert "since the service began" in logged.getvalue()


def test_a_service_on_a_full_disk_is_not_ready_until_there_is_space(client, monkeypatch):
    def full(_):
        raise StoreUnavailable("cannot write beside the database: No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(type(client.service.store._file), "check_space", full)
        refused(client.get("/readyz"), 503, "not_ready")
    assert client.get("/readyz").json() == {"status": "ready"}


def damage(file):
    with Store.open(f"sqlite:///{file}") as store:
        for n in range(400):
            store.log_change("add", str(n), json.dumps({"item_id": str(n), "title": "x" * 200}))
    content = bytearray(file.read_bytes())
    pages = len(content) // 4096
    for page in range(pages - pages // 3, pages):
        content[page * 4096 : page * 4096 + 8] = b"\x55" * 8
    file.write_bytes(content)


def test_a_service_does_not_begin_on_a_damaged_database(tmp_path):
    damage(tmp_path / "people.db")
    with pytest.raises(StoreUnavailable, match="the database is damaged: .*put a backup"):
        serving(tmp_path).__enter__()


def test_the_commands_back_up_and_check(tmp_path, capsys):
    db, copy = str(tmp_path / "p.db"), str(tmp_path / "copy.db")
    assert main(["serve", "db", "backup", copy, "--db", db]) == 2
    assert "no database at" in capsys.readouterr().err
    with Store.open(f"sqlite:///{db}") as store:
        store.log_change("add", "a", '{"item_id": "a", "title": "A"}')
        store.log_change("add", "b", '{"item_id": "c", "title": "A"}')
        assert main(["serve", "db", "backup", copy, "--db", db]) == 0
    assert "checked" in capsys.readouterr().err
    assert main(["serve", "db", "backup", copy, "--db", db]) == 2
    assert "copy.db exists" in capsys.readouterr().err
    assert main(["serve", "db", "check", "--db", copy, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "integrity": "ok",
        "catalog_changes": 2,
        "cannot_be_read": [{"seq": 2, "item_id": "b"}],
    }
    assert main(["serve", "db", "check", "--db", copy]) == 0
    assert "2 (b)" in capsys.readouterr().out
    damage(tmp_path / "p.db")
    assert main(["serve", "db", "check", "--db", db]) == 2
    assert "the database is damaged" in capsys.readouterr().err
