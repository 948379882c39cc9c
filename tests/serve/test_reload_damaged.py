"""A running service and a new artifact whose hashes are right and whose values are wrong."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from coldstart import Recommender
from coldstart.ranking.ranker import BlendRanker
from tests.conftest import ROOT
from tests.rewritten import edit_manifest, write
from tests.serve.helpers import refused, serving

ASKED = {"profile": {"age": 30, "liked": ["Toy Story"]}, "k": 3}
COUNTS = "counts.safetensors"


def put(name, place, value):
    """Change one number of the counts."""

    def change(folder):
        tensors = load_tensors((folder / COUNTS).read_bytes())
        with safe_open(folder / COUNTS, "np") as f:
            about = f.metadata()
        tensors[name] = tensors[name].copy()
        tensors[name][place] = value
        write(folder, COUNTS, save_tensors(tensors, about))

    return change


def ranker(folder):
    data = json.loads((folder / "ranker.json").read_text())
    data["weights"]["prior"]["popularity"] = [1e300, 0]
    write(folder, "ranker.json", json.dumps(data).encode())


CHANGES = {
    "an item out of bounds": put("pair_item", 0, 1700),
    "starts that fall": put("pair_start", 2, 10**9),
    "more likes than users": put("likes", 0, 10**6),
    "a weight beyond all bounds": ranker,
    "a setting": lambda folder: edit_manifest(folder, lambda m: m["settings"].update(tau="x")),
    "deep JSON": lambda folder: write(folder, "ranker.json", b"[" * 10_000 + b"]" * 10_000),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)  # the artifact names its base model by a path of the repository
    return shutil.copytree(ROOT / "tests/data/small/artifact", tmp_path / "artifact")


def test_the_old_artifact_stays_whatever_the_new_one_holds(tmp_path, folder):
    def load(name):
        return Recommender.from_pretrained(folder, device="cpu")

    with serving(tmp_path, load, artifacts={"": str(folder)}) as client:
        before = client.post("/v1/recommend", json=ASKED).json()["items"]
        sound = shutil.copytree(folder, tmp_path / "sound")
        for change in CHANGES.values():
            change(folder)
            refused(client.post("/v1/admin/reload"), 500, "reload_failed")
            assert client.post("/v1/recommend", json=ASKED).json()["items"] == before
            shutil.rmtree(folder)
            shutil.copytree(sound, folder)
        assert client.post("/v1/admin/reload").json() == {"status": "reloaded"}
        assert client.post("/v1/recommend", json=ASKED).json()["items"] == before


def test_scores_that_are_no_numbers_fail_before_the_swap(tmp_path, folder, monkeypatch):
    def load(name):
        return Recommender.from_pretrained(folder, device="cpu")

    with serving(tmp_path, load, artifacts={"": str(folder)}) as client:
        before = client.post("/v1/recommend", json=ASKED).json()["items"]
        served = client.service.worker._arms[""]
        scores = BlendRanker.scores

        def wrong(self, *args):
            found = scores(self, *args)
            return found if self is served.ranker else np.full_like(found, np.nan)

        monkeypatch.setattr(BlendRanker, "scores", wrong)
        refused(client.post("/v1/admin/reload"), 500, "reload_failed")
        assert client.post("/v1/recommend", json=ASKED).json()["items"] == before
