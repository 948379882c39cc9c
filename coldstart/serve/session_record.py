"""A session as the store keeps it: its state, with the options that it was begun with."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coldstart.session import OnboardingSession, SessionState

if TYPE_CHECKING:
    from coldstart.recommender import Recommender


@dataclass(frozen=True)
class SessionRecord:
    """Session state as serialized in the store.

    Args:
        quiz: name of the quiz.
        exploration: share of list positions used for exploration, 0 to 1.
        state: events of the session.
    """

    quiz: str
    exploration: float
    state: SessionState

    @classmethod
    def from_json(cls, text: str) -> SessionRecord:
        """Parse the output of ``to_json``."""
        raw = json.loads(text)
        state = SessionState.model_validate(raw["state"])
        return cls(raw["quiz"], raw["exploration"], state)

    @staticmethod
    def part_of(text: str, kinds: Collection[str]) -> SessionState:
        """State with the events of some kinds only, without parsing the others.

        Args:
            text: output of ``to_json``.
            kinds: of events that stand for themselves, such as ``profile`` and ``said``.
        """
        raw = json.loads(text)["state"]
        some = [event for event in raw["events"] if event["kind"] in kinds]
        return SessionState.model_validate(raw | {"events": some})

    def to_json(self) -> str:
        """Serialize as JSON."""
        state = json.loads(self.state.model_dump_json())
        return json.dumps({"quiz": self.quiz, "exploration": self.exploration, "state": state})

    def open(self, recommender: Recommender) -> OnboardingSession:
        """Onboarding session with this state."""
        return OnboardingSession(
            recommender, self.state, quiz=self.quiz, exploration=self.exploration
        )
