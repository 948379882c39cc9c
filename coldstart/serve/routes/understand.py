"""``POST /v1/understand``: what a text is understood as, while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter
from pydantic import BaseModel, Field

from coldstart.pipeline.notes import reading_notes
from coldstart.ranking.wording.chips import Chip, chips
from coldstart.ranking.wording.notes import note_in
from coldstart.ranking.wording.sentences import supported
from coldstart.schema import Understood, UserProfile
from coldstart.serve.requests import UnderstandIn
from coldstart.serve.routes.common import KEYS, Accepted, Served, errors

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

router = APIRouter(tags=["recommend"], dependencies=KEYS)


class UnderstandOut(BaseModel):
    """What a text is understood as."""

    understood: Understood
    chips: list[Chip] = Field(description="The same for people: labels that can be taken away.")
    notes: list[str] = Field(
        description="What was guessed, and what could not be used, in the response's language."
    )
    language: str = Field(description="Language of labels and notes.")


@router.post("/v1/understand", responses=errors())
async def understand(body: UnderstandIn, service: Served, accepted: Accepted) -> UnderstandOut:
    """Read a text by rules, in the vocabulary of the catalog; nothing is recorded."""
    language = supported(body.language or accepted) or "en"

    def read(rec: Recommender) -> tuple[Understood, list[str]]:
        user = rec.resolve(UserProfile(about=body.text))
        return user.understood, reading_notes(user, rec.item_store)

    understood, notes = await service.worker.call(read, service.arm)
    return UnderstandOut(
        understood=understood,
        chips=list(chips(understood, language)),
        notes=[note_in(note, language) for note in notes],
        language=language,
    )
