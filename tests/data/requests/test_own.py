"""One's own requests, and the choice of a reader by what a path holds."""

from __future__ import annotations

import json

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.requests.load import load_request_log
from coldstart.data.requests.own import load_requests_file, part_of
from coldstart.data.requests.recorded import RequestItem
from coldstart.errors import DataError
from coldstart.schema import Item


@pytest.fixture
def catalog():
    return Catalog(
        [
            Item(item_id="1", title="Alien", year=1979),
            Item(item_id="2", title="Emma", year=1996),
            Item(item_id="3", title="Emma", year=2020),
            Item(item_id="4", title="Heat"),
        ]
    )


@pytest.fixture
def write(tmp_path):
    def call(*lines, name="requests.jsonl"):
        path = tmp_path / name
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return call


def test_all_fields(write, catalog):
    path = write(
        {
            "text": "gentle, nothing like Alien",
            "chosen": ["Emma (2020)"],
            "mentioned": [{"item": "Alien", "liked": False}, "4", {"item": 2, "by_user": False}],
            "profile": {"age": 33},
            "dialogue": 5,
            "split": "valid",
            "first": False,
        },
        "",
        {"text": "", "chosen": "Heat", "split": "test", "profile": {"user_id": "u"}},
    )
    log = load_request_log(path, catalog)
    assert log.name == "requests"
    assert log.catalog is catalog
    assert not log.train
    (one,), (two,) = log.valid, log.test
    assert one.chosen == (RequestItem("3"),)
    assert one.mentioned == (
        RequestItem("1", False),
        RequestItem("4"),
        RequestItem("2", by_user=False),
    )
    assert (one.profile.age, one.dialogue, one.first) == (33, "5", False)
    assert (two.text, two.chosen, two.dialogue) == ("", (RequestItem("4"),), "u")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ('"a"', "line 2: str instead of an object"),
        ({"chosen": ["1"]}, "line 2: text is None"),
        ({"text": 3, "chosen": ["1"]}, "line 2: text is 3"),
        ({"text": "a"}, "line 2: nothing is chosen"),
        ({"text": "a", "chosen": []}, "line 2: nothing is chosen"),
        ({"text": "a", "chosen": ["Alien 3"]}, "chosen: no item 'Alien 3'.*did you mean 'Alien'"),
        ({"text": "a", "chosen": ["Emma"]}, "'Emma' is the title of 2 items.*ids 2, 3"),
        ({"text": "a", "chosen": [None]}, "chosen holds None"),
        ({"text": "a", "chosen": [True]}, "chosen holds True"),
        (
            {"text": "a", "chosen": ["1"], "mentioned": [{"item": "1", "liked": 5}]},
            "mentioned holds",
        ),
        ({"text": "a", "chosen": ["1"], "split": "dev"}, "line 2: split 'dev'"),
        ({"text": "a", "chosen": ["1"], "profile": {"agee": 1}}, "line 2: invalid profile"),
        ({"text": "a", "chosen": ["1"], "choosen": 1}, "unknown field 'choosen'"),
    ],
)
def test_a_bad_line_is_named(write, catalog, line, message):
    path = write({"text": "a", "chosen": ["1"]}, line)
    with pytest.raises(DataError, match=message):
        load_requests_file(path, catalog)


def test_nothing_to_read(write, catalog, tmp_path):
    with pytest.raises(DataError, match="requests.jsonl: no requests"):
        load_requests_file(write(""), catalog)
    with pytest.raises(DataError, match="nowhere: no such file or folder"):
        load_request_log(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="empty: no requests in this folder"):
        load_request_log(tmp_path / "empty")


def test_the_catalog_may_lie_beside(write, tmp_path):
    path = write({"text": "a", "chosen": ["Heat"], "split": "train"})
    with pytest.raises(DataError, match="requests.jsonl: no catalog"):
        load_request_log(path)
    (tmp_path / "items.csv").write_text("item_id,title\n4,Heat\n")
    for where in (path, tmp_path):
        assert load_request_log(where).train[0].chosen == (RequestItem("4"),)


def test_the_shares_of_the_parts():
    assert part_of("\ud800") in ("train", "valid", "test")
    parts = [part_of(str(n)) for n in range(5000)]
    assert 0.77 < parts.count("train") / 5000 < 0.83
    assert 0.08 < parts.count("valid") / 5000 < 0.12


def test_one_dialogue_one_part(write, catalog):
    lines = [{"text": str(n), "chosen": ["1"], "dialogue": n % 30} for n in range(120)]
    log = load_requests_file(write(*lines), catalog)
    parts = [{r.dialogue for r in part} for part in (log.train, log.valid, log.test)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 30
