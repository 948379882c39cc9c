"""Clients of a service in this process, and its log."""

from __future__ import annotations

import io
import logging
from functools import partial

import pytest

from coldstart.serve import logs
from tests.serve.helpers import serving


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For tests that change nothing others look at."""
    with serving(tmp_path_factory.mktemp("db")) as client:
        yield client


@pytest.fixture
def client(tmp_path):
    with serving(tmp_path) as client:
        yield client


@pytest.fixture
def start_service(tmp_path):
    """Start a service with settings of its own; gives a client of it."""
    return partial(serving, tmp_path)


@pytest.fixture
def logging_stays():
    """Ray sets up logging for itself; afterwards it is as before."""
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture
def logged():
    """What is logged, as it would be in production."""
    stream = io.StringIO()
    before = {n: (logging.getLogger(n).handlers[:], logging.getLogger(n).level) for n in _LOGGERS}
    logs.set_up(stream)
    yield stream
    for name, (handlers, level) in before.items():
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)


_LOGGERS = ("", "coldstart", "coldstart.serve", "uvicorn", "uvicorn.error", "uvicorn.access")
