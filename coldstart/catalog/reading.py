"""What was read in a table of items, in words: every column, and what is missing."""

from __future__ import annotations

from collections import Counter

from coldstart.catalog.item_table import Parsed
from coldstart.catalog.titles import normalise_title

_MOST = 8
_EXAMPLES = 5


def reading_of(parsed: Parsed) -> list[str]:
    """Describe what was read, one sentence each: rows, columns, categories, missing, duplicates.

    Args:
        parsed: the table.
    """
    layout = parsed.layout
    refused = {row for rows in parsed.problems.values() for row in rows}
    rows = f"{len(parsed.items):,} items read, {len(refused):,} rows refused"
    out = [rows + (f", {len(parsed.blank):,} blank" if parsed.blank else "")]
    used = [
        f"{name} from {column!r}" if name != column else name
        for name, column in layout.fields.items()
    ]
    out.append("columns: " + ", ".join(used))
    out += _categories(parsed)
    plain = [n for n, remark in layout.attributes.items() if not remark]
    if plain:
        out.append("kept as attributes: " + listed(plain))
    for remark in dict.fromkeys(r for r in layout.attributes.values() if r):
        names = [n for n, r in layout.attributes.items() if r == remark]
        out.append(f"kept as attributes, not read ({remark}): {listed(names)}")
    if layout.unused:
        unused = [f"{name!r} ({why})" for name, why in layout.unused.items()]
        out.append("not used: " + listed(unused))
    missing = [f"{name} in {n:,}" for name, n in parsed.missing.items()]
    if missing:
        out.append(f"rows without a value: {', '.join(missing)}")
    counts = Counter((normalise_title(i.title), i.year) for i in parsed.items)
    same = sum(n for n in counts.values() if n > 1)
    out.append(f"{same:,} items share title and year with another" if same else "no duplicates")
    return out


def listed(names: list[str], most: int = _MOST) -> str:
    """Join names, at most ``most`` of them.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _categories(parsed: Parsed) -> list[str]:
    layout = parsed.layout
    if not layout.categories and not layout.flags:
        return ["no categories: no column is named like them"]
    where = [f"{column!r}, {form.describe()}" for column, form in layout.categories.items()]
    if layout.flags:
        where.append(f"{len(layout.flags)} columns of 0 and 1 ({listed(list(layout.flags), 4)})")
    found = Counter(c for item in parsed.items for c in item.categories)
    most = listed([name for name, _ in found.most_common(_EXAMPLES)], _EXAMPLES)
    bare = sum(not item.categories for item in parsed.items)
    what = f"{len(found):,} different, most often {most}" if found else "none found"
    without = f"; {bare:,} items without" if bare else ""
    return [f"categories: {'; '.join(where)}: {what}{without}"]
