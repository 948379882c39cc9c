"""The fingerprint of the packaged model, kept so that Transformers need not load it."""

from __future__ import annotations

import pytest

from coldstart.runtime import models

FOUND = "0123456789abcdef"


@pytest.fixture
def packaged(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "resolve", lambda name: str(tmp_path))
    return tmp_path


def test_it_is_kept_with_the_packaged_model(packaged):
    assert models.kept_fingerprint(models.DEFAULT_LM) is None
    assert models.kept_fingerprint(models.DEFAULT_LM, FOUND) == FOUND
    assert models.kept_fingerprint(models.DEFAULT_LM) == FOUND


def test_a_model_that_may_change_has_none(packaged):
    assert models.kept_fingerprint("org/model", FOUND) is None
    assert models.kept_fingerprint("org/model") is None
    assert not list(packaged.iterdir())


@pytest.mark.parametrize("text", [b"", b"0123", b"\xff\xfe", b"0123456789abcdeg"])
def test_a_damaged_one_is_none(packaged, text):
    models.kept_fingerprint(models.DEFAULT_LM, FOUND)
    (path,) = packaged.iterdir()
    path.write_bytes(text)
    assert models.kept_fingerprint(models.DEFAULT_LM) is None


def test_a_folder_that_cannot_be_written_costs_time_only(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setattr(models, "resolve", lambda name: str(blocked / "model"))
    assert models.kept_fingerprint(models.DEFAULT_LM, FOUND) == FOUND
    assert models.kept_fingerprint(models.DEFAULT_LM) is None
