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


def test_api_keys_that_are_not_ours_are_refused(store):
    shop, boss = store.create_key("shop"), store.create_key("boss")
    mixed = f"cs_{shop.key.id}_{boss.secret.split('_', 2)[2]}"
    wrong = [shop.secret[:-1], shop.secret + "x", shop.secret.upper(), mixed, f"cs_{'0' * 16}_x"]
    for bad in (*wrong, "", "cs", "cs_", "cs__", "cs_\0_x", "cs_é_x", "\ud800", "x" * 10**6):
        assert store.check_key(bad) is None


def test_a_revoked_key_is_refused_from_then_on(store):
    shop = store.create_key("shop")
    assert store.revoke_key(shop.key.id)
    assert store.check_key(shop.secret) is None
    assert not store.revoke_key(shop.key.id)
    assert not any(map(store.revoke_key, ("unknown", "", "\0", "0" * 16)))
    assert store.keys()[0].revoked is not None
