"""What Griffe, which reads the source for the API reference, would not see by itself."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^>>> .*\n(?:.+\n?)*", re.MULTILINE)


class Fields(griffe.Extension):
    """Named tuples and pydantic models are constructed from their fields.

    Without it, their ``Args`` would name parameters that the constructor seems not to have.
    """

    def on_class(self, *, cls: griffe.Class, **_: Any) -> None:
        """Give the class a constructor, once its package is read."""
        if "__init__" in cls.members or not _is_made_of_fields(cls):
            return
        fields = _fields(cls)
        init = griffe.Function("__init__", parameters=griffe.Parameters(*fields), parent=cls)
        cls.set_member("__init__", init)


class Examples(griffe.Extension):
    """Doctests are code, wherever they stand in a docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put a fence around each example."""
        if obj.docstring:
            text = obj.docstring.value + "\n"
            obj.docstring.value = _EXAMPLE.sub(_fenced, text).rstrip("\n")


def _fenced(match: re.Match[str]) -> str:
    return f"```pycon\n{match[0].rstrip()}\n```\n"


def _is_made_of_fields(cls: griffe.Class) -> bool:
    for base in cls.bases:
        path = base if isinstance(base, str) else base.canonical_path
        if path in ("typing.NamedTuple", "pydantic.BaseModel"):
            return True
    return any(_is_made_of_fields(parent) for parent in cls.mro())


def _fields(cls: griffe.Class) -> list[griffe.Parameter]:
    found = {}
    for owner in (*reversed(cls.mro()), cls):
        for name, member in owner.members.items():
            if not member.is_attribute or name.startswith("_") or name == "model_config":
                continue
            if member.annotation is None or "property" in member.labels:
                continue
            found[name] = griffe.Parameter(
                name,
                annotation=member.annotation,
                kind=griffe.ParameterKind.positional_or_keyword,
                default=_default(member.value),
            )
    return list(found.values())


def _default(value: Any) -> Any:
    """Default of a field; that of ``Field(…)`` is among its arguments."""
    if not isinstance(value, griffe.ExprCall) or value.canonical_path != "pydantic.Field":
        return value
    named = {a.name: a.value for a in value.arguments if isinstance(a, griffe.ExprKeyword)}
    if "default_factory" in named:
        return f"{named['default_factory']}()"
    plain = [a for a in value.arguments if not isinstance(a, griffe.ExprKeyword)]
    return named.get("default", plain[0] if plain and str(plain[0]) != "..." else None)
