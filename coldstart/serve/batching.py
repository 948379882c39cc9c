"""Several users at once: the one place where their requests meet the recommender."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.ranking.filters import default_filters
from coldstart.schema import Context, RecommendationList, UserProfile

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.session import OnboardingSession, SessionState, Understood


@dataclass(frozen=True)
class Ask:
    """A list somebody waits for; plain data, so that several can be looked at together.

    Args:
        profile: who asks.
        context: the moment.
        options: keywords of ``Recommender.recommend``.
        said: a sentence of theirs; read as in a session, whose options are fewer.
        visit: makes their session, whose list it is; ``profile`` and ``said`` are not used then.
        explores: whether that session's list has places for exploration, which takes two lists.
    """

    profile: UserProfile
    context: Context
    options: Mapping[str, Any] = field(default_factory=dict)
    said: str | None = None
    visit: Callable[[Recommender], OnboardingSession] | None = None
    explores: bool = False


class Answered(NamedTuple):
    """A list, what a sentence was read as, and the state of the session it was shown to."""

    made: RecommendationList
    understood: Understood | None = None
    state: SessionState | None = None


def answer_together(
    recommender: Recommender, asks: Iterable[Ask]
) -> Iterator[tuple[int, Answered | Exception]]:
    """Answer everyone who waits, their prompts in one pass; one's error is nobody else's.

    On two cores the language model takes 1.06, 1.11, 1.20 and 1.21 times as long for 2, 4, 8 and 16
    users one by one (``python benchmarks/throughput.py --joint --users 16 --rounds 10``).

    Args:
        recommender: asked by nobody else meanwhile.
        asks: of one batch; taking one means that it will be answered. All are taken at once.

    Yields:
        The position of each and what they get, as soon as it is there: those without the language
        model first, those for whom it writes titles last.
    """
    taken = list(enumerate(asks))
    asking = [one for one in taken if _needs_model(recommender, one[1])]
    if len(asking) < 2:
        asking = []
    together = {position for position, _ in asking}
    yield from ((n, _alone(recommender, ask)) for n, ask in taken if n not in together)
    requests: list[RecommendRequest] = []
    begun: list[tuple[int, Ask, OnboardingSession | None]] = []  # what each request is of
    for n, ask in asking:
        try:
            request, session = _request(recommender, ask)
        except Exception as e:
            yield n, e
        else:
            requests.append(request)
            begun.append((n, ask, session))
    for position, made in recommender.pipeline.run(requests):
        n, ask, session = begun[position]
        yield n, made if isinstance(made, Exception) else _answered(ask, made, session)


def _needs_model(recommender: Recommender, ask: Ask) -> bool:
    """Whether the language model is asked, once; where there is none, ``recommend`` says so."""
    if recommender.lm is None or not len(recommender.catalog) or ask.explores:
        return False
    return ask.options.get("strategy") != "prior"


def _alone(recommender: Recommender, ask: Ask) -> Answered | Exception:
    try:
        if ask.said is None and ask.visit is None:
            return Answered(recommender.recommend(ask.profile, ask.context, **ask.options))
        session, context, options = _session(recommender, ask)
        return _answered(ask, session.recommend(context=context, **options), session)
    except Exception as e:
        return e


def _answered(ask: Ask, made: RecommendationList, session: OnboardingSession | None) -> Answered:
    if session is None:
        return Answered(made)
    return Answered(made, session.understood, session.shown(made).state if ask.visit else None)


def _request(
    recommender: Recommender, ask: Ask
) -> tuple[RecommendRequest, OnboardingSession | None]:
    """What ``recommend``, or a session, would ask."""
    if ask.said is not None or ask.visit is not None:
        session, context, options = _session(recommender, ask)
        return RecommendRequest(*session.request(context=context, **options)), session
    options = {**ask.options}
    unknown, filters = options.pop("unknown_picks", "error"), options.pop("filters", None)
    decoding, seed = options.pop("decoding", None), options.pop("seed", 0)
    chosen = tuple(default_filters() if filters is None else filters)
    wanted = RecommendOptions(filters=chosen, **options)
    user = recommender.resolve(ask.profile, ask.context, unknown_picks=unknown)
    return RecommendRequest(user, wanted, decoding, seed), None


def _session(
    recommender: Recommender, ask: Ask
) -> tuple[OnboardingSession, Context, dict[str, Any]]:
    """The session that is asked, or one in which the sentence was said; the moment; the rest."""
    if ask.visit is not None:
        return ask.visit(recommender), ask.context, {**ask.options}
    from coldstart.session import OnboardingSession

    assert ask.said is not None
    options = {**ask.options}
    unknown = options.pop("unknown_picks", "error")
    user = recommender.resolve(ask.profile, ask.context, unknown_picks=unknown)
    session = OnboardingSession(recommender).with_profile(user.profile).say(ask.said)
    return session, user.context, options
