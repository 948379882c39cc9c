"""The store contract on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from coldstart.serve.store import Store
from coldstart.testing.contracts.store import StoreContract


class TestStore(StoreContract):
    @pytest.fixture(autouse=True)
    def _url(self, url):
        self.url = url

    def open(self, **options):
        return Store.open(self.url, **options)
