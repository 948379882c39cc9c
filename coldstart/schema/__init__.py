"""Data model: profile, context, item, candidate, recommendation.

Frozen pydantic models that reject unknown fields, so that a misspelled field name is an error with
the field's path rather than a silently ignored preference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, overload

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from coldstart.errors import ConfigError
from coldstart.schema.base import Frozen, Input, parse
from coldstart.schema.picks import Pick, PickReading, Picks, as_pick
from coldstart.schema.pictures import check_picture
from coldstart.schema.recommendation import Provenance, Reason, Recommendation, Strategy
from coldstart.schema.rows import ROWS, RecommendationRow, RecommendationRows, RowName
from coldstart.schema.understood import Piece, Understood

__all__ = [
    "Attributes",
    "Candidate",
    "Context",
    "DecodingConfig",
    "Dropped",
    "Frozen",
    "Grounding",
    "Item",
    "MAX_K",
    "Match",
    "Pick",
    "PickReading",
    "Picks",
    "Piece",
    "Provenance",
    "ROWS",
    "Reason",
    "Recommendation",
    "RecommendationList",
    "RecommendationRow",
    "RecommendationRows",
    "RowName",
    "Short",
    "Strategy",
    "Texts",
    "Understood",
    "UserProfile",
    "parse",
]

MAX_K = 1000
"""Maximum length of a list."""


def _as_texts(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_text_map(value: object) -> object:
    if not isinstance(value, Mapping):
        return value
    return {k: str(v) for k, v in value.items() if v is not None}


Texts = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=500)], ...],
    BeforeValidator(_as_texts),
    Field(max_length=1000),
]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Attributes = Annotated[dict[str, str], BeforeValidator(_as_text_map)]


class UserProfile(Input):
    """Profile of a user; every field is optional.

    ``liked``, ``disliked`` and ``seen`` take item ids or titles, alone or as
    ``{"item": …, "at": timestamp}``, oldest first where no timestamp is given. Further attributes
    go into ``attributes``.

    Args:
        history: whether the liked picks are the complete, ordered history of a new account, rather
            than favourites among everything the user knows. The ranker has learned a separate
            correction for each case.

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
        """Attributes with a value, as strings: age, gender, occupation, …, then ``attributes``."""
        named = ("age", "gender", "occupation", "location", "language")
        out = {n: str(getattr(self, n)) for n in named if getattr(self, n) is not None}
        return out | self.attributes

    def free_text(self) -> str:
        """The textual fields joined: interests, then ``about``."""
        return ". ".join([*self.interests, *([self.about] if self.about else [])])

    def is_empty(self) -> bool:
        """True if no field but ``user_id`` is set."""
        return not self.model_dump(exclude={"user_id"}, exclude_defaults=True)


class Context(Input):
    """Context of a request; every field is optional free text, ``viewing`` an item."""

    time: Short | None = None
    device: Short | None = None
    place: Short | None = None
    occasion: Short | None = None
    text: str | None = Field(default=None, max_length=20_000)
    viewing: Pick | None = None

    @field_validator("viewing", mode="before")
    @classmethod
    def _one_pick(cls, value: object) -> object:
        return as_pick(value)

    @classmethod
    def parse(cls, data: object) -> Context:
        """Validate a mapping (for example parsed JSON) with one-line errors."""
        return data if isinstance(data, cls) else parse(cls, data, "context")

    def free_text(self) -> str:
        """The textual fields joined: occasion, then session text."""
        return ". ".join(x for x in (self.occasion, self.text) if x)


