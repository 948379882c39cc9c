"""Adapters that are more than low-rank matrices, damaged, or of another size."""

from __future__ import annotations

import json
import logging

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ModelError
from coldstart.generation.models.adapted import AdaptedLM
from coldstart.generation.models.lora import LoRA
from tests.tenants.worlds import PEOPLE, agree, alone, tenants

MORE = {
    "dora": {"use_dora": True},
    "bias": {"bias": "lora_only"},
    "rank-pattern": {"rank_pattern": {"q_proj": 2}},
    "alpha-pattern": {"alpha_pattern": {"q_proj": 2}},
    "saved-modules": {"modules_to_save": ["norm"]},
    "head": {"target_modules": ["lm_head", "q_proj"]},
    "embedding": {"target_modules": ["embed_tokens", "q_proj"]},
}


@pytest.mark.parametrize("lora", MORE.values(), ids=MORE.keys())
@pytest.mark.filterwarnings("ignore:.*(tie_word_embeddings|tied|save_embedding).*:UserWarning")
def test_such_an_adapter_gets_a_model_of_its_own(world, request, lora, caplog):
    name = request.node.callspec.id
    folder = world.artifact(name, **lora)
    two = tenants({"odd": folder, "plain": world.artifact("all", seed=1)})
    before = two.get("plain").recommend(PEOPLE[1], k=7)
    with caplog.at_level(logging.WARNING, "coldstart.tenants.registry"):
        rec = two.get("odd")
    assert not isinstance(rec.lm, AdaptedLM)
    assert "does not run beside the base model" in caplog.text
    agree(rec, alone(folder), PEOPLE[1:2])
    assert two.get("plain").recommend(PEOPLE[1], k=7) == before


@pytest.fixture
def files(world):
    folder = world.artifact("all", seed=1) / "adapter"
    return {f"adapter/{p.name}": p.read_bytes() for p in folder.iterdir()}


def read(files):
    return LoRA.read(files, torch.device("cpu"), torch.float32)


@given(data=st.data())
def test_a_damaged_adapter_is_told_whatever_the_damage(world, data):
    folder = world.artifact("all", seed=1) / "adapter"
    files = {f"adapter/{p.name}": p.read_bytes() for p in folder.iterdir()}
    name = data.draw(st.sampled_from(sorted(files)))
    cut = data.draw(st.integers(0, len(files[name]) - 1))
    with pytest.raises(ModelError, match="adapter"):
        read(files | {name: files[name][:cut]})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"peft_type": "IA3"}, "not LORA"),
        ({"r": None}, "TypeError"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights"),
        ({"something_new": 1}, "something_new"),
    ],
)
def test_settings_that_are_not_known_are_not_ignored(files, change, told):
    config = json.loads(files["adapter/adapter_config.json"]) | change
    with pytest.raises(ModelError, match=told):
        read(files | {"adapter/adapter_config.json": json.dumps(config).encode()})


def test_an_adapter_of_another_size_does_not_fit(world, files):
    lm = tenants({"a": world.artifact("all", seed=1)}).get("a").lm
    lora = read(files)
    name, pair = next(iter(lora.pairs.items()))
    bad = LoRA({**lora.pairs, name: type(pair)(pair.down, pair.up[:-1])}, 1.0)
    with pytest.raises(ModelError, match="does not fit"):
        lm.base.with_adapter(bad)
    with pytest.raises(ModelError, match="changes model.layers.0.other"):
        lm.base.with_adapter(LoRA({"model.layers.0.other": pair}, 1.0))
    with pytest.raises(ModelError, match="has no model.layers.9"):
        lm.base.with_adapter(LoRA({"model.layers.9.self_attn.q_proj": pair}, 1.0))
