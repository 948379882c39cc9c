"""Datasets by name: the same names in every command, every artifact and every model card."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import get_args

import pytest

from coldstart.artifacts.loading import _catalog
from coldstart.artifacts.model_card import command, model_card
from coldstart.catalog.catalog import Catalog
from coldstart.cli import main
from coldstart.cli.evaluate import evaluate
from coldstart.cli.source import DataSource
from coldstart.cli.train import Tables
from coldstart.data import ml_100k, ml_small, movies
from coldstart.data.named import NAMED, Name
from coldstart.errors import ArtifactError, ConfigError
from coldstart.runtime import fetch
from coldstart.schema import Item
from coldstart.settings import TrainConfig
from coldstart.splitting.user_splits import split_users
from coldstart.training.run import _manifest
from tests.toy import toy_dataset

MODULES = {"ml-100k": ml_100k, "ml-small": ml_small, "movies": movies}


def test_names_are_those_of_the_type_and_of_what_can_be_fetched():
    assert tuple(NAMED) == get_args(Name) == tuple(MODULES)
    assert set(NAMED) <= set(fetch.SOURCES)
    assert all(NAMED[name].name == name == MODULES[name].NAME for name in NAMED)


@pytest.mark.parametrize("name", NAMED)
def test_a_name_loads_its_dataset(name):
    named, module = NAMED[name], MODULES[name]
    assert named.thresholds == (module.LIKE_AT, module.DISLIKE_AT)
    data = named.load()
    assert data.name == name
    assert named.load_catalog().fingerprint() == data.catalog.fingerprint()
    assert DataSource(data=name).dataset().fingerprint == data.fingerprint
    loaded, split = Tables(data=name).load(seed=3)
    assert loaded.fingerprint == data.fingerprint
    assert split == split_users(list(data.likes), seed=3)


def test_the_registry_imports_nothing_before_it_is_asked():
    import subprocess

    code = (
        "import sys\nimport coldstart.cli.source\n"
        "heavy = {'polars', 'numpy', 'coldstart.data.ml_100k'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# -- options ---------------------------------------------------------------------------------------


def test_what_was_said_is_what_is_not_the_default(tmp_path):
    assert DataSource().said() == {}
    assert DataSource(data="ml-small").said() == {"data": "ml-small"}
    split = tmp_path / "split.json"
    assert Tables(items=split, like_at=5.0, split=split).said() == {
        "items": split,
        "like_at": 5.0,
        "split": split,
    }


@pytest.mark.parametrize("name", NAMED)
def test_thresholds_of_a_named_dataset_may_be_repeated_but_not_changed(name):
    assert DataSource(data=name, like_at=4.0, dislike_at=2.0).dataset().name == name
    with pytest.raises(ConfigError, match=f"are for own tables .*in {name} they are 4 and 2"):
        DataSource(data=name, like_at=5.0).dataset()


def test_own_tables_do_not_pass_for_a_named_dataset(tmp_path):
    """Else their artifact would name a catalog that is not theirs, and could not be loaded."""
    items, likes = tmp_path / "items.csv", tmp_path / "ml-small.csv"
    items.write_text("item_id,title\n1,Alien\n")
    likes.write_text("user_id,item_id\nu,1\n")
    assert DataSource(items=items, interactions=likes).dataset().name == "own-ml-small"
    other = likes.rename(tmp_path / "shop.csv")
    assert DataSource(items=items, interactions=other).dataset().name == "shop"


@pytest.mark.parametrize("name", ["train", "evaluate", "benchmark"])
def test_every_command_takes_every_name(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    assert main([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert "<ml-100k|ml-small|movies>" in out
    assert "without ratings, every row" in out


def test_training_on_ml_small(monkeypatch, tmp_path):
    given = {}

    def train(data, split, config, out, **more):
        given.update(data=data, split=split)
        return {}

    module = ModuleType("coldstart.training.run")
    module.train = train
    monkeypatch.setitem(sys.modules, "coldstart.training.run", module)
    assert main(["train", "--data", "ml-small", "--out", str(tmp_path / "out")]) == 0
    assert (given["data"].name, len(given["data"].likes)) == ("ml-small", 671)


@pytest.mark.parametrize("trained_on", ["ml-small", "ratings"])
def test_evaluation_finds_the_data_an_artifact_names(trained_on, monkeypatch, tmp_path):
    """Of a named dataset nothing need be said; of others it must."""
    from coldstart import Recommender
    from coldstart.evaluation import artifact_evaluation

    class Found(Exception):
        pass

    def evaluate_artifact(recommender, plan, **more):
        assert plan.data.name == "ml-small"
        assert plan.split.test == ("1",)
        raise Found

    split = tmp_path / "split.json"
    split.write_text('{"train": ["3"], "valid": ["2"], "test": ["1"]}')
    loaded = SimpleNamespace(manifest={"data": {"name": trained_on}})
    monkeypatch.setattr(Recommender, "from_pretrained", lambda path: loaded)
    monkeypatch.setattr(artifact_evaluation, "evaluate_artifact", evaluate_artifact)
    options = {"first": None, "shots": "0", "seed": 0, "jobs": 1, "out": None, "card": False,
               "as_json": False, "artifact": tmp_path, **vars(Tables())}  # fmt: skip
    expected = Found if trained_on in NAMED else ConfigError
    with pytest.raises(expected):
        evaluate(**options)
    with pytest.raises(expected):
        evaluate(**options | {"split": split})
    with pytest.raises(Found):
        evaluate(**options | {"data": "ml-small"})


# -- artifacts -------------------------------------------------------------------------------------


def trainer(data):
    """As much of a trainer as its manifest looks at."""
    split = split_users(list(data.likes))
    return SimpleNamespace(config=TrainConfig(), data=data, split=split, base_fingerprint="x")


@pytest.mark.parametrize(("name", "source"), [("ml-small", "ml-small"), ("toy", None)])
def test_an_artifact_names_the_catalog_of_a_named_dataset(name, source):
    manifest = _manifest(trainer(replace(toy_dataset(), name=name)), "mine", [], 0)
    assert manifest["catalog"]["source"] == source
    manifest["prompt"] = {"name": "p", "sha256": "0" * 64}
    card = model_card(manifest)
    if source:
        assert card.startswith("# mine\n")
        assert "--data ml-small --out adapters/mine" in command(manifest)
        assert "## Terms\n\nMovieLens latest-small (2016) is for research use" in card
    else:
        assert "--items … --interactions … [--users …] --out adapters/mine" in command(manifest)
        assert "## Terms" not in card


@pytest.mark.parametrize("name", NAMED)
def test_a_named_catalog_is_found_again(name):
    wanted = NAMED[name].load_catalog()
    about = {"source": name, "fingerprint": wanted.fingerprint()}
    assert _catalog({"catalog": about}, {}).ids == wanted.ids
    other = Catalog([Item(item_id="1", title="Alien")]).fingerprint()
    with pytest.raises(ArtifactError, match="is not the one the artifact was made with"):
        _catalog({"catalog": about | {"fingerprint": other}}, {})


def test_an_unknown_source_names_the_known_ones():
    with pytest.raises(ArtifactError, match="comes from 'netflix', .*known: ml-100k, ml-small"):
        _catalog({"catalog": {"source": "netflix", "fingerprint": ""}}, {})
