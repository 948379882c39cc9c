"""Systems that learn nothing, on recorded requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.errors import ConfigError
from coldstart.evaluation.requests.from_nothing import SYSTEMS, RequestSystemsFromNothing
from coldstart.evaluation.requests.ranks import rank_targets
from coldstart.evaluation.requests.report import make_request_report
from coldstart.evaluation.requests.summary import summarise_requests
from coldstart.evaluation.zero_shot import cloze, model
from coldstart.evaluation.zero_shot.model import UntunedModel
from tests.evaluation.requests.made_up import made_log
from tests.fakes_lm import tiny_llama

LOG = replace(made_log(), train=(), valid=())


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model, "cache_dir", lambda: tmp_path_factory.mktemp("kept"))
        patch.setattr(cloze, "VERBALIZER", (("good",), ("bad",)))
        known = RequestSystemsFromNothing(lambda: UntunedModel(tiny_llama(), "tiny"))
        entrants = known.entrants(["all"], LOG)
        return rank_targets(LOG, LOG.test[:10], entrants)


def recall(found, k=6):
    return float(np.mean(found.rank < k))


def test_all_but_an_absent_popularity_column_are_measured(ranks):
    assert list(ranks) == [name for name in SYSTEMS if name != "catalog_popularity"]


def test_who_reads_the_request_finds_more_than_who_does_not(ranks):
    for name in ("bm25", "from_nothing", "from_nothing-strict"):
        assert recall(ranks[name]) > max(
            recall(ranks["random_items"]), recall(ranks["catalog_order"])
        )


def test_the_order_of_the_catalog_is_the_same_for_every_request(ranks):
    shown = [
        set(top) - {m.item_id for m in r.mentioned}
        for top, r in zip(ranks["catalog_order"].top, LOG.test, strict=False)
    ]
    first = list(LOG.catalog.ids[:9])
    assert all(
        set(first) - {m.item_id for m in r.mentioned} <= top
        for top, r in zip(shown, LOG.test, strict=False)
    )


def test_the_cloze_orders_the_nearest_items_only(ranks):
    assert not np.array_equal(ranks["promptrec"].rank, ranks["encoder"].rank)


def test_a_popularity_column_is_measured_by_name_and_mistakes_are_refused():
    known = RequestSystemsFromNothing()
    chosen = known.entrants(["catalog_popularity", "random_items"], LOG)
    assert [e.label for e in chosen] == ["random_items", "catalog_popularity"]
    with pytest.raises(ConfigError, match="no system 'blend' from nothing"):
        known.entrants(["blend"], LOG)
    with pytest.raises(ConfigError, match="no system to run"):
        known.entrants([], LOG)


def test_the_report_says_that_nothing_was_learned():
    known = RequestSystemsFromNothing().entrants(["random_items", "bm25"], LOG)
    requests = LOG.test[:10]
    found = summarise_requests(rank_targets(LOG, requests, known), requests, len(LOG.catalog))
    told = make_request_report(LOG, known, summary=found, about={"regime": "nothing"}).markdown()
    assert "No system has seen a request" in told
    assert "Systems learn from" not in told
    assert "Systems learn from" in make_request_report(LOG, known, summary=found).markdown()
