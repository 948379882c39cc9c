"""Load a catalog from a table, with an account of what was read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_table import items_of, parse_items
from coldstart.catalog.reading import report_of
from coldstart.data.check import findings
from coldstart.errors import CatalogError, DataError
from coldstart.tabular.reading import TableFile, TextOptions, read_file
from coldstart.tabular.report import ReadReport
from coldstart.tabular.rows import rows_text

_MOST_ROWS = 5


def load_catalog(
    path: str | Path,
    columns: Mapping[str, str | None] | None = None,
    text: TextOptions | None = None,
    *,
    title_ids: bool = False,
) -> tuple[Catalog, ReadReport]:
    """Load a catalog as ``Catalog.load``, and account for every row and column.

    Args:
        path: of the table.
        columns: field → column, for columns not recognised by name.
        text: encoding, separator and quotes of text files, where recognising them fails.
        title_ids: see ``Catalog.from_frame``.

    Raises:
        CatalogError: an unreadable file, or invalid rows.
        DataError: no items.
    """
    return catalog_of(read_file(path, text, error=CatalogError), columns, title_ids=title_ids)


def catalog_of(
    file: TableFile,
    columns: Mapping[str, str | None] | None = None,
    *,
    title_ids: bool = False,
) -> tuple[Catalog, ReadReport]:
    """Make a catalog of a table that has been read; see ``load_catalog``."""
    parsed = parse_items(file.frame, columns, first_row=file.first_row, title_ids=title_ids)
    items = items_of(parsed, first_row=file.first_row)
    if not items:
        raise DataError(f"{file.path}: no items", hint="the table has a header but no rows")
    warnings = [
        f"{p.what} in {rows_text(p.rows, _MOST_ROWS)}" if p.rows else p.what
        for p in findings(file, parsed)
        if p.level == "warning"
    ]
    return Catalog(items), report_of(file, parsed, warnings)
