"""One JSON line per event, made of fields that are known to be harmless.

Texts of requests, profiles and catalog never get here: a line holds what its caller names, and for
an exception its class and place, not its message, which may quote a request.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from typing import TextIO

LOGGER = logging.getLogger("coldstart.serve")
_SHOWN = 6  # characters of an id: enough to follow it, too few to use it
_FRAMES = 6


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Only fields given as ``extra={"fields": …}`` are shown of our own events.

        Of other loggers, only the server's speak of nothing but itself; the rest is named, not
        quoted.
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
    """Log that something went wrong: the class of the error and where it arose."""
    LOGGER.error(name, extra={"fields": {**fields, **where(e)}})


def where(e: BaseException) -> dict[str, object]:
    """Class of an exception, and the last lines of code it passed, innermost last."""
    frames = traceback.extract_tb(e.__traceback__)[-_FRAMES:]
    places = [f"{f.filename.rpartition('/')[2]}:{f.lineno} {f.name}" for f in frames]
    return {"exception": type(e).__name__, "at": places}


def shortened(an_id: str) -> str:
    """The beginning of an id."""
    return an_id[:_SHOWN]


def set_up(stream: TextIO | None = None) -> None:
    """Send everything this process logs to ``stream`` (standard error), as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "coldstart"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "uvicorn.access"  # says less than our own lines, and too much
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(True)
