"""``coldstart plot``: images of a finished report."""

from __future__ import annotations

import json

import pytest

from tests.cli.helpers import fails

ESTIMATE = {"value": 0.5, "low": 0.4, "high": None}
REPORT = {
    "about": {"data": "mine, 3 users"},
    "estimates": {},
    "business": [{"k": 1, "ctr": ESTIMATE, "conversion": None}],
}


@pytest.fixture
def report(tmp_path):
    path = tmp_path / "v1.2.json"
    path.write_text(json.dumps(REPORT))
    return path


def test_images_beside_the_report_or_in_a_folder(run, report, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, _ = run("plot", report)
    assert code == 0
    names = ["v1.2.by-k.svg", "v1.2.by-k.png"]
    assert out.splitlines() == [str(tmp_path / name) for name in names]
    folder = tmp_path / "new" / "figures"
    code, out, _ = run("plot", report, "--formats", "pdf, svg", "--out", folder)
    assert code == 0
    assert sorted(p.name for p in folder.iterdir()) == ["v1.2.by-k.pdf", "v1.2.by-k.svg"]
    assert (folder / names[0]).read_bytes() == (tmp_path / names[0]).read_bytes()
    run("plot", report, "--systems", "CTR", "--formats", "svg", "--out", tmp_path / "one")
    assert b">CTR</text>" in (tmp_path / "one" / names[0]).read_bytes()


def test_nothing_is_written_for_bad_input(run, report, tmp_path):
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    fails(run("plot", report, bad), "bad.json has nothing to draw")
    fails(run("plot", report, "--formats", "gif"), "--formats 'gif'", "svg, png, pdf")
    fails(run("plot", report, "--formats", ","), "--formats ','")
    fails(run("plot", report, "--systems", "x"), "no system 'x'", "CTR")
    fails(run("plot", report, report, "--out", tmp_path), "two reports of one name")
    fails(run("plot", tmp_path / "none.json"), "none.json is no report in JSON")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.json", "v1.2.json"]
