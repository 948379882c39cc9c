"""The command line in this process."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from coldstart.cli import main
from tests.cli.fake_recommender import FakeRecommender


@pytest.fixture
def fake(monkeypatch):
    """A recommender that need not be loaded, and an environment without settings."""
    module = ModuleType("coldstart.recommender")
    module.Recommender = FakeRecommender
    monkeypatch.setitem(sys.modules, "coldstart.recommender", module)
    monkeypatch.setattr(FakeRecommender, "calls", [])
    monkeypatch.setattr(FakeRecommender, "loaded", [])
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)
    monkeypatch.delenv("COLDSTART_ARTIFACT", raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    return FakeRecommender


@pytest.fixture
def run(capsys):
    """Run the command line; returns exit code, stdout and stderr."""

    def call(*args):
        code = main([str(a) for a in args])
        out, err = capsys.readouterr()
        return code, out, err

    return call
