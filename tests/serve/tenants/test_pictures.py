"""Pictures of tenants that are not loaded: their page may show them, and anybody may read files."""

from __future__ import annotations

from coldstart.schema import Item
from coldstart.serve.store import NewChange
from coldstart.serve.tenants_config import Tenant
from tests.serve.helpers import refused
from tests.serve.tenants.helpers import serving

ITEM = {"item_id": "x", "title": "A tent", "image": "https://log.example.org/a.jpg"}
SAVED = (
    '{"item_id":"x","title":"A tent","image":"https://saved.example.org/a.jpg"}\n'
    '{"item_id":"y","title":"A lamp","image":"HTTPS://more.example.org/a.jpg"}\n'
    '{"item_id":"z","title":"A cup","image":"https://gone.example.org/a.jpg"}\n'
    '{"item_id":"v","title":"A pan","image":"pan.png"}\n'
    '"https://damaged.example.org/a.jpg"\n'
)


def sources(client, name):
    policy = client.get(f"/t/{name}/").headers["content-security-policy"]
    (images,) = [part for part in policy.split("; ") if part.startswith("img-src")]
    return images.split()[3:]


def changed(folder, *changes):
    """Log changes of tenant a's catalog."""
    with Tenant(artifact="toy", db=f"sqlite:///{folder}/a.db").open() as store:
        store.log_changes(list(changes))


def of_artifact(tmp_path, **own):
    folder = tmp_path / "artifact"
    folder.mkdir()
    (folder / "catalog.jsonl").write_text(SAVED, "utf-8")
    return {"a": {"artifact": str(folder), **own}}


def test_the_policy_of_an_unloaded_tenant_names_the_hosts_of_its_catalog(tmp_path):
    item = Item(**ITEM)
    changed(
        tmp_path,
        NewChange("update", "x", item.model_dump_json()),
        NewChange("remove", "z"),
    )
    own = of_artifact(tmp_path)
    with serving(tmp_path, own=own, open=False) as client:
        assert sources(client, "a") == ["https://log.example.org", "https://more.example.org"]
        assert sources(client, "b") == []
        assert client.services.loaded == ()
    own["a"]["remote_images"] = False
    with serving(tmp_path, own=own) as client:
        assert sources(client, "a") == []


def test_hosts_of_a_tenant_that_left_are_remembered(tmp_path):
    with serving(tmp_path, most=1) as client:
        put = client.put("/t/a/v1/items/x", json={k: v for k, v in ITEM.items() if k != "item_id"})
        assert put.status_code == 200, put.text
        assert client.get("/t/b/v1/sessions").status_code == 200
        assert client.services.loaded == ("b",)
        assert sources(client, "a") == ["https://log.example.org"]


def test_a_store_that_cannot_be_read_shows_the_page_without_remote_pictures(tmp_path):
    own = {"a": {"db": f"sqlite:///{tmp_path}/none/a.db"}}
    with serving(tmp_path, own=own) as client:
        assert client.get("/t/a/").status_code == 200
        assert sources(client, "a") == []


def test_files_of_an_unloaded_tenant_need_no_key(tmp_path):
    folder = tmp_path / "posters"
    folder.mkdir()
    (folder / "tent.png").write_bytes(b"\x89PNG")
    with serving(tmp_path, own={"a": {"images": str(folder)}}, open=False) as client:
        got = client.get("/t/a/images/tent.png")
        assert (got.status_code, got.content) == (200, b"\x89PNG")
        assert got.headers["cache-control"] == "public, max-age=3600"
        for path in ("/t/a/images/none.png", "/t/b/images/tent.png"):
            missing = client.get(path)
            refused(missing, 404, "not_found")
            assert missing.headers["cache-control"] == "no-store"
        assert client.services.loaded == ()


def test_a_folder_that_is_deleted_meanwhile_is_a_folder_without_pictures(tmp_path, logged):
    folder = tmp_path / "posters"
    folder.mkdir()
    with serving(tmp_path, own={"a": {"images": str(folder)}}, most=1) as client:
        put = client.put("/t/a/v1/items/x", json={k: v for k, v in ITEM.items() if k != "item_id"})
        assert put.status_code == 200, put.text
        folder.rmdir()
        assert client.get("/t/b/v1/items").status_code == 200
        assert client.services.loaded == ("b",)
        assert '"closed"' in logged.getvalue()
        assert sources(client, "a") == ["https://log.example.org"]
        for path in ("/healthz", "/readyz", "/"):
            assert client.get("/t/a" + path).status_code == 200
        refused(client.get("/t/a/images/tent.png"), 404, "not_found")
        folder.mkdir()
        (folder / "tent.png").write_bytes(b"\x89PNG")
        assert client.get("/t/a/images/tent.png").status_code == 200


def test_what_cannot_be_read_is_not_read_for_every_page(tmp_path, monkeypatch):
    reads = []

    def failing(self, name):
        reads.append(name)
        raise OSError(5, "no disk")

    monkeypatch.setattr("coldstart.serve.tenants_pictures.TenantPictures._images", failing)
    with serving(tmp_path) as client:
        for name in ("a", "a", "b", "a"):
            assert sources(client, name) == []
        assert reads == ["a", "b"]
        client.services.pictures._failed["a"] = 0.0  # the time is over
        assert sources(client, "a") == []
        assert reads == ["a", "b", "a"]
