"""A package that is not coldstart brings signals, scorers, an index and a filter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from coldstart import Recommender
from coldstart.cli import main
from coldstart.errors import ArtifactError, ConfigError
from coldstart.grounding.index.registry import make_index
from coldstart.plugins import plugins
from coldstart.ranking.filters import make_filter
from coldstart.ranking.wording.sentences import sentence
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorers import Scorers
from coldstart.testing.contracts.index import IndexContract
from coldstart.testing.contracts.scorer import ScorerContract
from coldstart.training.out_of_fold import OutOfFold
from coldstart.training.run import train
from tests.fakes import FakeEncoder
from tests.packages import EXAMPLE, installed
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split

ROOT = Path(__file__).parents[1]
SMALL = ROOT / "tests/data/small/artifact"
PICKS = {"liked": ["i0", "i2"]}


@pytest.fixture
def package(tmp_path):
    with installed(EXAMPLE, site=tmp_path / "site"):
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """An artifact that was trained with the package."""
    tmp = tmp_path_factory.mktemp("trained")
    with installed(EXAMPLE, site=tmp / "site"):
        base = save_tiny_base(tmp / "base")
        config = toy_config(base, epochs=1)
        train(toy_dataset(), toy_split(), config, tmp / "artifact", runs=tmp / "runs")
    return tmp / "artifact"


def scorer_named(scorers, name):
    return next(scorer for scorer in scorers if scorer.name == name)


# -- by name --------------------------------------------------------------------------------------


def test_parts_are_there_as_long_as_the_package_is(tmp_path):
    own = SIGNALS.names
    with installed(EXAMPLE, site=tmp_path / "site"):
        assert SIGNALS.names == (*own, "decade", "first_like", "title_length")
        assert SIGNALS.weights("prior")["decade"] == (0.5, 0.0)
        assert "title_length" in SIGNALS.tree_names
        assert "first_like" not in SIGNALS.tree_names
        assert make_index("listed", name="mine").name == "mine"
        assert make_filter("no-sequels", {"up_to": 3}).up_to == 3
    assert SIGNALS.names == own
    with pytest.raises(ConfigError, match="no index 'listed'.*exact, approximate, faiss"):
        make_index("listed")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: make_index("fais"), "no index 'fais'.*did you mean 'faiss'"),
        (lambda: make_index("pgvector"), "index 'pgvector' needs url.*url, name, exact=10000"),
        (lambda: make_index("exact", lists=3), "index 'exact' has no argument 'lists'.*takes no"),
        (lambda: make_index("approximate", scna=3), "no argument 'scna'.*did you mean 'scan'"),
        (lambda: make_index("approximate", scan="3"), "index 'approximate' does not take.*str"),
        (lambda: make_index("approximate", scan=0), "scan is 0, expected at least 1"),
        (lambda: make_filter("prices"), "no filter 'prices'.*did you mean 'price'"),
        (lambda: make_filter("price"), "filter 'price' needs max.*max, keep_unknown=False"),
        (lambda: make_filter("price", {"max": None}), "max is None"),
        (lambda: make_filter("price", {"max": 3, "keep_unknown": "no"}), "keep_unknown is 'no'"),
        (lambda: make_filter("attributes", {"wanted": "fr"}), "wanted is 'fr'"),
    ],
)
def test_names_and_arguments_that_do_not_fit(make, told):
    with pytest.raises(ConfigError, match=told):
        make()


def test_built_in_filters_by_name_are_those_of_their_classes():
    made = {
        "known": {},
        "available": {},
        "age-rating": {"assume_age": 12},
        "categories": {"exclude": ["Drama"]},
        "years": {"first": 1980},
        "price": {"max": 20},
        "attributes": {"wanted": {"language": ["fr", "nl"]}},
    }
    assert [make_filter(name, arguments).name for name, arguments in made.items()] == list(made)


def test_a_package_that_cannot_be_used_is_named(tmp_path):
    def source(name, points, code="X = 3"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pyproject.toml").write_text(f'[project]\nname="{name}"\nversion="1"\n{points}')
        (folder / f"{name}.py").write_text(code)
        return folder

    def point(kind, name, value):
        return f'[project.entry-points."coldstart.{kind}"]\n{name} = "{value}"\n'

    one = source("one", point("filters", "odd", "one:X") + point("scorers", "s", "one:X"))
    two = source("two", point("filters", "odd", "two:X") + point("signals", "t", "two:X"))
    bad = source("bad", point("indexes", "gone", "bad:Y"))
    own = source("own", point("indexes", "faiss", "own:X"))
    no_filter = source("no", point("filters", "none", "no:make"), "def make(): return 3")
    for n, (sources, use, told) in enumerate(
        [
            ([one], lambda: make_filter("odd"), "filter 'odd' is a int.*a class or a function"),
            ([one], lambda: SIGNALS.names, "'s' of coldstart.scorers is a int"),
            ([two], lambda: SIGNALS.names, "'t' of coldstart.signals is a int.*decorator"),
            ([one, two], lambda: make_filter("odd"), "two packages.*'odd': (one|two) and"),
            ([bad], lambda: make_index("gone"), "cannot load 'gone'.*of bad.*uninstall bad"),
            ([own], lambda: make_index("listed"), "named 'faiss', which is built in"),
            ([no_filter], lambda: make_filter("none"), "is a int without name and reject"),
        ]
    ):
        with (
            installed(*sources, site=tmp_path / f"site{n}"),
            pytest.raises(ConfigError, match=told),
        ):
            use()
    with installed(bad, site=tmp_path / "last"):
        assert make_index("exact").search.__name__ == "search"  # built-in ones need no plug-in


# -- contracts ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("package")
class TestDecadeScorer(ScorerContract):
    def make(self):
        return plugins("scorers")["decades"]()


@pytest.mark.usefixtures("package")
class TestFirstLikesScorer(ScorerContract):
    def make(self):
        return plugins("scorers")["first_likes"]()


@pytest.mark.usefixtures("package")
class TestTitleLength(ScorerContract):
    def make(self):
        return plugins("signals")["title_length"]


@pytest.mark.usefixtures("package")
class TestListedIndex(IndexContract):
    def make(self):
        return make_index("listed")


# -- training -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("package")
def test_state_is_learned_out_of_fold():
    """A training user's features come from scorers that were fitted on other users."""
    data, users = toy_dataset(), toy_split().train
    out_of_fold = OutOfFold(data, users, FakeEncoder())
    fresh = {name: plugins("scorers")[name]() for name in ("decades", "first_likes")}
    for user in users[:5]:
        part = [u for u in users if out_of_fold.scorers_of(u) is out_of_fold.scorers_of(user)]
        others = [u for u in users if u not in part]
        assert user in part
        assert 0 < len(part) < len(users) / 4
        for name, scorer in fresh.items():
            scorer.fit(data, others)
            assert scorer_named(out_of_fold.scorers_of(user), name).save() == scorer.save()
    fresh["decades"].fit(data, users)
    assert scorer_named(out_of_fold.scorers_of(), "decades").save() == fresh["decades"].save()


