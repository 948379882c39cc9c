"""Parse the rows of a table as items, and keep account of what was read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from coldstart.catalog.ages import read_ages
from coldstart.catalog.amounts import price_currency
from coldstart.catalog.bracketed import is_bracketed, names_of, parse_bracketed
from coldstart.catalog.category_format import CategoryFormat, category_format, is_genre
from coldstart.catalog.frames import Columns, columns_of
from coldstart.catalog.item_aliases import ALIASES, plain_name
from coldstart.catalog.item_columns import (
    header_currency,
    is_link,
    is_picture,
    is_row_number,
    match_columns,
)
from coldstart.catalog.item_values import (
    OLDEST_RATING,
    READERS,
    UNKNOWN_YEARS,
    odd_year,
    read_year,
)
from coldstart.catalog.titles import clean_text, split_year
from coldstart.errors import CatalogError
from coldstart.schema import Item
from coldstart.tabular.cells import as_text, is_missing
from coldstart.tabular.rows import rows_text

_MORE_CATEGORIES = re.compile(
    r"(?:sub)?(?:categor(?:y|ies)|genres?|kategorien?|tags?)\d{1,2}|"
    r"sub(?:categor(?:y|ies)|genres?)|[一二三四五1-5]级(?:分类|类目|类别|品类)|"
    r"[大中小子](?:分?类别?|类目|分類)"
)
_FLAG_PREFIX = re.compile(r"(?:genres?|categor(?:y|ies)|tags?)[\s_.:-]+(?=\S)", re.IGNORECASE)
_FLAGS = frozenset({"0", "1", "true", "false"})
_FEWEST_FLAGS = 3
_LONGEST_TITLE = 180  # characters of a title that become an id, which holds 200
_KANA = re.compile(r"[\u3040-\u30ff]")
_SURE = frozenset({"itemid", "title", "year", "price", "available", "minage", "maxage"})
_AMOUNTS = frozenset({"quantity", "qty", "数量"})  # of a stock if they may be none, else of a pack
CURRENCY = "currency"
"""Attribute that holds the code of the currency that a table's prices are in."""


Remark = tuple[str, str]  # kind and value


@dataclass(frozen=True)
class Layout:
    """Meaning of the columns of a table of items.

    Args:
        fields: field → column.
        categories: columns of categories → their format.
        flags: columns of 0 and 1 → the category that each stands for.
        attributes: columns that become attributes → remark, such as ``pictures``; often empty.
        unused: columns that are left out → why.
        currency: code of the currency of all prices, empty if unknown.
    """

    fields: Mapping[str, str]
    categories: Mapping[str, CategoryFormat]
    flags: Mapping[str, str]
    attributes: Mapping[str, str]
    unused: Mapping[str, str]
    currency: str = ""

    @property
    def by_title(self) -> bool:
        """Whether titles are the ids."""
        return self.fields["item_id"] == self.fields["title"]


@dataclass(frozen=True)
class Parsed:
    """Result of parsing a table of items.

    Args:
        items: the valid items.
        rows: row number of each item.
        problems: rows that make no item, by kind of problem.
        remarks: kind of value that looks like a mistake → value → rows, which make items.
        layout: meaning of the columns.
        missing: rows without a value, by field.
        blank: rows without any value.
    """

    items: list[Item]
    rows: list[int]
    problems: dict[str, list[int]]
    remarks: dict[str, dict[str, list[int]]]
    layout: Layout
    missing: dict[str, int] = field(default_factory=dict)
    blank: list[int] = field(default_factory=list)


def items_from_frame(
    frame: Any,
    columns: Mapping[str, str | None] | None = None,
    *,
    first_row: int = 2,
    title_ids: bool = False,
) -> list[Item]:
    """Parse the rows of a polars or pandas frame or a pyarrow table as items.

    Args:
        frame: columns are matched by name, ignoring case and punctuation (see ``item_columns``);
            unmatched columns become ``Item.attributes``. Empty rows are skipped.
        columns: field → column, for columns not recognised by name.
        first_row: number of the first data row in error messages; 2 as in a spreadsheet with a
            header in row 1.
        title_ids: whether titles are the ids where no column holds ids; of several items of one
            title the second is "title (2)".

    Raises:
        CatalogError: invalid rows; the message names each.
    """
    parsed = parse_items(frame, columns, first_row=first_row, title_ids=title_ids)
    return items_of(parsed, first_row=first_row)


def items_of(parsed: Parsed, *, first_row: int = 2) -> list[Item]:
    """Items of a parsed table.

    Raises:
        CatalogError: rows that make no item; the message names each.
    """
    if parsed.problems:
        counted = "the header is row 1" if first_row == 2 else f"the first row is row {first_row}"
        what = "; ".join(f"{what} in {rows_text(rows)}" for what, rows in parsed.problems.items())
        raise CatalogError(f"the table makes no catalog: {what}", f"{counted}; nothing was loaded")
    return parsed.items


