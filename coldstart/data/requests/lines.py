"""Files with one JSON object per line, read with the number of a bad line in the error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coldstart.errors import DataError


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Read the objects of a JSON lines file; blank lines are skipped.

    Args:
        path: of a UTF-8 file.

    Returns:
        (line number from 1, object) of each line.

    Raises:
        DataError: the file is missing, not UTF-8, or a line is no JSON object.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, _object(path, number, line)
    except OSError as e:
        raise DataError(f"{path}: {e.strerror or e}", hint="check the path") from None
    except UnicodeDecodeError as e:
        raise DataError(f"{path}: not UTF-8: {e.reason}", hint="save the file as UTF-8") from None


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError as e:
        raise DataError(
            f"{path}, line {number}: not JSON: {e}", hint="write one JSON object per line"
        ) from None
    if not isinstance(found, dict):
        raise DataError(
            f"{path}, line {number}: {type(found).__name__} instead of an object",
            hint='such as {"text": "a gentle comedy", "chosen": ["Emma"]}',
        )
    return found
