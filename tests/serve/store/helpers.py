"""What tests of the store look for: rows and files."""

from __future__ import annotations

import itertools
import time

from sqlalchemy import select

from tests.waiting import PATIENCE


def rows(store, table):
    with store._engine.begin() as connection:
        return connection.execute(select(table)).mappings().all()


BAD_TEXTS = {"nul": "a\0", "surrogate": "\ud800", "long": "x" * 201, "empty": "", "number": 7}


def until_patience_is_over():
    """Numbers from 0: writers come before an eraser for as long as the machine likes."""
    end = time.monotonic() + PATIENCE
    return itertools.takewhile(lambda _: time.monotonic() < end, itertools.count())


def contents(folder):
    return b"".join(p.read_bytes() for p in folder.rglob("*") if p.is_file())
