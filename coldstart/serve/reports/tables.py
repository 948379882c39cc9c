"""Reports as tables: CSV files in one archive."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from coldstart.serve.reports.artifact_list import Artifacts
from coldstart.serve.reports.catalog_health import CatalogHealth
from coldstart.serve.reports.engagement import Engagement
from coldstart.serve.reports.rates import MeanAmount, Rate
from coldstart.serve.reports.sentences import Sentences
from coldstart.serve.reports.traffic import Traffic

# Where a cell may begin: where semicolons separate columns, and with tabs and line breaks, also
# inside of a text. Spreadsheets of East Asia read the wide signs, too.
_FORMULA = re.compile(r"(?P<before>(?:^|[;；\t\r\n])[\s\"]*)(?P<sign>[=+\-@＝＋－＠])")
_STAMP = (2000, 1, 1, 0, 0, 0)  # equal reports make equal archives


class AllReports(BaseModel):
    """All reports of one moment."""

    sentences: Sentences
    engagement: Engagement
    traffic: Traffic
    catalog: CatalogHealth
    artifacts: Artifacts

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows of every table by name; rates and amounts are three columns."""
        shown, asked = self.engagement, self.sentences
        gaps = [
            {"check": check.check, "item_id": item.item_id, "title": item.title}
            for check in self.catalog.checks
            for item in check.examples
        ]
        return {
            "not_understood": _rows(asked.parts),
            "sentences": _rows(asked.newest),
            "days": _rows(shown.days),
            "arms": _rows(shown.arms),
            "items": _rows(shown.items),
            "reactions": [{"kind": k, "items": n} for k, n in shown.kinds.items()],
            "routes": _rows(self.traffic.routes),
            "refusals": [{"reason": k, "requests": n} for k, n in self.traffic.refusals.items()],
            "traffic": _rows(self.traffic.history),
            "catalog": _rows(self.catalog.checks, without=("examples",)),
            "catalog_items": gaps,
            "artifacts": _rows(self.artifacts.artifacts, without=("figures",)),
        }

    def archive(self) -> bytes:
        """ZIP archive with one CSV file for each table."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, rows in self.tables().items():
                archive.writestr(zipfile.ZipInfo(f"{name}.csv", _STAMP), as_csv(rows))
        return out.getvalue()


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """CSV (RFC 4180) in UTF-8 with a byte order mark, as spreadsheets expect.

    What a spreadsheet would take for a formula is preceded by an apostrophe, also within a text
    behind a semicolon, a tab or a line break, since many spreadsheets split there: sentences are
    written by anybody.
    """
    out = io.StringIO(newline="")
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        value = "; ".join(map(str, value))
    if isinstance(value, str):
        return _FORMULA.sub(r"\g<before>'\g<sign>", value)
    return "" if value is None else value


def _rows(models: Iterable[BaseModel], without: Sequence[str] = ()) -> list[dict[str, Any]]:
    out = []
    for model in models:
        row: dict[str, Any] = {}
        for name in type(model).model_fields:
            value = getattr(model, name)
            if isinstance(value, Rate | MeanAmount):
                ends = (value.value, value.low, value.high)
                row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
            elif name not in without:
                row[name] = value
        out.append(row)
    return out
