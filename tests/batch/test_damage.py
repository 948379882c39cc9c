"""Parts that are damaged, exchanged or of nobody's, and disks that are full, are found out."""

from __future__ import annotations

import errno
import json
import random
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from coldstart.batch import BatchOptions, run_batch
from coldstart.batch.job import BatchJob
from coldstart.batch.part_file import part_path, receipt_path
from coldstart.batch.part_writer import PartWriter
from coldstart.batch.run import DONE
from coldstart.batch.users import UserTable
from coldstart.errors import DataError
from coldstart.runtime import cache
from tests.conftest import ARTIFACT

PRIOR = BatchOptions(k=5, strategy="prior")


@pytest.fixture(autouse=True)
def loaded(monkeypatch, shipped):
    monkeypatch.setattr(
        BatchJob,
        "writer",
        lambda job: PartWriter(shipped, UserTable(job.users, job.out), job.plan, job.out),
    )


@pytest.fixture
def users(tmp_path) -> Path:
    path = tmp_path / "users.csv"
    path.write_text("user_id,age\n" + "".join(f"u{n},{20 + n}\n" for n in range(12)))
    return path


def batch(users, out, **more):
    return run_batch(ARTIFACT, users, out, PRIOR, size=4, **more)


def parts(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in out.glob("part-*.parquet")}


@pytest.fixture
def done(users, tmp_path) -> Path:
    batch(users, tmp_path / "out")
    return tmp_path / "out"


def empty(out):
    part_path(out, 1).write_bytes(b"")


def cut(out):
    part = part_path(out, 1)
    part.write_bytes(part.read_bytes()[:-20])


def another_parts_rows(out):
    shutil.copy(part_path(out, 0), part_path(out, 1))


def another_part_with_its_receipt(out):
    another_parts_rows(out)
    shutil.copy(receipt_path(out, 0), receipt_path(out, 1))


def a_made_up_receipt(out):
    """Of another part's rows: only their users give it away."""
    another_parts_rows(out)
    receipt = json.loads(receipt_path(out, 1).read_text())
    receipt["sha256"] = json.loads(receipt_path(out, 0).read_text())["sha256"]
    receipt_path(out, 1).write_text(json.dumps(receipt))


def rows_in_another_order(out):
    frame = pl.read_parquet(part_path(out, 1))
    frame.reverse().write_parquet(part_path(out, 1))


def no_receipt(out):
    receipt_path(out, 1).unlink()


def damaged_receipt(out):
    receipt_path(out, 1).write_text("{")


@pytest.mark.parametrize(
    "damage",
    [
        empty,
        cut,
        another_parts_rows,
        another_part_with_its_receipt,
        a_made_up_receipt,
        rows_in_another_order,
        no_receipt,
        damaged_receipt,
    ],
)
def test_a_damaged_or_exchanged_part_is_written_again(users, done, damage):
    whole = parts(done)
    damage(done)
    made = batch(users, done)
    assert (made.damaged, made.skipped, made.errors) == (1, 8, 0)
    assert parts(done) == whole
    assert json.loads((done / DONE).read_text()) == {"users": 12, "errors": 0, "parts": 3}


def test_any_flipped_bit_is_found(users, done):
    whole = parts(done)
    part, rng = part_path(done, 2), random.Random(0)
    for _ in range(40):
        content = bytearray(part.read_bytes())
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        part.write_bytes(content)
        assert batch(users, done).damaged == 1
        assert parts(done) == whole


def test_a_damaged_part_of_another_shard_is_no_success(users, done):
    empty(done)
    made = batch(users, done, shard=(0, 3))
    assert (made.missing, made.errors, made.damaged) == (1, None, 0)
    assert not (done / DONE).exists()
    assert batch(users, done, shard=(1, 3)).damaged == 1
    assert (done / DONE).exists()


def test_a_part_of_no_plan_is_refused(users, done):
    shutil.copy(part_path(done, 0), part_path(done, 3))
    with pytest.raises(DataError, match="1 files that are no part.*part-0000003.parquet.*move"):
        batch(users, done)


def test_what_is_damaged_while_it_is_written_is_no_success(users, tmp_path, monkeypatch):
    real = Path.write_bytes
    monkeypatch.setattr(Path, "write_bytes", lambda path, content: real(path, content[:-1] + b"?"))
    monkeypatch.setattr("coldstart.batch.users._converted", lambda path, stem: parquet)
    parquet = tmp_path / "users.parquet"
    pl.read_csv(users).write_parquet(parquet)
    with pytest.raises(DataError, match="damaged as soon as it is written.*check disk"):
        batch(users, tmp_path / "out")
    assert not (tmp_path / "out" / DONE).exists()


def test_a_damaged_conversion_of_the_table_is_made_again(users, tmp_path):
    out = tmp_path / "out"
    batch(users, out, shard=(0, 3))
    (converted,) = out.glob("_users-*")
    whole = converted.read_bytes()
    for content in (b"", whole[:50] + b"?" + whole[51:]):
        converted.write_bytes(content)
        assert UserTable(users, out).ids(0, 3) == ["u0", "u1", "u2"]
        assert converted.read_bytes() == whole


def test_a_full_disk_says_how_to_go_on(users, tmp_path, monkeypatch):
    out, real = tmp_path / "out", cache.os.fsync
    written = []

    def full(handle):
        if len(written) == 4:  # plan, table, and the first part's receipt and file
            raise OSError(errno.ENOSPC, "No space left on device")
        written.append(real(handle))

    with monkeypatch.context() as patch:
        patch.setattr(cache.os, "fsync", full)
        with pytest.raises(DataError, match="no space left for .*out.*repeat the command"):
            batch(users, out)
    assert not (out / DONE).exists()
    assert batch(users, out).errors == 0
    assert len(parts(out)) == 3


def test_the_command_says_that_the_disk_is_full(users, tmp_path):
    """Of a process that may write no file of more than 200 bytes."""
    arguments = ["batch", "--users", str(users), "--out", str(tmp_path / "out")]
    arguments += ["--artifact", str(ARTIFACT), "--strategy", "prior", "--size", "4"]
    child = subprocess.run(
        [sys.executable, "-m", "coldstart", *arguments],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)),
    )
    assert child.returncode == 2
    assert "no space left for" in child.stderr
    assert "bug" not in child.stderr
