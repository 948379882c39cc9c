"""Filters of a list, as a request names them."""

from __future__ import annotations

from pydantic import ConfigDict, Field, model_validator

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
from coldstart.serve.request_fields import RequestBody, TextList, TextMap


class Filters(RequestBody):
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
