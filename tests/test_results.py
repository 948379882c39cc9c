"""What benchmarks write down: figures with the command, machine and versions that made them."""

from __future__ import annotations

import json
import re
import sys

import pytest

from tests.conftest import ROOT

SCRIPTS = ROOT / "benchmarks"


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import results

    monkeypatch.setattr(sys, "argv", [str(SCRIPTS / "growth.py"), "--sizes", "10", "--name", "a b"])
    return results


def test_both_files_say_what_made_the_figures(results, tmp_path, capsys):
    report = results.Report("Lists", "numpy")
    text = results.table(["a", ""], [[1, None], ["x", 2.5]])
    assert text == "| a |  |\n| --- | --- |\n| 1 | – |\n| x | 2.5 |"
    report.publish(tmp_path / "v1.2", ["What it is.", text], {"rows": [{"a": 1}]})
    markdown = (tmp_path / "v1.2.md").read_text(encoding="utf-8")
    assert markdown in capsys.readouterr().out
    command = "python benchmarks/growth.py --sizes 10 --name 'a b'"
    assert markdown.startswith(f"# Lists\n\n`{command}`: ")
    assert markdown.endswith(f"What it is.\n\n{text}\n")
    kept = json.loads((tmp_path / "v1.2.json").read_text(encoding="utf-8"))
    assert kept["command"] == command
    assert kept["rows"] == [{"a": 1}]
    assert list(kept["versions"]) == ["python", "coldstart-rec", "numpy"]
    assert kept["machine"]["cores"] >= 1
    assert len(kept["machine"]["load"]) == 2
    for name, number in kept["versions"].items():
        assert f"{name} {number}" in markdown


