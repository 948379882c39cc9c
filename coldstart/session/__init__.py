"""Onboarding: a short quiz, free text and feedback, turned into a profile step by step."""

from coldstart.profile.understanding import Understood
from coldstart.session.onboarding import OnboardingSession
from coldstart.session.quiz import Known, Quiz
from coldstart.session.registry import DEFAULT_QUIZ, QUIZZES
from coldstart.session.state import Boost, Choice, Question, SessionState

__all__ = [
    "DEFAULT_QUIZ",
    "QUIZZES",
    "Boost",
    "Choice",
    "Known",
    "OnboardingSession",
    "Question",
    "Quiz",
    "SessionState",
    "Understood",
]
