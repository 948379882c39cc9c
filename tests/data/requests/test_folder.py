"""A folder of two tables; a slice of the real one where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from coldstart.data.requests.folder import load_request_folder
from coldstart.data.requests.he2023 import load_published_turns
from coldstart.data.requests.load import load_request_log
from coldstart.data.requests.recorded import RequestItem
from coldstart.errors import DataError

ITEMS = [
    {"item_id": "1", "title": "Alien", "year": 1979.0, "genres": "horror|sci-fi",
     "description": "In space.", "directors": "Ridley Scott", "stars": "Sigourney Weaver|Tom S."},
    {"item_id": "2", "title": "Emma", "year": None, "genres": None, "description": None,
     "directors": None, "stars": None},
]  # fmt: skip


def named(item, liked=1, by_seeker=True):
    return {"item_id": item, "liked": liked, "by_seeker": by_seeker}


def row(split="train", exact=True, fidelity=None, **more):
    return {
        "split": split, "dialog_id": "7", "turn": 1, "user_text": "Like Alien (1979) ",
        "mentioned": [named("1")],
        "recommended": [{"item_id": "2", "liked": 0, "seen": None}],
        "first": True, "exact": exact, "fidelity": fidelity,
    } | more  # fmt: skip


@pytest.fixture
def write(tmp_path):
    def call(rows, items=ITEMS):
        pl.DataFrame(items, infer_schema_length=None).write_parquet(tmp_path / "items.parquet")
        frame = pl.DataFrame(rows, infer_schema_length=None)
        frame.write_parquet(tmp_path / "requests.parquet")
        return tmp_path

    return call


def test_items_and_requests(write):
    log = load_request_folder(write([row(), row("valid"), row("test", first=False)]))
    alien, emma = log.catalog
    assert alien.categories == ("Horror", "Sci-Fi")
    assert alien.year == 1979
    assert alien.attributes == {
        "directors": "Ridley Scott",
        "stars": "Sigourney Weaver|Tom S.",
    }
    assert (emma.year, emma.categories, emma.description, emma.attributes) == (None, (), "", {})
    (one,), (two,), (three,) = log.train, log.valid, log.test
    assert one.text == "Like Alien (1979) "
    assert one.mentioned == (RequestItem("1", True, True),)
    assert one.chosen == (RequestItem("2", False, False),)
    assert (one.dialogue, one.first, one.exact, one.fidelity) == ("7", True, True, None)
    assert (two.first, three.first) == (True, False)


def test_fidelity_and_exactness_concern_training_requests_only(write):
    rows = [
        row(),
        *(row(exact=False, fidelity=f) for f in (0.0, 0.5, 0.9, None)),
        row("test", exact=False, fidelity=0.0),
    ]
    folder = write(rows)

    def kept(**options):
        log = load_request_log(folder, **options)
        assert len(log.test) == 1
        return [r.fidelity for r in log.train]

    assert kept() == [None, 0.0, 0.5, 0.9, None]
    assert kept(fidelity=0.5) == [None, 0.5, 0.9]
    assert kept(exact_only=True) == [None]


@pytest.mark.parametrize(
    ("rows", "items", "message"),
    [
        ([row("dev")], ITEMS, "requests.parquet, row 1: split 'dev'"),
        ([row(mentioned=[named("9")])], ITEMS, "1 items, first '9', are not in the catalog"),
        ([{"split": "train"}], ITEMS, "no column 'dialog_id'"),
        ([row(mentioned=[{"id": "1"}])], ITEMS, "row 1: KeyError: 'item_id'"),
        ([row()], [{"item_id": "1"}], "items.parquet: no column 'title'"),
        ([row()], [*ITEMS, {**ITEMS[0], "item_id": "3", "title": ""}], "row 3: invalid item"),
        ([row()], [*ITEMS, ITEMS[0]], "twice in one batch: '1'"),
    ],
)
def test_malformed_tables(write, rows, items, message):
    with pytest.raises(DataError, match=message):
        load_request_folder(write(rows, items))


def test_missing_table(write):
    folder = write([row()])
    (folder / "items.parquet").unlink()
    with pytest.raises(DataError, match=r"items.parquet: No such file"):
        load_request_folder(folder)


@pytest.fixture
def turns(write):
    folder = write([row()])
    (folder / "he2023").mkdir()

    def call(**change):
        one = {
            "case": 0, "dialog_id": "7",
            "history": [
                {"role": "seeker", "text": "Hi"},
                {"role": "recommender", "text": "Alien (1979)"},
                {"role": "seeker", "text": "Alien (1979) is too grim"},
            ],
            "previous": ["1"], "targets": ["2", "2"],
        }  # fmt: skip
        for model in ("gpt-4", "gpt-3.5-turbo", "vicuna"):
            one |= {f"{model}_rank_hit1": [0, 1], f"{model}_rank_hit10": [1, 1]}
            one |= {f"{model}_ndcg10": [0.5, 1.0]}
        pl.DataFrame([one | change]).write_parquet(folder / "he2023" / "cases.parquet")
        return folder, load_request_log(folder).catalog

    return call


def test_published_turns(turns):
    folder, catalog = turns()
    (turn,) = load_published_turns(folder, catalog)
    assert turn.request.text == "Hi Alien (1979) is too grim"
    assert turn.request.mentioned == (RequestItem("1", None, by_user=False),)
    assert turn.request.targets == ("2",)
    assert turn.hits["gpt-4"] == {"recall@1": 1, "recall@10": 2, "ndcg@10": 1.5}
    (whole,) = load_published_turns(folder, catalog, wording="dialogue")
    assert whole.request.text.splitlines() == [
        "seeker: Hi",
        "recommender: Alien (1979)",
        "seeker: Alien (1979) is too grim",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"targets": ["9", "2"]}, "row 1: item '9' is not in the catalog"),
        ({"gpt-4_ndcg10": [0.5]}, "1 results of 2 targets in gpt-4_ndcg10"),
    ],
)
def test_malformed_turns(turns, change, message):
    folder, catalog = turns(**change)
    with pytest.raises(DataError, match=message):
        load_published_turns(folder, catalog)


def test_missing_turns(write):
    folder = write([row()])
    with pytest.raises(DataError, match="cases.parquet: No such file"):
        load_published_turns(folder, load_request_log(folder).catalog)


def real_folder():
    beside = Path(__file__).parents[3].parent / "shared" / "data" / "redial"
    return Path(os.environ.get("COLDSTART_REDIAL", beside))


@pytest.mark.skipif(
    not (real_folder() / "requests.parquet").is_file(),
    reason=f"no ReDial in {real_folder()}; name its folder in COLDSTART_REDIAL",
)
def test_real_folder_has_the_figures_that_were_published():
    log = load_request_log(real_folder())
    assert (len(log.catalog), len(log.train), len(log.valid), len(log.test)) == (
        6924, 18913, 2492, 3426,
    )  # fmt: skip
    assert sum(len(r.targets) for r in log.test) == 4498
    assert sum(len(r.targets) for r in log.test if r.first) == 1993
    assert not {r.dialogue for r in log.train} & {r.dialogue for r in (*log.valid, *log.test)}
    turns = load_published_turns(real_folder(), log.catalog)
    targets = sum(len(turn.request.targets) for turn in turns)
    assert (len(turns), targets) == (3220, 4204)
    recall = sum(turn.hits["gpt-4"]["recall@10"] for turn in turns) / targets
    assert recall == pytest.approx(0.201, abs=5e-4)
