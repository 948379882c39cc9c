"""Picks of a users table, in every notation; those that are left out are counted."""

import polars as pl
import pytest

from coldstart.batch import BatchOptions, run_batch
from coldstart.batch.job import BatchJob
from coldstart.batch.part_writer import PartWriter
from coldstart.batch.users import UserTable
from tests.conftest import ARTIFACT

PRIOR = BatchOptions(k=3, strategy="prior")


def row(tmp_path, name="users.csv", text="", frame=None):
    path = tmp_path / name
    if frame is not None:
        frame.write_parquet(path)
    else:
        path.write_text(text, encoding="utf-8")
    (found,) = UserTable(path, tmp_path).chunk(0, 1)
    return found.profile


@pytest.mark.parametrize(
    ("cell", "picks"),
    [
        ("Toy Story|Babe", ["Toy Story", "Babe"]),
        ("Toy Story; Babe", ["Toy Story; Babe"]),
        ("Toy Story, Babe", ["Toy Story, Babe"]),
        ("1,2,3", ["1", "2", "3"]),
        ("\"['Toy Story', 'Babe']\"", ["Toy Story", "Babe"]),
        ('"[""Toy Story"", ""Babe""]"', ["Toy Story", "Babe"]),
        ("nan", []),
        (r"\N", []),
    ],
)
def test_cells_of_picks(tmp_path, cell, picks):
    cell = cell if cell.startswith('"') else f'"{cell}"'
    profile = row(tmp_path, text=f"user_id,liked\nu,{cell}\n")
    assert [p.item for p in profile.liked] == picks


def test_long_lists_of_titles_are_split(tmp_path):
    titles = ", ".join(f"Film {n}" for n in range(300))
    profile = row(tmp_path, text=f'user_id,liked\nu,"{titles}"\n')
    assert len(profile.liked) == 300


def test_numbers_in_a_column_of_picks_are_ids(tmp_path):
    profile = row(tmp_path, "u.parquet", frame=pl.DataFrame({"user_id": ["u"], "liked": [[187]]}))
    assert [(p.item, p.by) for p in profile.liked] == [("187", "id")]


def test_interests_and_other_names_of_columns(tmp_path):
    profile = row(tmp_path, text="user_id,interests,likes\nu,Drama;War,Babe\n")
    assert profile.interests == ("Drama", "War")
    assert [p.item for p in profile.liked] == ["Babe"]


def test_picks_left_out_are_counted_and_named(tmp_path, monkeypatch, shipped):
    monkeypatch.setattr(
        BatchJob,
        "writer",
        lambda job: PartWriter(shipped, UserTable(job.users, job.out), job.plan, job.out),
    )
    users = tmp_path / "users.csv"
    users.write_text(
        'user_id,liked\na,"Toy Story, Babe"\nb,Toy Story; nope\nc,"1,99999"\nd,Fargo\n'
    )
    made = run_batch(ARTIFACT, users, tmp_path / "out", PRIOR, size=2)
    assert (made.errors, made.left_out) == (0, 2)
    assert (
        made.read
        == f"Read {users} (csv): 4 rows; user_id ← user_id, liked ← liked; no column unused."
    )
    notes = pl.read_parquet(tmp_path / "out" / "part-*.parquet").sort("user_id")["notes"].to_list()
    assert notes == [
        [],
        ["not in the catalog, left out: 'nope'"],
        ["not in the catalog, left out: '99999'"],
        [],
    ]
