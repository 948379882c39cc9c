"""The words everything else is written in: profile, context, item, candidate, recommendation.

All models are frozen pydantic models that refuse unknown fields, so a typo in a field name is an
error with the field's path instead of a silently ignored preference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar, overload

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from coldstart.errors import ColdstartError, ProfileError

Strategy = Literal["catalog", "free", "both", "prior"]
M = TypeVar("M", bound=BaseModel)


MAX_K = 1000
"""Items in one answer, at most."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Said(_Frozen):
    """Written by people: white space around it means nothing."""

    model_config = ConfigDict(str_strip_whitespace=True)


def parse(model: type[M], data: object, what: str, error: type[ColdstartError] = ProfileError) -> M:
    """Validate ``data`` as ``model``, turning pydantic's report into one line with field paths.

    Raises:
        ColdstartError: (as ``error``) naming every offending field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as e:
        lines = [f"{'.'.join(map(str, x['loc'])) or what}: {x['msg']}" for x in e.errors()]
        known = ", ".join(model.model_fields)
        raise error(f"invalid {what}: {'; '.join(lines)}", hint=f"fields: {known}") from None


class Pick(_Said):
    """One item a user pointed at: an item id or a title, and when (if known)."""

    item: str = Field(min_length=1, max_length=1000)
    at: datetime | None = None


def _as_picks(value: object) -> object:
    """Accept "Toy Story", 50, {"item": …, "at": …} or a list of these."""
    if isinstance(value, str | int | Pick | Mapping):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    return tuple(_as_pick(v) for v in value)


def _as_pick(value: object) -> object:
    is_name = isinstance(value, str | int) and not isinstance(value, bool)
    return {"item": str(value)} if is_name else value


def _as_texts(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_text_map(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {k: str(v) for k, v in value.items() if v is not None}


Picks = Annotated[tuple[Pick, ...], BeforeValidator(_as_picks), Field(max_length=10_000)]
Texts = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=500)], ...],
    BeforeValidator(_as_texts),
    Field(max_length=1000),
]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Attributes = Annotated[dict[str, str], BeforeValidator(_as_text_map)]


class UserProfile(_Said):
    """What a new user told us; every field is optional.

    ``liked``, ``disliked`` and ``seen`` take item ids or titles, alone or as
    ``{"item": …, "at": timestamp}``, oldest first where no timestamp is given. Attributes that
    have no field of their own go into ``attributes``.

    Args:
        history: the liked picks are all that a new account has liked so far, in that order, rather
            than favourites out of all that a person knows. The two call for other items, and the
            ranker has learned both.

    >>> UserProfile(age=24, liked="Toy Story").liked[0].item
    'Toy Story'
    """

    user_id: str | None = None
    age: int | None = Field(default=None, ge=0, le=130)
    gender: Short | None = None
    occupation: Short | None = None
    location: Short | None = None
    language: Short | None = None
    attributes: Attributes = Field(default_factory=dict)
    interests: Texts = ()
    about: str | None = Field(default=None, max_length=20_000)
    liked: Picks = ()
    disliked: Picks = ()
    seen: Picks = ()
    history: bool = False

    @field_validator("age", mode="before")
    @classmethod
    def _age_is_a_whole_number(cls, value: object) -> object:
        if isinstance(value, bool):
            raise ValueError("expected a whole number of years, got a boolean")
        return value

    @classmethod
    def parse(cls, data: object) -> UserProfile:
        """Validate a mapping (for example parsed JSON) with one-line errors."""
        return data if isinstance(data, cls) else parse(cls, data, "profile")

    def demographics(self) -> dict[str, str]:
        """Attributes that are set, as strings: age, gender, occupation, …, then ``attributes``."""
        named = ("age", "gender", "occupation", "location", "language")
        out = {n: str(getattr(self, n)) for n in named if getattr(self, n) is not None}
        return out | self.attributes

    def free_text(self) -> str:
        """Everything the user said in words: interests, then ``about``."""
        return ". ".join([*self.interests, *([self.about] if self.about else [])])

    def is_empty(self) -> bool:
        """True if the profile says nothing at all (``user_id`` is no statement)."""
        return not self.model_dump(exclude={"user_id"}, exclude_defaults=True)


class Context(_Said):
    """The moment of the request; every field is optional free text."""

    time: Short | None = None
    device: Short | None = None
    place: Short | None = None
    occasion: Short | None = None
    text: str | None = Field(default=None, max_length=20_000)
    viewing: Pick | None = None

    @field_validator("viewing", mode="before")
    @classmethod
    def _one_pick(cls, value: object) -> object:
        return _as_pick(value)

    @classmethod
    def parse(cls, data: object) -> Context:
        """Validate a mapping (for example parsed JSON) with one-line errors."""
        return data if isinstance(data, cls) else parse(cls, data, "context")

    def free_text(self) -> str:
        """The words of the moment: occasion, then session text."""
        return ". ".join(x for x in (self.occasion, self.text) if x)


class Item(_Said):
    """One thing that can be recommended.

    Args:
        min_age: youngest age (years) it is suitable for; ``None`` means everyone.
        value: what one conversion is worth, in any currency; used by business metrics.
    """

    item_id: str = Field(min_length=1, max_length=200)
    title: str = Field(min_length=1, max_length=2000)
    year: int | None = Field(default=None, ge=-5000, le=9999)
    description: str = Field(default="", max_length=50_000)
    categories: Texts = ()
    price: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    value: float | None = Field(default=None, allow_inf_nan=False)
    available: bool = True
    min_age: int | None = Field(default=None, ge=0, le=130)
    attributes: Attributes = Field(default_factory=dict)

    @field_validator("item_id", mode="before")
    @classmethod
    def _id_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def content_text(self) -> str:
        """Title, categories and description as one text, for encoders.

        Without the year: digits weigh more with sentence encoders than they mean, so that items
        of one year look alike.
        """
        return ". ".join(x for x in (self.title, ", ".join(self.categories), self.description) if x)


class Candidate(_Frozen):
    """One generated title and how it came about.

    Args:
        logprob: natural-log probability of the title given the prompt. For ``catalog``, over
            the trie's allowed children; for ``free``, over the whole vocabulary.
        item_ids: known at once for ``catalog`` candidates, empty for ``free`` ones.
    """

    text: str
    logprob: float = Field(le=1e-6)
    strategy: Literal["catalog", "free"]
    item_ids: tuple[str, ...] = ()


class Match(_Frozen):
    """A catalog item that a candidate was grounded to; ``similarity`` is a cosine in [-1, 1]."""

    item_id: str
    similarity: float = Field(ge=-1.0001, le=1.0001)


class Grounding(_Frozen):
    """Where one candidate landed: title → ids (titles repeat), or nowhere (``abstained``)."""

    candidate: Candidate
    matches: tuple[Match, ...] = ()
    method: Literal["trie", "exact", "similarity", "abstained"]

    @property
    def abstained(self) -> bool:
        """True if no catalog item was similar enough."""
        return not self.matches


class Provenance(_Frozen):
    """How one recommendation came about, from generation to rank.

    Args:
        features: ranker inputs of this item, by name.
        contributions: each feature's part, by name; they sum to the score before diversity.
        groups: the same, summed by explanation group; adjustments outside all groups, such as
            boosts, keep their own name.
    """

    strategy: Strategy
    generated_text: str | None = None
    logprob: float | None = None
    matched_by: Literal["trie", "exact", "similarity"] | None = None
    similarity: float | None = None
    features: dict[str, float] = Field(default_factory=dict)
    contributions: dict[str, float] = Field(default_factory=dict)
    groups: dict[str, float] = Field(default_factory=dict)


class Reason(_Frozen):
    """Why an item is recommended, as data; ``ranking.wording`` makes a sentence of it.

    Args:
        code: which kind of reason, such as ``picks`` or ``popular``.
        arguments: the facts it states.
    """

    code: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Recommendation(_Frozen):
    """One line of the answer.

    Args:
        score: the final ranking value, higher is better.
        reason: one English sentence; ``ranking.wording.sentences.in_language`` words a list in
            another language.
        reasons: the same as data, the strongest first.
    """

    rank: int = Field(ge=1)
    item_id: str
    title: str
    year: int | None = None
    score: float
    reason: str
    reasons: tuple[Reason, ...] = ()
    provenance: Provenance


class Dropped(_Frozen):
    """An item that would have ranked among the answers, and the filter that removed it."""

    item_id: str
    title: str
    filter: str
    detail: str


class RecommendationList(_Frozen):
    """The answer for one user: a sequence of recommendations, plus what happened on the way.

    Args:
        dropped: items a filter removed although they would have ranked within the top ``k``.
        dropped_counts: how many items each filter removed on the way down the ranking.
        notes: things the caller should know (picks not in the catalog, a trimmed prompt, fewer
            than ``k`` allowed items).
        abstained: free candidates that matched nothing in the catalog.
    """

    items: tuple[Recommendation, ...]
    k: int
    strategy: Strategy
    dropped: tuple[Dropped, ...] = ()
    dropped_counts: dict[str, int] = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generated: int = 0
    abstained: int = 0
    prompt: str | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Recommendation]:  # type: ignore[override]
        return iter(self.items)

    @overload
    def __getitem__(self, index: int) -> Recommendation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Recommendation, ...]: ...
    def __getitem__(self, index: int | slice) -> Recommendation | tuple[Recommendation, ...]:
        return self.items[index]

    @property
    def item_ids(self) -> list[str]:
        """Recommended ids, best first."""
        return [r.item_id for r in self.items]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready data."""
        return self.model_dump(mode="json")
