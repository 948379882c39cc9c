"""API keys, known by their hash only."""

from __future__ import annotations

from coldstart.serve.store import tables
from tests.serve.store.helpers import rows


def test_api_keys_are_known_by_their_hash_only(store):
    shop, boss = store.create_key("shop", rate_limit=60), store.create_key("boss", admin=True)
    assert store.check_key(shop.secret) == shop.key
    assert store.check_key(boss.secret) == boss.key
    assert (shop.key.rate_limit, shop.key.admin, boss.key.admin) == (60, False, True)
    assert shop.secret not in repr(shop)
    secret = shop.secret.split("_", 2)[2]
    assert secret not in str(rows(store, tables.api_keys))
    stored = rows(store, tables.api_keys)
    assert len({bytes(r["salt"]) for r in stored}) == 2
    assert store.keys() == [shop.key, boss.key]
