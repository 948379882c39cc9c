"""``POST /v1/recommend``: a list for somebody, without a session."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from coldstart.schema import Context
from coldstart.serve.batching import Ask
from coldstart.serve.errors import invalid
from coldstart.serve.models import Answer, RecommendIn, plain
from coldstart.serve.routes.common import KEYS, Served, check_k, errors

router = APIRouter(tags=["recommend"], dependencies=KEYS)
_NOT_WITH_INPUT = ("popularity_penalty", "seed")


@router.post("/v1/recommend", responses=errors(), response_model_exclude_none=True)
async def recommend(asked: RecommendIn, service: Served) -> Answer:
    """Recommend items to one person: a profile, a sentence, or both."""
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
    answered = await service.worker.ask(ask, service.arm)
    return Answer.of(answered.made, explain=asked.explain, understood=answered.understood)
