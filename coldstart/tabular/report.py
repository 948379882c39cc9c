"""Account of how a table was read: every row and every column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from coldstart.errors import DataError
from coldstart.tabular.rows import counted, rows_text


@dataclass(frozen=True)
class ReadReport:
    """What became of the rows and columns of one table.

    Args:
        name: of the file, or of the frame.
        kind: of the file: encoding, separator.
        rows: number of rows in it, blank ones included.
        read: number of rows that were read.
        columns: field → column that became it.
        attributes: columns that were kept under their own names.
        unused: columns that were not read.
        left_out: reason, such as ``without user_id`` → numbers of the rows.
        notes: further sentences, without a full stop.
        warnings: whatever looks like a mistake, likewise.

    Raises:
        DataError: rows that are neither read nor left out, or both.
    """

    name: str
    kind: str
    rows: int
    read: int
    columns: Mapping[str, str]
    attributes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    left_out: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        counted = self.read + sum(map(len, self.left_out.values()))
        if counted != self.rows:
            raise DataError(
                f"{self.name}: {self.rows} rows, of which {counted} are accounted for",
                "this is a bug in coldstart",
            )

    def sentences(self) -> list[str]:
        """All but the warnings, in sentences without a full stop."""
        read = "" if self.read == self.rows else f"{self.read:,} of "
        made = [f"{self.name} ({self.kind}): {read}{counted(self.rows)}"]
        for reason, rows in self.left_out.items():
            made.append(f"left out: {counted(len(rows))} {reason} ({rows_text(rows, 5)})")
        if self.columns:
            made.append(", ".join(f"{f} ← {c}" for f, c in self.columns.items()))
        if self.attributes:
            made.append(f"kept as attributes: {', '.join(self.attributes)}")
        made.append(f"not used: {', '.join(self.unused)}" if self.unused else "no column unused")
        return [*made, *self.notes]

    def paragraph(self) -> str:
        """One paragraph for people, warnings last."""
        return paragraph_of(self.sentences(), self.warnings)


def paragraph_of(sentences: list[str], warnings: tuple[str, ...] = ()) -> str:
    """Join sentences and warnings, each without a full stop, to a paragraph.

    >>> paragraph_of(["a.csv: 3 rows", "not used: b"], ("b looks like a time",))
    'Read a.csv: 3 rows; not used: b. Warning: b looks like a time.'
    """
    text = f"Read {'; '.join(sentences)}."
    return " ".join([text, *(f"Warning: {w.rstrip('.')}." for w in warnings)])
