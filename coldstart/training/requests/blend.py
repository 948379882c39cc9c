"""Fit the blend of requests in words by maximum likelihood of what was chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from coldstart.metrics.ranking_metrics import ndcg
from coldstart.ranking.conditional_logit import ChoiceCase, ConditionalLogit
from coldstart.ranking.request_blend import RequestBlend, in_words, specificity, without_words
from coldstart.schema import Pick, Strategy, UserProfile
from coldstart.scoring.registry import SIGNALS

if TYPE_CHECKING:
    from coldstart.data.requests.recorded import RecordedRequest
    from coldstart.recommender import Recommender

Floats = NDArray[np.float64]
TASTE = "taste"
_ABOUT = 20_000  # characters that a profile takes


def profile_of(request: RecordedRequest) -> UserProfile:
    """The profile that a recorded request stands for.

    Mentioned items become liked picks, beside those of its profile, whatever was said of them: in
    ReDial, opinions on them come from a questionnaire after the dialogue, which a recommender does
    not see.
    """
    picks = {pick.item: pick for pick in request.profile.liked}
    picks |= {m.item_id: Pick(item=m.item_id, by="id") for m in request.mentioned}
    return request.profile.model_copy(
        update={"about": request.text[-_ABOUT:] or None, "liked": tuple(picks.values())}
    )


def request_signals() -> tuple[str, ...]:
    """Signals that come from the text of a request and have fitted weights, in column order."""
    return tuple(
        s.name for s in SIGNALS if s.of_words and not s.fixed and s.name != "request_words"
    )


def request_cases(
    recommender: Recommender,
    requests: Sequence[RecordedRequest],
    strategy: Strategy = "prior",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[ChoiceCase]:
    """Features of the blend and the chosen items of each request that has a new target.

    Args:
        recommender: its scorers must not have learned from these requests.
        requests: with items of its catalog.
        strategy: whose scorers take part.
        report: progress (done, total).

    Returns:
        Cases with one column per signal of ``blend_names``, twice: itself, and times specificity.
    """
    recommender.pipeline.sync()
    out = []
    for done, request in enumerate(requests, start=1):
        case = _case(recommender, request, strategy) if request.text.strip() else None
        out += [] if case is None else [case]
        report(done, len(requests))
    return out


def _case(
    recommender: Recommender, request: RecordedRequest, strategy: Strategy
) -> ChoiceCase | None:
    """``None`` without new targets, or where nothing in the text can be used."""
    rows = recommender.item_store.rows
    targets = [rows[i] for i in request.targets if i in rows]
    if not targets:
        return None
    user = recommender.resolve(profile_of(request))
    features = recommender.features(user, recommender.pipeline.model_scores(user, strategy))
    if not in_words(features):
        return None
    weights = recommender.ranker.weights(strategy, len(user.liked))
    taste = recommender.ranker.scores(without_words(features), weights)
    columns = [SIGNALS.index(name) for name in request_signals()]
    own = np.column_stack([features[:, columns], taste])
    both = np.column_stack([own, own * specificity(features)]).astype(np.float32)
    excluded = {rows[m.item_id] for m in request.mentioned if m.item_id in rows}
    hidden = np.array(sorted(excluded - set(targets)), dtype=np.int64)
    return ChoiceCase(both, np.array(targets, dtype=np.int64), hidden)


def blend_names() -> tuple[str, ...]:
    """Names of the columns of ``request_cases``."""
    once = (*request_signals(), TASTE)
    return (*once, *(f"{name}·s" for name in once))


def fit_request_blend(
    cases: Sequence[ChoiceCase], l2: float = 1e-3, around: RequestBlend | None = None
) -> RequestBlend:
    """Fit weights and slopes.

    Args:
        cases: as ``request_cases`` makes them.
        l2: see ``ConditionalLogit.fit``.
        around: a blend that holds without evidence to the contrary; its weights of other signals
            than ``request_signals`` are kept.
    """
    names = blend_names()
    before = around or RequestBlend({}, (0.0, 0.0))
    fitted = ConditionalLogit.fit(cases, names=names, l2=l2, center=_columns_of(before))
    by_name = dict(zip(names, fitted.weights.tolist(), strict=True))
    pairs = {name: (by_name[name], by_name[f"{name}·s"]) for name in (*request_signals(), TASTE)}
    taste = pairs.pop(TASTE)
    return RequestBlend({**before.weights, **{n: w for n, w in pairs.items() if any(w)}}, taste)


def blend_ndcg(cases: Sequence[ChoiceCase], blend: RequestBlend) -> float:
    """Mean NDCG@10 of a blend, in [0, 1]; a little too high on the cases that it was fitted on."""
    weights = np.array(_columns_of(blend))
    return _mean_ndcg(cases, lambda case: case.features.astype(np.float64) @ weights)


def popularity_ndcg(cases: Sequence[ChoiceCase], popularity: Floats) -> float:
    """Mean NDCG@10 of the most liked items, in [0, 1].

    Args:
        cases: see ``request_cases``.
        popularity: of every item, shape (N,).
    """
    return _mean_ndcg(cases, lambda case: popularity.astype(np.float64))


def _columns_of(blend: RequestBlend) -> list[float]:
    """Weights of a blend, in the order of ``blend_names``."""
    held = {**blend.weights, TASTE: blend.taste}
    return [held.get(n.removesuffix("·s"), (0.0, 0.0))[n.endswith("·s")] for n in blend_names()]


def _mean_ndcg(cases: Sequence[ChoiceCase], scores_of: Callable[[ChoiceCase], Floats]) -> float:
    found = []
    for case in cases:
        scores = scores_of(case).copy()
        scores[case.excluded] = -np.inf
        top = np.argsort(-scores, kind="stable")[:10]
        found.append(ndcg([str(n) for n in top], {str(n) for n in case.targets}, 10))
    return float(np.mean(found))
