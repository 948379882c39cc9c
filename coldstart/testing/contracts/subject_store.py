"""Contract of the part of the service's store that counts outcomes of single requests."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from coldstart.serve.store import (
    Deleted,
    ExposureNotFound,
    KeyReused,
    SessionNotFound,
    Store,
    StoreError,
    SubjectOutcome,
)
from coldstart.testing.contracts.store_world import Clock, begin, show


class SubjectStoreContract(ABC):
    """Lists shown to subjects, and what came of them; a part of ``StoreContract``."""

    @abstractmethod
    def open(self, **options: Any) -> Store:
        """The store of this test, empty at first; opened again, the same one.

        Args:
            options: of ``Store.open``, such as ``clock``.
        """

    @pytest.fixture
    def store(self) -> Iterator[Store]:
        """The store of this test, opened."""
        with self.open() as store:
            yield store

    def test_an_outcome_is_recorded_once(self, store: Store) -> None:
        """By its key, of an item that was shown."""
        shown, other = show(store, "s"), show(store, "s")
        assert re.fullmatch("[0-9a-f]{32}", shown)
        assert shown != other
        assert not store.record(shown, "k", "like", "50")
        assert store.record(shown, "k", "like", "50")
        for kind, item in (("click", "50"), ("like", "181")):
            with pytest.raises(KeyReused, match="another outcome"):
                store.record(shown, "k", kind, item)
        assert not store.record(other, "k", "like", "50")  # keys are an exposure's own
        with pytest.raises(StoreError, match="not in the list"):
            store.record(shown, "k2", "like", "7")
        for unknown in ("0" * 32, "x", shown.upper() + "0"):
            with pytest.raises(ExposureNotFound, match="no such exposure"):
                store.record(unknown, "k", "like", "50")
        outcomes = [len(told["outcomes"]) for told in store.export_subject("s")]
        assert outcomes == [1, 1]

    def test_outcomes_of_subjects_count_people_not_requests(self, store: Store) -> None:
        """A subject stays in the arm where it began."""
        shown = {
            name: [show(store, name, arm=arm) for _ in range(n)]
            for name, arm, n in (("a1", "A", 5), ("a2", "A", 1), ("a3", "A", 1), ("b", "B", 2))
        }
        for n, (exposure, kind, item) in enumerate(
            [
                *((e, "like", "50") for e in shown["a1"]),  # the same again and again: one
                (shown["a1"][0], "like", "181"),
                (shown["a2"][0], "click", "50"),
                (shown["b"][1], "like", "50"),
                (show(store, "a3", experiment="other"), "like", "50"),
            ]
        ):
            store.record(exposure, str(n), kind, item)
        assert store.subject_outcomes("e") == [
            SubjectOutcome("A", 3, 7, 2, 1),
            SubjectOutcome("B", 1, 2, 1, 1),
        ]
        assert store.subject_outcomes("e", "click")[0] == SubjectOutcome("A", 3, 7, 1, 1)
        assert store.subject_outcomes("nobody's") == []
        show(store, "b", arm="A")  # somebody changed the weights: b stays where it began
        assert store.subject_outcomes("e")[1] == SubjectOutcome("B", 1, 3, 1, 1)
        assert store.outcomes("e") == []  # sessions are another thing

    def test_lists_of_subjects_are_kept_as_long_as_sessions_and_no_longer(self) -> None:
        """Then they are purged with their outcomes."""
        clock = Clock()
        with self.open(clock=clock) as store:
            old = [show(store, f"s{n}", ttl=timedelta(days=1)) for n in range(5)]
            young = show(store, "s0", ttl=timedelta(days=3))
            session = begin(store, ttl=timedelta(days=1))
            for exposure in (*old, young):
                store.record(exposure, "k", "like", "50")
            clock.now += timedelta(days=1)
            with pytest.raises(ExposureNotFound, match="expired"):
                store.record(old[0], "k2", "like", "50")
            assert not store.record(young, "k2", "like", "50")
            clock.now += timedelta(days=1)
            assert store.purge(timedelta(days=1), batch=2) == Deleted(
                sessions=1, lists=5, outcomes=5
            )
            with pytest.raises(SessionNotFound, match="no such session"):
                store.load(session.id)
            assert store.subject_outcomes("e") == [SubjectOutcome("A", 1, 1, 1, 1)]
            clock.now += timedelta(days=30)
            assert store.purge() == Deleted(lists=1, outcomes=2)
            assert all(store.export_subject(f"s{n}") == [] for n in range(5))

    def test_the_same_outcome_from_many_threads_counts_once(self, store: Store) -> None:
        """One of them is first."""
        shown = show(store, "s")
        with ThreadPoolExecutor(8) as pool:
            known = list(pool.map(lambda _: store.record(shown, "k", "like", "50"), range(24)))
        assert known.count(False) == 1
        assert len(store.export_subject("s")[0]["outcomes"]) == 1

    def test_a_subject_gets_and_erases_its_data_and_nobody_elses(self, store: Store) -> None:
        """Lists with their outcomes."""
        shown, other = show(store, "s"), show(store, "t")
        session = begin(store)
        for exposure in (shown, other):
            store.record(exposure, "k", "like", "50")
        [told] = json.loads(json.dumps(store.export_subject("s")))
        assert (told["exposure_id"], told["item_ids"], told["arm"]) == (shown, ["50", "181"], "A")
        assert [(o["kind"], o["item"]) for o in told["outcomes"]] == [("like", "50")]
        kept = store.export_subject("t")
        assert store.erase_subject("s") == Deleted(lists=1, outcomes=1)
        assert not store.erase_subject("s")
        assert store.export_subject("s") == []
        assert store.export_subject("t") == kept
        assert store.load(session.id) == session
        with pytest.raises(ExposureNotFound, match="no such exposure"):
            store.record(shown, "k", "like", "50")
        assert store.subject_outcomes("e") == [SubjectOutcome("A", 1, 1, 1, 1)]
