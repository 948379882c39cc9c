"""Batches: whole parts or none, the same whatever happened on the way, and every user once."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from coldstart.batch import BatchOptions, run_batch
from coldstart.batch import run as running
from coldstart.batch.job import BatchJob
from coldstart.batch.part_file import part_path
from coldstart.batch.part_writer import PartWriter
from coldstart.batch.plan import PLAN_FILE, BatchPlan
from coldstart.batch.run import DONE
from coldstart.batch.users import UserTable
from coldstart.cli import main
from coldstart.data.tables import load_users
from coldstart.errors import ColdstartError, ConfigError, DataError, MissingExtraError
from coldstart.runtime import cache
from tests.conftest import ARTIFACT
from tests.waiting import until

PRIOR = BatchOptions(k=5, strategy="prior", reasons=True)
TITLES = ("Toy Story", "Fargo", "Alien", "Heat", "Scream", "Twister")


@pytest.fixture(autouse=True)
def loaded(monkeypatch, shipped):
    """Parts are made by the recommender that is loaded already, where one process makes them."""
    monkeypatch.setattr(
        BatchJob,
        "writer",
        lambda job: PartWriter(shipped, UserTable(job.users, job.out), job.plan, job.out),
    )


def people(n: int = 23) -> pl.DataFrame:
    rng = random.Random(0)
    return pl.DataFrame(
        {
            "user_id": [f"u{i}" for i in range(n)],
            "age": [rng.choice([None, 17, 24, 61]) for _ in range(n)],
            "gender": [rng.choice("MF") for _ in range(n)],
            "liked": [rng.sample(TITLES, rng.randrange(4)) for _ in range(n)],
        }
    )


@pytest.fixture
def users(tmp_path) -> Path:
    path = tmp_path / "users.parquet"
    people().write_parquet(path)
    return path


def contents(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(out.iterdir()) if p.is_file()}


def read(out: Path) -> pl.DataFrame:
    return pl.read_parquet(out / "part-*.parquet")


@pytest.fixture
def whole(users, tmp_path) -> dict[str, bytes]:
    """What an uninterrupted run writes."""
    run_batch(ARTIFACT, users, tmp_path / "whole", PRIOR, size=4)
    return contents(tmp_path / "whole")


def test_everyone_gets_the_list_that_recommend_gives(users, tmp_path, shipped):
    seen = []
    out = tmp_path / "out"
    made = run_batch(
        ARTIFACT, users, out, PRIOR, size=4, report=lambda done, total: seen.append((done, total))
    )
    assert seen == [(n, 23) for n in (0, 4, 8, 12, 16, 20, 23)]
    assert (made.users, made.skipped, made.errors, made.missing) == (23, 0, 0, 0)
    assert json.loads((out / DONE).read_text()) == {"users": 23, "errors": 0, "parts": 6}
    found = read(out)
    assert found["user_id"].to_list() == [f"u{i}" for i in range(23)]
    for row, asked in zip(found.iter_rows(named=True), people().iter_rows(named=True), strict=True):
        expected = shipped.recommend(
            {n: v for n, v in asked.items() if v is not None}, k=5, strategy="prior"
        )
        assert [i["item_id"] for i in row["items"]] == expected.item_ids
        assert [i["score"] for i in row["items"]] == [r.score for r in expected]
        assert [i["reason"] for i in row["items"]] == [r.reason for r in expected]
        assert [i["rank"] for i in row["items"]] == [1, 2, 3, 4, 5]


def test_shards_make_what_one_makes(users, tmp_path, whole):
    out = tmp_path / "out"
    left = [run_batch(ARTIFACT, users, out, PRIOR, size=4, shard=(n, 3)) for n in (2, 0, 1)]
    assert [m.missing for m in left] == [4, 2, 0]
    assert [m.errors for m in left] == [None, None, 0]
    assert sum(m.users for m in left) == 23
    assert contents(out) == whole


def test_processes_make_what_one_makes(users, tmp_path, whole):
    made = run_batch(ARTIFACT, users, tmp_path / "out", PRIOR, size=4, jobs=2)
    assert made.users == 23
    assert contents(tmp_path / "out") == whole


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("boundary", ["written", "synced", "named"])
def test_a_crash_at_any_boundary_leaves_whole_parts(users, tmp_path, whole, monkeypatch, boundary):
    """It dies at the first such moment, then at the second one, and so on."""
    out = tmp_path / "out"
    for moment in range(1, 9):
        met = itertools.count(1)

        def dies(met=met, moment=moment) -> None:
            if next(met) == moment:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(Path, "unlink", lambda *_, **__: None)  # the dead do not tidy up
            real = {"fsync": os.fsync, "replace": os.replace}
            name, after = {
                "written": ("fsync", False),
                "synced": ("replace", False),
                "named": ("replace", True),
            }[boundary]

            def step(*args, name=name, after=after, dies=dies, real=real):
                if after:
                    real[name](*args)
                    return dies()
                dies()
                return real[name](*args)

            patch.setattr(cache.os, name, step)
            with contextlib.suppress(Killed):
                run_batch(ARTIFACT, users, out, PRIOR, size=4)
        for part in out.glob("part-*"):
            assert part.read_bytes() == whole[part.name]
    assert list(out.glob(".*-*")) or boundary == "named"  # something was left lying about
    monkeypatch.setattr(running, "_STALE", -1.0)
    run_batch(ARTIFACT, users, out, PRIOR, size=4)
    assert contents(out) == whole


def test_killed_in_truth_it_goes_on(users, tmp_path, whole):
    out = tmp_path / "out"
    arguments = ["batch", "--users", str(users), "--out", str(out), "--artifact", str(ARTIFACT)]
    arguments += ["--strategy", "prior", "-k", "5", "--reasons", "--size", "4"]
    for parts in (1, 3):
        child = subprocess.Popen([sys.executable, "-m", "coldstart", *arguments])
        until(
            lambda n=parts, c=child: len(list(out.glob("part-*"))) >= n or c.poll() is not None,
            f"{parts} parts",
        )
        child.kill()
        assert child.wait() == -signal.SIGKILL or len(list(out.glob("part-*"))) == 6
    made = run_batch(ARTIFACT, users, out, PRIOR, size=4)
    assert made.skipped >= 12
    assert {n: b for n, b in contents(out).items() if not n.startswith(".")} == whole


CSV = """user_id,age,gender,liked,diet,text
a,24,M,Toy Story|Fargo,vegan,
b,,,,,something lighter
c,-3,F,,,
d,,,No Such Film|Heat,,
"""


def test_rows_that_make_no_profile_say_why_and_stop_nobody(tmp_path, shipped):
    (tmp_path / "users.csv").write_text(CSV)
    made = run_batch(ARTIFACT, tmp_path / "users.csv", tmp_path / "out", PRIOR, size=3)
    assert made.errors == 1
    a, b, c, d = read(tmp_path / "out").iter_rows(named=True)
    liked = {"age": 24, "gender": "M", "liked": ["Toy Story", "Fargo"]}
    expected = shipped.recommend(liked | {"attributes": {"diet": "vegan"}}, k=5, strategy="prior")
    assert [i["item_id"] for i in a["items"]] == expected.item_ids
    moment = shipped.recommend({}, {"text": "something lighter"}, k=5, strategy="prior")
    assert [i["item_id"] for i in b["items"]] == moment.item_ids
    assert c["items"] == []
    assert "age" in c["error"]
    assert [len(d["items"]), d["error"]] == [5, None]
    assert "No Such Film" in d["notes"][0]
    assert not list((tmp_path / "out").glob("_users-*"))


def test_attributes_may_come_as_a_struct(tmp_path):
    frame = pl.DataFrame({"user_id": [1, 2], "attributes": [{"diet": "vegan"}, {"diet": None}]})
    frame.write_parquet(tmp_path / "users.parquet")
    table = UserTable(tmp_path / "users.parquet", tmp_path)
    first, second = table.chunk(0, 2)
    assert (first.user_id, first.profile.attributes) == ("1", {"diet": "vegan"})
    assert second.profile.attributes == {}


def test_columns_are_those_of_the_users_that_train_takes(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text(
        "userId,Sex,Job,Age,lang,City,country,favourite colour\n"
        "u1,F,nurse,31,de,Köln,Germany,blue\nu2,,,,,,France,\n"
    )
    known = load_users(path)
    table = UserTable(path, tmp_path)
    for asked in table.chunk(0, 2):
        assert asked.error is None
        assert asked.profile.model_dump(exclude={"user_id"}) == known[asked.user_id].model_dump(
            exclude={"user_id"}
        )
    assert known["u1"].attributes == {"country": "Germany", "favourite colour": "blue"}
    assert known["u1"].gender == "F"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name\na\n", "no column for user_id; found: name"),
        ("user_id,sex,Gender\na,F,M\n", "columns Gender and sex both mean gender"),
        ("userId,uid\na,b\n", "columns userId and uid both mean user_id"),
        ("user_id\na\nb\na\n", "1 rows repeat a user_id, such as 'a'"),
        ("user_id,age\n,3\n", "1 rows without user_id"),
        ("", "the file is empty"),
    ],
)
def test_tables_that_are_no_table_of_users(tmp_path, text, message):
    (tmp_path / "users.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        run_batch(ARTIFACT, tmp_path / "users.csv", tmp_path / "out", PRIOR)


def test_a_damaged_table(tmp_path):
    (tmp_path / "users.parquet").write_bytes(b"PAR1 is not enough")
    with pytest.raises(DataError, match="damaged"):
        run_batch(ARTIFACT, tmp_path / "users.parquet", tmp_path / "out", PRIOR)
    with pytest.raises(DataError, match="No such file"):
        run_batch(ARTIFACT, tmp_path / "nothing.parquet", tmp_path / "out", PRIOR)


def test_a_folder_belongs_to_one_batch(users, tmp_path):
    out = tmp_path / "out"
    run_batch(ARTIFACT, users, out, PRIOR, size=10)
    with pytest.raises(DataError, match="another batch: options differ"):
        run_batch(ARTIFACT, users, out, BatchOptions(k=6, strategy="prior"), size=10)
    with pytest.raises(DataError, match="another batch: size differ"):
        run_batch(ARTIFACT, users, out, PRIOR, size=11)
    (out / PLAN_FILE).unlink()
    with pytest.raises(DataError, match="unknown batch"):
        run_batch(ARTIFACT, users, out, PRIOR, size=10)
    (out / PLAN_FILE).write_text("{")
    with pytest.raises(DataError, match="damaged"):
        run_batch(ARTIFACT, users, out, PRIOR, size=10)


@pytest.mark.parametrize(
    "wrong",
    [
        {"shard": (2, 2)},
        {"shard": (-1, 2)},
        {"shard": (0, 0)},
        {"size": 0},
        {"jobs": 0},
        {"engine": "spark"},
    ],
)
def test_options_out_of_range(users, tmp_path, wrong):
    with pytest.raises(ConfigError):
        run_batch(ARTIFACT, users, tmp_path / "out", PRIOR, **wrong)


def test_parts_cover_every_row_once():
    for rows, size, of in ((0, 3, 2), (1, 3, 1), (9, 3, 2), (10, 3, 4)):
        plan = BatchPlan("", rows, "", size)
        chunks = [plan.chunk(n) for shard in range(of) for n in plan.shard(shard, of)]
        covered = sorted(row for first, n in chunks for row in range(first, first + n))
        assert covered == list(range(rows))


def test_a_process_that_dies_is_told(users, tmp_path, monkeypatch):
    monkeypatch.setattr(running, "_write", _die)
    with pytest.raises(ColdstartError, match="a process of the batch died"):
        run_batch(ARTIFACT, users, tmp_path / "out", PRIOR, size=4, jobs=2)


def _die(number: int) -> int:
    os._exit(1)


def test_an_old_leftover_goes_and_a_young_one_stays(tmp_path):
    old, young, other = ".part-1-abcdefgh", ".part-2-abcdefgh", ".env-products"
    for name, age in ((old, 100.0), (young, 0.0), (other, 100.0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    cache.leftovers(tmp_path, "part-*", 50.0)
    assert {p.name for p in tmp_path.iterdir()} == {young, other}


def test_the_command(users, tmp_path, capsys):
    arguments = ["batch", "--users", str(users), "--out", str(tmp_path / "out"), "--json"]
    arguments += ["--artifact", str(ARTIFACT), "--strategy", "prior", "-k", "3", "--shard", "0/1"]
    assert main(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["users"], found["users_without_a_list"]) == (23, 0)
    assert main([*arguments, "--shard", "half"]) != 0
    assert "--shard 'half'" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # Ray's own
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_ray_makes_what_one_makes(users, tmp_path, whole):
    pytest.importorskip("ray", reason="ray is not installed: pip install 'coldstart-rec[ray]'")
    made = run_batch(ARTIFACT, users, tmp_path / "out", PRIOR, size=4, engine="ray", jobs=1)
    assert made.users == 23
    assert contents(tmp_path / "out") == whole
    assert part_path(tmp_path / "out", 0).exists()


def test_ray_missing_names_the_extra(users, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"coldstart-rec\[ray\]"):
        run_batch(ARTIFACT, users, tmp_path / "out", PRIOR, engine="ray")
