"""``/v1/admin/report``: admin keys only, nothing of whoever was erased, tenants apart, exports."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import pytest

from coldstart.serve.store import Store
from tests.serve.helpers import CANARY, begin, in_background, refused, serving
from tests.serve.tenants.helpers import serving as serving_tenants

REPORTS = ("sentences", "engagement", "traffic", "catalog", "artifacts", "export")
AT = "/v1/admin/report"


def get(client, report, **params):
    answer = client.get(f"{AT}/{report}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def visit(client, text, like=True):
    """A session with a sentence, a list, and a like of its first item; returns both."""
    at = begin(client)
    client.post(f"{at}/text", json={"text": text}).raise_for_status()
    items = client.post(f"{at}/recommendations", json={"k": 3}).json()["items"]
    if like:
        first = {"item_id": items[0]["item_id"], "kind": "like"}
        client.post(f"{at}/feedback", json=first).raise_for_status()
    return at, [i["item_id"] for i in items]


@pytest.mark.parametrize("report", REPORTS)
def test_only_an_admin_key_reads_reports(tmp_path, report):
    with serving(tmp_path, open=False) as client:
        keys = [client.service.store.create_key("x", admin=admin).secret for admin in (False, True)]
        refused(client.get(f"{AT}/{report}"), 401, "unauthorized")
        plain, admin = ({"Authorization": f"Bearer {key}"} for key in keys)
        refused(client.get(f"{AT}/{report}", headers=plain), 403, "forbidden")
        assert client.get(f"{AT}/{report}", headers=admin).status_code == 200


@pytest.mark.parametrize("params", [{"days": 0}, {"days": 31}, {"days": "x"}, {"format": "xls"}])
def test_bad_parameters_are_refused(shared, params):
    assert client_error(shared.get(f"{AT}/export", params=params)) in ("days", "format")


def client_error(response):
    body = refused(response, 422, "invalid")
    return next(name for name in ("days", "format", "fewest") if name in body["message"])


def test_reports_tell_what_was_asked_shown_and_taken(client):
    _, shown = visit(client, "no drama, for my son Zanzibarina, with axolotls")
    visit(client, "axolotls", like=False)
    asked = get(client, "sentences")
    assert (asked["sentences"], asked["people"]) == (2, 2)
    assert asked["parts"][0]["part"] == "axolotls"
    assert asked["parts"][0]["people"] == 2
    assert "drama" in json.dumps(asked["newest"][1]["understood"])
    assert CANARY not in json.dumps(asked)
    assert get(client, "sentences", fewest=3)["parts"] == []

    taken = get(client, "engagement", days=1)
    assert taken["total"] | {"people": 2, "lists": 2, "shown": 6, "taken": 1} == taken["total"]
    assert taken["total"]["conversion"]["value"] == 0.5
    assert [arm["name"] for arm in taken["arms"]] == ["toy"]
    assert taken["kinds"] == {"like": 1}
    assert taken["complete"] is True

    checks = {c["check"]: c for c in get(client, "catalog")["checks"]}
    assert checks["never shown"]["items"] == 24 - len({*shown} | _shown(client))
    assert get(client, "traffic")["requests"] > 5


def test_more_lists_than_one_report_reads_are_told(client, monkeypatch):
    visit(client, "axolotls", like=False)
    visit(client, "axolotls", like=False)
    monkeypatch.setattr("coldstart.serve.reports.reports.MOST_LISTS", 1)
    found = get(client, "catalog")
    names = [c["check"] for c in found["checks"]]
    assert (found["complete"], "never shown" in names) == (False, False)
    assert "not in the newest lists" in names


def _shown(client):
    return {i["item_id"] for i in get(client, "engagement")["items"]}


def test_who_is_erased_is_in_no_report(client):
    at, _ = visit(client, "axolotls")
    assert get(client, "sentences")["parts"]
    assert client.delete(at).status_code == 204
    asked, taken = get(client, "sentences"), get(client, "engagement")
    assert (asked["sentences"], asked["parts"], asked["newest"]) == (0, [], [])
    assert (taken["total"]["people"], taken["kinds"], taken["items"]) == (0, {}, [])


def test_a_sentence_is_read_again_with_a_changed_catalog(client):
    visit(client, "something like Zorbulon Express")
    before = get(client, "sentences")
    assert before["newest"][0]["text"] == "something like [name]"
    client.put(
        "/v1/items/new", json={"item_id": "new", "title": "Zorbulon Express"}
    ).raise_for_status()
    after = get(client, "sentences")
    assert before["nothing"] == 1
    assert after["understood"] == 1
    assert after["newest"][0]["text"] == "something like Zorbulon Express"


def test_many_reports_at_once_agree(client):
    visit(client, "axolotls")
    threads, got = in_background(lambda: get(client, "sentences"), 4)
    for thread in threads:
        thread.join()
    assert len(got) == 4
    assert all(report == got[0] for report in got)


def test_an_export_has_every_table_and_no_formula(client):
    visit(client, "=1+1 axolotls")
    answer = client.get(f"{AT}/export", params={"format": "csv"})
    assert answer.headers["content-type"] == "application/zip"
    assert 'filename="coldstart-' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        tables = {
            name: list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()
        }
    assert {"not_understood.csv", "days.csv", "arms.csv", "catalog.csv", "routes.csv"} <= {*tables}
    assert [row["part"] for row in tables["not_understood.csv"]] == ["axolotls"]
    assert [row["text"] for row in tables["sentences.csv"]] == ["'=1+1 axolotls"]
    assert len(tables["days.csv"]) == 30
    assert float(tables["arms.csv"][0]["ctr_low"]) <= float(tables["arms.csv"][0]["ctr"])
    assert len(tables["catalog_items.csv"]) == sum(int(r["items"]) for r in tables["catalog.csv"])
    whole = client.get(f"{AT}/export").json()
    assert {*whole} == {"sentences", "engagement", "traffic", "catalog", "artifacts"}
    assert whole["sentences"]["sentences"] == 1


def test_tenants_see_their_own(tmp_path):
    with serving_tenants(tmp_path) as client:
        for name, text in (("a", "axolotls"), ("b", "zeppelins")):
            at = client.post(f"/t/{name}/v1/sessions", json={}).json()["session_id"]
            client.post(f"/t/{name}/v1/sessions/{at}/text", json={"text": text}).raise_for_status()
        for name, want in (("a", ["axolotls"]), ("b", ["zeppelins"]), ("c", [])):
            found = client.get(f"/t/{name}{AT}/sentences").json()
            assert [p["part"] for p in found["parts"]] == want


def test_an_encrypted_store_is_reported_on(tmp_path, monkeypatch):
    from cryptography.fernet import Fernet

    monkeypatch.setenv("COLDSTART_SECRET_KEY", Fernet.generate_key().decode())
    with serving(tmp_path) as client:
        assert client.service.store.encrypted
        visit(client, "axolotls")
        assert [p["part"] for p in get(client, "sentences")["parts"]] == ["axolotls"]
    with Store.open(f"sqlite:///{tmp_path}/people.db") as store:
        assert len(list(store.newest_sessions(10))) == 1
