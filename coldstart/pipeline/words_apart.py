"""Requests in which words count less than they were learned to: what they rule out stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from coldstart.ranking.request_blend import EVEN
from coldstart.schema import Piece, Understood

if TYPE_CHECKING:
    from coldstart.pipeline.request import RecommendRequest


def by_taste(request: RecommendRequest) -> RecommendRequest:
    """The request as it is ranked where ``words`` is below 0.5; otherwise itself.

    What the text rejects excludes, also where only a mood is rejected ("no violence"), which
    otherwise puts items last. At 0 the texts are left out but for that and the audience they name.
    """
    user, read, words = request.user, request.user.understood, request.options.words
    if words >= EVEN:
        return request
    pieces = outright(read)
    if words > 0:
        changed = replace(user, understood=read.model_copy(update={"pieces": pieces}))
        return replace(request, user=changed, reported=read)
    kept = tuple(
        p
        for p in pieces
        if p.strict and p.kind != "title" and (not p.wanted or p.kind == "audience")
    )
    silent = replace(
        user,
        profile=user.profile.model_copy(update={"about": None}),
        context=user.context.model_copy(update={"text": None, "occasion": None}),
        understood=Understood(language=read.language, pieces=kept) if kept else Understood(),
    )
    return replace(request, user=silent, reported=read)


def outright(read: Understood) -> tuple[Piece, ...]:
    """The pieces of a reading, those that a rejected mood stands for as stated outright."""
    moods = {(p.start, p.end) for p in read.pieces if p.kind == "tone" and not p.wanted}
    return tuple(
        p.model_copy(update={"strict": True})
        if not p.wanted and p.kind == "category" and (p.start, p.end) in moods
        else p
        for p in read.pieces
    )
