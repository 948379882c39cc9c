"""Account of a table of items: every row and column, categories, what is missing or repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from coldstart.catalog.item_table import Parsed
from coldstart.catalog.titles import normalise_title
from coldstart.tabular.reading import TableFile
from coldstart.tabular.report import ReadReport

_MOST = 8
_EXAMPLES = 5


def report_of(file: TableFile, parsed: Parsed, warnings: Sequence[str] = ()) -> ReadReport:
    """Describe what was read.

    Args:
        file: the table as read.
        parsed: its items.
        warnings: beside those of the file.
    """
    layout = parsed.layout
    left_out: dict[str, list[int]] = {"that are blank": list(parsed.blank)} if parsed.blank else {}
    counted = set[int]()
    for what, rows in parsed.problems.items():  # a row with two problems is left out once
        if fresh := [row for row in rows if row not in counted]:
            left_out[f"with {what}"] = fresh
            counted.update(fresh)
    attributes = [f"{n} ({why})" if why else n for n, why in layout.attributes.items()]
    return ReadReport(
        str(file.path),
        file.kind,
        rows=file.frame.height,
        read=len(parsed.items),
        columns=layout.fields,
        attributes=tuple(attributes),
        unused=tuple(f"{name!r} ({why})" for name, why in layout.unused.items()),
        left_out={what: tuple(rows) for what, rows in left_out.items()},
        notes=(
            *_ids(parsed),
            _categories(parsed),
            *_shop(parsed),
            *_missing(parsed),
            _same(parsed),
        ),
        warnings=(*file.warnings, *warnings),
    )


def listed(names: Sequence[str], most: int = _MOST) -> str:
    """Join names, at most ``most`` of them.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _ids(parsed: Parsed) -> list[str]:
    return ["no column of ids: titles are the ids"] if parsed.layout.by_title else []


def _missing(parsed: Parsed) -> list[str]:
    missing = [f"{name} in {n:,}" for name, n in parsed.missing.items()]
    return [f"missing: {', '.join(missing)}"] if missing else []


def _shop(parsed: Parsed) -> list[str]:
    """Currency of the prices, and how many items cannot be had."""
    out, gone = [], sum(not item.available for item in parsed.items)
    if parsed.layout.currency:
        out.append(f"prices in {parsed.layout.currency}")
    if gone:
        out.append(f"{gone:,} items are not available and never shown")
    return out


def _same(parsed: Parsed) -> str:
    counts = Counter((normalise_title(i.title), i.year) for i in parsed.items)
    same = sum(n for n in counts.values() if n > 1)
    return f"{same:,} items share title and year with another" if same else "no duplicates"


def _categories(parsed: Parsed) -> str:
    layout = parsed.layout
    if not layout.categories and not layout.flags:
        return "no categories: no column is named like them"
    where = [f"in {column}, {form.describe()}" for column, form in layout.categories.items()]
    if layout.flags:
        where.append(f"{len(layout.flags)} columns of 0 and 1 ({listed(list(layout.flags), 4)})")
    found = Counter(c for item in parsed.items for c in item.categories)
    most = listed([name for name, _ in found.most_common(_EXAMPLES)], _EXAMPLES)
    bare = sum(not item.categories for item in parsed.items)
    what = f"{len(found):,} different, most often {most}" if found else "none found"
    without = f"; {bare:,} items without" if bare else ""
    return f"categories {'; '.join(where)}: {what}{without}"
