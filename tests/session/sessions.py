"""Onboarding sessions of the toy recommender, at a fixed time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from coldstart.session import Boost, OnboardingSession
from tests.toy import toy_catalog, toy_recommender

NOW = datetime(2026, 5, 1, tzinfo=UTC)
REC, AGAIN = toy_recommender(), toy_recommender()
IDS = list(toy_catalog().ids)


def start(**options) -> OnboardingSession:
    return OnboardingSession(REC, **options)


def ranked(session: OnboardingSession, k: int = 30) -> list[str]:
    return session.recommend(k, strategy="prior", now=NOW).item_ids


def boost(name: str = "summer", items=("i3",), amount=5.0, days=1) -> Boost:
    return Boost(name=name, items=tuple(items), amount=amount, until=NOW + timedelta(days=days))


def ranked_lines(session):
    return session.recommend(30, strategy="prior", now=NOW).items
