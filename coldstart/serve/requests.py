"""Request models of the HTTP API, from which OpenAPI is generated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

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
    ROWS,
    Context,
    Item,
    Pick,
    RowName,
    Strategy,
    Understood,
    UserProfile,
    _as_text_map,
)
from coldstart.schema.picks import as_picks
from coldstart.serve.experiment import OutcomeKind
from coldstart.serve.store.subjects import MOST_SUBJECT
from coldstart.session import DEFAULT_QUIZ, QUIZZES
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
                "by": {"enum": ["id", "title"]},
            },
            "required": ["item"],
            "additionalProperties": False,
        },
    ]
}
Picks = Annotated[
    tuple[Pick, ...],
    BeforeValidator(as_picks),
    Field(max_length=_MOST_PICKS),
    WithJsonSchema({"type": "array", "items": _PICK, "maxItems": _MOST_PICKS}),
]
ShortText = Annotated[str, Field(min_length=1, max_length=500)]
TextList = Annotated[tuple[ShortText, ...], Field(max_length=_MOST_INTERESTS)]
TextMap = Annotated[
    dict[
        Annotated[str, Field(min_length=1, max_length=100)], Annotated[str, Field(max_length=500)]
    ],
    BeforeValidator(_as_text_map),
    Field(max_length=_MOST_ATTRIBUTES),
]
Language = Annotated[
    str,
    Field(
        max_length=35,
        description="Language of reasons and notes, not of the user: en, or zh (also as zh-CN and "
        "the like); any other falls back to English, and the response says so. Left out: the first "
        "of the header Accept-Language that there is, else English.",
    ),
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


class _Request(BaseModel):
    """Base of request bodies: immutable, unknown fields rejected, strings stripped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class ProfileIn(UserProfile):
    """User profile; every field is optional."""

    user_id: str | None = Field(default=None, max_length=200)
    attributes: TextMap = Field(default_factory=dict)
    interests: TextList = ()
    liked: Picks = ()
    disliked: Picks = ()
    seen: Picks = ()

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_PROFILE]})


class ContextIn(Context):
    """Context of the request; every field is optional free text."""

    viewing: Annotated[Pick | None, WithJsonSchema(_PICK)] = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"time": "Friday evening", "occasion": "date night"}]}
    )


class ItemIn(Item):
    """A catalog item; the id is optional where the path names it."""

    item_id: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=10_000)
    categories: TextList = ()
    attributes: TextMap = Field(default_factory=dict)

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "x1", **EXAMPLE_ITEM}]})


class Filters(_Request):
    """Item filters. By default: available, not known to the user, and suitable for their age."""

    include_categories: TextList = ()
    exclude_categories: TextList = ()
    from_year: int | None = Field(default=None, ge=-5000, le=9999)
    to_year: int | None = Field(default=None, ge=-5000, le=9999)
    max_price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    attributes: TextMap = Field(default_factory=dict)
    assume_age: int | None = Field(
        default=None, ge=0, le=130, description="Age assumed for users whose age is unknown."
    )
    show_known: bool = Field(
        default=False, description="Include items that the user liked, disliked or saw."
    )
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
        """The filters in the recommender's form."""
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


class ListOptions(_Request):
    """Options of a recommendation list."""

    k: int = Field(
        default=10, ge=1, le=MAX_K, description="Number of items; the service may allow fewer."
    )
    strategy: Strategy = Field(
        default="catalog",
        description="catalog: the language model scores the catalog's titles; free: it generates "
        "titles, which are matched to items; both; prior: no language model.",
    )
    filters: Filters = Filters()
    diversity: float = Field(default=0.0, ge=0, le=1)
    words: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="0: only the taste (picks, profile, popularity); 1: only what the texts say; "
        "0.5: both as they were learned. What the texts reject is never shown.",
    )
    strict: bool = Field(
        default=True,
        description="Whether what the text demands decides what may be shown and what comes "
        "first; false: it is one signal among others.",
    )
    explain: bool = Field(default=False, description="Add provenance, prompt and dropped items.")
    language: Language | None = None


