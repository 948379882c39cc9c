"""Requests in which words count nothing: the taste alone, and what must never be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coldstart.schema import Understood

if TYPE_CHECKING:
    from coldstart.pipeline.request import RecommendRequest


def by_taste(request: RecommendRequest) -> RecommendRequest:
    """The request without its texts where ``words`` is 0; otherwise itself.

    What the text rejects outright and the audience it names stay: they exclude.
    """
    user, read = request.user, request.user.understood
    if request.options.words > 0:
        return request
    kept = tuple(p for p in read.pieces if p.strict and (not p.wanted or p.kind == "audience"))
    kept = tuple(p for p in kept if p.kind != "title")
    silent = replace(
        user,
        profile=user.profile.model_copy(update={"about": None}),
        context=user.context.model_copy(update={"text": None, "occasion": None}),
        understood=Understood(language=read.language, pieces=kept) if kept else Understood(),
    )
    return replace(request, user=silent, reported=request.reported or read)