class Item(Input):
    """One recommendable item.

    Args:
        min_age: minimum age of a suitable audience, in years; ``None``: no restriction.
        max_age: age in years beyond which it is too young for its audience; ``None``: none.
        popularity: how often it was chosen elsewhere, such as sales, votes or number of ratings, at
            least 0; only the order and proportions within one catalog matter. ``None``: unknown.
        value: value of one conversion, in any currency; used by business metrics.
        image: https address of a picture, or the name of a file that the service has in its folder
            of pictures.
        image_alt: what the picture shows, for those who cannot see it.
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
    max_age: int | None = Field(default=None, ge=0, le=130)
    popularity: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    image: Annotated[str, AfterValidator(check_picture)] = Field(default="", max_length=2000)
    image_alt: str = Field(default="", max_length=500)
    attributes: Attributes = Field(default_factory=dict)

    @field_validator("item_id", mode="before")
    @classmethod
    def _id_as_text(cls, value: object) -> object:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def content_text(self) -> str:
        """Title, categories and description as one text, for encoders.

        The year is left out: sentence encoders overweight digits, which makes items of one year
        similar.
        """
        return ". ".join(x for x in (self.title, ", ".join(self.categories), self.description) if x)


@dataclass(frozen=True)
class DecodingConfig:
    """Decoding parameters of free generation.

    Args:
        mode: ``beam`` for beam search, ``diverse`` for diverse beam search (Vijayakumar et al.,
            2018), ``sample`` for ancestral sampling.
        n: titles to generate; duplicates are merged, so fewer may be returned.
        temperature: of sampling, > 0; 1 samples from the model's own distribution.
        top_p: nucleus sampling: the likeliest tokens that together have this probability, (0, 1].
        top_k: sampling from this many likeliest tokens; ``None`` for all.
        groups: beam groups of ``diverse``, at most one per title.
        diversity: penalty in ``diverse``, nats per earlier group that chose the token at the same
            step, at least 0.
        max_new_tokens: longest title, line break included, at least 2.
        choices: ``shortlist`` constrains generation to the titles of the user's shortlist, all of
            which are in the catalog; ``None``: unconstrained.

    Raises:
        ConfigError: a value is outside its range.
    """

    mode: Literal["sample", "beam", "diverse"] = "beam"
    n: int = 20
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    groups: int = 5
    diversity: float = 1.0
    max_new_tokens: int = 32
    choices: Literal["shortlist"] | None = None

    def __post_init__(self) -> None:
        checks = {
            "mode": (self.mode in ("sample", "beam", "diverse"), "sample, beam or diverse"),
            "n": (self.n >= 1, "at least 1"),
            "temperature": (0 < self.temperature < float("inf"), "above 0"),
            "top_p": (0 < self.top_p <= 1, "above 0 and at most 1"),
            "top_k": (self.top_k is None or self.top_k >= 1, "at least 1, or None"),
            "groups": (self.groups >= 1, "at least 1"),
            "diversity": (0 <= self.diversity < float("inf"), "at least 0"),
            "max_new_tokens": (self.max_new_tokens >= 2, "at least 2"),
            "choices": (self.choices in (None, "shortlist"), "shortlist, or None"),
        }
        for name, (good, expected) in checks.items():
            if not good:
                raise ConfigError(f"{name} is {getattr(self, name)!r}", hint=f"give {expected}")


class Candidate(Frozen):
    """One generated title.

    Args:
        text: the title.
        logprob: natural-log probability of the title given the prompt; normalised over the trie's
            children for ``catalog``, over the whole vocabulary for ``free``.
        strategy: how the title was generated.
        item_ids: the title's items for ``catalog`` candidates, empty for ``free`` ones.
    """

    text: str
    logprob: float = Field(le=1e-6)
    strategy: Literal["catalog", "free"]
    item_ids: tuple[str, ...] = ()


class Match(Frozen):
    """A catalog item matched to a candidate; ``similarity`` is a cosine in [-1, 1]."""

    item_id: str
    similarity: float = Field(ge=-1.0001, le=1.0001)


class Grounding(Frozen):
    """Items that one candidate was grounded to: title → ids (titles repeat), or none."""

    candidate: Candidate
    matches: tuple[Match, ...] = ()
    method: Literal["trie", "exact", "similarity", "abstained"]

    @property
    def abstained(self) -> bool:
        """True if no catalog item exceeded the similarity threshold."""
        return not self.matches


class Dropped(Frozen):
    """An item of the top k that a filter removed."""

    item_id: str
    title: str
    filter: str
    detail: str


class RecommendationList(Frozen):
    """Ranked recommendations for one user, with provenance of the request.

    Args:
        items: the recommendations, best first.
        k: number of items requested.
        strategy: of the request.
        dropped: items that a filter removed although they would have ranked within the top ``k``.
        dropped_counts: number of items removed by each filter while filling the list.
        notes: warnings for the caller (unknown picks, a trimmed prompt, fewer than ``k`` items).
        generated: number of generated candidates.
        abstained: number of free candidates without a match in the catalog.
        prompt: the rendered prompt, if the language model was used.
        understood: what was read in the request's text.
        picks: how each typed pick was read.
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
    understood: Understood = Understood()
    picks: tuple[PickReading, ...] = ()

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
        """Ids of the recommended items, best first."""
        return [r.item_id for r in self.items]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON-ready data."""
        return self.model_dump(mode="json")
