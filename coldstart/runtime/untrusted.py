"""Reading of JSON from elsewhere, whose every value is checked before use.

Artifacts are shared, so their files are data of strangers even where the checksums match. Every
reader of an artifact gets its values from here: a wrong type, shape, range or size, a number that
is not finite, and text that nests too deeply, are one ``ArtifactError`` of one line.
"""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from coldstart.errors import ArtifactError

HINT = "copy the artifact again; if it is unchanged, it was made wrongly: do not use it"
MOST = 1e6
"""Largest magnitude of a weight, a learned number or a coordinate."""
WIDEST = 1 << 53
"""Largest whole number: a double holds all up to it exactly."""
_DEEPEST = 200  # brackets within brackets


def refuse(what: str, found: object, expected: str) -> ArtifactError:
    """The error for a value of an artifact, quoted in short."""
    return ArtifactError(f"{what} is {shown(found)}, expected {expected}", HINT)


@contextmanager
def within(what: str) -> Iterator[None]:
    """Name the part of an artifact before the errors that are raised in a block."""
    try:
        yield
    except ArtifactError as e:
        raise ArtifactError(f"{what}: {e.message}", e.hint) from e


def shown(value: object) -> str:
    """A value in at most some eighty characters of one line that any terminal can print."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"an array of {value.dtype} of shape {value.shape}"
    try:
        text = reprlib.repr(value)
    except Exception:  # a plug-in's object
        text = type(value).__name__
    return text.encode("ascii", "backslashreplace").decode()[:80]


def first_line(error: BaseException) -> str:
    """Kind and first line of an error of a library."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text.encode("ascii", "backslashreplace").decode()[:200]


def read_json(data: bytes, what: str) -> Any:
    """Parse JSON of finite numbers, nested at most 200 deep.

    Args:
        data: UTF-8.
        what: name of the file, for errors.

    Raises:
        ArtifactError: malformed, too deep, or with a number that no double holds.
    """
    try:
        text = data.decode("utf-8")
        found = json.loads(
            text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole_number
        )
        _check_depth(found)
    except (ValueError, RecursionError) as e:
        raise ArtifactError(f"{what} is damaged: {first_line(e)}", HINT) from None
    return found


def _check_depth(found: Any) -> None:
    level, depth = [found], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise ValueError(f"it nests more than {_DEEPEST} deep")
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]


def _no_number(text: str) -> float:
    raise ValueError(f"it has the number {text}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it has the number {text[:40]}, which is too large")
    return value


def _whole_number(text: str) -> int:
    if len(text) > 19 or abs(value := int(text)) > WIDEST:
        raise ValueError(f"it has the number {text[:40]}, which is too large")
    return value


def whole(value: object, what: str, low: int = 0, high: int = WIDEST) -> int:
    """A whole number in a range."""
    if type(value) is not int or not low <= value <= high:
        raise refuse(what, value, f"a whole number from {low} to {high}")
    return value


def number(value: object, what: str, low: float = -MOST, high: float = MOST) -> float:
    """A finite number in a range."""
    if type(value) not in (int, float) or not low <= value <= high:  # type: ignore[operator]
        raise refuse(what, value, f"a number from {low:g} to {high:g}")
    return float(value)  # type: ignore[arg-type]


def text(value: object, what: str, most: int = 200) -> str:
    """A text of 1 to ``most`` characters that UTF-8 can hold."""
    if not isinstance(value, str) or not 0 < len(value) <= most or not is_plain(value):
        raise refuse(what, value, f"a text of 1 to {most} characters")
    return value


def is_plain(value: str) -> bool:
    """Whether a text has neither lone surrogates nor NUL."""
    try:
        return b"\0" not in value.encode("utf-8")
    except UnicodeEncodeError:
        return False


def names(value: object, what: str, most: int = 200) -> tuple[str, ...]:
    """A list of different texts."""
    if not isinstance(value, list):
        raise refuse(what, value, "a list of texts")
    found = tuple(text(name, f"an entry of {what}", most) for name in value)
    if len(set(found)) < len(found):
        raise ArtifactError(f"{what} has repeats, expected each text once", HINT)
    return found


def mapping(value: object, what: str, needed: Sequence[str] = ()) -> dict[str, Any]:
    """A JSON object that has some keys."""
    if not isinstance(value, dict):
        raise refuse(what, value, "a JSON object")
    if missing := [key for key in needed if key not in value]:
        raise ArtifactError(f"{what} lacks {', '.join(missing)}", HINT)
    return value


def pair(value: object, what: str) -> tuple[float, float]:
    """A list of two finite numbers."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise refuse(what, value, "two numbers")
    return number(value[0], what), number(value[1], what)
