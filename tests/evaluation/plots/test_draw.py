"""Charts as image files."""

from __future__ import annotations

import sys
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from coldstart.errors import MissingExtraError
from coldstart.evaluation.plots.charts import BarChart, LineChart, PointChart
from coldstart.evaluation.plots.draw import COLOURED, embedded, plain_text, render

LINES = LineChart(
    "lines",
    "Lines",
    "picks",
    "NDCG@10",
    {
        "popularity": [(0, 0.3, 0.2, 0.4), (10, 0.3, 0.2, 0.4)],
        "ours": [(0, 0.3, 0.2, 0.4), (10, 0.5, 0.4, 0.6)],
    },
    ["ours"],
)
BARS = BarChart(
    "bars",
    "Bars",
    "obedience",
    ["all (9)", "years (2)"],
    {"ours": [(0.9, 0.8, 1.0), (1.0, 1.0, 1.0)], "theirs": [(0.1, 0.0, 0.2), (0.0, 0.0, 0.0)]},
    ["ours"],
)
RANKED = replace(
    BARS,
    groups=[""],
    bars={"theirs": [(0.201, 0.19, 0.21)], "ours": [(0.209, 0.2, 0.22)]},
    kinds={"theirs": "published", "ours": "measured here"},
)
POINTS = PointChart(
    "points", "Points", "ms", "NDCG@10", {"ours": (3, 0.4), "a": (1, 0.3)}, ["ours"]
)
EACH = [
    LINES,
    replace(LINES, scale="log1p"),
    BARS,
    RANKED,
    POINTS,
    replace(POINTS, log=True),
]
IDS = ["lines", "log1p", "bars", "ranked", "points", "log"]

pytestmark = pytest.mark.usefixtures("needs_matplotlib")


@pytest.fixture
def needs_matplotlib():
    pytest.importorskip("matplotlib")


def texts(chart):
    """Texts of a chart as SVG, from the first drawn to the last."""
    root = ElementTree.fromstring(render(chart))
    found = root.iter("{http://www.w3.org/2000/svg}text")
    return ["".join(element.itertext()).strip() for element in found]


@pytest.mark.parametrize("chart", EACH, ids=IDS)
def test_equal_charts_are_equal_files_that_name_every_system(chart):
    assert render(chart) == render(replace(chart))
    said = texts(chart)
    assert chart.title in said
    named = chart.lines if isinstance(chart, LineChart) else getattr(chart, "bars", None)
    for name in named or chart.points:
        assert name in said


@pytest.mark.parametrize(
    ("kind", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?x")]
)
def test_formats(kind, start):
    drawn = render(LINES, kind)
    assert drawn.startswith(start)
    assert drawn == render(LINES, kind)


def test_with_many_systems_the_best_popularity_and_ours_are_named():
    lines = {f"s{n}": [(0, n / 20, 0, 1), (10, n / 20, 0, 1)] for n in range(10)}
    said = texts(replace(LINES, lines=lines | dict(LINES.lines)))
    assert {"ours", "popularity", "s9", "s8", "s7", "s6"} <= set(said)
    assert f"{12 - COLOURED} others" in said
    assert "s5" not in said


def test_values_of_one_group_are_written_down_the_highest_first():
    said = texts(RANKED)
    assert said.index("ours") < said.index("theirs")
    assert said.index("0.209") < said.index("0.201")
    assert {"published", "measured here"} <= set(said)


def test_measured_places_are_ticks_and_zero_has_a_place_on_the_logarithmic_axis():
    points = [(n, 0.3, 0.2, 0.4) for n in (0, 10, 1000, 45385)]
    said = texts(replace(LINES, lines={"ours": points}, scale="log1p"))
    assert ["0", "10", "1,000", "45,385"] == said[:4]


def test_names_are_text_and_no_markup_or_formula():
    evil = "<script>alert(1)</script> $x^2$"
    drawn = render(replace(LINES, title=evil, lines={evil: LINES.lines["ours"]}))
    assert b"<script" not in drawn
    assert evil in texts(replace(LINES, title=evil))
    assert plain_text("_x$\ny") == r"x\$ y"
    assert plain_text("__") == "system"


def test_embedded_by_title():
    ((title, address),) = embedded([BARS]).items()
    assert title == "Bars"
    assert address.startswith("data:image/svg+xml;base64,")


def test_without_matplotlib_the_pip_line_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="plots need matplotlib"):
        render(LINES)
