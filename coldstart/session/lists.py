"""Lists of a session: the profile so far, its boosts and snoozes, exploration, rows."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ConfigError
from coldstart.pipeline.recommends_rows import chosen_rows
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.protocols import Filter
from coldstart.ranking.filters import default_filters
from coldstart.ranking.request_blend import EVEN
from coldstart.runtime.hardware import one_blas_thread
from coldstart.schema import (
    MAX_K,
    Context,
    RecommendationList,
    RecommendationRows,
    RowName,
    Strategy,
    Understood,
    UserProfile,
)
from coldstart.scoring.cached_scorer import cached
from coldstart.session.adjustments import SnoozeFilter, session_adjustments
from coldstart.session.exploration import PLAUSIBLE, explore, fulfilling
from coldstart.session.history import History, read_history
from coldstart.session.quiz import Quiz, QuizState
from coldstart.session.state import SessionState, TextGiven
from coldstart.understanding.merging import merged

if TYPE_CHECKING:
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.recommender import Recommender


class SessionLists(ABC):
    """Part of a session that recommends."""

    _recommender: Recommender
    _state: SessionState
    _quiz: Quiz
    _exploration: float

    @property
    @abstractmethod
    def _history(self) -> History: ...

    @property
    @abstractmethod
    def profile(self) -> UserProfile:
        """The user profile so far."""

    @property
    @abstractmethod
    def understood_so_far(self) -> Understood:
        """All that was read in the given profile and the texts."""

    @abstractmethod
    def _quiz_state(self) -> QuizState: ...

    def recommend(
        self,
        k: int = 10,
        context: Context | Mapping[str, Any] | None = None,
        filters: Iterable[Filter] | None = None,
        strategy: Strategy = "catalog",
        diversity: float = 0.0,
        *,
        words: float = EVEN,
        near_duplicates: bool = False,
        strict: bool = True,
        now: datetime | None = None,
    ) -> RecommendationList:
        """Recommend items for the profile so far; see ``Recommender.recommend``.

        Does not record exposure: pass the list that was really shown to ``shown``.

        Args:
            k: number of items.
            context: of the request.
            filters: besides those of the session; ``None`` for ``default_filters()``.
            strategy: as for ``Recommender.recommend``.
            diversity: likewise.
            words: likewise.
            near_duplicates: likewise.
            strict: likewise.
            now: time, with a time zone, at which boosts are active; ``None`` for the clock.

        Raises:
            ConfigError: an option out of range, or a time without a time zone.
        """
        user, options = self.request(
            k,
            context,
            filters,
            strategy,
            diversity,
            words=words,
            near_duplicates=near_duplicates,
            strict=strict,
            now=now,
        )
        pipeline = self._recommender.pipeline
        if not self._exploration:
            return pipeline.one(RecommendRequest(user, options))
        # The language model is evaluated once for both lists.
        scorers = self._recommender.scorers.replaced(cached)
        wider = replace(options, k=min(PLAUSIBLE * k, MAX_K), diversity=0.0)
        wide = pipeline.one(RecommendRequest(user, wider), scorers)
        best = pipeline.one(RecommendRequest(user, options), scorers)
        places = math.floor(self._exploration * len(best) + 0.5)
        if not places:
            return best
        with one_blas_thread():
            values = self._quiz.value(self._quiz_state())
        return explore(
            best,
            fulfilling(wide, best, user, self._item_store) if strict else wide,
            values,
            self._item_store,
            places=places,
            shown=self._history.shown,
            near_duplicates=near_duplicates,
        )

    def request(
        self,
        k: int = 10,
        context: Context | Mapping[str, Any] | None = None,
        filters: Iterable[Filter] | None = None,
        strategy: Strategy = "catalog",
        diversity: float = 0.0,
        *,
        words: float = EVEN,
        near_duplicates: bool = False,
        strict: bool = True,
        now: datetime | None = None,
    ) -> tuple[ResolvedProfile, RecommendOptions]:
        """Build the request of ``recommend``: the resolved profile and the list options.

        Exploration is not part of it. Arguments and errors as for ``recommend``.
        """
        if now is not None and now.utcoffset() is None:
            raise ConfigError(f"now is {now}, without a time zone", hint="datetime.now(UTC)")
        chosen = default_filters() if filters is None else filters
        options = RecommendOptions(
            k,
            strategy,
            (*chosen, SnoozeFilter(self._history)),
            diversity,
            words=words,
            near_duplicates=near_duplicates,
            strict=strict,
            adjustments=session_adjustments(
                self._history, self._item_store, now or datetime.now(UTC)
            ),
        )
        moment = Context.parse(context or {})
        now_read = self._recommender.pipeline.understand.understand(UserProfile(), moment)
        understood = merged([self.understood_so_far, now_read])
        # Without words, what texts named as liked or chosen counts no more than the texts.
        profile = self.profile if words > 0 else self._taste
        user = self._recommender.resolve(profile, moment, understood=understood)
        return replace(user, reading_given=False), options  # the texts were read, only earlier

    def rows(
        self,
        k: int = 10,
        context: Context | Mapping[str, Any] | None = None,
        filters: Iterable[Filter] | None = None,
        strategy: Strategy = "catalog",
        diversity: float = 0.0,
        *,
        rows: Sequence[RowName] | None = None,
        words: float = EVEN,
        near_duplicates: bool = False,
        strict: bool = True,
        now: datetime | None = None,
    ) -> RecommendationRows:
        """Recommend in rows for the profile so far; see ``Recommender.rows``.

        Exploration has no places in them: ``different`` is there to explore.

        Args:
            k: number of items per row.
            context: as for ``recommend``.
            filters: likewise.
            strategy: likewise.
            diversity: likewise, within ``asked``.
            rows: which ones; ``None``: all.
            words: as for ``Recommender.rows``.
            near_duplicates: likewise.
            strict: likewise.
            now: as for ``recommend``.

        Raises:
            ConfigError: an option out of range, an unknown row, or a time without a time zone.
        """
        user, options = self.request(
            k,
            context,
            filters,
            strategy,
            diversity,
            words=words,
            near_duplicates=near_duplicates,
            strict=strict,
            now=now,
        )
        request = RecommendRequest(user, options)
        return self._recommender.pipeline.rows(request, *chosen_rows(rows))

    # -- internals -------------------------------------------------------------------------------

    @property
    def _item_store(self) -> ItemStore:
        item_store = self._recommender.item_store
        item_store.sync()
        return item_store

    @property
    def _taste(self) -> UserProfile:
        """The profile so far without what texts named as liked, disliked or chosen."""
        events = tuple(e for e in self._state.events if not isinstance(e, TextGiven))
        read = self._recommender.pipeline.understand.read
        return read_history(SessionState(events=events), read).profile
