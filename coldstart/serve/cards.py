"""What a page shows of the recommender: the form to begin with, and several questions at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coldstart.profile.understanding import Understood
from coldstart.serve.models import Card, FormOut, QuestionOut
from coldstart.session.choice_questions import categories_question
from coldstart.session.history import read_history
from coldstart.session.quiz import UNKNOWN
from coldstart.session.state import Question, QuestionAsked, SessionState

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.session import OnboardingSession


def form(recommender: Recommender) -> FormOut:
    """The fields, values and categories that a recommender knows, each in a fixed order."""
    fields: dict[str, list[str]] = {}
    for group in sorted(recommender.counts.group_sizes):
        name, _, value = group.partition("=")
        fields.setdefault(name, []).append(value)
    found = categories_question(recommender.item_store)
    return FormOut(
        fields=fields,
        categories=[c.value for c in found.choices] if found else [],
        strategy="prior" if recommender.lm is None else "catalog",
    )


def open_questions(session: OnboardingSession, n: int) -> tuple[list[Question], list[Question]]:
    """The questions put and not answered, at most ``n``, and as many more as are missing.

    Each further one is chosen as if nobody knew what the ones before are about, so that together
    they cover more than the best one and its neighbours.

    Args:
        session: stays as it is.
        n: how many are wanted.
    """
    history = read_history(session.state, lambda text: Understood(text=text))
    waiting = [q for i, q in history.questions.items() if i not in history.answers][:n]
    for question in waiting:
        session = _unknown(session, question)
    new: list[Question] = []
    while len(waiting) + len(new) < n and (following := session.next_question()) is not None:
        new.append(following)
        session = _unknown(session, following)
    return waiting, new


def put(session: OnboardingSession, n: int) -> tuple[SessionState, list[Question]]:
    """The state with ``n`` questions open, or as many as there are, and these questions."""
    waiting, new = open_questions(session, n)
    return session.state.and_then(*(QuestionAsked(question=q) for q in new)), [*waiting, *new]


def shown(questions: list[Question], recommender: Recommender) -> QuestionOut:
    """The questions with their items, less those that the catalog lacks by now."""
    catalog = recommender.catalog
    ids = dict.fromkeys(i for q in questions for i in q.items if i in catalog)
    return QuestionOut(
        question=questions[0] if questions else None,
        questions=questions,
        items=[
            Card(item_id=i, title=x.title, year=x.year, categories=list(x.categories))
            for i, x in ((i, catalog[i]) for i in ids)
        ],
    )


def _unknown(session: OnboardingSession, question: Question) -> OnboardingSession:
    return session.answer(question.question_id, [] if question.kind == "categories" else UNKNOWN)
