"""Lists written into one cell: JSON, Python, NumPy and PostgreSQL notation."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from typing import Any

NAMES = (
    "name", "title", "label", "displayname", "display_name", "genre", "category", "tag", "term",
    "value", "description", "text",
)  # fmt: skip
"""Fields that hold the name of an object in a list, the first that is there."""

_NO_NAMES = frozenset("id key slug code url uri href link type lang language icon image".split())
_OPEN = {"[": "]", "{": "}", "(": ")"}
_ENTRY = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s,'"](?:[^,'"]*[^\s,'"])?)""")
_LONGEST = 20_000  # characters; `ast` takes time and stack beyond


def is_bracketed(text: str) -> bool:
    """Whether a cell looks like a list: brackets around quotes, objects or commas, or empty ones.

    >>> [is_bracketed(t) for t in ("['A']", "[REC]", "[]", "{A,B}", "[{}", "(A)")]
    [True, False, True, True, False, False]
    """
    text = text.strip()
    if len(text) < 2 or _OPEN.get(text[0]) != text[-1]:
        return False
    inside = text[1:-1].strip()
    return not inside or inside[0] in "'\"[{" or "," in inside


def parse_bracketed(text: str) -> list[str]:
    """Parse a list in a cell; what is no proper list is split at its quotes or commas.

    >>> parse_bracketed('[{"id": 18, "name": "Drama"}, {"id": 35, "name": "Comedy"}]')
    ['Drama', 'Comedy']
    >>> parse_bracketed("['A' 'B, C']"), parse_bracketed("{A,B}"), parse_bracketed("[]")
    (['A', 'B, C'], ['A', 'B'], [])
    """
    text = text.strip()
    joined = "[" + re.sub(r"\}\s*\|\s*\{", "},{", text) + "]" if text.startswith("{") else text
    for candidate in dict.fromkeys((text, joined)):
        value = _literal(candidate)
        if value is not None and not _adjacent(candidate):
            return names_of(value)
    inside = text[1:-1].strip()
    if not re.search(r"""(?:^|[\s,])['"]""", inside):
        return [part.strip() for part in inside.split(",") if part.strip()]
    entries = (re.sub(r"\\(.)", r"\1", a or b) or c for a, b, c in _ENTRY.findall(inside))
    return [entry for entry in entries if entry]


def names_of(value: Any) -> list[str]:
    """Names in a value of nested lists, objects and scalars, in their order.

    An object stands for its name (``NAMES``), or, if it maps names to numbers or to true and false,
    for those above 0.

    >>> names_of([{"id": 1, "name": "Drama"}, ["Books", ["Fiction"]], None, 3.0])
    ['Drama', 'Books', 'Fiction', '3']
    >>> names_of({"Drama": True, "Comedy": 0})
    ['Drama']
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    if value is None or (isinstance(value, float) and value != value):
        return []
    if isinstance(value, Mapping):
        return _name_of(value)
    if isinstance(value, list | tuple | set | frozenset):
        entries = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [name for entry in entries for name in names_of(entry)]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, float) and value.is_integer():
        return [str(int(value))]
    return [str(value)]


def _name_of(value: Mapping[Any, Any]) -> list[str]:
    value = {key: inner for key, inner in value.items() if inner is not None}
    folded = {str(key).casefold(): inner for key, inner in value.items()}
    for name in NAMES:
        if name in folded:
            return names_of(folded[name])
    numbers = [isinstance(v, bool | int | float) for v in value.values()]
    flags = [isinstance(v, bool) for v in value.values()]
    if flags and (all(flags) or len(flags) > 1 and all(numbers) and not _NO_NAMES & folded.keys()):
        return [str(key) for key, weight in value.items() if weight > 0]
    texts = [
        inner
        for key, inner in folded.items()
        if key not in _NO_NAMES and isinstance(inner, str | list | tuple)
    ]
    return names_of(texts[0]) if texts else []


def _literal(text: str) -> Any:
    """The value of a JSON or Python literal of brackets, else ``None``."""
    if len(text) > _LONGEST:
        return None
    for parse in (json.loads, ast.literal_eval):
        try:
            value = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
            continue
        if isinstance(value, list | tuple | set | dict):
            return value
    return None


def _adjacent(text: str) -> bool:
    """Whether strings follow each other without a comma, which Python would join."""
    return bool(re.search(r"""(?<=[^\s,\[({:])(['"])\s+(['"])(?=[^\s,\])}:])""", text))
