"""Who runs which tests: folders as one, long files first, and every name is of something there."""

from __future__ import annotations

from types import SimpleNamespace

from tests.conftest import ROOT
from tests.schedule import LONG, TOGETHER, longest_first, place_of


def test_every_named_folder_and_file_has_tests():
    for place in {*LONG, *TOGETHER}:
        path = ROOT / place
        assert path.name.startswith("test_") if path.is_file() else [*path.glob("test_*.py")], place


def test_folders_together_are_one_place_and_files_are_their_own():
    page = {place_of(f"tests/serve/page/test_{name}.py::test_x[a::b]") for name in ("a", "b")}
    assert page == {"tests/serve/page"}
    assert place_of("tests/serve/pages/test_a.py::test_x") == "tests/serve/pages/test_a.py"


def test_long_ones_come_first_and_the_others_stay_in_order():
    names = [
        "tests/b.py::y",
        "tests/a.py::x",
        f"{LONG[2]}::z",
        "tests/b.py::a",
        f"{LONG[0]}/t.py::w",
    ]
    items = [SimpleNamespace(nodeid=name) for name in names]
    longest_first(items)
    assert [item.nodeid for item in items] == [names[4], names[2], names[0], names[1], names[3]]