def test_the_artifact_holds_weights_and_state(trained):
    weights = json.loads((trained / "ranker.json").read_text())["weights"]["prior"]
    assert weights["decade"] == [0.5, 0.0]
    assert weights["title_length"] == [-0.05, 0.0]
    assert "first_like" not in weights
    names = {p.relative_to(trained).as_posix() for p in (trained / "scorers").rglob("*.json")}
    assert names == {"scorers/decades/lift.json", "scorers/first_likes/share.json"}


@pytest.mark.usefixtures("package")
def test_recommendations_say_what_the_package_adds(trained, tmp_path):
    rec = Recommender.from_pretrained(trained)
    fitted = plugins("scorers")["decades"]()
    fitted.fit(toy_dataset(), toy_split().train)
    assert scorer_named(rec.scorers, "decades").save() == fitted.save()
    found = rec.recommend(PICKS, k=20)
    for line in found:
        parts = line.provenance.contributions
        assert parts["title_length"] == pytest.approx(-0.05 * len(line.title))
        assert parts["decade"] == pytest.approx(0.5 * line.provenance.features["decade"])
        assert sum(parts.values()) == pytest.approx(line.score)
    reasons = {r.code: line for line in found for r in line.reasons}
    assert "its title is short" in reasons["short_title"].reason.lower()
    assert "from a decade that goes with your picks" in reasons["decade"].reason.lower()
    assert "片名短" in sentence(reasons["short_title"].reasons, "zh")

    rec.save_pretrained(tmp_path / "again")
    for name in ("decades/lift.json", "first_likes/share.json"):
        path = Path("scorers", name)
        assert (tmp_path / "again" / path).read_bytes() == (trained / path).read_bytes()
    again = Recommender.from_pretrained(tmp_path / "again").recommend(PICKS, k=20)
    assert again == found


@pytest.mark.usefixtures("package")
def test_what_a_scorer_retrieves_joins_the_candidates(trained):
    rec = Recommender.from_pretrained(trained)
    rec.settings = replace(rec.settings, pool_from=2)
    user = rec.resolve({"age": 21})
    share = scorer_named(rec.scorers, "first_likes").share
    found = set(rec.pipeline.candidates.select(user).ids)
    assert share
    assert set(share) <= found


# -- without the package --------------------------------------------------------------------------


def test_an_artifact_whose_package_is_missing_says_so(trained):
    told = r"unknown feature.*decade.*title_length.*install the package"
    with pytest.raises(ArtifactError, match=told):
        Recommender.from_pretrained(trained)


