"""Request models of the HTTP API, from which OpenAPI is generated."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from coldstart.schema import (
    MAX_K,
    Context,
    Item,
    Pick,
    Strategy,
    Understood,
    UserProfile,
)
from coldstart.serve.experiment import OutcomeKind
from coldstart.serve.filters_in import Filters
from coldstart.serve.request_fields import (
    PICK,
    ItemId,
    Language,
    Picks,
    RequestBody,
    Rows,
    ShortText,
    Span,
    Subject,
    TextList,
    TextMap,
)
from coldstart.session import DEFAULT_QUIZ, QUIZZES
from coldstart.session.state import FeedbackKind

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

    viewing: Annotated[Pick | None, WithJsonSchema(PICK)] = None

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


class ListOptions(RequestBody):
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


class RecommendRowsIn(RecommendIn):
    """Stateless request for rows; ``k`` is the length of each."""

    rows: Rows = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"input": "a gentle comedy", "k": 6}]}
    )


class GenerateIn(RequestBody):
    """Request for generated titles."""

    input: str | None = Field(default=None, min_length=1, max_length=2000)
    profile: ProfileIn = ProfileIn()
    context: ContextIn = ContextIn()
    n: int = Field(default=10, ge=1, le=100)
    strategy: Literal["catalog", "free"] = "free"
    unknown_picks: Literal["error", "ignore"] = "error"
    seed: int = Field(default=0, ge=0, lt=2**31)

    model_config = ConfigDict(json_schema_extra={"examples": [{"input": "robots", "n": 5}]})


class OutcomeIn(RequestBody):
    """Outcome of a recommended item."""

    exposure_id: str = Field(
        pattern="^[0-9a-f]{32}$", description="exposure_id of the response of /v1/recommend."
    )
    item_id: ItemId
    kind: OutcomeKind

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"exposure_id": "0" * 32, "item_id": "50", "kind": "like"}]}
    )


class SubjectIn(RequestBody):
    """Subject of a data export or erasure."""

    subject: Subject

    model_config = ConfigDict(json_schema_extra={"examples": [{"subject": "customer 7"}]})


class ItemsIn(RequestBody):
    """Items to add or replace."""

    items: tuple[ItemIn, ...] = Field(min_length=1, max_length=10_000)

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"item_id": "x1", **EXAMPLE_ITEM}]}]}
    )


class SessionIn(RequestBody):
    """Options of a new session; all are optional."""

    profile: ProfileIn = ProfileIn()
    quiz: Literal[tuple(QUIZZES)] = DEFAULT_QUIZ  # type: ignore[valid-type]
    exploration: float = Field(
        default=0.0, ge=0, le=1, description="Share of list positions used for exploration."
    )
    unknown_picks: Literal["error", "ignore"] = "error"

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": {"age": 24}}]})


class ProfileOnlyIn(RequestBody):
    """A profile in place of the earlier one of a session."""

    profile: ProfileIn
    unknown_picks: Literal["error", "ignore"] = "error"

    model_config = ConfigDict(json_schema_extra={"examples": [{"profile": {"age": 24}}]})


class AnswerIn(RequestBody):
    """Answer to an onboarding question."""

    question_id: str = Field(min_length=1, max_length=1000)
    answer: ShortText | TextList

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"question_id": "item:50", "answer": "like"}]}
    )


class FeedbackIn(RequestBody):
    """Feedback on an item."""

    item_id: ItemId
    kind: FeedbackKind

    model_config = ConfigDict(json_schema_extra={"examples": [{"item_id": "50", "kind": "like"}]})


class TextIn(RequestBody):
    """Free text of the user."""

    text: str = Field(min_length=1, max_length=2000)

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "no horror, please"}]})


class UnderstandIn(RequestBody):
    """A text to be understood, as far as it is typed."""

    text: str = Field(max_length=2000)
    language: Language | None = None

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"text": "something gentle for my son, 5, no violence"}]}
    )


class AllTextIn(RequestBody):
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

    rows: Rows = None

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
