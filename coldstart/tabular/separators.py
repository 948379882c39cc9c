"""Recognise which character separates the fields of a text table."""

from __future__ import annotations

import csv
from collections.abc import Sequence

UNIT = "\x1f"
"""Stands for the separator ``::`` in the text, so that there is one character for each."""
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", UNIT: "'::'"}
USUAL = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_SAMPLE = 100
_AGREED = 0.9


def name_of(separator: str) -> str:
    r"""Name of a separator for people.

    >>> name_of("\t"), name_of("~")
    ('tab', "'~'")
    """
    return NAMES.get(separator, repr(separator))


def guess_separator(lines: Sequence[str], usual: str) -> str:
    """Find the separator that gives most rows as many fields as the header.

    Args:
        lines: of the file, the header first.
        usual: separator of such files, which wins wherever it fits.

    Returns:
        One character of ``NAMES``; ``usual`` if none fits.
    """
    sample = [line for line in lines[: 2 * _SAMPLE] if line.strip()][:_SAMPLE]
    fits = {s: _fit(sample, s) for s in dict.fromkeys([usual, *NAMES])}
    agreed, _ = fits[usual]
    if agreed >= _AGREED:
        return usual
    best = max(fits, key=lambda s: fits[s])
    return best if fits[best][0] > agreed else usual


def _fit(sample: Sequence[str], separator: str) -> tuple[float, int]:
    """Share of the rows with as many fields as the header, and that number; 0 if it is one."""
    widths = [len(_fields(line, separator)) for line in sample]
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(w == widths[0] for w in widths) / len(widths), widths[0]


def _fields(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except (csv.Error, StopIteration):
        return line.split(separator)
