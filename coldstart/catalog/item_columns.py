"""Which column of a table holds which field of an item, by the names that people give them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from coldstart.catalog.item_aliases import ALIASES, CURRENCIES, plain_name
from coldstart.errors import CatalogError

_PICTURES = re.compile(
    r"(?:.*[ _-])?(?:image|img|poster|cover|thumbnail|thumb|picture|photo|backdrop|artwork|icon)s?"
    r"(?:[ _-]?(?:url|link|path|file|src|href|s|m|l|small|medium|large))*",
    re.IGNORECASE,
)
_LINKS = re.compile(r"(?:.*[ _-])?(?:url|uri|link|href|homepage|website)s?", re.IGNORECASE)
_ROW_NUMBERS = re.compile(
    r"|index|unnamed:? ?_?\d+(?:_level_\d+)?|_+index_level_\d+_+|_c0|row_?num(?:ber)?",
    re.IGNORECASE,
)


def is_picture(name: str) -> bool:
    """Whether a column is named like one of pictures: kept as an attribute, nothing to read.

    >>> [is_picture(n) for n in ("poster_path", "Image-URL-S", "coverImage", "discovery")]
    [True, True, True, False]
    """
    return bool(_PICTURES.fullmatch(_spaced(name)))


def is_link(name: str) -> bool:
    """Whether a column is named like one of links, likewise."""
    return bool(_LINKS.fullmatch(_spaced(name)))


def is_row_number(name: str) -> bool:
    """Whether a column has the name that libraries give to row numbers."""
    return bool(_ROW_NUMBERS.fullmatch(name.strip()))


def _spaced(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())


def header_currency(name: str) -> str:
    """Currency code in the name of a column of prices, empty if there is none.

    >>> header_currency("Price (EUR)"), header_currency("价格（元）"), header_currency("price")
    ('EUR', 'CNY', '')
    """
    bare = name.strip().casefold().rstrip(")）]").replace("（", "(")
    for code, signs in CURRENCIES.items():
        for sign in signs:
            rest = plain_name(bare.removesuffix(sign).removesuffix("in ")) if sign else ""
            if bare.endswith(sign) and rest in ALIASES["price"]:
                return code
    return ""


def match_columns(
    names: Iterable[str],
    columns: Mapping[str, str | None] | None = None,
    *,
    title_ids: bool = False,
) -> dict[str, str]:
    """Match item fields to columns.

    Without a column that is known to hold ids or titles, the only one whose name ends in "id", or
    in "title" or "name", is taken.

    Args:
        names: of the columns.
        columns: field → column, for columns that are not recognised by name; ``None``: none.
        title_ids: whether titles are the ids where no column holds ids.

    Returns:
        Field → column, for the matched fields.

    Raises:
        CatalogError: an unknown field or column, or no column of ids or titles.
    """
    names, chosen = list(names), dict(columns or {})
    for field, name in chosen.items():
        for value, known in ((field, list(ALIASES)), (name, names)):
            if value is not None and value not in known:
                near = difflib.get_close_matches(value, known, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
                raise CatalogError(f"no {'field' if value is field else 'column'} {value!r}", hint)
    found = {field: name for field, name in chosen.items() if name is not None}
    free: dict[str, str] = {}
    for name in names:
        if name not in found.values():
            free.setdefault(plain_name(name), name)
    for field, aliases in ALIASES.items():
        for alias in aliases:
            if field not in found and field not in chosen and alias in free:
                found[field] = free.pop(alias)
    if "price" not in found and "price" not in chosen:
        priced = [key for key, name in free.items() if header_currency(name)]
        if priced:
            found["price"] = free.pop(priced[0])
    for field, endings in (("item_id", ("id",)), ("title", ("title", "name"))):
        only = [name for key, name in free.items() if key.endswith(endings)]
        if field not in found and field not in chosen and len(only) == 1:
            found[field] = free.pop(plain_name(only[0]))
    if title_ids and "title" in found and "item_id" not in chosen:
        found.setdefault("item_id", found["title"])
    for field in ("title",) if title_ids and "item_id" not in chosen else ("item_id", "title"):
        if field not in found:
            if any(name.strip().replace(".", "").isdigit() for name in names):
                raise CatalogError(
                    f"no column for {field} among: {', '.join(names)}, which look like data",
                    "add a header, a row of column names",
                )
            near = difflib.get_close_matches(field, [plain_name(n) for n in names], 1, 0.7)
            likely = next((n for n in names if near and plain_name(n) == near[0]), None)
            raise CatalogError(
                f"no column for {field} among: {', '.join(names)}",
                f"name it: columns={{{field!r}: {likely!r}}}"
                if likely
                else f"name it: columns={{{field!r}: …}}",
            )
    return {field: found[field] for field in ALIASES if field in found}
