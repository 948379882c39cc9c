"""Bases of the data model: frozen pydantic models that reject unknown fields."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from coldstart.errors import ColdstartError, ProfileError

M = TypeVar("M", bound=BaseModel)


class Frozen(BaseModel):
    """Immutable; unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Input(Frozen):
    """Input of users: surrounding white space is stripped."""

    model_config = ConfigDict(str_strip_whitespace=True)


def parse(model: type[M], data: object, what: str, error: type[ColdstartError] = ProfileError) -> M:
    """Validate ``data`` as ``model``; errors are reported in one line with field paths.

    Raises:
        ColdstartError: (as ``error``) invalid data; the message names every invalid field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as e:
        lines = [f"{'.'.join(map(str, x['loc'])) or what}: {x['msg']}" for x in e.errors()]
        known = ", ".join(model.model_fields)
        raise error(f"invalid {what}: {'; '.join(lines)}", hint=f"fields: {known}") from None
