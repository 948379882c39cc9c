"""Golden lists: a slice of the recordings is checked, and differences are told from rounding."""

from __future__ import annotations

import copy

import pytest

from coldstart.errors import ConfigError
from coldstart.testing.golden import GOLDENS, check, differences
from coldstart.testing.golden_requests import GoldenRequest, golden_requests
from tests.conftest import ROOT
from tests.toy import toy_catalog

RECORDED = ROOT / "tests" / "data" / "golden"
EVERY = {"ml-100k": 67, "ml-100k-retrieval": 20, "small": 10, "small-retrieval": 20}


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch):
    """The small artifact names its base model relative to the repository."""
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
def test_the_lists_are_as_recorded(golden):
    assert check(golden, ROOT, RECORDED, every=EVERY[golden.name]) == []


def test_requests_are_drawn_alike_and_cover_every_kind():
    drawn = golden_requests(toy_catalog(), 40)
    assert drawn == golden_requests(toy_catalog(), 40)
    assert drawn != golden_requests(toy_catalog(), 40, seed=1)
    assert len({request.kind for request in drawn}) == 10
    assert [GoldenRequest(**request.to_dict()) for request in drawn] == drawn


def test_a_missing_recording_is_said(tmp_path):
    with pytest.raises(ConfigError, match="no recording at .*small.json.gz"):
        check(GOLDENS[2], ROOT, tmp_path)


ANSWER = {
    "ids": ["a", "b", "c"],
    "scores": [2.0, 1.0, 1.0 - 1e-7],
    "contributions": [{"popularity": 2.0}, {"popularity": 1.0}, {"popularity": 1.0 - 1e-7}],
    "reasons": ["Because.", "Because.", "Because."],
    "written": [None, None, "C"],
    "dropped": [["x", "known", "already liked"]],
    "dropped_counts": {"known": 1},
    "notes": [],
    "generated": 1,
    "abstained": 0,
    "prompt": "…",
}


def changed(**parts):
    return copy.deepcopy(ANSWER) | parts


def found(now, tolerance=1e-6):
    return list(differences(ANSWER, now, tolerance))


def test_near_ties_may_change_places():
    rows = ("ids", "contributions", "reasons", "written")
    swapped = {name: [ANSWER[name][n] for n in (0, 2, 1)] for name in rows}
    assert found(changed(**swapped)) == []
    swapped = {name: [ANSWER[name][n] for n in (1, 0, 2)] for name in rows}
    assert "item a moved from rank 1 to 2" in found(changed(**swapped))


@pytest.mark.parametrize(
    ("now", "line"),
    [
        ({"scores": [2.1, 1.0, 1.0]}, "score at rank 1 was 2.0, is 2.1"),
        ({"ids": ["z", "b", "c"]}, "item a (rank 1) is missing"),
        ({"reasons": ["So.", "Because.", "Because."]}, "reasons of a: was 'Because.', is 'So.'"),
        ({"written": ["A", None, "C"]}, "written of a: was None, is 'A'"),
        ({"dropped": []}, "dropped was [['x', 'known', 'already liked']], is []"),
        ({"notes": ["short"]}, "notes was [], is ['short']"),
        ({"ids": ["a"]}, "had 3 items, has 1"),
        ({"prompt": None}, "prompt was '…', is None"),
        ({"error": "ConfigError: no"}, "a list became ConfigError: no"),
    ],
)
def test_differences_are_named(now, line):
    assert line in found(changed(**now))


def test_contributions_are_compared_by_name_and_value():
    parts = copy.deepcopy(ANSWER["contributions"])
    parts[0] = {"popularity": 1.9, "words": 0.1}
    lines = found(changed(contributions=parts))
    assert "contributions of a were ['popularity'], are ['popularity', 'words']" in lines
    assert "popularity of a was 2.0, is 1.9" in lines


def test_the_same_answer_has_no_differences():
    assert found(changed()) == []
    assert list(differences({"error": "x"}, {"error": "x"}, 0)) == []
