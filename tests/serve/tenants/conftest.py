"""A client of three tenants."""

from __future__ import annotations

import pytest

from tests.serve.tenants.helpers import serving


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For tests that change nothing others look at."""
    with serving(tmp_path_factory.mktemp("shared")) as client:
        yield client
