"""Many tenants on one base model: the same lists as alone, from one copy."""

from __future__ import annotations

import gc
import json
import weakref

import numpy as np
import pytest
import torch

from coldstart import Recommender, UserProfile
from coldstart.generation.decoding.beam import beam_logprobs
from coldstart.generation.models import cached
from coldstart.generation.models.adapted import AdaptedLM
from tests.conftest import ARTIFACT
from tests.fakes_lm import TITLES, trie_of
from tests.tenants.worlds import PEOPLE, agree, alone, tenants, written


@pytest.mark.parametrize(
    ("family", "lora"),
    [
        ("llama", {}),
        ("llama", {"target_modules": ["q_proj", "v_proj"], "r": 3}),
        ("llama", {"target_modules": ["o_proj", "gate_proj", "down_proj"], "use_rslora": True}),
        ("llama", {"layers_to_transform": [1], "lora_alpha": 5}),
        ("gpt2", {}),
    ],
    ids=["all", "some", "rslora", "one-layer", "gpt2"],
)
def test_lists_are_those_of_the_merged_model(world, request, family, lora):
    name = request.node.callspec.id
    folders = [world.artifact(name, family, seed, **lora) for seed in (1, 2)]
    two = tenants({"a": folders[0], "b": folders[1]})
    own = [alone(folder) for folder in folders]
    for tenant, other in zip("ab", own, strict=True):
        assert isinstance(two.get(tenant).lm, AdaptedLM)
        agree(two.get(tenant), other)
    for tenant, other in zip("abab", own * 2, strict=True):  # they take turns
        assert written(two.get(tenant)) == written(other)
    assert written(own[0]) != written(own[1])


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_beams_are_those_of_the_merged_model(world, family):
    folders = [world.artifact("beam", family, seed) for seed in (1, 2)]
    two, trie = tenants({"a": folders[0], "b": folders[1]}), trie_of(TITLES)
    mass, found = np.ones(len(trie)), []
    for tenant, folder in zip("ab", folders, strict=True):
        ours, own = (
            beam_logprobs(rec.lm, "A person.\nToy Story\n", trie, mass, 0.5, width=4).logprobs
            for rec in (two.get(tenant), alone(folder))
        )
        np.testing.assert_allclose(ours, own, atol=1e-4)
        found.append(ours)
    assert np.abs(found[0] - found[1]).max() > 0.1


def test_a_batch_gives_what_singles_give(world):
    rec = tenants({"a": world.artifact("all", seed=1)}).get("a")
    together = rec.recommend(PEOPLE, k=5)
    for person, made in zip(PEOPLE, together, strict=True):
        assert rec.recommend(person, k=5).item_ids == made.item_ids


def test_the_shipped_artifact(monkeypatch):
    monkeypatch.setattr(
        cached, "store_decoder", lambda *args: None
    )  # two of 540 MB, for this test only
    rec = tenants({"films": ARTIFACT}).get("films")
    own = Recommender.from_pretrained(ARTIFACT, device="cpu", dtype="float32")
    person = UserProfile(age=24, gender="M", occupation="student", liked=["Alien", "Toy Story"])
    ours, theirs = rec.recommend(person), own.recommend(person)
    assert ours.item_ids == theirs.item_ids
    assert [r.score for r in ours] == pytest.approx([r.score for r in theirs], abs=1e-4)


def test_what_is_saved_is_the_artifact(world, tmp_path):
    folder = world.artifact("all", seed=1)
    tenants({"a": folder}).get("a").save_pretrained(tmp_path / "copy")
    for name in ("adapter/adapter_model.safetensors", "counts.safetensors", "ranker.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


def test_there_is_one_base_one_tokenizer_and_one_encoder(world):
    folders = {n: world.artifact("all", seed=s) for s, n in enumerate("abc", 1)}
    all_ = tenants(folders)
    recs = [all_.get(n) for n in folders]
    for rec in recs:
        written(rec)  # has the whole model loaded
    lms = [rec.lm for rec in recs]
    assert len({id(lm.base) for lm in lms}) == len({id(lm.lines) for lm in lms}) == 1
    assert len({id(rec.encoder) for rec in recs} | {id(r.item_store.encoder) for r in recs}) == 1
    lean = [lm.fused_decoder().weights["1.qkv"].data_ptr() for lm in lms]
    whole = [lm.model.model.layers[1].self_attn.q_proj.weight.data_ptr() for lm in lms]
    assert len({*lean, *whole}) == 1
    embedding = lms[0].model.get_input_embeddings().weight
    assert embedding.data_ptr() == lms[0].fused_decoder().weights["embedding"].data_ptr()


def test_each_base_is_loaded_once_and_freed_with_its_last_tenant(world, monkeypatch):
    from coldstart.artifacts import loading as assembly

    real, loads = assembly.load_base, []

    def load_base(name, *args, **more):
        loads.append(name)
        return real(name, *args, **more)

    monkeypatch.setattr(assembly, "load_base", load_base)
    folders = {
        "a": world.artifact("all", seed=1),
        "b": world.artifact("gpt2", "gpt2", 1),
        "c": world.artifact("all", seed=2),
        "d": world.artifact("gpt2", "gpt2", 2),
    }
    all_ = tenants(folders)
    bases = {n: weakref.ref(all_.get(n).lm.base) for n in folders}
    assert bases["a"]() is bases["c"]()
    assert bases["b"]() is bases["d"]()
    assert sorted(loads).count(world.bases["gpt2"]) == 1
    for name in "bd":
        all_.drop(name)
    gc.collect()
    assert bases["b"]() is None
    assert bases["a"]() is not None
    all_.get("d").recommend(PEOPLE[1], k=1)


def test_a_base_that_is_damaged_in_the_cache_is_kept_anew(world):
    folder = world.artifact("all", seed=1)
    first = tenants({"a": folder}).get("a")
    key = first.manifest["base"]["name"], first.manifest["base"]["fingerprint"]
    kept = cached.decoder_folder(*key, {}, torch.float32)
    (kept / "lean.json").write_text("{")
    again = tenants({"a": folder}).get("a")
    assert again.recommend(PEOPLE[1]) == first.recommend(PEOPLE[1])
    assert json.loads((kept / "lean.json").read_text())
