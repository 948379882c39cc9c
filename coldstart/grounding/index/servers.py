"""Shared parts of server indexes: validated input, and exact cosines of retrieved rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from coldstart.errors import ColdstartError, ConfigError
from coldstart.grounding.index.allowed import Allowed
from coldstart.grounding.index.exact import unit_rows
from coldstart.grounding.index.row_scoring import nearest

if TYPE_CHECKING:
    from coldstart.protocols import Float

SPARE = 16
"""Rows retrieved beyond k: a server's float32 rounding may change the order of near ties."""

_LONGEST = 2000  # bytes of an id: PostgreSQL's key holds 2,700
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,39}")


class IndexUnavailable(ColdstartError):
    """Server of an index is unreachable or refuses; nothing was changed."""


def checked_name(name: str) -> str:
    """Validate that a name is safe in SQL and in URLs.

    Raises:
        ConfigError: it is not.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"name is {name!r}, expected at most 40 of a-z, 0-9 and _, no digit first",
            "an index is called films or films_v2",
        )
    return name


def checked_rows(ids: Sequence[str], vectors: Float) -> tuple[list[str], Float]:
    """Return distinct ids, sorted, and their unit rows; for an id given twice the last wins.

    Raises:
        ConfigError: shapes disagree, a number is not finite, or an id cannot be stored.
    """
    unit = unit_rows(vectors)
    if len(ids) != len(unit):
        raise ConfigError(f"got {len(ids)} ids but {len(unit)} vectors", "send one per id")
    for item_id in ids:
        problem = _unfit(item_id)
        if problem:
            raise ConfigError(f"id {item_id!r:.60} {problem}", "change it in the catalog")
    last = {item_id: row for row, item_id in enumerate(ids)}
    names = sorted(last)
    return names, unit[[last[item_id] for item_id in names]]


def checked_queries(queries: Float, k: int) -> Float:
    """Validate queries and scale them to unit rows.

    Raises:
        ConfigError: ``k`` < 1, the shape is wrong, or a number is not finite.
    """
    if k < 1:
        raise ConfigError(f"k is {k}, expected at least 1")
    return unit_rows(queries)


def storable(ids: Sequence[str]) -> list[str]:
    """Distinct ids that a server index can store."""
    distinct = ids if isinstance(ids, Allowed) else Allowed(ids)
    return [item_id for item_id in distinct if not _unfit(item_id)]


def best(query: Float, ids: Sequence[str], rows: Float, k: int) -> list[tuple[str, float]]:
    """Score retrieved unit rows, and return the top ``k`` as of ``Index.search``."""
    return nearest(rows, [slice(0, len(ids))], query[None], k, ids)[0] if ids else []


def other_dimension(got: int, expected: int) -> ConfigError:
    """Error for vectors of another dimension."""
    return ConfigError(
        f"vectors have {got} dimensions, the index has {expected}",
        "use one encoder for items and queries, or another name for the index",
    )


def _unfit(item_id: object) -> str:
    if not isinstance(item_id, str):
        return f"is of type {type(item_id).__name__}, expected text"
    if "\0" in item_id:
        return "holds a NUL byte, which a server index cannot store"
    try:
        size = len(item_id.encode())
    except UnicodeEncodeError:
        return "is no valid Unicode"
    return f"has {size} bytes, expected at most {_LONGEST}" if size > _LONGEST else ""
