"""Random likes of one time a user: nothing is to be learned, and nothing is to look learned."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import dataset_from_frames
from coldstart.evaluation.baselines.selection import choose
from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
from coldstart.evaluation.benchmark_report import make_report
from coldstart.evaluation.benchmark_summary import summarise
from coldstart.schema import Item
from coldstart.splitting.folds import user_folds
from tests.fakes import FakeEncoder

USERS, ITEMS, LIKES = 260, 30, 15
PLAN = BenchmarkPlan((0, 5), support=5)


@pytest.fixture(scope="module")
def random_likes():
    rng = np.random.default_rng(0)
    rows = [
        (f"u{user:03}", f"i{item:02}", float(user))
        for user in range(USERS)
        for item in rng.permutation(ITEMS)[:LIKES]
    ]
    table = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    catalog = Catalog(Item(item_id=f"i{n:02}", title=f"Film {n}") for n in range(ITEMS))
    return dataset_from_frames("random", catalog, table)


def measured(data):
    """A fold's report and what each system is ahead of popularity, by (system, picks)."""
    systems = choose(["popularity", "later_lift", "coldstart_prior"])
    folds = user_folds(data.likes, 2)  # 104 users to train on: enough for trees
    run = run_benchmark(data, folds, systems, PLAN, only=[0], encoder=FakeEncoder())
    summary = summarise(run, data, reference="popularity", seed=0)
    ahead = {(p.system, p.n_picks): p.difference for p in summary.paired}
    return make_report(run, summary, data, "x", 0), ahead


def test_the_blend_is_not_ahead_of_popularity(random_likes):
    report, ahead = measured(random_likes)
    assert len(ahead) == 4
    for found in ahead.values():
        assert found.mean < 0.03
        assert found.mean < 0 or found.p_value > 0.05
    assert report.about["times"].startswith("100% of consecutive likes have equal times")
    assert "for 130 of 130 test users the border between the 5" in report.about["times"]
    assert report.warnings == (
        "100% of consecutive likes have equal times, more than 50%: nothing is learned from their "
        "order (the signals next, late and beyond are 0, likes after the picks are as all likes, "
        "and no pick counts more for being recent)",
    )


def test_by_item_id_it_would_be(random_likes):
    """What the order of a hash prevents: first likes that are low ids, later ones that are high."""
    by_id = {user: tuple(sorted(items)) for user, items in random_likes.likes.items()}
    report, ahead = measured(replace(random_likes, likes=by_id, times={}))
    assert ahead["coldstart_prior", 0].mean > 0.1
    assert ahead["coldstart_prior", 0].p_value < 0.01
    assert report.about["times"].startswith("no times, or not")
    assert report.warnings == ()
