"""``POST /v1/recommend``: a list for somebody, without a session."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from coldstart.schema import Context
from coldstart.serve.batching import Ask
from coldstart.serve.errors import invalid
from coldstart.serve.models import RecommendIn, SubjectAnswer, plain
from coldstart.serve.routes.common import KEYS, Served, check_k, errors

router = APIRouter(tags=["recommend"], dependencies=KEYS)
_NOT_WITH_INPUT = ("popularity_penalty", "seed")


@router.post("/v1/recommend", responses=errors(), response_model_exclude_none=True)
async def recommend(asked: RecommendIn, service: Served) -> SubjectAnswer:
    """Recommend items to one person: a profile, a sentence, or both.

    With a ``subject`` it takes part in the A/B test, if there is one: the list is on record, and
    what comes of it goes to ``POST /v1/outcomes``.
    """
    check_k(service, asked.k)
    options: dict[str, Any] = {
        "k": asked.k,
        "strategy": asked.strategy,
        "filters": asked.filters.build(),
        "diversity": asked.diversity,
        "near_duplicates": asked.near_duplicates,
        "unknown_picks": asked.unknown_picks,
    }
    extra = {name: getattr(asked, name) for name in _NOT_WITH_INPUT}
    if asked.input is None:
        options |= extra
    elif any(extra.values()):
        raise invalid(f"{' and '.join(_NOT_WITH_INPUT)} do not go with input", "leave them out")
    context = Context.model_validate(asked.context.model_dump())
    ask = Ask(plain(asked.profile), context, options, asked.input)
    test, subject = service.experiment, asked.subject
    arm = test.arm_of(subject) if test and subject else service.arm
    answered = await service.worker.ask(ask, arm)
    made = answered.made
    out = SubjectAnswer.of(made, explain=asked.explain, understood=answered.understood)
    if not (test and subject):
        return out
    shown = await run_in_threadpool(
        service.store.show,
        subject,
        made.item_ids,
        experiment=test.name,
        arm=arm,
        artifact=service.artifact_of(arm),
    )
    return out.model_copy(update={"arm": arm, "exposure_id": shown})
