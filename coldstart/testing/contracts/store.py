"""Contract of the service's store (``serve.store.Store``), whatever database is behind it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from coldstart.serve.store import (
    ArmOutcome,
    Conflict,
    Deleted,
    KeyReused,
    NewEvent,
    SessionNotFound,
    Store,
    StoreError,
    new_session_id,
    shorten,
)
from coldstart.testing.contracts.examples import random_examples
from coldstart.testing.contracts.store_world import CANARY, Clock, begin, fill
from coldstart.testing.contracts.subject_store import SubjectStoreContract


class StoreContract(SubjectStoreContract):
    """Sessions, feedback, outcomes, subjects, the catalog's log, keys, and a person's data."""

    def test_a_session_comes_back_as_it_was_stored(self, store: Store) -> None:
        """Created, and saved with a higher version."""
        made = begin(store, experiment="e", arm="A")
        assert store.load(made.id) == made
        assert (made.version, made.created, made.artifact) == (1, made.updated, "ml-100k")
        later = made.expires + timedelta(days=1)
        saved = store.save(replace(made, state="[1]", artifact="other", expires=later), 1)
        assert store.load(made.id) == saved
        assert (saved.version, saved.state, saved.artifact) == (2, "[1]", "other")
        assert saved.updated >= made.updated
        assert saved.expires == later
        assert (saved.created, saved.arm) == (made.created, "A")

    def test_ids_are_random_and_url_safe_and_never_shown(self, store: Store) -> None:
        """Of 192 bits; neither they nor what users wrote is in a ``repr``."""
        ids = {begin(store).id for _ in range(50)}
        assert len(ids) == 50
        assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", i) for i in ids)  # 192 bits
        session = begin(store)
        assert session.id not in repr(session)
        assert CANARY not in repr(session)
        assert shorten(session.id)[:6] == session.id[:6]
        assert len(shorten(session.id)) == 7
        said = NewEvent("secret-key", "like", "50", CANARY)
        recorded = store.append(session.id, said)
        assert not re.search(f"{CANARY}|secret-key|{session.id}", repr([said, recorded]))

    def test_an_id_may_be_drawn_beforehand_but_only_once(self, store: Store) -> None:
        """And by ``new_session_id`` only."""
        mine = new_session_id()
        assert begin(store, session_id=mine).id == mine
        with pytest.raises(StoreError, match="taken already"):
            begin(store, session_id=mine)
        with pytest.raises(StoreError, match="new_session_id"):
            begin(store, session_id="guessable")

    def test_a_stale_save_is_refused_and_changes_nothing(self, store: Store) -> None:
        """Without repeating what it was to save."""
        first = begin(store)
        store.save(replace(first, state="1"), first.version)
        with pytest.raises(Conflict, match="version 2, expected 1") as caught:
            store.save(replace(first, state=f'"{CANARY}"'), first.version)
        assert not re.search(f"{CANARY}|{first.id}", str(caught.value))
        assert store.load(first.id).state == "1"

    def test_an_expired_session_is_not_found(self) -> None:
        """By no method but ``export``."""
        clock = Clock()
        with self.open(clock=clock) as store:
            session = begin(store, ttl=timedelta(minutes=1))
            clock.now += timedelta(seconds=59)
            assert store.load(session.id) == session
            clock.now += timedelta(seconds=1)
            for use in (
                lambda: store.load(session.id),
                lambda: store.save(session, 1),
                lambda: store.append(session.id, NewEvent("k", "like")),
                lambda: store.expose(session.id, "r", ["1"]),
                lambda: store.events(session.id),
                lambda: store.exposures(session.id),
            ):
                with pytest.raises(SessionNotFound, match="no such session"):
                    use()
            assert store.export(session.id)["session"]["state"] == {"about": CANARY}

    def test_no_session_has_a_malformed_id(self, store: Store) -> None:
        """Whatever is given for one."""
        bads: list[Any] = ["", "x", "a" * 32 + "\n", "\0" * 32, "é" * 32, "\ud800" * 32, None, 7]
        for bad in bads:
            with pytest.raises(SessionNotFound, match="no such session"):
                store.load(bad)
            assert not store.erase(bad)

    def test_a_repeated_key_returns_the_first_event(self, store: Store) -> None:
        """Other feedback under the same key is refused."""
        session = begin(store)
        like = NewEvent("k", "like", "50", "because")
        first = store.append(session.id, like)
        again = store.append(session.id, like)
        assert (first.repeated, again.repeated) == (False, True)
        assert again.event == first.event
        assert store.events(session.id) == [first.event]
        for other in (
            replace(like, kind="dislike"),
            replace(like, item="51"),
            replace(like, item=None),
            replace(like, detail=CANARY),
        ):
            with pytest.raises(KeyReused, match="other feedback") as caught:
                store.append(session.id, other)
            assert CANARY not in str(caught.value)
        assert store.events(session.id) == [first.event]
        assert not store.append(begin(store).id, like).repeated  # keys are a session's own

    def test_feedback_and_the_state_it_leads_to_are_stored_together(self, store: Store) -> None:
        """Or neither is."""
        session = begin(store)
        like = NewEvent("k", "like", "50")
        done = store.append(session.id, like, replace(session, state="1"), 1)
        assert done.session == store.load(session.id)
        assert (done.session.state, done.session.version) == ("1", 2)
        # A stale version, but a repeat.
        again = store.append(session.id, like, replace(session, state="2"), 1)
        assert again.repeated
        assert again.session == done.session
        with pytest.raises(Conflict, match="version 2, expected 1"):
            store.append(session.id, replace(like, key="new"), replace(session, state="2"), 1)
        assert [e.key for e in store.events(session.id)] == ["k"]
        assert store.load(session.id).state == "1"

    def test_a_shown_list_is_recorded_once(self, store: Store) -> None:
        """By its request."""
        session = begin(store, experiment="e", arm="B")
        first = store.expose(session.id, "r", ["50", "181"])
        assert (first.item_ids, first.ranks) == (("50", "181"), (1, 2))
        assert (first.artifact, first.arm) == ("ml-100k", "B")
        assert store.expose(session.id, "r", ["50", "181"]) == first
        with pytest.raises(KeyReused, match="another list"):
            store.expose(session.id, "r", ["181", "50"])
        other = store.expose(session.id, "r2", ["7", "8"], ranks=[3, 9], artifact="fallback")
        empty = store.expose(session.id, "r3", [])
        assert store.exposures(session.id) == [first, other, empty]
        assert (other.ranks, other.artifact) == ((3, 9), "fallback")

    def test_outcomes_count_by_arm(self, store: Store) -> None:
        """Sessions, lists, likes, and sessions with a like."""
        a1, a2, a3 = (begin(store, experiment="e", arm="A") for _ in range(3))
        b = begin(store, experiment="e", arm="B")
        others = [begin(store, experiment="f", arm="A"), begin(store)]
        for n, (session, kind, item) in enumerate(
            [
                (a1, "like", "1"),
                (a1, "like", "2"),
                (a1, "like", "2"),  # liked twice: one like
                (a1, "dislike", "3"),
                (a2, "like", "1"),
                (a3, "like", None),  # of nothing: no like
                (b, "dislike", "1"),
                *((o, "like", "1") for o in others),
            ]
        ):
            store.append(session.id, NewEvent(str(n), kind, item))
        for session, n in ((a1, 3), (a3, 1), (b, 2), (others[0], 5)):
            for request in range(n):
                store.expose(session.id, str(request), ["1"])
        assert store.outcomes("e") == [ArmOutcome("A", 3, 4, 3, 2), ArmOutcome("B", 1, 2, 0, 0)]
        assert store.outcomes("f") == [ArmOutcome("A", 1, 5, 1, 1)]
        assert store.outcomes("nobody's") == []
        store.erase(a1.id)
        assert store.outcomes("e")[0] == ArmOutcome("A", 2, 1, 1, 1)

    def test_the_catalog_log_replays_in_order(self) -> None:
        """From the beginning, or after a number; also when opened again."""
        with self.open() as store:
            changes = [
                store.log_change("add", "n1", '{"title": "New"}'),
                store.log_change("update", "n1", '{"title": "Newer"}'),
                store.log_change("remove", "n1"),
            ]
        with self.open() as store:
            assert store.changes() == changes
            assert store.changes(after=changes[0].seq) == changes[1:]
            assert [c.kind for c in changes] == ["add", "update", "remove"]
            assert store.changes(after=changes[-1].seq) == []

    def test_api_keys_that_are_not_ours_are_refused(self, store: Store) -> None:
        """Altered, mixed, malformed or very long ones."""
        shop, boss = store.create_key("shop"), store.create_key("boss")
        mixed = f"cs_{shop.key.id}_{boss.secret.split('_', 2)[2]}"
        wrong = [
            shop.secret[:-1],
            shop.secret + "x",
            shop.secret.upper(),
            mixed,
            f"cs_{'0' * 16}_x",
        ]
        for bad in (*wrong, "", "cs", "cs_", "cs__", "cs_\0_x", "cs_é_x", "\ud800", "x" * 10**6):
            assert store.check_key(bad) is None

    def test_a_revoked_key_is_refused_from_then_on(self, store: Store) -> None:
        """Revoking twice, or what is unknown, does nothing."""
        shop = store.create_key("shop")
        assert store.revoke_key(shop.key.id)
        assert store.check_key(shop.secret) is None
        assert not store.revoke_key(shop.key.id)
        assert not any(map(store.revoke_key, ("unknown", "", "\0", "0" * 16)))
        assert store.keys()[0].revoked is not None

    def test_purging_deletes_what_expired_long_enough_ago(self) -> None:
        """In batches, with all that belongs to a session."""
        clock = Clock()
        with self.open(clock=clock) as store:
            old = [begin(store, ttl=timedelta(days=1)) for _ in range(5)]
            young = begin(store, ttl=timedelta(days=3))
            for session in (*old, young):
                fill(store, session)
            clock.now += timedelta(days=2)
            assert store.purge(timedelta(days=1, seconds=1)) == Deleted()
            assert store.purge(timedelta(days=1), batch=2) == Deleted(5, 10, 5)
            assert store.load(young.id) == young
            assert len(store.events(young.id)) == 2
            clock.now += timedelta(days=2)
            assert store.purge() == Deleted(1, 2, 1)

    @random_examples(25)
    def test_any_sequence_of_feedback_is_kept_as_a_dictionary_would(
        self, store: Store, rng: Random
    ) -> None:
        """Keys, kinds, items and details of any text; states as well."""

        def text() -> str:
            return "".join(rng.choice("aé红🎬\n'\"\\ %{") for _ in range(rng.randint(0, 20)))

        session = begin(store, json.dumps(text()))
        assert store.load(session.id) == session
        known: dict[str, NewEvent] = {}
        for _ in range(rng.randint(0, 8)):
            kind = rng.choice(["like", "dislike"])
            said = NewEvent(rng.choice("abc"), kind, text() or None, text())
            if known.setdefault(said.key, said) == said:
                store.append(session.id, said)
            else:
                with pytest.raises(KeyReused, match="other feedback"):
                    store.append(session.id, said)
        events = store.events(session.id)
        stored = [NewEvent(e.key, e.kind, e.item, e.detail) for e in events]
        assert stored == list(known.values())

    def test_a_person_gets_all_their_data(self, store: Store) -> None:
        """And nobody else's."""
        session, other = begin(store, experiment="e", arm="A"), begin(store)
        fill(store, session)
        fill(store, other)
        data = json.loads(json.dumps(store.export(session.id)))
        assert data["session"]["state"] == {"about": CANARY}
        assert data["session"]["id"] == session.id
        assert data["session"]["created"] == session.created.isoformat()
        assert [e["detail"] for e in data["events"]] == [CANARY, ""]
        assert [e["item_ids"] for e in data["exposures"]] == [["50", "181"]]
        with pytest.raises(SessionNotFound, match="no such session"):
            store.export(new_session_id())

    def test_erasing_leaves_all_of_others(self, store: Store) -> None:
        """And says how much went."""
        session, other = begin(store), begin(store)
        fill(store, session)
        fill(store, other)
        kept = store.export(other.id)
        assert store.erase(session.id) == Deleted(1, 2, 1)
        assert store.export(other.id) == kept
        assert store.erase(session.id) == Deleted()
        with pytest.raises(SessionNotFound, match="no such session"):
            store.load(session.id)

    def test_api_keys_are_known_by_their_secret(self, store: Store) -> None:
        """Which is in no ``repr``."""
        shop, boss = store.create_key("shop", rate_limit=60), store.create_key("boss", admin=True)
        assert store.check_key(shop.secret) == shop.key
        assert store.check_key(boss.secret) == boss.key
        assert (shop.key.rate_limit, shop.key.admin, boss.key.admin) == (60, False, True)
        assert shop.secret not in repr(shop)
        assert store.keys() == [shop.key, boss.key]
