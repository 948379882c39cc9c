"""Response models of the HTTP API, from which OpenAPI is generated."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, Field

from coldstart.ranking.wording.chips import Chip, chips
from coldstart.ranking.wording.notes import note_in
from coldstart.ranking.wording.rows import in_words_of
from coldstart.ranking.wording.sentences import in_language, supported, worded
from coldstart.ranking.wording.why import Why, why
from coldstart.schema import (
    Dropped,
    Item,
    PickReading,
    Provenance,
    Reason,
    Recommendation,
    RecommendationList,
    RecommendationRows,
    RowName,
    Strategy,
    Understood,
)
from coldstart.serve.cards import Card, ShownItems
from coldstart.session import Question


class Line(Card):
    """One recommended item."""

    rank: int
    score: float
    reason: str = Field(description="One sentence, in the language of the response.")
    reasons: tuple[Reason, ...] = Field(
        default=(), description="The same as data, the strongest first."
    )
    why: list[Why] | None = Field(
        default=None, description="Shares of what lifted it, for people; with `explain`."
    )
    provenance: Provenance | None = Field(
        default=None, description="Signals and scores, for experts; with `explain`."
    )


class RecommendationResponse(BaseModel):
    """Recommendation list, best first."""

    items: list[Line]
    k: int
    strategy: Strategy
    language: str = Field(
        default="en",
        description="Language of reasons and notes: the requested one if known, else en.",
    )
    notes: list[str] = Field(
        description="Remarks, such as fewer items than requested, in the language of the response."
    )
    understood: Understood | None = Field(
        default=None, description="What was read in the texts; absent without text."
    )
    chips: list[Chip] = Field(
        default=[], description="The same for people: labels in the language of the response."
    )
    picks: list[PickReading] = Field(default=[], description="How each typed pick was read.")
    generated: int = 0
    abstained: int = 0
    dropped: list[Dropped] | None = None
    prompt: str | None = None

    @classmethod
    def of(
        cls,
        recommendations: RecommendationList,
        shown: ShownItems,
        *,
        explain: bool,
        language: str = "en",
    ) -> Self:
        """Build the response; provenance, prompt and dropped items only with ``explain``."""
        language, read = supported(language) or "en", recommendations.understood
        recommendations = in_language(recommendations, language)
        lines = [line_of(r, shown, language, explain=explain) for r in recommendations]
        return cls(
            items=lines,
            k=recommendations.k,
            strategy=recommendations.strategy,
            language=language,
            notes=list(recommendations.notes),
            understood=None if read == Understood() else read,
            chips=list(chips(read, language)),
            picks=list(recommendations.picks),
            generated=recommendations.generated,
            abstained=recommendations.abstained,
            dropped=list(recommendations.dropped) if explain else None,
            prompt=recommendations.prompt if explain else None,
        )


def line_of(
    recommendation: Recommendation, shown: ShownItems, language: str, *, explain: bool
) -> Line:
    """One line of a list; its reason is worded already."""
    r = recommendation
    return Line.model_validate(
        shown.fields(r.item_id)
        | {
            "title": r.title,
            "year": r.year,
            "rank": r.rank,
            "score": r.score,
            "reason": r.reason,
            "reasons": r.reasons,
            "why": list(why(r, language)) if explain else None,
            "provenance": r.provenance if explain else None,
        }
    )


class Exposed(BaseModel):
    """What a response says of the record of what a subject was shown."""

    arm: str | None = Field(default=None, description="Arm of the A/B test.")
    exposure_id: str | None = Field(
        default=None, description="Id of this list for POST /v1/outcomes, valid for 30 days."
    )


class SubjectAnswer(RecommendationResponse, Exposed):
    """Recommendation list, with exposure id and arm if the subject takes part in an A/B test."""


class OutcomeNoted(BaseModel):
    """Confirmation that an outcome is stored."""

    repeated: bool = Field(
        description="Whether it had been stored before, under the same Idempotency-Key."
    )


class Erased(BaseModel):
    """Number of erased records."""

    lists: int
    outcomes: int


class MatchOut(BaseModel):
    """Catalog item matched to a generated title."""

    item_id: str
    title: str
    similarity: float


class Written(BaseModel):
    """Generated title and the items it was grounded to."""

    text: str
    logprob: float
    method: Literal["trie", "exact", "similarity", "abstained"]
    matches: list[MatchOut]


class Generated(BaseModel):
    """Generated titles, most likely first."""

    candidates: list[Written]
    abstained: int


class ItemsPut(BaseModel):
    """Number of items added and updated."""

    added: int
    updated: int


class ItemsFound(BaseModel):
    """Items that a text most likely means, the likeliest first."""

    items: list[Card]


class ItemsPage(BaseModel):
    """One page of the catalog, in catalog order."""

    items: list[Item]
    total: int
    next: int | None = Field(description="Offset of the next page; null on the last one.")


class SessionOut(BaseModel):
    """A new session. The id authenticates the user: treat it like a password."""

    session_id: str
    expires: datetime


class CatalogTerms(BaseModel):
    """How a page words itself by the catalog."""

    purpose: Literal["shop", "films", "library"] = Field(
        description="shop: most items have a price; films: the artifact's prompt is about films; "
        "library: neither."
    )
    examples: list[str] = Field(
        description="Requests that are understood in this catalog, in the language asked for."
    )


class FormOut(BaseModel):
    """Fields and values for an onboarding form that this recommender can use."""

    fields: dict[str, list[str]] = Field(
        description="Fields of a profile, or of its attributes, and their known values in lower "
        "case; for age, decades such as 20s."
    )
    categories: list[str] = Field(description="Most liked categories, for interests.")
    strategy: Strategy = Field(description="Recommended strategy for list requests.")
    catalog: CatalogTerms
    most: int = Field(description="Most items that one list may have.")


class QuestionOut(BaseModel):
    """The next questions; ``question`` is ``null`` when none is left."""

    question: Question | None
    questions: list[Question] = Field(description="All open questions, the next one first.")
    items: list[Card] = Field(description="Items that the questions are about.")


class Noted(BaseModel):
    """Confirmation that an event is stored."""

    repeated: bool = Field(
        description="Whether it had been stored before, under the same Idempotency-Key."
    )
    understood: Understood | None = None


class TextNoted(Noted):
    """Confirmation that a text is stored, and what was understood of it."""

    chips: list[Chip] = Field(description="What was understood, as labels.")


class RowOut(BaseModel):
    """One row: a short list with a rule of its own."""

    row: RowName
    title: str = Field(description="In the language of the response.")
    rule: str = Field(description="What orders it, in one sentence.")
    about: str | None = Field(default=None, description="Id of the item that it is about.")
    items: list[Line]


class RowsOut(BaseModel):
    """Rows of recommendations; no item is in two of them. Rows with too little are left out."""

    rows: list[RowOut]
    k: int
    strategy: Strategy
    language: str
    notes: list[str]
    understood: Understood | None = None
    chips: list[Chip] = []
    picks: list[PickReading] = []

    @classmethod
    def of(
        cls, found: RecommendationRows, shown: ShownItems, *, explain: bool, language: str
    ) -> Self:
        """Build the response; ``why`` and provenance only with ``explain``."""
        language = supported(language) or "en"
        rows = [in_words_of(row, language) for row in found]
        return cls(
            rows=[
                RowOut(
                    row=row.row,
                    title=row.title,
                    rule=row.rule,
                    about=row.about,
                    items=[
                        line_of(worded(r, language), shown, language, explain=explain)
                        for r in row.items
                    ],
                )
                for row in rows
            ],
            k=found.k,
            strategy=found.strategy,
            language=language,
            notes=[note_in(note, language) for note in found.notes],
            understood=None if found.understood == Understood() else found.understood,
            chips=list(chips(found.understood, language)),
            picks=list(found.picks),
        )


class SessionRows(RowsOut):
    """Rows of a session, with the id of their exposure record."""

    request_id: str = ""


class SubjectRows(RowsOut, Exposed):
    """Rows, with exposure id and arm if the subject takes part in an A/B test."""


class ListOut(RecommendationResponse):
    """Recommendation list of a session, with the id of its exposure record."""

    request_id: str = ""