def parse_items(
    frame: Any,
    columns: Mapping[str, str | None] | None = None,
    *,
    first_row: int = 2,
    title_ids: bool = False,
) -> Parsed:
    """Parse as ``items_from_frame``, but report invalid rows instead of raising."""
    table = columns_of(frame)
    layout = layout_of(table, columns, title_ids=title_ids)
    out, seen = Parsed([], [], {}, {}, layout), set[str]()
    titles = Counter[str]()
    for number, row in enumerate(_rows(table), start=first_row):
        if not row:
            out.blank.append(number)
            continue
        for name, column in layout.fields.items():
            if column not in row:
                out.missing[name] = out.missing.get(name, 0) + 1
        made, remarks = _item(row, layout)
        if isinstance(made, Item) and layout.by_title:
            made = _numbered(made, titles, seen)
        if isinstance(made, Item) and made.item_id in seen:
            made = ["duplicate item_id"]
        if isinstance(made, Item):
            seen.add(made.item_id)
            out.items.append(made)
            out.rows.append(number)
            for kind, value in remarks:
                out.remarks.setdefault(kind, {}).setdefault(value, []).append(number)
        else:
            for what in made:
                out.problems.setdefault(what, []).append(number)
    return out


def _numbered(item: Item, titles: Counter[str], seen: Set[str]) -> Item:
    """An item with its title as id, and a number behind it where that is taken."""
    title = item.item_id[:_LONGEST_TITLE].rstrip()
    while (new := f"{title} ({titles[title]})" if titles[title] > 1 else title) in seen:
        titles[title] = max(2, titles[title] + 1)
    return item.model_copy(update={"item_id": new})


def layout_of(
    table: Columns, columns: Mapping[str, str | None] | None = None, *, title_ids: bool = False
) -> Layout:
    """Recognise what each column of a table holds, by its name and its cells.

    Args:
        table: column → cells.
        columns: field → column, for columns not recognised by name.
        title_ids: see ``items_from_frame``.

    Raises:
        CatalogError: as ``match_columns``.
    """
    fields = _fields(table, columns, title_ids)
    free = [n for n in table if n not in fields.values() and n != "attributes"]
    empty = {n for n in free if all(map(is_missing, table[n]))}
    flags = _flags({n: table[n] for n in free if n not in empty})
    many = [n for n in free if _MORE_CATEGORIES.fullmatch(plain_name(n)) and n not in empty]
    main = [fields["categories"]] if "categories" in fields else []
    categories = {n: category_format(filter(_there, table[n])) for n in [*main, *many]}
    unused = {n: "row numbers" for n in free if is_row_number(n)}
    unused |= {n: "without a value" for n in free if n in empty}
    attributes = {
        n: "pictures" if is_picture(n) else "links" if is_link(n) else ""
        for n in free
        if n not in unused and n not in categories and n not in flags
    }
    others = {alias for alias in ALIASES["description"] if alias != "details"}
    for name in attributes:
        if plain_name(name) in others:
            attributes[name] = "another description"
    return Layout(fields, categories, flags, attributes, unused, _currency(table, fields))


def _fields(
    table: Columns, columns: Mapping[str, str | None] | None, title_ids: bool
) -> dict[str, str]:
    """Field → column; columns whose cells do not fit the field that their name suggests are not."""
    refused: set[str] = set()
    while True:
        names = [name for name in table if name not in refused]
        fields = match_columns(names, columns, title_ids=title_ids)
        for name in READERS.keys() & fields.keys():
            column = fields[name]
            guessed = not (columns and name in columns) and plain_name(column) not in _SURE
            if guessed and not _readable(name, table[column], plain_name(column)):
                refused.add(column)
        if refused.isdisjoint(fields.values()):
            return fields


def _currency(table: Columns, fields: Mapping[str, str]) -> str:
    """Currency of a column of prices, by its name or the only sign in its cells."""
    if "price" not in fields or CURRENCY in map(plain_name, table):
        return ""
    found = {price_currency(cell) for cell in table[fields["price"]]} - {""}
    code = header_currency(fields["price"]) or (found.pop() if len(found) == 1 else "")
    if code != "¥":
        return code
    return "JPY" if any(_KANA.search(str(cell)) for cell in table[fields["title"]]) else "CNY"


def _readable(name: str, cells: list[Any], column: str) -> bool:
    """Whether at least half of the cells can be read as a field that is known by a weak name."""
    there = [v for v in cells if _there(v)]
    if column in _AMOUNTS and all(READERS["available"](v) is not False for v in there):
        return False
    if name == "year":
        good = sum(isinstance(y := read_year(v), int) and abs(y) <= 9999 for v in there)
    elif name == "available":
        words = ("yes", "no", "true", "false", "y", "n")
        good = sum(
            isinstance(v, bool)
            or isinstance(READERS[name](v), bool)
            or str(v).strip().casefold() in words
            for v in there
        )
    elif name == "image":
        good = sum(bool(READERS[name](v)) for v in there)
    else:
        read = (READERS[name](v) for v in there)
        good = sum(isinstance(v, int | float) and not isinstance(v, bool) for v in read)
    return 2 * good >= len(there)


