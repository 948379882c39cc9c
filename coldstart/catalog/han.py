"""Traditional Chinese characters as simplified ones, so that either finds the other."""

from __future__ import annotations

from functools import cache
from typing import Any

_FIRST = "\u2e80"  # from here on, Han characters and their radicals


class _ToSimplified(dict[int, "int | str | None"]):
    """``str.translate`` table, filled lazily by OpenCC."""

    def __missing__(self, code: int) -> int | str | None:
        self[code] = code
        if code >= ord(_FIRST) and not 0xD800 <= code < 0xE000:
            made = _converter().convert(chr(code))
            self[code] = ord(made) if len(made) == 1 else code
        return self[code]


_TABLE = _ToSimplified()


def simplified(text: str) -> str:
    """Fold traditional Chinese characters, one by one, so that no position in the text moves.

    Japanese kanji that are traditional characters are folded as well: for comparison only.

    >>> simplified("輕便的運動鞋")
    '轻便的运动鞋'
    """
    return text if text.isascii() or max(text) < _FIRST else text.translate(_TABLE)


@cache
def _converter() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")
