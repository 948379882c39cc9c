"""Published turns beside systems, and the report of both."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from coldstart.data.requests.he2023 import PublishedTurn
from coldstart.errors import DataError
from coldstart.evaluation.requests.published import compare_published
from coldstart.evaluation.requests.ranks import Entrant, judged_requests, rank_targets
from coldstart.evaluation.requests.registry import RequestSystems
from coldstart.evaluation.requests.report import make_request_report
from coldstart.evaluation.requests.summary import case_values, summarise_requests
from tests.evaluation.requests.made_up import made_log
from tests.fakes import FakeEncoder


@pytest.fixture(scope="module")
def log():
    return made_log()


@pytest.fixture(scope="module")
def entrants():
    names = ("popularity", "memory_words+popularity", "blend")
    return RequestSystems(FakeEncoder).entrants(names)


def two_targets(request):
    """The same request with one more item of the same kind."""
    taken = {i.item_id for i in (*request.chosen, *request.mentioned)}
    kind = request.targets[0].partition("-")[0]
    more = next(i for i in (f"{kind}-{n}" for n in range(6)) if i not in taken)
    return replace(request, chosen=(*request.chosen, replace(request.chosen[0], item_id=more)))


@pytest.fixture(scope="module")
def turns(log, entrants):
    """Turns whose published results are those of the blend: one model equal, one better."""
    asked = [two_targets(r) if n % 3 == 0 else r for n, r in enumerate(judged_requests(log.test))]
    ranks = rank_targets(log, asked, entrants)["blend"]
    out = []
    for n, request in enumerate(asked):
        mine = ranks.rank[ranks.request == n]
        equal = {m: float(case_values(mine, m).sum()) for m in ("recall@1", "recall@10", "ndcg@10")}
        best = dict.fromkeys(equal, float(len(mine)))
        out.append(PublishedTurn(request, {"equal": equal, "oracle": best}))
    return tuple(out)


def test_turns_are_paired_with_the_published(log, entrants, turns):
    found = compare_published(log, turns, entrants)
    assert found.turns == len(turns)
    assert found.targets == sum(len(turn.request.targets) for turn in turns)
    mean = {(m.system, m.metric): m for m in found.means}
    assert mean["oracle", "recall@10"].value == pytest.approx(1)
    assert mean["equal", "ndcg@10"].value == pytest.approx(mean["blend", "ndcg@10"].value)
    assert mean["equal", "recall@1"].published
    assert not mean["blend", "recall@1"].published
    pair = {(p.system, p.model, p.metric): p.difference for p in found.paired}
    same = pair["blend", "equal", "recall@10"]
    assert (same.mean, same.low, same.high) == pytest.approx((0, 0, 0), abs=1e-12)
    expected = mean["popularity", "recall@10"].value - 1
    worse = pair["popularity", "oracle", "recall@10"]
    assert worse.mean == pytest.approx(expected)
    assert worse.low <= worse.mean <= worse.high < 0


def test_the_order_of_targets_within_a_turn_does_not_matter(log, entrants, turns):
    turned = [replace(t, request=replace(t.request, chosen=t.request.chosen[::-1])) for t in turns]
    one, other = (compare_published(log, x, entrants) for x in (turns, turned))
    values = [np.array([m.value for m in x.means]) for x in (one, other)]
    assert np.allclose(*values)


def test_refused_turns(log, entrants, turns):
    with pytest.raises(DataError, match="no published turn"):
        compare_published(log, (), entrants)
    bad = replace(turns[0].request, mentioned=turns[0].request.chosen)
    with pytest.raises(DataError, match="has a target that was mentioned"):
        compare_published(log, [PublishedTurn(bad, turns[0].hits)], entrants)


def test_report(log, entrants, turns, tmp_path):
    asked = judged_requests(log.test)
    ranks = rank_targets(log, asked, entrants)
    summary = summarise_requests(ranks, asked, len(log.catalog))
    found = compare_published(log, turns, entrants)
    made = make_request_report(
        log, entrants, summary=summary, published=found, about={"command": "coldstart …"}
    )
    titles = [table.title for table in made.tables]
    assert titles[0] == "Beside He et al. (CIKM 2023)"
    assert "All requests" in titles
    assert titles[-1] == "Systems"
    assert made.ours == ("blend",)
    paths = made.save(tmp_path / "report")
    assert {p.suffix for p in paths} == {".md", ".html", ".json", ".svg", ".png"}
    data = json.loads((tmp_path / "report.json").read_text())
    first = data["test"]["means"][0]
    assert first["value"] == summary.means[0].value
    assert data["published"]["turns"] == len(turns)
    text = (tmp_path / "report.md").read_text()
    value = summary.mean("blend", "recall@10").value
    assert f"| {value:.3f} ± " in text
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/svg+xml") == 4


def test_two_reports_of_the_same_are_equal(log, entrants):
    asked = judged_requests(log.test)

    def once():
        fresh = [Entrant(e.system, ours=e.ours) for e in entrants]
        ranks = rank_targets(log, asked, fresh)
        summary = summarise_requests(ranks, asked, len(log.catalog))
        return make_request_report(log, fresh, summary=summary).page()

    assert once() == once()
