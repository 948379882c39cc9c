"""Tiny base models and artifacts, once for each module."""

from __future__ import annotations

import pytest

from coldstart.generation.models import cached
from tests.tenants.worlds import World


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True, scope="module")
def kept_elsewhere(tmp_path_factory):
    """Tiny models must not push the real ones out of the user's cache."""
    folder, real = tmp_path_factory.mktemp("kept"), cached.decoder_folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cached, "decoder_folder", lambda *args: folder / real(*args).name)
        yield
