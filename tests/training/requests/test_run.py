"""A whole training from requests, with a tiny language model and a tiny encoder."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from coldstart import Recommender
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import ArtifactError, DataError
from coldstart.schema import Item, Pick, UserProfile
from coldstart.splitting.user_splits import split_users
from coldstart.testing.world import toy_catalog, toy_dataset, toy_prior_recommender
from coldstart.training.requests.artifact import fuller_texts, item_text, train_requests
from coldstart.training.requests.blend import blend_names, profile_of, request_cases
from coldstart.training.requests.run import (
    RequestTraining,
    brief_text,
    dialogues_as_users,
    learn_requests,
)
from coldstart.training.requests.tower import TowerConfig
from tests.conftest import ROOT
from tests.tiny_bert import save_tiny_bert
from tests.training.requests_world import WORDS, worded_log

START = ROOT / "tests" / "data" / "small" / "artifact"
TOWER = TowerConfig(epochs=1, head_epochs=20, batch=4, head_learning_rate=0.05, rank=2, dropout=0.1)
QUICK = RequestTraining(tower=TOWER, l2=0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the base model where the artifacts look for it, and a cache of its own."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("COLDSTART_CACHE", str(folder / "cache"))
        yield folder


@pytest.fixture(scope="module")
def start(place):
    """The small artifact with the tiny encoder."""
    encoder = save_tiny_bert(place / "tiny")
    shutil.copytree(START, place / "start")
    manifest = json.loads((place / "start" / "manifest.json").read_text())
    manifest["encoder"]["name"] = str(encoder)
    (place / "start" / "manifest.json").write_text(json.dumps(manifest))
    return place / "start"


@pytest.fixture(scope="module")
def trained(place, start):
    """The artifact, its manifest, and the stages that were reported."""
    reports = []
    manifest = train_requests(
        worded_log(), start, place / "out", QUICK, runs=place / "runs", report=reports.append
    )
    return Recommender.from_pretrained(place / "out"), manifest, [r["stage"] for r in reports]


def test_the_words_decide_in_the_saved_artifact(trained):
    rec, _, _ = trained
    for item, words in WORDS.items():
        found = rec.recommend({"about": f"could you show me {words}"}, strategy="prior", k=3)
        assert found.item_ids[0] == item
        assert sum(found[0].provenance.contributions.values()) == pytest.approx(found[0].score)
    assert len(rec.recommend({"about": WORDS["i8"]}, k=3)) == 3
    assert len(rec.recommend({}, k=5)) == 5


def test_the_manifest_tells_what_was_learned(trained):
    _, manifest, stages = trained
    learned = manifest["requests"]
    parts = {n: learned[n] for n in ("name", "train", "valid", "test", "blend_cases")}
    assert parts == {"name": "worded", "train": 9, "valid": 3, "test": 3, "blend_cases": 3}
    assert learned["settings"]["tower"]["head_epochs"] == 20
    assert manifest["started_from"] == "artifact"
    assert manifest["data"]["users"] == manifest["split"]["train"] + 6
    assert manifest["settings"]["reads"] is False
    assert list(dict.fromkeys(stages)) == ["encoder", "texts", "head", "blend"]


def test_a_finished_adapter_is_used_again(trained, place, start):
    stages, runs = [], place / "again"
    shutil.copytree(place / "runs" / "encoder", runs / "encoder")
    train_requests(
        worded_log(),
        start,
        place / "second",
        QUICK,
        runs=runs,
        report=lambda row: stages.append(row["stage"]),
    )
    assert "encoder" not in stages
    own, first = (
        (place / name / "scorers" / "request_encoder" / "adapter.safetensors").read_bytes()
        for name in ("second", "out")
    )
    assert own == first


def test_an_interrupted_adapter_is_not_taken_for_a_finished_one(place, start):
    class InterruptError(Exception):
        pass

    def report(row):
        if row["stage"] == "encoder" and row["epoch"] == 2:
            raise InterruptError("in epoch 2")

    config = replace(QUICK, tower=replace(TOWER, epochs=2))
    with pytest.raises(InterruptError, match="in epoch 2"):
        train_requests(worded_log(), start, place / "x", config, runs=place / "cut", report=report)
    assert not list((place / "cut").iterdir())
    assert not (place / "x").exists()


def test_without_epochs_the_encoder_stays_as_it_is(trained, place, start):
    config = replace(QUICK, tower=replace(TOWER, epochs=0, head_epochs=1), final=False)
    train_requests(worded_log(), start, place / "plain", config, runs=place / "runs")
    assert not list((place / "plain").rglob("adapter.safetensors"))


def test_interactions_may_come_from_elsewhere(place, start):
    """Requests are matched to the catalog of the interactions; profiles have trees of it."""
    data = toy_dataset()
    renamed = [i.model_copy(update={"item_id": f"r{i.item_id}"}) for i in toy_catalog()]
    theirs = toy_catalog().from_items(renamed)

    def moved(requests):
        def items(old):
            return tuple(replace(i, item_id=f"r{i.item_id}") for i in old)

        return [replace(r, chosen=items(r.chosen), mentioned=items(r.mentioned)) for r in requests]

    log = worded_log()
    log = RequestLog("moved", theirs, moved(log.train), moved(log.valid), moved(log.test))
    config = replace(QUICK, tower=replace(TOWER, epochs=0), final=False)
    split = split_users(list(data.likes), valid=0.2, test=0.2)
    manifest = train_requests(
        log, start, place / "both", config, data=(data, split), runs=place / "runs"
    )
    assert manifest["data"]["name"] == "toy"
    assert manifest["catalog"]["items"] == 24
    rec = Recommender.from_pretrained(place / "both")
    assert rec.recommend({"about": WORDS["i19"]}, strategy="prior", k=1).item_ids == ["i19"]


def test_an_artifact_that_reads_goes_on_reading(place, start):
    reads = place / "reads"
    shutil.copytree(start, reads)
    manifest = json.loads((reads / "manifest.json").read_text())
    manifest["settings"]["reads"] = True
    (reads / "manifest.json").write_text(json.dumps(manifest))
    config = replace(QUICK, tower=replace(TOWER, epochs=0, head_epochs=1), final=False)
    found = train_requests(worded_log(), reads, place / "on", config, runs=place / "runs")
    assert found["settings"]["reads"] is True


def test_reading_is_taught_for_films_only(place, start):
    with pytest.raises(DataError, match=r"the catalog lacks .*'Western'.*--reading-epochs 0"):
        train_requests(worded_log(), start, place / "x", replace(QUICK, reading_epochs=1))


def test_a_start_that_is_no_artifact_is_refused(place):
    with pytest.raises(ArtifactError, match="nowhere"):
        train_requests(worded_log(), place / "nowhere", place / "x", QUICK)


def test_without_validation_requests_there_is_no_blend(place, start):
    rec = Recommender.from_pretrained(start)
    config = replace(QUICK, tower=replace(TOWER, epochs=0, head_epochs=1))
    log = replace(worded_log(), valid=[])
    with pytest.raises(DataError, match="none of 0 validation requests.*split valid"):
        learn_requests(rec, log, config, place / "runs")


# -- dialogues as users ------------------------------------------------------------------------


def request(chosen, mentioned="", dialogue="", liked=True):
    return RecordedRequest(
        "drama",
        tuple(RequestItem(i, liked) for i in chosen.split()),
        tuple(RequestItem(i) for i in mentioned.split()),
        dialogue=dialogue,
    )


def test_a_dialogue_is_a_user():
    log = RequestLog(
        "log",
        toy_catalog(),
        [request("i1", "i2", "d"), request("i3 i1", dialogue="d"), request("i4"), request("i5")],
        [request("i6", dialogue="d"), request("i7", dialogue="e", liked=False)],
        [],
    )
    data, split = dialogues_as_users(log)
    assert split.train == ("train-d", "train#2", "train#3")
    assert split.valid == ("valid-d",)
    assert split.test == ()
    assert data.likes == {
        "train-d": ("i2", "i1", "i3"),
        "train#2": ("i4",),
        "train#3": ("i5",),
        "valid-d": ("i6",),
    }
    assert set(data.users) == set(data.likes)


# -- texts -------------------------------------------------------------------------------------

HEAT = Item(
    item_id="a",
    title="Heat",
    year=1995,
    categories=("Crime", "Drama"),
    description="A heist.",
    attributes={"starring": "Al Pacino|Robert De Niro|Val Kilmer|Jon Voight"},
)
BARE = Item(item_id="b", title="Nothing")


def test_texts_of_items_have_what_is_known():
    stars = "Starring: Al Pacino, Robert De Niro, Val Kilmer"
    assert item_text(HEAT) == f"Heat (1995). Crime, Drama. A heist. {stars}"
    assert item_text(BARE) == "Nothing"
    assert brief_text(HEAT) == "Heat (1995). Crime, Drama."
    assert brief_text(BARE) == "Nothing."
    source = toy_catalog().from_items([HEAT, BARE])
    assert fuller_texts(source, {"b": "1"}) == {"1": "Nothing"}


# -- cases of the blend ------------------------------------------------------------------------


def test_a_request_is_a_profile_with_its_mentions_as_picks():
    own = UserProfile(age=30, about="old", liked=(Pick(item="i9"), Pick(item="i2")))
    found = profile_of(replace(request("i1", "i2 i3 i2"), profile=own))
    assert [p.item for p in found.liked] == ["i9", "i2", "i3"]
    assert (found.age, found.about) == (30, "drama")
    long = profile_of(replace(request("i1"), text="x" * 30_000 + "end"))
    assert len(long.about) == 20_000
    assert long.about.endswith("end")


def test_cases_have_new_targets_and_hide_what_was_mentioned():
    rec = toy_prior_recommender()
    asked = [
        request("i1 i2", "i2 i5"),
        request("i2", "i2"),
        request("i1", "nowhere"),
        replace(request("i1"), text=" "),
        request("nowhere"),
        replace(request("i1"), text="qqqq"),
    ]
    done = []
    cases = request_cases(rec, asked, report=lambda n, total: done.append((n, total)))
    assert done == [(n, 6) for n in range(1, 7)]
    assert [c.targets.tolist() for c in cases] == [[1], [1]]
    assert [c.excluded.tolist() for c in cases] == [[2, 5], []]
    names = blend_names()
    assert len(set(names)) == len(names) == cases[0].features.shape[1]
    half = len(names) // 2
    share = np.log1p(1) / np.log1p(40)  # of one word
    np.testing.assert_allclose(
        cases[0].features[:, half:], cases[0].features[:, :half] * share, rtol=1e-5
    )