def test_without_a_place_it_is_only_printed(results, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert results.command_line("First line.\n\nMore.").parse_args([]).out is None
    results.Report("Lists").publish(None, ["text"], {})
    assert "# Lists" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_memory_is_that_of_this_process(results):
    assert 1 < results.memory("VmRSS") <= results.memory("VmHWM")


# -- figures of reports in Markdown ----------------------------------------------------------------


def mean(system, metric, value, group="all", **more):
    about = {"system": system, "metric": metric, "group": group, "value": value}
    return about | {"low": value - 0.02, "high": value + 0.02, "cases": 40} | more


REQUESTS = {
    "test": {
        "means": [
            mean("popularity", "recall@10", 0.06),
            mean("popularity", "ndcg@10", 0.03),
            mean("popularity", "recall@10", 0.07, "first", cases=9),
            mean("trained:catalog", "recall@10", 0.21),
            mean("trained:catalog", "ndcg@10", 0.12),
            mean("trained:catalog", "recall@10", 0.23, "first", cases=9),
        ]
    }
}
PUBLISHED = {
    "published": {
        "means": [
            mean("ours", "recall@10", 0.22),
            mean("ours", "ndcg@10", 0.12),
            mean("GPT-4", "recall@10", 0.201),
            mean("GPT-4", "ndcg@10", 0.116),
        ]
    }
}
SENTENCES = {
    "left_out": [],
    "means": [
        {"system": s, "group": g, "sentences": n, "mean": m, "low": m - 0.01, "high": m + 0.03}
        for s, g, n, m in [
            ("coldstart", "all", 3, 0.9),
            ("nothing said", "all", 3, 0.2),
            ("coldstart", "years", 1, 1.0),
            ("nothing said", "years", 1, 0.5),
        ]
    ],
}
SPEED = {"rows": [{"system": "coldstart catalog", "p50": 0.1024, "ratio": 13.78}]}


@pytest.fixture
def tables(monkeypatch, tmp_path):
    """The script, on reports of its own."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import tables

    monkeypatch.setattr(tables, "ROOT", tmp_path)
    reports = {"r": REQUESTS, "p": PUBLISHED, "s": SENTENCES, "t": SPEED}
    for name, report in reports.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(report), encoding="utf-8")
    return tables


@pytest.mark.parametrize(
    ("marker", "lines"),
    [
        (
            "r.json: trained:catalog=coldstart, popularity",
            [
                "| 40 targets | R@10 | NDCG@10 | R@10, first requests |",
                "|---|---|---|---|",
                "| coldstart | **0.210** ± 0.020 | **0.120** | **0.230** ± 0.020 |",
                "| popularity | 0.060 ± 0.020 | 0.030 | 0.070 ± 0.020 |",
            ],
        ),
        (
            "p.json",
            [
                "|  | R@10 | NDCG@10 |",
                "|---|---|---|",
                "| ours | **0.220** ± 0.020 | **0.120** ± 0.020 |",
                "| GPT-4 | 0.201 ± 0.020 | 0.116 ± 0.020 |",
            ],
        ),
        (
            "s.json: coldstart, nothing said=for nobody",
            [
                "| obedience@10 | coldstart | for nobody |",
                "|---|---|---|",
                "| all (3) | **0.900** ± 0.020 | 0.200 ± 0.020 |",
                "| years (1) | **1.000** | 0.500 |",
            ],
        ),
    ],
)
def test_a_table_is_made_of_its_report(tables, marker, lines):
    text = f"Before.\n\n<!-- table {marker} -->\nSTALE\n<!-- /table -->\n\nAfter."
    made = tables.filled(text)
    assert made == text.replace("STALE", "\n".join(lines))
    assert tables.filled(made) == made


@pytest.mark.parametrize(
    ("marker", "value"),
    [
        ("r.json: system=popularity, metric=recall@10, group=all", "0.060 ± 0.020"),
        ("r.json: system=popularity, metric=recall@10, group=all, plain=1", "0.060"),
        ("p.json: system=GPT-4, metric=ndcg@10", "0.116 ± 0.020"),
        ("s.json: system=coldstart, group=years", "1.000 ± 0.020"),
        ("t.json: system=coldstart catalog, field=p50", "102 ms"),
        ("t.json: system=coldstart catalog, field=ratio", "13.8"),
    ],
)
def test_a_figure_is_one_row_of_its_report(tables, marker, value):
    text = f"It has <!-- figure {marker} --><!-- /figure -->, and more."
    made = tables.filled(text)
    assert made == text.replace("--><!--", f"-->{value}<!--")
    assert tables.filled(made) == made


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "<!-- table r.json: magic -->\n<!-- /table -->",
            "no system 'magic'; there are popularity",
        ),
        ("<!-- table none.json -->\n<!-- /table -->", "none.json is missing; run its benchmark"),
        ("<!-- figure r.json: system=popularity --><!-- /figure -->", "3 rows .*expected one"),
    ],
)
def test_what_no_report_says_is_refused(tables, text, expected):
    with pytest.raises(SystemExit, match=expected):
        tables.filled(text)


def test_commands_in_the_results_name_scripts_that_are_there():
    found = set()
    for path in (ROOT / "docs" / "results").glob("*.md"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"python (benchmarks/\w+\.py)", text))
    assert len(found) > 5
    assert all((ROOT / name).is_file() for name in found)


# -- plots of reports ------------------------------------------------------------------------------


@pytest.fixture
def plots(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import plots

    return plots


def test_plots_are_shown_once_before_the_first_section(plots):
    report = "# T\n\nIntro.\n\n**Note:** n\n\n## A\n\nText.\n"
    once = plots.in_markdown(report, {"N | 1": "r.svg"})
    assert once == "# T\n\nIntro.\n\n**Note:** n\n\n![N \\| 1](r.svg)\n\n## A\n\nText.\n"
    assert plots.in_markdown(once, {"N | 1": "r.svg"}) == once
    page = '<p>i</p>\n\n<p>No plots: x</p>\n\n<h2>A</h2>\n<p>"</p>\n'
    drawn = plots.in_page(page, {'"N"': "data:x"})
    figure = '<figure><img src="data:x" alt="&quot;N&quot;; the tables below hold the numbers.">'
    assert drawn == page.replace("<p>No plots: x</p>\n\n", f"\n{figure}</figure>\n", 1)
    assert plots.in_page(drawn, {'"N"': "data:x"}) == drawn
