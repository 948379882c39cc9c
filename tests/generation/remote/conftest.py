"""A vLLM double per test, a generator connected to it, and retries without waiting."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from coldstart.generation.remote import http as remote_http
from tests.fakes_lm import tiny_llama
from tests.generation.remote.helpers import connected
from tests.generation.remote.vllm_double import VllmDouble, serving


@pytest.fixture
def double():
    with serving(VllmDouble(tiny_llama())) as found:
        yield found


@pytest.fixture
def remote(double):
    return connected(double)


@pytest.fixture
def no_waits(monkeypatch):
    """The seconds that were waited for between tries."""
    waited: list[float] = []
    monkeypatch.setattr(remote_http, "time", SimpleNamespace(sleep=waited.append))
    return waited
