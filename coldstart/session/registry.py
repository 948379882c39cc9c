"""Registry of quizzes by name."""

from __future__ import annotations

from coldstart.errors import ConfigError
from coldstart.session.choice_questions import CategoriesFirst, Pairs
from coldstart.session.clusters import ClusterDiverse
from coldstart.session.evidence_candidates import EvidenceCandidates
from coldstart.session.information_gain import InformationGain
from coldstart.session.popularity import PopularityEntropy, Random
from coldstart.session.quiz import Quiz
from coldstart.session.thompson import Thompson

DEFAULT_QUIZ = "pairs"
"""Best after three questions for validation users of MovieLens-100K (``benchmarks/quiz.py``)."""

_ALL: tuple[Quiz, ...] = (
    InformationGain(),
    PopularityEntropy(),
    ClusterDiverse(),
    EvidenceCandidates(),
    Thompson(),
    CategoriesFirst(),
    Pairs(),
    Random(),
)
QUIZZES: dict[str, Quiz] = {quiz.name: quiz for quiz in _ALL}


def find_quiz(quiz: str | Quiz) -> Quiz:
    """Look up a quiz by name; a ``Quiz`` object is returned as it is.

    Raises:
        ConfigError: no such name.
    """
    if not isinstance(quiz, str):
        return quiz
    if quiz not in QUIZZES:
        raise ConfigError(f"no quiz {quiz!r}", hint=f"one of {', '.join(QUIZZES)}")
    return QUIZZES[quiz]
