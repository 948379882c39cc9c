"""Interactive onboarding: preference elicitation by a short quiz, free text and feedback."""

from coldstart.schema import Understood
from coldstart.session.onboarding import OnboardingSession
from coldstart.session.quiz import Quiz, QuizState
from coldstart.session.registry import DEFAULT_QUIZ, QUIZZES
from coldstart.session.state import Boost, Choice, Question, SessionState

__all__ = [
    "DEFAULT_QUIZ",
    "QUIZZES",
    "Boost",
    "Choice",
    "OnboardingSession",
    "Question",
    "Quiz",
    "QuizState",
    "SessionState",
    "Understood",
]
