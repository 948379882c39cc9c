"""What requests and answers look like; OpenAPI is made of these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from coldstart.protocols import Filter
from coldstart.ranking.filters import (
    AgeRating,
    Attributes,
    Available,
    Categories,
    Known,
    Price,
    Years,
)
from coldstart.schema import (
    MAX_K,
    Context,
    Dropped,
    Item,
    Pick,
    Provenance,
    RecommendationList,
    Strategy,
    UserProfile,
    _as_picks,
    _as_text_map,
)
from coldstart.serve.experiment import OutcomeKind
from coldstart.serve.store.subjects import MOST_SUBJECT
from coldstart.session import DEFAULT_QUIZ, QUIZZES, Question, Understood
from coldstart.session.state import FeedbackKind

_MOST_PICKS, _MOST_INTERESTS, _MOST_ATTRIBUTES = 500, 100, 50
_PICK = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": 1000},
        {
            "type": "object",
            "properties": {
                "item": {"type": "string", "minLength": 1, "maxLength": 1000},
                "at": {"type": "string", "format": "date-time"},
            },
            "required": ["item"],
            "additionalProperties": False,
        },
    ]
}
PickResolver = Annotated[
    tuple[Pick, ...],
    BeforeValidator(_as_picks),
    Field(max_length=_MOST_PICKS),
    WithJsonSchema({"type": "array", "items": _PICK, "maxItems": _MOST_PICKS}),
]
Word = Annotated[str, Field(min_length=1, max_length=500)]
Texts = Annotated[tuple[Word, ...], Field(max_length=_MOST_INTERESTS)]
Named = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=500)]
    ],
    BeforeValidator(_as_text_map),
    Field(max_length=_MOST_ATTRIBUTES),
]
ItemId = Annotated[str, Field(min_length=1, max_length=200)]
Subject = Annotated[
    str, StringConstraints(min_length=1, max_length=MOST_SUBJECT, strip_whitespace=False)
]
EXAMPLE_PROFILE: dict[str, Any] = {
    "age": 24,
    "occupation": "technician",
    "interests": ["Sci-Fi", "Thriller"],
    "liked": ["Toy Story", "Twelve Monkeys"],
}
EXAMPLE_ITEM: dict[str, Any] = {
    "title": "The Long Voyage",
    "year": 1998,
    "categories": ["Sci-Fi"],
    "description": "A crew wakes up too early.",
}


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ProfileIn(UserProfile):
    """What is known about a person; every field may be left out."""

    user_id: str | None = Field(default=None, max_length=200)
    attributes: Named = Field(default_factory=dict)
    interests: Texts = ()
    liked: PickResolver = ()
    disliked: PickResolver = ()
    seen: PickResolver = ()

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_PROFILE]})


class ContextIn(Context):
    """The moment; every field is optional free text."""

    viewing: Annotated[Pick | None, WithJsonSchema(_PICK)] = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"time": "Friday evening", "occasion": "date night"}]}
    )


class ItemIn(Item):
    """An item, whose id may be left out where the path names it."""

    item_id: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=10_000)
    categories: Texts = ()
    attributes: Named = Field(default_factory=dict)

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "x1", **EXAMPLE_ITEM}]})


class Filters(_In):
    """What may be shown; by default all that is available, unknown to the person and suitable."""

    include_categories: Texts = ()
    exclude_categories: Texts = ()
    from_year: int | None = Field(default=None, ge=-5000, le=9999)
    to_year: int | None = Field(default=None, ge=-5000, le=9999)
    max_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    attributes: Named = Field(default_factory=dict)
    assume_age: int | None = Field(
        default=None, ge=0, le=130, description="Of people whose age is not known."
    )
    show_known: bool = Field(default=False, description="Also what they liked, disliked or saw.")
    show_unavailable: bool = False

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"exclude_categories": ["Horror"], "from_year": 1980}]}
    )

    @model_validator(mode="after")
    def _agree(self) -> Filters:
        if None not in (self.from_year, self.to_year) and self.from_year > self.to_year:  # type: ignore[operator]
            raise ValueError("from_year is after to_year")
        inside = {c.casefold() for c in self.include_categories}
        if inside & {c.casefold() for c in self.exclude_categories}:
            raise ValueError("a category is both included and excluded")
        return self

    def build(self) -> tuple[Filter, ...]:
        """As the recommender takes them."""
        out: list[Filter] = [AgeRating(self.assume_age)]
        if not self.show_known:
            out.append(Known())
        if not self.show_unavailable:
            out.append(Available())
        if self.include_categories or self.exclude_categories:
            out.append(Categories(self.include_categories, self.exclude_categories))
        if self.from_year is not None or self.to_year is not None:
            out.append(Years(self.from_year, self.to_year))
        if self.max_price is not None:
            out.append(Price(self.max_price))
        if self.attributes:
            out.append(Attributes(self.attributes))
        return tuple(out)


class Wanted(_In):
    """What kind of list is asked for."""

    k: int = Field(default=10, ge=1, le=MAX_K, description="Items; the service may allow fewer.")
    strategy: Strategy = Field(
        default="catalog",
        description="catalog: the language model judges titles; free: it writes some, which are "
        "looked up; both; prior: without it.",
    )
    filters: Filters = Filters()
    diversity: float = Field(default=0.0, ge=0, le=1)
    explain: bool = Field(
        default=False, description="Add provenance, prompt and what was left out."
    )


class RecommendIn(Wanted):
    """Who asks, when, and for what; a sentence in ``input`` is enough."""

    input: str | None = Field(
        default=None, min_length=1, max_length=2000, description="What they say, in a sentence."
    )
    profile: ProfileIn = ProfileIn()
    context: ContextIn = ContextIn()
    popularity_penalty: float = Field(default=0.0, ge=0, le=10)
    near_duplicates: bool = False
    unknown_picks: Literal["error", "ignore"] = "error"
    seed: int = Field(default=0, ge=0, lt=2**31)
    subject: Subject | None = Field(
        default=None,
        description="Who it is for, by a name of yours that stays the same: they take part in the "
        "A/B test, if there is one. It is stored as a keyed hash only.",
    )

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"input": "slow-burn science fiction with a twist"},
                {
                    "profile": EXAMPLE_PROFILE,
                    "context": {"occasion": "date night"},
                    "filters": {"from_year": 1980},
                    "k": 5,
                },
            ]
        }
    )


class GenerateIn(_In):
    """Whose titles to write."""

    input: str | None = Field(default=None, min_length=1, max_length=2000)
    profile: ProfileIn = ProfileIn()
    context: ContextIn = ContextIn()
    n: int = Field(default=10, ge=1, le=100)
    strategy: Literal["catalog", "free"] = "free"
    unknown_picks: Literal["error", "ignore"] = "error"
    seed: int = Field(default=0, ge=0, lt=2**31)

    model_config = ConfigDict(json_schema_extra={"examples": [{"input": "robots", "n": 5}]})


class Line(BaseModel):
    """One recommended item."""

    rank: int
    item_id: str
    title: str
    year: int | None = None
    score: float
    reason: str
    provenance: Provenance | None = None


class Answer(BaseModel):
    """The list, best first."""

    items: list[Line]
    k: int
    strategy: Strategy
    notes: list[str] = Field(description="Things to know, such as fewer items than asked for.")
    understood: Understood | None = Field(
        default=None, description="What the sentence was read as."
    )
    generated: int = 0
    abstained: int = 0
    dropped: list[Dropped] | None = None
    prompt: str | None = None

    @classmethod
    def of(
        cls, made: RecommendationList, *, explain: bool, understood: Understood | None = None
    ) -> Self:
        """Leave out what nobody asked for."""
        lines = [
            Line(
                rank=r.rank,
                item_id=r.item_id,
                title=r.title,
                year=r.year,
                score=r.score,
                reason=r.reason,
                provenance=r.provenance if explain else None,
            )
            for r in made.items
        ]
        return cls(
            items=lines,
            k=made.k,
            strategy=made.strategy,
            notes=list(made.notes),
            understood=understood,
            generated=made.generated,
            abstained=made.abstained,
            dropped=list(made.dropped) if explain else None,
            prompt=made.prompt if explain else None,
        )


class SubjectAnswer(Answer):
    """The list, and what an A/B test needs if its subject takes part in one."""

    arm: str | None = Field(default=None, description="The arm that answered.")
    exposure_id: str | None = Field(
        default=None, description="Names this list in POST /v1/outcomes; keep it for 30 days."
    )


class OutcomeIn(_In):
    """What came of an item of a list."""

    exposure_id: str = Field(pattern="^[0-9a-f]{32}$", description="As /v1/recommend gave it.")
    item_id: ItemId
    kind: OutcomeKind

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"exposure_id": "0" * 32, "item_id": "50", "kind": "like"}]}
    )


class SubjectIn(_In):
    """Whose data."""

    subject: Subject

    model_config = ConfigDict(json_schema_extra={"examples": [{"subject": "customer 7"}]})


class OutcomeNoted(BaseModel):
    """It is stored."""

    repeated: bool = Field(description="It was stored before, under the same Idempotency-Key.")


class Erased(BaseModel):
    """What was stored, and is no more."""

    lists: int
    outcomes: int


class MatchOut(BaseModel):
    """An item that a written title stands for."""

    item_id: str
    title: str
    similarity: float


class Written(BaseModel):
    """A title the model came up with, and where it landed."""

    text: str
    logprob: float
    method: Literal["trie", "exact", "similarity", "abstained"]
    matches: list[MatchOut]


class Generated(BaseModel):
    """Titles, best first."""

    candidates: list[Written]
    abstained: int


class ItemsIn(_In):
    """Several items at once."""

    items: tuple[ItemIn, ...] = Field(min_length=1, max_length=10_000)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"item_id": "x1", **EXAMPLE_ITEM}]}]}
    )


class ItemsPut(BaseModel):
    """What came of it."""

    added: int
    updated: int


class ItemsPage(BaseModel):
    """Part of the catalog, in its order."""

    items: list[Item]
    total: int
    next: int | None = Field(description="The offset to go on with, if there is more.")


class SessionIn(_In):
    """How to begin; everything may be left out."""

    profile: ProfileIn = ProfileIn()
    quiz: Literal[tuple(QUIZZES)] = DEFAULT_QUIZ  # type: ignore[valid-type]
    exploration: float = Field(
        default=0.0, ge=0, le=1, description="Share of a list that is there to learn from."
    )
    unknown_picks: Literal["error", "ignore"] = "error"

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": {"age": 24}}]})


class SessionOut(BaseModel):
    """A new session. Whoever knows the id is the person: treat it like a password."""

    session_id: str
    expires: datetime


class FormOut(BaseModel):
    """What to ask somebody who begins: what this recommender can use."""

    fields: dict[str, list[str]] = Field(
        description="Fields of a profile, or of its attributes, and the values that are known, in "
        "lower case; of age, decades such as 20s."
    )
    categories: list[str] = Field(description="The most liked ones, for interests.")
    strategy: Strategy = Field(description="The one to ask lists with.")


class Card(BaseModel):
    """As much of an item as one needs to have an opinion."""

    item_id: str
    title: str
    year: int | None = None
    categories: list[str] = []


class QuestionOut(BaseModel):
    """The next question; ``null`` if nothing is left to ask."""

    question: Question | None
    questions: list[Question] = Field(description="It and those after it, as many as wanted.")
    items: list[Card] = Field(description="What they are about.")


class AnswerIn(_In):
    """The answer to a question."""

    question_id: str = Field(min_length=1, max_length=1000)
    answer: Word | Texts

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question_id": "item:50", "answer": "like"}]}
    )


class FeedbackIn(_In):
    """What somebody did with an item."""

    item_id: ItemId
    kind: FeedbackKind

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "50", "kind": "like"}]})


class TextIn(_In):
    """What somebody says."""

    text: str = Field(min_length=1, max_length=2000)

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "no horror, please"}]})


class Noted(BaseModel):
    """It is stored."""

    repeated: bool = Field(description="It was stored before, under the same Idempotency-Key.")
    understood: Understood | None = None


class ListIn(Wanted):
    """The list of a session."""

    context: ContextIn = ContextIn()
    near_duplicates: bool = False

    model_config = ConfigDict(json_schema_extra={"examples": [{"k": 5}]})


class ListOut(Answer):
    """The list, and under which id it is on record."""

    request_id: str = ""


def plain(profile: ProfileIn) -> UserProfile:
    """The profile as the package's own type."""
    return UserProfile.model_validate(profile.model_dump(exclude_defaults=True))


def field_names(*models: type[BaseModel]) -> frozenset[str]:
    """All names of fields in the schemas of ``models``: words that are ours, not a user's."""
    names: set[str] = set()

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            names.update(node.get("properties", {}))
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    for model in models:
        collect(model.model_json_schema())
    return frozenset(names)