def _flags(table: Columns) -> dict[str, str]:
    """Columns of 0 and 1 that stand for categories: named so, or at least three of genres."""
    made = {
        name: _FLAG_PREFIX.sub("", name.strip())
        for name, cells in table.items()
        if all(is_missing(v) or as_text(v).strip().casefold() in _FLAGS for v in cells)
    }
    named = {n: c for n, c in made.items() if c != n.strip()}
    genres = {n: c for n, c in made.items() if is_genre(c)}
    return named | (genres if len(genres) >= _FEWEST_FLAGS else {})


def _there(value: object) -> bool:
    return not is_missing(value)


def _rows(table: Columns) -> Iterator[dict[str, Any]]:
    """Iterate over rows, without missing cells."""
    for values in zip(*table.values(), strict=True):
        yield {n: v for n, v in zip(table, values, strict=True) if not is_missing(v)}


def _item(row: dict[str, Any], layout: Layout) -> tuple[Item | list[str], list[Remark]]:
    """Parse one row as an item; the problems if it is invalid, and remarks."""
    made = {name: row[column] for name, column in layout.fields.items() if column in row}
    for name in {"item_id", "title", "description", "image_alt"} & made.keys():
        value = made[name]
        text = " ".join(names_of(value)) if isinstance(value, list) else as_text(value)
        made[name] = clean_text(text)
    if layout.by_title and "item_id" in made:
        made["item_id"] = made["item_id"][:_LONGEST_TITLE]
    needed = ("title",) if layout.by_title else ("item_id", "title")
    missing = [f"empty {name}" for name in needed if is_missing(made.get(name))]
    if missing:
        return missing, []
    remarks: list[Remark] = []
    ages = read_ages(made["min_age"]) if "min_age" in made else None
    for name in READERS.keys() & made.keys():
        made[name] = READERS[name](made[name])
    _check_year(made, remarks)
    _check_age(made, remarks)
    if ages is not None and ages[1] is not None:
        made.setdefault("max_age", ages[1])
    _check_span(made, remarks)
    _check_popularity(made, remarks)
    if made.get("image") == "":
        remarks.append(("pictures left out", as_text(row[layout.fields["image"]])))
    found = [c for n, form in layout.categories.items() if n in row for c in form.parse(row[n])]
    found += [c for n, c in layout.flags.items() if as_text(row.get(n)).casefold() in ("1", "true")]
    made["categories"] = list(dict.fromkeys(found))
    try:
        return Item(**made, attributes=_attributes(row, layout)), remarks
    except ValidationError as e:
        return [f"bad {x['loc'][0]} ({x['msg']})" for x in e.errors()], []


def _check_year(made: dict[str, Any], remarks: list[Remark]) -> None:
    """Leave out what stands for an unknown year, and take the year off the title if it is there."""
    if made.get("year") in UNKNOWN_YEARS:
        remarks.append(("years taken for unknown", str(made.pop("year"))))
    title, written = split_year(made["title"])
    if written is not None and made.get("year", written) == written:
        made["title"], made["year"] = title, written
    elif odd_year(made.get("year")):
        remarks.append(("odd years", str(made["year"])))


def _check_age(made: dict[str, Any], remarks: list[Remark]) -> None:
    age = made.get("min_age")
    if age == -1:
        remarks.append(("minimum ages taken for unknown", "-1"))
        del made["min_age"]
    elif isinstance(age, int) and age > OLDEST_RATING:
        remarks.append(("minimum ages above every rating", str(age)))


def _check_span(made: dict[str, Any], remarks: list[Remark]) -> None:
    """Leave out a maximum age that stands for none, or is below the minimum age."""
    low, high = made.get("min_age"), made.get("max_age")
    if high == -1:
        del made["max_age"]
    elif isinstance(low, int) and isinstance(high, int) and high < low:
        remarks.append(("maximum ages below the minimum age, left out", f"{low} to {high}"))
        del made["max_age"]


def _check_popularity(made: dict[str, Any], remarks: list[Remark]) -> None:
    """Leave out a popularity that is no number, or below zero."""
    given = made.get("popularity")
    if given is not None and not (isinstance(given, int | float) and given >= 0):
        remarks.append(("popularities taken for unknown", as_text(given)))
        del made["popularity"]


def _attributes(row: Mapping[str, Any], layout: Layout) -> dict[str, str]:
    cells = {n: row[n] for n in layout.attributes if n in row}
    nested = row.get("attributes")
    if "attributes" not in layout.fields.values() and nested is not None:
        is_map = isinstance(nested, Mapping)
        cells |= (
            {k: v for k, v in nested.items() if _there(v)} if is_map else {"attributes": nested}
        )
    if layout.currency and layout.fields["price"] in row:
        cells[CURRENCY] = layout.currency
    texts = {name.strip(): clean_text(_attribute(v)) for name, v in cells.items()}
    return {name: v for name, v in texts.items() if v}


def _attribute(value: Any) -> str:
    """Text of an attribute; lists and objects by their names, separated by bars."""
    if isinstance(value, str) and is_bracketed(value) and value.strip()[1:2] in tuple("'\"[{]"):
        return "|".join(parse_bracketed(value))
    if isinstance(value, list | dict):
        return "|".join(names_of(value)) or ("" if not value else as_text(value))
    return as_text(value)
