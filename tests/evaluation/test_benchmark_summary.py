from __future__ import annotations

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.selection import choose
from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
from coldstart.evaluation.benchmark_report import make_report
from coldstart.evaluation.benchmark_summary import groups_of, summarise
from coldstart.evaluation.case_metrics import METRICS, UNTESTED
from coldstart.evaluation.plots.draw import render
from coldstart.evaluation.plots.of_report import read_charts
from coldstart.metrics.significance import holm, paired_bootstrap
from coldstart.splitting.folds import user_folds
from tests.evaluation.counting import Counting
from tests.toy import toy_dataset

PLAN = BenchmarkPlan((0, 1, 3), support=3)
FAST = ("popularity", "demographic_popularity", "item_knn", "random_items")


@pytest.fixture
def data():
    return toy_dataset()


@pytest.fixture
def folds(data):
    return user_folds(data.likes, 3)


@pytest.fixture
def trial(data, folds):
    return run_benchmark(data, folds, choose(FAST), PLAN)


def of(trial, system, n_picks, metric="ndcg@10"):
    at = METRICS.index(metric)
    rows = [r for r in trial.records if (r.system, r.n_picks) == (system, n_picks)]
    return {r.user: r.values[at] for r in rows if r.values[at] is not None}


def test_means_are_over_the_users_of_all_folds(trial, data):
    rows = {(m.system, m.n_picks, m.metric): m for m in summarise(trial, data).means}
    for name in FAST:
        for k in PLAN.n_picks:
            for metric in set(METRICS) - set(UNTESTED):
                row, values = rows[name, k, metric], of(trial, name, k, metric)
                assert row.value == pytest.approx(np.mean(list(values.values())))
                assert row.low <= row.value <= row.high
                assert row.users == len(values) <= 60


def test_differences_are_those_of_the_paired_bootstrap(trial, data):
    found = summarise(trial, data, seed=4).paired
    for k in PLAN.n_picks:
        best = max(FAST, key=lambda n: np.mean(list(of(trial, n, k).values())))
        rows = [p for p in found if p.n_picks == k]
        assert [p.system for p in rows] == [n for n in FAST if n != best]
        assert {p.reference for p in rows} == {best}
        expected = [paired_bootstrap(of(trial, p.system, k), of(trial, best, k), 4) for p in rows]
        assert [p.difference for p in rows] == expected
        assert [p.adjusted for p in rows] == holm([d.p_value for d in expected])


def test_the_reference_is_chosen_or_the_best_that_is_not_ours(data, folds):
    ours = Counting("ours", "popularity", ours=True).system
    trial = run_benchmark(data, folds, [ours, *choose(["random_items"])], PLAN)
    summary = summarise(trial, data)
    assert {p.reference for p in summary.paired} == {"random_items"}
    assert {s.system for s in summary.served} == {"ours", "random_items"}
    chosen = summarise(trial, data, reference="ours").paired
    assert {(p.system, p.reference) for p in chosen} == {("random_items", "ours")}
    with pytest.raises(ConfigError, match="no system 'x'"):
        summarise(trial, data, reference="x")
    for metric in ("x", *UNTESTED):
        with pytest.raises(ConfigError, match=f"no metric '{metric}' to compare .one of ndcg@10"):
            summarise(trial, data, metric=metric)


def test_lists_are_described(trial, data):
    vectors = {i: np.eye(len(data.catalog))[n] for n, i in enumerate(data.catalog.ids)}
    rows = {(x.system, x.n_picks): x for x in summarise(trial, data, vectors=vectors).lists}
    assert rows["random_items", 0].coverage > rows["popularity", 0].coverage
    assert rows["random_items", 0].gini < rows["popularity", 0].gini
    assert rows["random_items", 0].popularity < rows["popularity", 0].popularity
    assert rows["random_items", 0].novelty > rows["popularity", 0].novelty
    assert rows["popularity", 0].diversity == pytest.approx(1.0)
    assert all(x.diversity is None for x in summarise(trial, data).lists)


def test_groups_are_of_age_and_gender(trial, data):
    served = summarise(trial, data).served
    assert {(s.attribute, s.n_picks) for s in served} == {
        (a, k) for a in ("age", "gender") for k in PLAN.n_picks
    }
    gender = next(s for s in served if s.attribute == "gender")
    assert set(gender.groups.means) == {"f", "m"}
    assert gender.gap is not None
    assert gender.gap.difference >= 0
    age = next(s for s in served if s.attribute == "age")
    assert list(age.groups.means) == ["20s"]
    assert age.gap is None
    assert set(groups_of(data, "location").values()) == {"unknown"}


