"""Several users at once: the one place where their requests meet the recommender."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.schema import Context, RecommendationList, UserProfile

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.session import Understood


@dataclass(frozen=True)
class Ask:
    """A list somebody waits for; plain data, so that several can be looked at together.

    Args:
        profile: who asks.
        context: the moment.
        options: keywords of ``Recommender.recommend``.
        said: a sentence of theirs; read as in a session, whose options are fewer.
    """

    profile: UserProfile
    context: Context
    options: Mapping[str, Any] = field(default_factory=dict)
    said: str | None = None


class Answered(NamedTuple):
    """A list, and what the sentence was read as if there was one."""

    made: RecommendationList
    understood: Understood | None = None


def answer_together(
    recommender: Recommender, asks: Iterable[Ask]
) -> Iterator[Answered | Exception]:
    """Answer everyone who waits; one's error is nobody else's.

    The language model reads one prompt at a time today, so this takes user by user, and each gets
    their list as soon as it is made. A forward pass over several prompts belongs here and nowhere
    else: it would take all ``asks`` first.

    Args:
        recommender: asked by nobody else meanwhile.
        asks: of one batch; taking one means that it will be answered.

    Yields:
        What each gets, in their order.
    """
    for ask in asks:
        try:
            answered: Answered | Exception = _answer(recommender, ask)
        except Exception as e:
            answered = e
        yield answered


def _answer(recommender: Recommender, ask: Ask) -> Answered:
    if ask.said is None:
        return Answered(recommender.recommend(ask.profile, ask.context, **ask.options))
    from coldstart.session import OnboardingSession

    options = dict(ask.options)
    unknown = options.pop("unknown_picks", "error")
    user = recommender.resolve(ask.profile, ask.context, unknown_picks=unknown)
    session = OnboardingSession(recommender).with_profile(user.profile).say(ask.said)
    return Answered(session.recommend(context=user.context, **options), session.understood)
