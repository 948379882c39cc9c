"""A replay from zero: what systems are given, and what is made of their lists."""

from __future__ import annotations

import pytest

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.selection import choose
from coldstart.evaluation.baselines.system import System
from coldstart.evaluation.growing.report import make_growth_report
from coldstart.evaluation.growing.run import GrowthPlan, run_growth
from coldstart.evaluation.growing.summary import curves, gains
from coldstart.evaluation.plots.of_report import charts_of
from tests.fakes import FakeEncoder
from tests.toy import toy_dataset, toy_split

DATA, SPLIT = toy_dataset(), toy_split()
PLAN = GrowthPlan((0, 10, 60), n_picks=(0, 2), support=3, min_targets=1, arrival="mixed")
NAMES = ["popularity", "item_knn", "content_alone", "from_nothing"]


@pytest.fixture(scope="module")
def run():
    return run_growth(DATA, SPLIT, choose(NAMES), PLAN, encoder=FakeEncoder())


def ndcg(run, system, events, picks):
    own = [x for x in run.lists if (x.system, x.events, x.n_picks) == (system, events, picks)]
    return sum(x.ndcg for x in own) / len(own)


def test_all_systems_answer_the_same_users_at_every_step(run):
    total = sum(len(DATA.likes[u]) for u in (*SPLIT.train, *SPLIT.valid))
    assert run.steps == (0, 10, 60, total)
    asked = {(x.system, x.events): set() for x in run.lists}
    for x in run.lists:
        asked[x.system, x.events].add((x.user, x.n_picks))
    assert len(asked) == len(NAMES) * 4
    assert len({frozenset(x) for x in asked.values()}) == 1
    assert run.visitors[0] == 0 < run.visitors[1] < run.visitors[-1]


def test_before_the_first_like_ours_is_content_alone_and_after_many_it_beats_popularity(run):
    for picks in PLAN.n_picks:
        assert ndcg(run, "from_nothing", 0, picks) == ndcg(run, "content_alone", 0, picks)
        for n in run.steps:
            assert ndcg(run, "content_alone", n, picks) == ndcg(run, "content_alone", 0, picks)
    last = run.steps[-1]
    assert ndcg(run, "from_nothing", last, 2) > ndcg(run, "popularity", last, 2)
    popular = ndcg(run, "popularity", last, 0)  # equals come in another order
    assert ndcg(run, "from_nothing", last, 0) == pytest.approx(popular, abs=0.02)


def test_a_system_sees_no_more_than_was_observed():
    seen = []

    def make(training, split, data):
        seen.append((sum(map(len, training.likes.values())), set(training.likes), data))
        return choose(["popularity"])[0].make(training, split, data)

    run_growth(DATA, SPLIT, [System("spy", make)], PLAN, encoder=FakeEncoder())
    assert [n for n, *_ in seen[:3]] == [0, 10, 60]
    for n, users, data in seen:
        assert users.isdisjoint(SPLIT.test)
        assert sum(map(len, data.likes.values())) == n
        assert set(data.catalog.ids) == set(DATA.catalog.ids) != data.catalog.ids


def test_the_summary_is_paired_by_user(run):
    points = {(p.system, p.events, p.n_picks): p for p in curves(run)}
    gained = {(g.other, g.events, g.n_picks): g for g in gains(run, "from_nothing")}
    assert gained["content_alone", 0, None].difference.mean == 0
    for (other, events, picks), gain in gained.items():
        mine, theirs = points["from_nothing", events, picks], points[other, events, picks]
        assert gain.difference.mean == pytest.approx(mine.value - theirs.value)
        assert gain.adjusted >= gain.difference.p_value


def test_the_report_has_every_step_and_a_curve(run, tmp_path):
    made = make_growth_report(run, PLAN, DATA, "coldstart benchmark …", "from_nothing")
    text = made.markdown()
    assert "| popularity |" in text
    assert "What from_nothing gains" in text
    assert "2 picks" in text
    charts = charts_of(made.to_dict())
    assert [chart.name for chart in charts] == [
        "ndcg-by-likes", "ndcg-by-likes-k0", "ndcg-by-likes-k2"
    ]  # fmt: skip
    for chart in charts:
        assert set(chart.lines) == set(run.systems)
        assert [x for x, *_ in chart.lines["popularity"]] == list(run.steps)
        assert list(chart.strong) == ["from_nothing"]
    files = made.save(tmp_path / "growing")
    assert {f.suffix for f in files} == {".md", ".html", ".json", ".svg", ".png"}


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ConfigError, match="rising numbers"):
        GrowthPlan(events=(10, 0))
    with pytest.raises(ConfigError, match="distinct names"):
        run_growth(DATA, SPLIT, [], PLAN)
    with pytest.raises(DataError, match="test users has 100"):
        run_growth(DATA, SPLIT, choose(["popularity"]), GrowthPlan(support=100, arrival="mixed"))
