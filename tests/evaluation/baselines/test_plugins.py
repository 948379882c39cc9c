"""Baselines of other distributions: one file and one entry point, run by every command."""

from __future__ import annotations

import importlib
import sys
from textwrap import dedent

import pytest

from coldstart.errors import ConfigError
from coldstart.evaluation.artifact_evaluation import EvaluationPlan, evaluate_artifact
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.baselines.selection import all_systems, choose
from coldstart.evaluation.benchmark import BenchmarkPlan, run_benchmark
from coldstart.evaluation.prequential.replay import ReplayPlan
from coldstart.evaluation.prequential.run import ReplayOptions, run
from coldstart.plugins import plugins
from coldstart.splitting.folds import user_folds
from coldstart.splitting.user_splits import Split
from tests.toy import toy_dataset, toy_recommender, toy_split

NEWEST = '''
"""Newest first, of those that anyone likes."""

import numpy as np

from coldstart.evaluation.baselines.registry import Baseline
from coldstart.evaluation.baselines.scored import CountBaseline


def newest_liked(training, *, least: int = 1):
    """Items by year; those with fewer likes come last."""
    years = np.array([item.year or 0 for item in training.catalog], dtype=float)

    def score_of(counts, half_life):
        return lambda profile: np.where(counts.likes >= least, years, years - 10_000)

    return CountBaseline(training.catalog, training.counts, score_of)


BASELINE = Baseline(
    "newest_liked",
    "newest items that anyone likes",
    newest_liked,
    grid={"least": (1, 3)},
    headline=15,
    label="newest that anyone likes",
)
'''


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution of one module, as pip would, and takes it away again."""
    made = []

    def make(name, source, entry_points):
        (tmp_path / f"{name}.py").write_text(dedent(source))
        about = tmp_path / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[coldstart.baselines]\n{entry_points}\n")
        made.append(name)
        importlib.invalidate_caches()
        plugins.cache_clear()

    monkeypatch.syspath_prepend(str(tmp_path))
    yield make
    for name in made:
        sys.modules.pop(name, None)
    plugins.cache_clear()


@pytest.fixture
def newest(install):
    install("newest_first", NEWEST, "newest = newest_first:BASELINE")


def test_without_it_nothing_knows_it():
    assert "newest_liked" not in baselines()
    with pytest.raises(ConfigError, match="no system 'newest_liked'"):
        choose(["newest_liked"])


@pytest.mark.usefixtures("newest")
def test_it_is_benchmarked_beside_the_others_and_tuned_on_demand():
    data = toy_dataset()
    folds = user_folds(data.likes, 3)
    systems = choose(["popularity", "newest_liked"])
    found = run_benchmark(data, folds, systems, BenchmarkPlan((0, 1), 3), only=[0])
    tops = {r.top for r in found.records if r.system == "newest_liked" and r.n_picks == 0}
    years = {i.item_id: i.year for i in data.catalog}
    assert tops
    for top in tops:
        assert [years[i] for i in top] == sorted((years[i] for i in top), reverse=True)
    names = list(all_systems())
    assert names.index("bm25") < names.index("newest_liked") < names.index("coldstart_prior")
    assert all_systems(tuned=True)["newest_liked"].settings["grid"] == {"least": (1, 3)}


@pytest.mark.usefixtures("newest")
def test_its_file_is_part_of_what_cached_results_depend_on(tmp_path):
    before = all_systems()["newest_liked"].fingerprint()
    assert all_systems()["newest_liked"].fingerprint() == before
    path = tmp_path / "newest_first.py"
    path.write_text(path.read_text() + "\n# another line\n")
    assert all_systems()["newest_liked"].fingerprint() != before


@pytest.mark.usefixtures("newest")
def test_it_is_evaluated_beside_an_artifact():
    whole = toy_split()
    split = Split(whole.train, whole.valid, whole.test[:3])
    found = evaluate_artifact(
        toy_recommender(), EvaluationPlan(toy_dataset(), split, (0, 2), support=2)
    )
    rows = [r["system"] for r in found["rows"] if r["shots"] == 0]
    assert rows[:3] == ["popularity", "demographic popularity", "newest that anyone likes"]


@pytest.mark.usefixtures("newest")
def test_it_is_replayed_and_follows_live_counts():
    data = toy_dataset()
    plan = ReplayPlan((0, 1), k=4, soon=2, min_targets=3)
    options = ReplayOptions(plan, shift=None, refresh=1)
    split = user_folds(data.likes, 3)[0]
    notes = []
    found = run(data, [split], ["newest_liked"], options, note=notes.append)
    assert set(found.shown) == {("newest_liked", "frozen"), ("newest_liked", "live")}
    assert notes == []


def test_a_clash_names_both_distributions(install):
    source = NEWEST.replace('"newest_liked",', '"popularity",')
    install("second_popularity", source, "mine = second_popularity:BASELINE")
    with pytest.raises(
        ConfigError,
        match=r"distributions coldstart-rec and second_popularity both have a baseline "
        r"'popularity' .rename it in second_popularity, or uninstall that",
    ):
        baselines()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_that_name", "cannot load 'x' .* of broken_one: ModuleNotFoundError"),
        ("x = 1", "cannot load 'x' .* of broken_one: AttributeError: .*BASELINE"),
        ("BASELINE = 7", "'x' of the distribution broken_one is a int .*names a Baseline object"),
    ],
)
def test_a_broken_one_names_its_distribution(install, source, why):
    install("broken_one", source, "x = broken_one:BASELINE")
    with pytest.raises(ConfigError, match=why):
        choose(["popularity"])


def test_a_grid_of_a_setting_that_is_none_is_refused(install):
    source = NEWEST.replace('"least": (1, 3)', '"most": (1, 3)')
    install("bad_grid", source, "x = bad_grid:BASELINE")
    with pytest.raises(ConfigError, match="tunes 'most', which its build function lacks"):
        baselines()
