"""``POST /v1/recommend`` and ``/v1/rows``: stateless recommendation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from coldstart.schema import Context, Item, RecommendationRows
from coldstart.serve import costs
from coldstart.serve.admission import charge
from coldstart.serve.batching import QueuedRequest
from coldstart.serve.cards import ShownItems
from coldstart.serve.growth import NO_TEST
from coldstart.serve.requests import RecommendIn, RecommendRowsIn, to_profile
from coldstart.serve.responses import SubjectAnswer, SubjectRows
from coldstart.serve.routes.common import KEYS, Accepted, Served, check_k, errors

if TYPE_CHECKING:
    from coldstart.recommender import Recommender
    from coldstart.serve.service import Service

router = APIRouter(tags=["recommend"], dependencies=KEYS)


@router.post("/v1/recommend", responses=errors(), response_model_exclude_none=True)
async def recommend(body: RecommendIn, service: Served, accepted: Accepted) -> SubjectAnswer:
    """Recommend items for a profile, a free text, or both.

    Requests with a ``subject`` take part in the A/B test, if there is one. With a test, or with an
    artifact that learns from likes, the exposure is recorded, and outcomes go to
    ``POST /v1/outcomes``.
    """
    check_k(service, body.k)
    charge(costs.of_list(body.strategy))
    context = Context.model_validate(body.context.model_dump())
    request = QueuedRequest(to_profile(body.profile, body.input), context, _options(body))
    arm = _arm(body, service)
    result = await service.worker.recommend(request, arm)
    found = result.recommendations
    out = SubjectAnswer.of(
        found,
        ShownItems(result.items, service.pictures),
        explain=body.explain,
        language=body.language or accepted,
    )
    return out.model_copy(update=await _exposed(body, service, arm, found.item_ids))


@router.post("/v1/rows", responses=errors(), response_model_exclude_none=True)
async def rows(body: RecommendRowsIn, service: Served, accepted: Accepted) -> SubjectRows:
    """Recommend in several short lists, each with a rule of its own; otherwise as /v1/recommend."""
    check_k(service, body.k)
    charge(costs.of_list(body.strategy))
    profile = to_profile(body.profile, body.input)
    context = Context.model_validate(body.context.model_dump())

    def make(rec: Recommender) -> tuple[RecommendationRows, dict[str, Item]]:
        found = rec.rows(profile, context, rows=body.rows, **_options(body))
        return found, {item_id: rec.catalog[item_id] for item_id in found.item_ids}

    arm = _arm(body, service)
    found, items = await service.worker.call(make, arm, cost=costs.of_list(body.strategy))
    shown, language = ShownItems(items, service.pictures), body.language or accepted
    out = SubjectRows.of(found, shown, explain=body.explain, language=language)
    return out.model_copy(update=await _exposed(body, service, arm, found.item_ids))


def _options(body: RecommendIn) -> dict[str, Any]:
    return {
        "k": body.k,
        "strategy": body.strategy,
        "filters": body.filters.build(),
        "diversity": body.diversity,
        "words": body.words,
        "near_duplicates": body.near_duplicates,
        "unknown_picks": body.unknown_picks,
        "popularity_penalty": body.popularity_penalty,
        "seed": body.seed,
        "strict": body.strict,
        "understood": body.understood,
    }


def _arm(body: RecommendIn, service: Service) -> str:
    """The arm of the request's subject, or the default one."""
    test = service.experiment
    return test.arm_of(body.subject) if test and body.subject else service.arm


async def _exposed(
    body: RecommendIn, service: Service, arm: str, item_ids: list[str]
) -> dict[str, str | None]:
    """Record what a subject was shown, where outcomes count; return what is said of it."""
    test, subject = service.experiment, body.subject
    if not subject or not (test or service.likes.growing):
        return {}
    exposure_id = await run_in_threadpool(
        service.store.show,
        subject,
        item_ids,
        experiment=test.name if test else NO_TEST,
        arm=arm or NO_TEST,
        artifact=service.artifact_of(arm),
    )
    return {"arm": arm or None, "exposure_id": exposure_id}
