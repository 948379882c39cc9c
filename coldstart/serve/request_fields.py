"""Types of fields of request bodies, with their limits, and the base of the bodies."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from coldstart.schema import ROWS, Pick, RowName, _as_text_map
from coldstart.schema.picks import as_picks
from coldstart.serve.store.subjects import MOST_SUBJECT

_MOST_PICKS, _MOST_INTERESTS, _MOST_ATTRIBUTES = 500, 100, 50
PICK = {
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
    WithJsonSchema({"type": "array", "items": PICK, "maxItems": _MOST_PICKS}),
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
Rows = Annotated[
    tuple[RowName, ...] | None,
    Field(
        min_length=1,
        max_length=len(ROWS),
        description="Which rows; left out: all that have enough items. A note says which of those "
        "named here are left out.",
    ),
]
Span = Annotated[
    tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]],
    Field(description="First character, and the character after the last."),
]


class RequestBody(BaseModel):
    """Base of request bodies: immutable, unknown fields rejected, strings stripped."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
