"""The lean decoder gives what the original one gives, and stays away where it would not."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, GemmaConfig, GPT2Config, LlamaConfig, MistralConfig

from coldstart.errors import ModelError
from coldstart.generation.models.fused_decoder import FusedDecoder
from coldstart.runtime.models import quietly
from tests.generation.fused_decoders import LIKE, SIZES, decoder, question


def original(model, ids, visible, position):
    mask = torch.zeros(visible.shape).masked_fill_(~visible, torch.finfo(torch.float32).min)
    with torch.inference_mode():
        out = model(
            input_ids=ids[None],
            attention_mask=mask[None, None],
            position_ids=position[None],
            use_cache=False,
        )
    return out.last_hidden_state[0]


@pytest.fixture(scope="module", params=LIKE.values(), ids=LIKE.keys())
def model(request):
    return decoder(request.param)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 99), size=st.integers(1, 20))
def test_states_are_the_original_ones(model, seed, size):
    asked = question(seed, size)
    expected = original(model, *asked)
    assert FusedDecoder.supports(model)
    torch.testing.assert_close(FusedDecoder.from_model(model)(*asked), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(original(model, *asked), expected, atol=0, rtol=0)


def test_it_takes_no_memory_of_its_own():
    model = decoder(LIKE["llama"])
    lean = FusedDecoder.from_model(model)
    joint = lean.weights["1.gate_up"]
    mlp = model.layers[1].mlp
    assert mlp.gate_proj.weight.data_ptr() == joint.data_ptr()
    assert mlp.up_proj.weight.untyped_storage().data_ptr() == joint.untyped_storage().data_ptr()


def test_weights_may_be_replaced_and_trained_on():
    model, asked = decoder(LIKE["llama"]), question(0, 8)
    with torch.inference_mode():
        lean = FusedDecoder.from_model(model)
    assert lean.is_shared_with(model)
    model.layers[0].self_attn.q_proj.weight.data += 0.5  # as merging an adapter does
    torch.testing.assert_close(lean(*asked), original(model, *asked), atol=1e-4, rtol=0)
    loss = model(input_ids=asked[0][None]).last_hidden_state.square().mean()
    loss.backward()
    assert model.layers[0].mlp.up_proj.weight.grad is not None
    model.to(torch.bfloat16)
    assert not lean.is_shared_with(model)


def test_saved_and_loaded_it_is_the_same(tmp_path, model):
    lean, asked = FusedDecoder.from_model(model), question(1, 9)
    head = torch.randn(60, 32)
    lean.save(tmp_path, head)
    again = FusedDecoder.load(tmp_path)
    torch.testing.assert_close(again(*asked), lean(*asked), atol=0, rtol=0)
    assert again.shape == lean.shape
    torch.testing.assert_close(again.head, head)
    assert lean.head is lean.weights["embedding"]


def test_an_equal_model_takes_its_weights_over(tmp_path, model):
    whole = AutoModelForCausalLM.from_config(model.config).eval()
    whole.model.load_state_dict(model.state_dict())
    asked = question(2, 7)
    head = whole.get_output_embeddings().weight.detach().clone()
    FusedDecoder.from_model(model).save(tmp_path, head)
    lean = FusedDecoder.load(tmp_path)
    lean.share_with(whole)
    assert lean.is_shared_with(whole.model)
    lent = {w.untyped_storage().data_ptr() for w in lean.weights.values()}
    own = [n for n, w in whole.named_parameters() if w.untyped_storage().data_ptr() not in lent]
    assert all(name.endswith("bias") for name in own)
    torch.testing.assert_close(
        original(whole.model, *asked), original(model, *asked), atol=0, rtol=0
    )
    torch.testing.assert_close(whole.get_output_embeddings().weight.detach(), head)


def test_what_is_damaged_is_told(tmp_path):
    with pytest.raises(ModelError, match="no decoder in"):
        FusedDecoder.load(tmp_path)
    FusedDecoder.from_model(decoder(LIKE["llama"])).save(tmp_path)
    path = tmp_path / "lean.safetensors"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="delete the folder"):
        FusedDecoder.load(tmp_path)


@pytest.mark.parametrize(
    "config",
    [
        MistralConfig(**SIZES, sliding_window=16),
        LlamaConfig(**SIZES, hidden_act="gelu"),
        LlamaConfig(**SIZES, mlp_bias=True),
        LlamaConfig(**SIZES, rope_scaling={"rope_type": "dynamic", "factor": 2.0}),
        GemmaConfig(**SIZES, head_dim=8),
    ],
    ids=["sliding-window", "gelu", "mlp-bias", "dynamic-positions", "gemma"],
)
def test_other_models_are_left_to_transformers(config):
    assert not FusedDecoder.supports(decoder(config))


def test_neither_gpt2_nor_adapters_that_are_not_merged():
    from peft import LoraConfig, get_peft_model

    assert not FusedDecoder.supports(
        AutoModelForCausalLM.from_config(GPT2Config(n_layer=1, n_embd=8, n_head=2)).transformer
    )
    whole = AutoModelForCausalLM.from_config(LIKE["llama"])
    with quietly():
        adapted = get_peft_model(whole, LoraConfig(target_modules=["q_proj"], r=2))
    assert not FusedDecoder.supports(whole.model)
    assert FusedDecoder.supports(adapted.merge_and_unload().model)