def test_trees_whose_package_is_missing_say_so(trained, tmp_path, package):
    data = json.loads((trained / "ranker.json").read_text())
    data["weights"] = {"prior": {}}
    data["correction"] = {"features": ["popularity", "decade"], "trees": [[0.0]]}
    rec = Recommender.from_pretrained(trained)
    rec.ranker = rec.ranker.from_dict(data)
    rec.save_pretrained(tmp_path / "trees")
    code = f"import coldstart; coldstart.Recommender.from_pretrained({str(tmp_path / 'trees')!r})"
    done = without_the_package(code)
    assert "ArtifactError" in done.stderr
    assert "['decade']" in done.stderr
    assert "install the package that provides them" in done.stderr


@pytest.mark.parametrize("changes", [{}, {"pool_from": 2}])
def test_what_an_artifact_was_trained_without_changes_nothing(tmp_path, monkeypatch, changes):
    monkeypatch.chdir(ROOT)

    def lists():
        rec = Recommender.from_pretrained(SMALL, device="cpu", dtype="float32")
        rec.settings = replace(rec.settings, **changes)
        profiles = [{}, PICKS, {"age": 30, "gender": "F"}, {"interests": "Drama", "about": "toys"}]
        return [rec.recommend(profiles, k=8, strategy=s) for s in ("prior", "catalog")]

    before = lists()
    with installed(EXAMPLE, site=tmp_path / "site"):
        assert "decade" in SIGNALS
        after = lists()
    for one, other in zip(sum(before, []), sum(after, []), strict=True):
        assert [line.item_id for line in one] == [line.item_id for line in other]
        for line, again in zip(one, other, strict=True):
            assert (line.reason, line.reasons) == (again.reason, again.reasons)
            # Wider sums may be rounded otherwise.
            expected = pytest.approx(line.provenance.contributions, abs=1e-9)
            assert again.provenance.contributions == expected
            assert again.score == pytest.approx(line.score, abs=1e-9)


def without_the_package(code):
    path = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | path,
    )


def test_state_outlasts_a_process_without_the_package(tmp_path, monkeypatch):
    """Where nothing but the state is the package's, others can load and save the artifact."""
    monkeypatch.chdir(ROOT)
    first, second = tmp_path / "first", tmp_path / "second"
    with installed(EXAMPLE, site=tmp_path / "site"):
        rec, data = Recommender.from_pretrained(SMALL), toy_dataset()
        rec.scorers = Scorers()
        rec.scorers.fit(data, list(data.likes))
        state = scorer_named(rec.scorers, "first_likes").share
        rec.save_pretrained(first)
    done = without_the_package(
        "import coldstart\n"
        f"rec = coldstart.Recommender.from_pretrained({str(first)!r})\n"
        "print('first_likes' in [scorer.name for scorer in rec.scorers])\n"
        f"rec.save_pretrained({str(second)!r})"
    )
    assert done.stdout == "False\n", done.stderr
    with installed(EXAMPLE, site=tmp_path / "other"):
        rec = Recommender.from_pretrained(second)
        assert state
        assert scorer_named(rec.scorers, "first_likes").share == state


# -- use ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("package")
def test_indexes_are_given_by_name(monkeypatch):
    monkeypatch.chdir(ROOT)
    rec = Recommender.from_pretrained(SMALL, index="listed", content_index="listed")
    assert rec.index is not rec.content_index
    rec.settings = replace(rec.settings, pool_from=2)
    rec.recommend({"about": "a film about toys"}, strategy="prior")
    assert rec.content_index.searches
    assert rec.ground(["Toy Story 2", "The story of toys"])[0].matches
    assert rec.index.searches
    with pytest.raises(ConfigError, match="no index 'listd'.*did you mean 'listed'"):
        Recommender.from_pretrained(SMALL, index="listd")


@pytest.mark.usefixtures("package")
def test_filters_are_given_on_the_command_line(monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    ask = ["recommend", "--artifact", str(SMALL), "--strategy", "prior", "--json", "-k", "23"]

    def asked(*options):
        assert main([*ask, *options]) == 0
        return json.loads(capsys.readouterr().out)

    everything = {line["title"] for line in asked("--near-duplicates")["items"]}
    some = asked("--near-duplicates", "--filter", "no-sequels", "--filter", 'years={"last": 1980}')
    assert {"Toy Story 2", "Scream 2"} <= everything
    assert {"Toy Story 2", "Scream 2"} & {line["title"] for line in some["items"]} == set()
    assert all(line["year"] <= 1980 for line in some["items"])
    assert some["dropped_counts"]["no-sequels"] >= 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("no-sequel", "no filter 'no-sequel'.*did you mean 'no-sequels'"),
        ('no-sequels={"upto": 3}', "has no argument 'upto'.*did you mean 'up_to'"),
        ("years={first: 1980}", "no JSON"),
        ("years=1980", "no JSON object"),
        ("price", "needs max"),
    ],
)
@pytest.mark.usefixtures("package")
def test_filters_that_do_not_fit_are_told_in_one_line(capsys, given, told):
    assert main(["recommend", "--filter", given]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.search(told, error)
