"""Parse comma-, tab- or otherwise separated text as a careful person would, or refuse a row."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from coldstart.tabular.lines import (
    MOST_LINES,
    UnclosedError,
    are_rows,
    attempt,
    by_backslash,
    by_rfc,
    literally,
)
from coldstart.tabular.separators import UNIT, guess_separator, name_of

if TYPE_CHECKING:
    import polars as pl

Quotes = Literal["auto", "csv", "literal"]
"""Meaning of ``"``: recognised row by row; always as in RFC 4180; always a character."""
HEADER_ROW = 1
_NEAR = 200  # lines before and after a doubtful one that tell what rows look like
NO_SEPARATOR = "the header holds no separator"


@dataclass
class Delimited:
    """A parsed text table, and the rows that were not read as RFC 4180 has it.

    Args:
        frame: all columns are strings, empty fields nulls; blank lines are rows of nulls.
        separator: one character.
        literal: numbers of the rows in which a quote was taken for a character.
        escaped: numbers of the rows with backslashes before quotes or separators.
        short: numbers of the rows with fewer fields than the header.
        dropped: columns without a name that were left out.
    """

    frame: pl.DataFrame
    separator: str
    literal: list[int] = field(default_factory=list)
    escaped: list[int] = field(default_factory=list)
    short: list[int] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def parse_delimited(
    text: str, usual: str, *, separator: str | None = None, quotes: Quotes = "auto"
) -> Delimited:
    r"""Parse a text table with a header.

    Line ends are ``\n``, ``\r\n`` or ``\r``. A line that begins a quoted field is joined with the
    next ones only if their fields then are as many as the header's, and the lines do not look like
    rows of their own.

    Args:
        text: the whole file.
        usual: separator of such files by their suffix.
        separator: ``None``: recognised from the first rows.
        quotes: meaning of ``"``.

    Raises:
        ValueError: no header, columns of one name, or a row that fits no reading; the message says
            which row, and under which separator. The header is row 1.
    """
    if quotes not in get_args(Quotes):
        raise ValueError(f"quotes is {quotes!r}, expected one of {', '.join(get_args(Quotes))}")
    lines = split_lines(text)
    while lines and not lines[0].strip():
        lines.pop(0)
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == 5:  # written by Excel
        separator = separator or lines.pop(0)[4]
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ValueError("the file is empty")
    if "::" in (separator or lines[0]) and UNIT not in text:
        lines = [line.replace("::", UNIT) for line in lines]
        separator = UNIT if separator == "::" else separator
    if separator is None:
        separator = guess_separator(lines, usual)
    elif len(separator) != 1 or separator not in lines[0]:
        raise ValueError(f"{NO_SEPARATOR} {separator!r}")
    return _Lines(lines, separator, quotes).table()


def split_lines(text: str) -> list[str]:
    r"""Split at ``\n`` and ``\r\n``, and at ``\r`` where that is what ends most lines.

    >>> split_lines("a\rb\r"), split_lines("a\r\nb\rc")
    (['a', 'b', ''], ['a', 'b\rc'])
    """
    alone = text.count("\r") - text.count("\r\n")
    if alone > text.count("\n"):
        return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return text.replace("\r\n", "\n").split("\n") if "\r" in text else text.split("\n")