EVIL = "<script>alert(1)</script> | $x^2$"


@pytest.fixture
def evil(data, folds):
    systems = [Counting(EVIL, "popularity", ours=True).system, *choose(["item_knn"])]
    trial = run_benchmark(data, folds, systems, PLAN)
    return make_report(trial, summarise(trial, data), data, "coldstart benchmark <b>", 0)


def test_the_page_needs_nothing_else_and_escapes_names(evil):
    pytest.importorskip("matplotlib")
    page = evil.page()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "<b>" not in page
    assert page.count('<img src="data:image/svg+xml;base64,') == 4
    assert "http" not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", page)
    assert not re.search(r"<(link|iframe|object|embed)\b|@import|url\(", page)
    assert page == evil.page()
    assert page.count("<table>") == len(evil.tables)


def test_the_page_says_so_without_matplotlib(evil, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = evil.page()
    assert "No plots: plots need matplotlib" in page
    assert "<img" not in page


def test_markdown_tables_hold_together(evil):
    text = evil.markdown()
    assert "<script" not in text
    for table in text.split("\n\n"):
        if table.startswith("|"):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}
            assert len(widths) == 1
    for what in ("command: coldstart benchmark &lt;b&gt;", "seed: 0", "data fingerprint",
                 "folds fingerprint", "numpy 2", "users dropped", "Python 3"):  # fmt: skip
        assert what in text


def test_saved_under_the_name_given(evil, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    paths = evil.save(tmp_path / "v1.2")
    assert [p.name for p in paths] == ["v1.2.md", "v1.2.html", "v1.2.json"]
    found = json.loads(paths[2].read_text())
    assert found["about"]["seed"] == "0"
    assert {m["metric"] for m in found["means"]} == set(METRICS) - {"rated"}
    assert len(found["means"]) == 2 * 3 * (len(METRICS) - 1)
    assert {p["system"] for p in found["paired"]} == {EVIL}
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in paths)


def test_its_plots_are_files_beside_it_that_the_markdown_shows(evil, tmp_path):
    pytest.importorskip("matplotlib")
    paths = {path.name: path for path in evil.save(tmp_path / "a b")}
    names = ["ndcg-by-picks", "ndcg", "ndcg-by-coverage", "ndcg-by-latency"]
    pictures = [f"a b.{name}.{end}" for name in names for end in ("svg", "png")]
    assert list(paths) == ["a b.md", "a b.html", "a b.json", *pictures]
    assert sorted(paths) == sorted(p.name for p in tmp_path.iterdir())
    shown = re.findall(r"^!\[[^]]+\]\((.+)\)$", paths["a b.md"].read_text(), re.MULTILINE)
    assert shown == [f"a%20b.{name}.svg" for name in names]
    for name in names:
        assert paths[f"a b.{name}.png"].read_bytes().startswith(b"\x89PNG")
        drawn = paths[f"a b.{name}.svg"].read_text()
        assert "<script" not in drawn
        assert "&lt;script&gt;" in drawn
    # What is drawn from the file is what was drawn from the report.
    again = {chart.name: render(chart) for chart in read_charts(paths["a b.json"])}
    assert again == {name: paths[f"a b.{name}.svg"].read_bytes() for name in names}


def test_gauc_is_shown_as_what_it_is_and_never_compared(trial, data):
    summary = summarise(trial, data)
    assert not {p.metric for p in summary.paired} & set(UNTESTED)
    made = make_report(trial, summary, data, "x", 0)
    title = "GAUC on rated items, for comparability only"
    *_, table, legend = made.tables
    assert (table.title, legend.title) == (title, "Systems")
    assert title not in [t.title for t in made.tables[: made.brief]]
    assert [row[0] for row in table.rows] == list(FAST)
    assert "0 of 60 users lack one of the two kinds and are left out" in table.note
    assert "tested nowhere" in made.markdown()
    assert f"<h2>{title}</h2>" in made.page()
    assert not any("rated" in t.title for t in made.tables[:-2])
    some = {u: x for n, (u, x) in enumerate(data.dislikes.items()) if n % 3}
    part = replace(data, dislikes=some)
    trial = run_benchmark(part, user_folds(part.likes, 3), choose(FAST), PLAN)
    made = make_report(trial, summarise(trial, part), part, "x", 0)
    assert "20 of 60 users lack one of the two kinds" in made.tables[-2].note
    assert made.tables[-2].columns[1] == "k=0 (n=40)"
