"""The records of decisions: complete, numbered, indexed, and with links that resolve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "decisions"
INDEX = FOLDER / "README.md"
RECORDS = sorted(p for p in FOLDER.iterdir() if p != INDEX)

HEAD = re.compile(
    r"# (?P<number>\d{4})\. (?P<title>\S.*)\n\n"
    r"- Date: (?P<date>\d{4}-\d\d-\d\d)\n"
    r"- Status: (?P<status>accepted|superseded by \[(?P<by>\d{4})\]\((?P=by)-[\w-]+\.md\))\n\n"
)
ROW = re.compile(r"\| (\d{4}) \| (\S+) \| \[(.+)\]\((\S+)\) \| (.+) \|")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def text_of(path):
    return path.read_text(encoding="utf-8")


def head_of(path):
    head = HEAD.match(text_of(path))
    assert head, f"{path.name} does not begin with its number and title, date and status"
    return head


@pytest.mark.parametrize("path", RECORDS, ids=lambda p: p.stem)
def test_a_record_has_its_parts(path):
    head, body = head_of(path), text_of(path)
    assert path.name.startswith(head["number"] + "-")
    sections = re.findall(r"^## (.+)\n\n(?=[^#\s])", body, re.MULTILINE)
    assert sections == ["Context", "Decision", "Consequences"]
    if head["by"]:
        assert head["by"] > head["number"]


def test_numbers_are_unique_and_without_gaps():
    assert [p.name[:4] for p in RECORDS] == [f"{n:04}" for n in range(1, len(RECORDS) + 1)]


def test_dates_rise_with_numbers():
    dates = [head_of(p)["date"] for p in RECORDS]
    assert dates == sorted(dates)


def test_the_index_is_that_of_the_records():
    heads = [(head_of(p), p.name) for p in RECORDS]
    expected = [(h["number"], h["date"], h["title"], name, h["status"]) for h, name in heads]
    assert sorted(ROW.findall(text_of(INDEX))) == expected
    assert set(re.findall(r"\]\((\d{4}-[^)]+)\)", text_of(INDEX))) == {p.name for p in RECORDS}


@pytest.mark.parametrize("path", [INDEX, *RECORDS], ids=lambda p: p.stem)
def test_links_resolve(path):
    links = [x for x in LINK.findall(text_of(path)) if "://" not in x]
    assert [x for x in links if not (path.parent / x).is_file()] == []


def test_evidence_is_there():
    """Scripts and tests that records in force name as their evidence are in the repository."""
    records = "\n".join(text_of(p) for p in RECORDS if not head_of(p)["by"])
    scripts = set(re.findall(r"\b(benchmarks/\w+\.py)", records))
    assert len(scripts) > 5
    assert {x for x in scripts if not (ROOT / x).is_file()} == set()
    named = set(re.findall(r"`(test_\w+)`", records))
    assert len(named) > 5
    sources = "\n".join(text_of(p) for p in (ROOT / "tests").rglob("*.py"))
    assert named <= set(re.findall(r"^\s*def (test_\w+)\(", sources, re.MULTILINE))