class _Lines:
    def __init__(self, lines: list[str], separator: str, quotes: Quotes) -> None:
        self.lines, self.separator, self.quotes = lines, separator, quotes
        self.width: int | None = None
        self.literal: list[int] = []
        self.escaped: list[int] = []
        self.short: list[int] = []

    def table(self) -> Delimited:
        header, used = self._record(0, HEADER_ROW)
        header = [name.strip() for name in header]
        while len(header) > 1 and not header[-1]:
            header.pop()
        named = [name for name in header if name]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise ValueError(f"two columns are called {twice[0]!r}; rename one of them")
        self.width = len(header)
        frame = self._fast(header, used)
        if frame is None:
            frame = _frame(header, self._rows(used))
        frame, dropped = _without_unnamed(frame)
        return Delimited(frame, self.separator, self.literal, self.escaped, self.short, dropped)

    def _fast(self, header: list[str], used: int) -> pl.DataFrame | None:
        """Parse a table without quotes or backslashes in which every row is complete."""
        import polars as pl

        lines = self.lines[used:]
        many = len(header) - 1
        if not lines or any(
            '"' in line or "\\" in line or line.count(self.separator) != many for line in lines
        ):
            return None
        data = "\n".join(lines).encode("utf-8", "replace")
        if not many or b"\r" in data:  # polars drops blank lines of one column
            return None
        frame = pl.read_csv(
            io.BytesIO(data),
            separator=self.separator,
            quote_char=None,
            has_header=False,
            new_columns=[f"{n}" for n in range(len(header))],
            infer_schema=False,
        )
        if len(frame) != len(lines):
            return None
        return pl.DataFrame({n: frame[:, i] for i, n in enumerate(_names(header))})

    def _rows(self, used: int) -> Iterator[list[str | None]]:
        width, row = self.width or 0, HEADER_ROW
        while used < len(self.lines):
            row += 1
            line = self.lines[used]
            if not line.strip():
                fields, more = list[str](), 1
            else:
                fields, more = self._record(used, row)
                fields = self._fitting(fields, row)
            used += more
            yield [f or None for f in fields] + [None] * (width - len(fields))

    def _fitting(self, fields: list[str], row: int) -> list[str]:
        width = self.width or 0
        if len(fields) > width and not any(fields[width:]):
            fields = fields[:width]
        if len(fields) > width:
            raise ValueError(
                f"row {row} has {len(fields)} fields, the header has {width} "
                f"(taking {name_of(self.separator)} for the separator)"
            )
        if len(fields) < width:
            self.short.append(row)
        return fields

    def _record(self, at: int, row: int) -> tuple[list[str], int]:
        """Fields of the record that begins in a line, and its number of lines."""
        line = self.lines[at]
        if '"' in line and self.quotes != "literal":
            return self._quoted(at, row)
        fields = literally(line, self.separator) if "\\" not in line else []
        if self.width is None or (fields and len(fields) == self.width):
            return fields or line.split(self.separator), 1
        return self._unquoted(line, row), 1

    def _unquoted(self, line: str, row: int) -> list[str]:
        """Split a line without meaningful quotes; backslashes count if the width then fits."""
        fields = line.split(self.separator)
        if "\\" + self.separator in line and len(fields) > (self.width or 0):
            if again := attempt(by_backslash, line, self.separator, self.width):
                self.escaped.append(row)
                return again
        return fields

    def _quoted(self, at: int, row: int) -> tuple[list[str], int]:
        line, sep, width = self.lines[at], self.separator, self.width
        unclosed = False
        whole: list[str] | None = None
        try:
            whole = by_rfc(line, sep)
        except UnclosedError:
            unclosed = True
        except ValueError:
            pass
        if whole is not None and width in (None, len(whole)):
            return self._unescaped(line, whole, row), 1
        if self.quotes == "auto":
            if "\\" in line and (fields := attempt(by_backslash, line, sep, width)):
                self.escaped.append(row)
                return fields, 1
            if whole is not None and len(whole) == 1:  # a row that was quoted as a whole
                if fields := attempt(by_rfc, whole[0], sep, width):
                    return fields, 1
        joined = self._joined(at) if unclosed else None
        alone = attempt(literally, line, sep, width) if self.quotes == "auto" else None
        if joined and (alone is None or not self._rows_of_their_own(at, joined[1], row)):
            return joined
        if alone is not None:
            self.literal.append(row)
            return alone, 1
        if whole is not None:
            return whole, 1  # too short, or too long
        why = "a quote that is never closed" if unclosed else "quotes within a quoted field"
        raise ValueError(
            f"row {row} (line {at + 1}) has {why}, and otherwise not the {width or '?'} fields of "
            f"the header (taking {name_of(sep)} for the separator)"
        )

    def _unescaped(self, line: str, fields: list[str], row: int) -> list[str]:
        """Drop backslashes before the quotes of fields that are not quoted themselves."""
        if '\\"' not in line or '""' in line or self.quotes != "auto":
            return fields
        plain = [f.replace('\\"', '"') for f in fields]
        if plain != fields:
            self.escaped.append(row)
        return plain

    def _joined(self, at: int) -> tuple[list[str], int] | None:
        """Fields of a record over several lines, and how many; ``None`` if there is none."""
        for end in range(at + 1, min(at + MOST_LINES, len(self.lines))):
            if '"' not in self.lines[end]:
                continue
            text = "\n".join(self.lines[at : end + 1])
            try:
                fields = by_rfc(text, self.separator)
            except UnclosedError:
                continue
            except ValueError:
                backslash = self.quotes == "auto" and "\\" in text
                found = attempt(by_backslash, text, self.separator, self.width)
                return (found, end + 1 - at) if backslash and found else None
            return (fields, end + 1 - at) if self.width in (None, len(fields)) else None
        return None

    def _rows_of_their_own(self, at: int, lines: int, row: int) -> bool:
        """Whether the lines of a quoted field are rows, and its quotes characters.

        Raises:
            ValueError: nothing says whether.
        """
        if self.quotes != "auto" or self.width is None:
            return False
        end = at + lines
        others = [*self.lines[max(1, at - _NEAR) : at + 1], *self.lines[end : end + _NEAR]]
        found = are_rows(self.lines[at + 1 : end], others, self.separator, self.width)
        if found is None and '""' in "".join(self.lines[at:end]):
            return False  # doubled as only a quoted field has them
        if found is None:
            raise ValueError(
                f"row {row} (line {at + 1}) begins a quoted field that ends in line {end}, or "
                f"holds a stray quote (taking {name_of(self.separator)} for the separator); "
                "quotes='csv' reads it as one field, quotes='literal' as a character"
            )
        return found


def _names(header: list[str]) -> list[str]:
    return [name or f"column {n}" for n, name in enumerate(header, start=1)]


def _frame(header: list[str], rows: Iterable[list[str | None]]) -> pl.DataFrame:
    import polars as pl

    schema = dict.fromkeys(_names(header), pl.String)
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def _without_unnamed(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Leave out columns without a name that are empty, or number the rows as pandas does."""
    dropped = []
    for place, name in enumerate(frame.columns, start=1):
        if name != f"column {place}" and name != "Unnamed: 0":
            continue
        values = frame[name].to_list()
        if values in ([str(n + first) for n in range(len(values))] for first in (0, 1)) or not any(
            values
        ):
            dropped.append(name)
    return frame.drop(dropped), dropped
