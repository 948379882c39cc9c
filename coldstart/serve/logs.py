"""Structured logging: one JSON line per event, without personal data.

A line holds only the fields its caller passes; an exception is logged by class and location, not by
message, which may quote a request. Text of requests, profiles and the catalog is never logged.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import TextIO

LOGGER = logging.getLogger("coldstart.serve")
_PREFIX = 6  # characters of an id: enough to correlate lines, too few to use it
_FRAMES = 6


class JsonFormatter(logging.Formatter):
    """Formatter that renders a log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record.

        Of the service's own events only ``extra={"fields": …}`` is included. Messages of uvicorn
        are included, those of other libraries are not: only logger name and line.
        """
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
        }
        fields = getattr(record, "fields", None)
        if record.name == LOGGER.name and fields is not None:
            line |= {"event": record.msg} | fields
        elif record.name.startswith("uvicorn"):
            line |= {"event": "server", "message": record.getMessage()}
        else:
            line |= {"event": "library", "logger": record.name, "line": record.lineno}
        if record.exc_info and record.exc_info[1] is not None:
            line |= where(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True)


def event(name: str, level: int = logging.INFO, **fields: object) -> None:
    """Log one event with its fields."""
    LOGGER.log(level, name, extra={"fields": fields})


def failure(name: str, e: BaseException, **fields: object) -> None:
    """Log an error by exception class and location."""
    LOGGER.error(name, extra={"fields": {**fields, **where(e)}})


def where(e: BaseException) -> dict[str, object]:
    """Class of an exception and its innermost stack frames, innermost last."""
    frames = traceback.extract_tb(e.__traceback__)[-_FRAMES:]
    places = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in frames]
    return {"exception": type(e).__name__, "at": places}


def shortened(an_id: str) -> str:
    """First characters of an id."""
    return an_id[:_PREFIX]


def set_up(stream: TextIO | None = None) -> None:
    """Configure logging of the process: JSON lines to ``stream``, by default standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "coldstart"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # redundant, and logs full paths
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(True)
