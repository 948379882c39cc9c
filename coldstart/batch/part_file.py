"""Part files: Parquet with a receipt, by which damage and exchanged parts are found.

Beside ``part-0000007.parquet`` lies ``_receipts/0000007.json`` with the part's place in the plan,
its numbers of rows and errors, and the SHA-256 of the file. The receipt is written first: a part
without a receipt that describes it exactly is not complete, whatever made it so.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.errors import DataError
from coldstart.runtime.cache import write_atomic, write_through

if TYPE_CHECKING:
    import polars as pl

    from coldstart.batch.plan import BatchPlan

RECEIPTS = "_receipts"
"""Folder of the receipts, beside the parts; the underscore hides it from readers of tables."""

_MAGIC = b"PAR1"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass(frozen=True)
class PartReceipt:
    """What a complete part is known by.

    Args:
        plan: SHA-256 of the batch plan.
        part: number of the part.
        first: row of its first user in the users table.
        users: number of its users.
        errors: number of them without a list.
        sha256: SHA-256 of the file, hexadecimal.
    """

    plan: str
    part: int
    first: int
    users: int
    errors: int
    sha256: str


def part_path(out: Path, number: int) -> Path:
    """Path of a part file."""
    return out / f"part-{number:07d}.parquet"


def receipt_path(out: Path, number: int) -> Path:
    """Path of a part's receipt."""
    return out / RECEIPTS / f"{number:07d}.json"


def write_part(out: Path, plan: BatchPlan, number: int, frame: pl.DataFrame) -> None:
    """Write a part and its receipt, both synced to disk; the part appears last, under its name."""
    content = parquet_bytes(frame)
    receipt = PartReceipt(
        plan.digest,
        number,
        *plan.chunk(number),
        int(frame["error"].count()),
        hashlib.sha256(content).hexdigest(),
    )
    write_atomic(receipt_path(out, number), json.dumps(asdict(receipt)) + "\n")
    write_through(part_path(out, number), lambda place: place.write_bytes(content))


def parquet_bytes(frame: pl.DataFrame) -> bytes:
    """Parquet file of a frame, in memory: polars reports a full disk without its error number."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


def check_part(out: Path, plan: BatchPlan, number: int) -> PartReceipt | None:
    """Check a part against its receipt and the plan.

    Checked are the receipt's place in the plan, the file's SHA-256, and that its Parquet footer
    can be read and counts the part's rows.

    Returns:
        The receipt; ``None`` if the part is missing, damaged, or another part's.
    """
    import polars as pl

    try:
        receipt = PartReceipt(**json.loads(receipt_path(out, number).read_text(encoding="utf-8")))
        content = part_path(out, number).read_bytes()
    except (OSError, ValueError, TypeError):
        return None
    placed = (receipt.plan, receipt.part, receipt.first, receipt.users)
    if placed != (plan.digest, number, *plan.chunk(number)):
        return None
    if receipt.sha256 != hashlib.sha256(content).hexdigest():
        return None
    if not content.startswith(_MAGIC) or not content.endswith(_MAGIC):
        return None
    try:
        counted = pl.scan_parquet(io.BytesIO(content)).select(
            rows=pl.len(), errors=pl.col("error").count()
        )
        found = counted.collect().row(0)
    except (pl.exceptions.PolarsError, OSError):
        return None
    return receipt if found == (receipt.users, receipt.errors) else None


def has_users(out: Path, number: int, user_ids: Sequence[str]) -> bool:
    """Whether a readable part lists exactly these users, in this order."""
    import polars as pl

    found = pl.read_parquet(part_path(out, number), columns=["user_id"])["user_id"]
    return found.to_list() == list(user_ids)


def unknown_parts(out: Path, parts: int) -> list[str]:
    """Names of part files that belong to no part of a plan of ``parts`` parts, sorted."""
    known = {part_path(out, n).name for n in range(parts)}
    return sorted(p.name for p in out.glob("part-*.parquet") if p.name not in known)


@contextmanager
def disk_errors(out: Path) -> Iterator[None]:
    """Context manager that turns a full disk into a ``DataError`` that says how to go on."""
    try:
        yield
    except OSError as e:
        if e.errno not in _FULL:
            raise
        raise DataError(
            f"no space left for {out}: {e.strerror}",
            "free some and repeat the command: it goes on with the missing parts",
        ) from None
