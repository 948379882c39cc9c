"""Onboarding questionnaire: the initial form, and several elicitation questions at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coldstart.schema import MAX_K
from coldstart.serve.cards import card_of
from coldstart.serve.catalog_terms import catalog_terms
from coldstart.serve.responses import FormOut, QuestionOut
from coldstart.session.choice_questions import categories_question
from coldstart.session.quiz import UNKNOWN
from coldstart.session.state import Question, QuestionAsked, SessionState

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.pictures import Pictures
    from coldstart.session import OnboardingSession


def onboarding_form(recommender: Recommender, language: str = "en", most: int = MAX_K) -> FormOut:
    """Profile fields, their known values and the categories of a recommender, in a fixed order.

    Args:
        recommender: of the service.
        language: code of the language of the examples.
        most: number of items that the service gives at once.
    """
    fields: dict[str, list[str]] = {}
    for group in sorted(recommender.counts.group_sizes):
        name, _, value = group.partition("=")
        fields.setdefault(name, []).append(value)
    found = categories_question(recommender.item_store)
    return FormOut(
        fields=fields,
        categories=[c.value for c in found.choices] if found else [],
        strategy="prior" if recommender.lm is None else "catalog",
        catalog=catalog_terms(recommender, language),
        most=most,
    )


def open_questions(session: OnboardingSession, n: int) -> tuple[list[Question], list[Question]]:
    """Up to ``n`` unanswered questions: open ones first, then new ones.

    Each new question is selected as if the previous ones had been answered "unknown", so that the
    set covers more than the best question and its near neighbours.

    Args:
        session: session; not modified.
        n: number of questions, at least 1.

    Returns:
        (open questions, new questions).
    """
    waiting = session.open_questions(n)
    for question in waiting:
        session = _unknown(session, question)
    new: list[Question] = []
    while len(waiting) + len(new) < n and (following := session.next_question()) is not None:
        new.append(following)
        session = _unknown(session, following)
    return waiting, new


def ask_questions(session: OnboardingSession, n: int) -> tuple[SessionState, list[Question]]:
    """Session state with up to ``n`` open questions, and these questions."""
    waiting, new = open_questions(session, n)
    return session.state.and_then(*(QuestionAsked(question=q) for q in new)), [*waiting, *new]


def question_response(
    questions: list[Question], recommender: Recommender, pictures: Pictures
) -> QuestionOut:
    """Response with the questions and their items; items removed from the catalog are omitted."""
    catalog = recommender.catalog
    ids = dict.fromkeys(i for q in questions for i in q.items if i in catalog)
    return QuestionOut(
        question=questions[0] if questions else None,
        questions=questions,
        items=[card_of(catalog[i], pictures) for i in ids],
    )


def _unknown(session: OnboardingSession, question: Question) -> OnboardingSession:
    return session.answer(question.question_id, [] if question.kind == "categories" else UNKNOWN)
