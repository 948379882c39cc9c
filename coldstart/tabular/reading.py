"""Read a file of any supported kind as a table, and tell how it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.errors import ColdstartError, DataError
from coldstart.tabular.delimited import HEADER_ROW, Delimited, Quotes, parse_delimited
from coldstart.tabular.encodings import decode
from coldstart.tabular.json_lines import parse_json_lines
from coldstart.tabular.rows import rows_text
from coldstart.tabular.separators import USUAL, name_of

if TYPE_CHECKING:  # importing polars takes longer than the rest of coldstart
    import polars as pl

JSON_LINES = frozenset({".jsonl", ".ndjson"})
SUFFIXES = (".csv", ".tsv", ".parquet", ".jsonl", ".ndjson", ".txt", ".tab")
_HINTS = (  # words of the message → what to do
    ("UTF", "save the file as UTF-8, or name what it is, such as encoding='latin-1'"),
    ("encoding", "name one that Python knows, such as encoding='latin-1'"),
    ("quotes='csv'", "give one of the two, or write the file again with quotes as in RFC 4180"),
    ("quote", "quotes='literal' takes every quote for a character; or correct the row"),
    ("fields, the header", "separator=';' names another; or put the field into quotes"),
    ("holds no separator", "give the character between the names of the columns"),
)


@dataclass(frozen=True)
class TextOptions:
    """How to read text files, where the recognised way is wrong.

    Args:
        encoding: Python name; ``None``: recognised.
        separator: of fields; ``None``: recognised.
        quotes: meaning of ``"``.
    """

    encoding: str | None = None
    separator: str | None = None
    quotes: Quotes = "auto"


@dataclass(frozen=True)
class TableFile:
    """A table as read from a file.

    Args:
        path: of the file.
        frame: the table; all columns of a text table are strings, empty fields nulls. Blank lines
            are rows of nulls, so that rows keep their numbers.
        kind: of the file, for people: encoding, separator, what was odd.
        first_row: number of the first row in messages: 2 after a header, 1 in JSON lines.
        warnings: whatever was guessed or read otherwise than written.
    """

    path: Path
    frame: pl.DataFrame
    kind: str
    first_row: int
    warnings: tuple[str, ...] = field(default=())


def read_file(
    path: str | Path,
    options: TextOptions | None = None,
    *,
    error: type[ColdstartError] = DataError,
) -> TableFile:
    """Read a ``.csv``, ``.tsv``, ``.txt``, ``.tab``, ``.parquet``, ``.jsonl`` or ``.ndjson`` file.

    Args:
        path: its suffix says whether it is text, Parquet or JSON lines; which separator, encoding
            and quotes a text has is recognised from its content.
        options: ``None``: everything is recognised.
        error: class to raise.

    Raises:
        ColdstartError: (as ``error``) a file that is missing, of an unknown kind, empty or
            malformed; the message has the number of the row.
    """
    import polars as pl

    path, options = Path(path), options or TextOptions()
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise error(
            f"{path}: cannot read files of kind {path.suffix!r}",
            f"use one of {', '.join(SUFFIXES)}",
        )
    try:
        data = path.read_bytes()
        if suffix == ".parquet":
            return TableFile(path, pl.read_parquet(data), "Parquet", HEADER_ROW + 1)
        return _text(path, data, options)
    except OSError as e:
        raise error(f"{path}: {e.strerror or e}", "check the path") from None
    except (ValueError, TypeError, pl.exceptions.PolarsError) as e:
        what = str(e).partition("\n")[0]
        raise error(f"{path}: {what}", _hint(what)) from None


def _hint(message: str) -> str:
    default = "the file is damaged or malformed"
    return next((hint for words, hint in _HINTS if words in message), default)


def _text(path: Path, data: bytes, options: TextOptions) -> TableFile:
    decoded = decode(data, options.encoding)
    warnings = [decoded.warning] if decoded.warning else []
    suffix = path.suffix.lower()
    if suffix in JSON_LINES:
        frame = parse_json_lines(decoded.text)
        return TableFile(path, frame, f"JSON lines, {decoded.encoding}", 1, tuple(warnings))
    usual = USUAL.get(suffix, ",")
    table = parse_delimited(decoded.text, usual, separator=options.separator, quotes=options.quotes)
    kind = f"{decoded.encoding}, separated by {name_of(table.separator)}"
    if suffix in USUAL and table.separator != usual:
        kind += f" in spite of {suffix}"
    warnings += _warnings(table)
    return TableFile(path, table.frame, kind, HEADER_ROW + 1, tuple(warnings))


def _warnings(table: Delimited) -> list[str]:
    named = (
        (table.literal, "stray quotes taken for characters"),
        (table.escaped, "backslashes before quotes or separators taken for escapes"),
        (table.short, "fewer fields than the header, the others taken for missing"),
    )
    return [f"{what} in {rows_text(rows)}" for rows, what in named if rows] + [
        f"{', '.join(table.dropped)} without a name left out, as it is empty or counts rows"
        for _ in table.dropped[:1]
    ]


def is_unicode(path: Path) -> bool:
    """Whether a file says itself, or by its bytes, that it is Unicode.

    Args:
        path: a file that cannot be read is not.
    """
    try:
        return not decode(path.read_bytes()).warning
    except (OSError, ValueError):
        return False