class RecommendIn(ListOptions):
    """Stateless recommendation request; free text in ``input`` is enough."""

    input: str | None = Field(
        default=None, min_length=1, max_length=2000, description="Free text of the user."
    )
    profile: ProfileIn = ProfileIn()
    context: ContextIn = ContextIn()
    understood: Understood | None = Field(
        default=None,
        description="A reading to use instead of that of the texts, such as the one of an earlier "
        "response, changed.",
    )
    popularity_penalty: float = Field(default=0.0, ge=0, le=10)
    near_duplicates: bool = False
    unknown_picks: Literal["error", "ignore"] = "error"
    seed: int = Field(default=0, ge=0, lt=2**31)
    subject: Subject | None = Field(
        default=None,
        description="Stable user id of the caller's. Subjects take part in the A/B test, if there "
        "is one, and their outcomes teach an artifact that learns from likes; the id is stored as "
        "a keyed hash only.",
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


class GenerateIn(_Request):
    """Request for generated titles."""

    input: str | None = Field(default=None, min_length=1, max_length=2000)
    profile: ProfileIn = ProfileIn()
    context: ContextIn = ContextIn()
    n: int = Field(default=10, ge=1, le=100)
    strategy: Literal["catalog", "free"] = "free"
    unknown_picks: Literal["error", "ignore"] = "error"
    seed: int = Field(default=0, ge=0, lt=2**31)

    model_config = ConfigDict(json_schema_extra={"examples": [{"input": "robots", "n": 5}]})


class OutcomeIn(_Request):
    """Outcome of a recommended item."""

    exposure_id: str = Field(
        pattern="^[0-9a-f]{32}$", description="exposure_id of the response of /v1/recommend."
    )
    item_id: ItemId
    kind: OutcomeKind

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"exposure_id": "0" * 32, "item_id": "50", "kind": "like"}]}
    )


class SubjectIn(_Request):
    """Subject of a data export or erasure."""

    subject: Subject

    model_config = ConfigDict(json_schema_extra={"examples": [{"subject": "customer 7"}]})


class ItemsIn(_Request):
    """Items to add or replace."""

    items: tuple[ItemIn, ...] = Field(min_length=1, max_length=10_000)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"item_id": "x1", **EXAMPLE_ITEM}]}]}
    )


class SessionIn(_Request):
    """Options of a new session; all are optional."""

    profile: ProfileIn = ProfileIn()
    quiz: Literal[tuple(QUIZZES)] = DEFAULT_QUIZ  # type: ignore[valid-type]
    exploration: float = Field(
        default=0.0, ge=0, le=1, description="Share of list positions used for exploration."
    )
    unknown_picks: Literal["error", "ignore"] = "error"

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": {"age": 24}}]})


class ProfileOnlyIn(_Request):
    """A profile in place of the earlier one of a session."""

    profile: ProfileIn
    unknown_picks: Literal["error", "ignore"] = "error"

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": {"age": 24}}]})


class AnswerIn(_Request):
    """Answer to an onboarding question."""

    question_id: str = Field(min_length=1, max_length=1000)
    answer: ShortText | TextList

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question_id": "item:50", "answer": "like"}]}
    )


class FeedbackIn(_Request):
    """Feedback on an item."""

    item_id: ItemId
    kind: FeedbackKind

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "50", "kind": "like"}]})


class TextIn(_Request):
    """Free text of the user."""

    text: str = Field(min_length=1, max_length=2000)

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "no horror, please"}]})


class UnderstandIn(_Request):
    """A text to be understood, as far as it is typed."""

    text: str = Field(max_length=2000)
    language: Language | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "something gentle for my son, 5, no violence"}]}
    )


Span = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]],
    Field(description="First character, and the character after the last."),
]


class AllTextIn(_Request):
    """All that the user says, in the place of all texts before."""

    text: str = Field(max_length=2000, description="Empty: takes everything back.")
    without: tuple[Span, ...] = Field(
        default=(),
        max_length=200,
        description="Parts of the text that are not meant, such as `spans` of a chip.",
    )

    model_config = ConfigDict(
        str_strip_whitespace=False,
        json_schema_extra={"examples": [{"text": "no horror, gentle", "without": [[3, 9]]}]},
    )


class ListIn(ListOptions):
    """Request for a list in a session."""

    context: ContextIn = ContextIn()
    near_duplicates: bool = False

    model_config = ConfigDict(json_schema_extra={"examples": [{"k": 5}]})


class RowsIn(ListIn):
    """Request for rows in a session; ``k`` is the length of each."""

    rows: tuple[RowName, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=len(ROWS),
        description="Which rows; left out: all that have enough items. A note says which of those "
        "named here are left out.",
    )

    model_config = ConfigDict(json_schema_extra={"examples": [{"k": 6}]})


def to_profile(profile: ProfileIn, text: str | None = None) -> UserProfile:
    """Convert a request's profile, and a free text beside it, to ``UserProfile``."""
    user = UserProfile.model_validate(profile.model_dump(exclude_defaults=True))
    if text is None:
        return user
    about = ". ".join(x for x in (user.about, text) if x)
    return user.model_copy(update={"about": about})


def field_names(*models: type[BaseModel]) -> frozenset[str]:
    """Names of all fields in the JSON schemas of ``models``, which may appear in error messages."""
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
