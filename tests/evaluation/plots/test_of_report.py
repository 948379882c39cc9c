"""Which charts a report's plain data has."""

from __future__ import annotations

import json

import pytest

from coldstart.errors import DataError
from coldstart.evaluation.plots.of_report import charts_of, read_charts
from tests.conftest import ROOT

RESULTS = ROOT / "docs" / "results"
CHARTS = {
    "benchmark-ml-100k": ["ndcg-by-picks", "ndcg", "ndcg-by-coverage", "ndcg-by-latency"],
    "requests-redial": ["recall", "recall-by-length"],
    "requests-he2023": ["recall-published", "ndcg-published"],
    "sentences-fresh": ["by-kind"],
    "growing-ml-100k": ["ndcg-by-likes", *(f"ndcg-by-likes-k{k}" for k in (0, 1, 3, 10))],
    "nothing-ml-small": ["ndcg", "ndcg-by-picks"],
    "ml-100k": ["ndcg-by-picks", "ndcg"],
    "replay-ml-100k": ["ndcg-by-picks", "ctr-over-time", "ndcg-after-shift"],
}


@pytest.mark.parametrize("name", CHARTS)
def test_charts_of_each_kind_of_report(name):
    found = read_charts(RESULTS / f"{name}.json")
    assert [chart.name for chart in found] == CHARTS[name]
    assert len({chart.title for chart in found}) == len(found)


def test_the_numbers_are_those_of_the_report():
    path = RESULTS / "benchmark-ml-100k.json"
    report = json.loads(path.read_text(encoding="utf-8"))
    by_picks, ranked, coverage, latency = charts_of(report)
    for m in report["means"]:
        if m["metric"] == "ndcg@10":
            point = (m["shots"], m["value"], m["low"], m["high"])
            assert point in by_picks.lines[m["system"]]
            if m["shots"] == 10:
                assert ranked.bars[m["system"]] == [point[1:]]
                assert coverage.points[m["system"]][1] == latency.points[m["system"]][1] == point[1]
    assert by_picks.strong == report["ours"] == ["coldstart_prior"]
    ks = [x for x, *_ in by_picks.lines["popularity"]]
    assert ks == sorted(ks) == [0, 1, 3, 5, 10]


def test_recall_over_published_models_tells_them_from_what_was_measured():
    chart, _ = read_charts(RESULTS / "requests-he2023.json")
    assert chart.kinds["gpt-4"] == "published, zero-shot"
    assert chart.kinds["trained:prior"] == "measured here"
    assert chart.bars["gpt-4"][0][0] == pytest.approx(0.2008, abs=1e-4)


def test_strategies_of_an_evaluated_artifact_stand_out():
    by_picks, ranked = read_charts(RESULTS / "ml-100k.json")
    assert list(by_picks.strong) == [f"coldstart, {s}" for s in ("free", "catalog", "both")]
    assert set(by_picks.strong) < set(by_picks.lines) == set(ranked.bars)


def test_a_blend_is_a_rival_beside_a_trained_recommender():
    chart, by_length = read_charts(RESULTS / "requests-redial.json")
    assert "blend" in chart.bars
    assert list(chart.strong) == ["trained:prior", "trained:prior-strict"]
    assert [k for k, *_ in by_length.lines["blend"]] == [1, 5, 10, 50]


def test_only_the_systems_asked_for():
    path = RESULTS / "benchmark-ml-100k.json"
    found = read_charts(path, ["popularity", "ease"])
    for chart in found:
        named = getattr(chart, "lines", None) or getattr(chart, "bars", None) or chart.points
        assert set(named) == {"popularity", "ease"}
    with pytest.raises(DataError, match="no system 'easy'"):
        read_charts(path, ["easy"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "no report in JSON"),
        ("[]", "nothing to draw"),
        ("{}", "nothing to draw"),
        ('{"lists": 3}', "nothing to draw"),
    ],
)
def test_what_is_no_report(tmp_path, text, message):
    path = tmp_path / "r.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_charts(path)
    with pytest.raises(DataError, match="no report in JSON"):
        read_charts(tmp_path / "none.json")


def test_intervals_of_an_evaluated_artifact_are_not_symmetric():
    report = json.loads((RESULTS / "ml-100k.json").read_text(encoding="utf-8"))
    row = report["rows"][0]
    row["interval"] = {"ndcg@10": [0.1, 0.9]}
    by_picks, _ = charts_of(report)
    point = (row["shots"], row["values"]["ndcg@10"], 0.1, 0.9)
    assert point in by_picks.lines[row["system"].strip("*")]
