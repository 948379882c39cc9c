"""The preset of ``coldstart evaluate``: systems, parts of the cases, intervals."""

import json
import math
import re
import sys

import numpy as np
import pytest

from coldstart.evaluation.artifact_evaluation import (
    SHUFFLED,
    EvaluationPlan,
    artifact_records,
    baseline_records,
    evaluate_artifact,
    headline,
    save_figures,
    summary_rows,
)
from coldstart.evaluation.case_metrics import ACCURACY, Record
from coldstart.splitting.user_splits import Split
from tests.conftest import ROOT
from tests.toy import toy_dataset, toy_recommender, toy_split


@pytest.fixture
def rec():
    return toy_recommender()


@pytest.fixture
def plan():
    whole = toy_split()
    split = Split(whole.train, whole.valid, whole.test[:5])
    return EvaluationPlan(toy_dataset(), split, (0, 3), support=3)


def bare(records):
    return sorted((r.system, r.user, r.n_picks, r.values, r.top) for r in records)


def test_parts_together_are_the_whole_evaluation(rec, plan):
    task = plan.task(rec)
    whole = artifact_records(rec, task, plan)
    parts = [r for n in range(3) for r in artifact_records(rec, task, plan, slice(n, None, 3))]
    assert bare(parts) == bare(whole)
    labels = {b.label for b in headline(artifact=True)}
    assert {r.system for r in whole} == {SHUFFLED, *labels}
    assert {"language model alone, free", "**coldstart, both**"} <= labels
    assert {r.n_picks for r in whole} == {0, 3}


def test_baselines_are_tuned_on_validation_users_and_say_so(rec, plan):
    records = baseline_records(plan.task(rec), plan)
    names = list(dict.fromkeys(r.system for r in records))
    assert names[:2] == ["popularity", "demographic popularity"]
    assert names[2].startswith("item-kNN + demographic prior (weight ")
    assert "likes after the picks + demographic prior" in names


def test_figures_are_in_blocks_by_number_of_picks(rec, plan):
    found = evaluate_artifact(rec, plan)
    first = [r for r in found["rows"] if r["system"] in ("popularity", "demographic popularity")]
    assert [(r["shots"], r["system"]) for r in first] == [
        (k, n) for k in (0, 3) for n in ("popularity", "demographic popularity")
    ]
    assert [r["system"] for r in found["rows"][-2:]] == [SHUFFLED] * 2
    assert found["users"] == 5
    assert found["slice"]["users"] == []  # nobody of the toy data has ten likes


def test_more_picks_than_support_take_targets_away(rec, plan):
    more = EvaluationPlan(plan.data, plan.split, (0, 4), support=0).task(rec)
    sizes = {k: {len(c.targets) for c in more.cases if c.n_picks == k} for k in (0, 4)}
    assert max(sizes[4]) <= max(sizes[0]) - 4


def records(values):
    return [Record("x", 0, str(n), 0, (v, v, v), (), 0.0) for n, v in enumerate(values)]


def test_the_interval_is_that_of_a_mean():
    rng = np.random.default_rng(0)
    hits = (rng.random(200) < 0.3).astype(float)
    (row,) = summary_rows(records(hits))
    mean = row["values"]["ndcg@10"]
    assert mean == pytest.approx(hits.mean())
    expected = 1.96 * math.sqrt(mean * (1 - mean) / 200)
    assert row["half_width"]["ndcg@10"] == pytest.approx(expected, rel=0.1)
    low, high = row["interval"]["ndcg@10"]
    assert row["half_width"]["ndcg@10"] == (high - low) / 2
    assert summary_rows(records(hits)) == [row]
    assert any(summary_rows(records(hits), seed=n) != [row] for n in range(1, 6))
    assert set(row["values"]) == set(ACCURACY)


def test_equal_users_have_no_interval():
    (row,) = summary_rows(records([1.0] * 5))
    assert set(row["half_width"].values()) == {0.0}


def test_plots_are_beside_the_figures(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    text = (ROOT / "docs" / "results" / "ml-100k.json").read_text(encoding="utf-8")
    figures = json.loads(text)
    save_figures(figures, tmp_path / "mine", "coldstart evaluate mine")
    names = ["mine.ndcg-by-picks.svg", "mine.ndcg.svg"]
    markdown = (tmp_path / "mine.md").read_text(encoding="utf-8")
    assert re.findall(r"^!\[[^]]+\]\((.+)\)$", markdown, re.MULTILINE) == names
    for name in names:
        assert (tmp_path / name).read_text(encoding="utf-8").startswith("<?xml")
        assert (tmp_path / name).with_suffix(".png").is_file()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    (tmp_path / "bare").mkdir()
    save_figures(figures, tmp_path / "bare" / "mine", "coldstart evaluate mine")
    assert sorted(p.suffix for p in (tmp_path / "bare").iterdir()) == [".json", ".md"]
