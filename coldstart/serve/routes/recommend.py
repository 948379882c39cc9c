"""``POST /v1/recommend``: stateless recommendation."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from coldstart.schema import Context
from coldstart.serve import costs
from coldstart.serve.admission import charge
from coldstart.serve.batching import QueuedRequest
from coldstart.serve.cards import ShownItems
from coldstart.serve.growth import NO_TEST
from coldstart.serve.requests import RecommendIn, to_profile
from coldstart.serve.responses import SubjectAnswer
from coldstart.serve.routes.common import KEYS, Accepted, Served, check_k, errors

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
    options: dict[str, Any] = {
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
    context = Context.model_validate(body.context.model_dump())
    request = QueuedRequest(to_profile(body.profile, body.input), context, options)
    test, subject = service.experiment, body.subject
    arm = test.arm_of(subject) if test and subject else service.arm
    result = await service.worker.recommend(request, arm)
    found = result.recommendations
    out = SubjectAnswer.of(
        found,
        ShownItems(result.items, service.pictures),
        explain=body.explain,
        language=body.language or accepted,
    )
    if not subject or not (test or service.likes.growing):
        return out
    exposure_id = await run_in_threadpool(
        service.store.show,
        subject,
        found.item_ids,
        experiment=test.name if test else NO_TEST,
        arm=arm or NO_TEST,
        artifact=service.artifact_of(arm),
    )
    return out.model_copy(update={"arm": arm or None, "exposure_id": exposure_id})
