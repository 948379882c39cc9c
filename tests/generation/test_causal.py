from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GPT2Config, GPT2LMHeadModel

from coldstart.errors import ModelError
from coldstart.generation.models.causal import CausalLM
from tests.fakes_lm import tiny_cohere, tiny_gpt2, tiny_llama, tiny_tokenizer

FAMILIES = pytest.mark.parametrize("lm", [tiny_llama(), tiny_gpt2()], ids=["llama", "gpt2"])
PROMPT = [11, 12, 13, 14, 15]
TOKENS = [20, 21, 22, 23, 24, 25]
PARENTS = [-1, 0, 0, 2, -1, 4]


def sequential(lm: CausalLM, ids: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        return lm.decoder(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state[0, -1]


def path(tokens: list[int], parents: list[int], row: int) -> list[int]:
    return (path(tokens, parents, parents[row]) if parents[row] >= 0 else []) + [tokens[row]]


def assert_reads_as_sequences(lm, states, tokens, parents, first=0):
    for row, state in enumerate(states, start=first):
        expected = sequential(lm, PROMPT + path(tokens, parents, row))
        torch.testing.assert_close(state, expected, atol=1e-4, rtol=0)


@FAMILIES
def test_a_tree_reads_as_its_sequences(lm):
    reader = lm.read(PROMPT)
    torch.testing.assert_close(reader.end[0], sequential(lm, PROMPT), atol=1e-4, rtol=0)
    assert_reads_as_sequences(lm, reader.extend(TOKENS, PARENTS), TOKENS, PARENTS)


@FAMILIES
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_tree_in_any_number_of_calls(lm, data):
    size = data.draw(st.integers(1, 8))
    tokens = data.draw(st.lists(st.integers(3, 319), min_size=size, max_size=size))
    parents = [data.draw(st.integers(-1, i - 1)) for i in range(size)]
    cut = data.draw(st.integers(0, size))
    reader = lm.read(PROMPT)
    first = reader.extend(tokens[:cut], parents[:cut])
    second = reader.extend(tokens[cut:], parents[cut:])
    assert_reads_as_sequences(lm, torch.cat([first, second]), tokens, parents)


@FAMILIES
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_one_pass_equals_reading_on(lm, data):
    size = data.draw(st.integers(0, 8))
    tokens = data.draw(st.lists(st.integers(3, 319), min_size=size, max_size=size))
    parents = [data.draw(st.integers(-1, i - 1)) for i in range(size)]
    reader = lm.read(PROMPT)
    expected = torch.cat([reader.extend(tokens, parents), reader.end])
    found = lm.read_tree(PROMPT, np.array(tokens, np.int64), np.array(parents, np.int64))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@FAMILIES
def test_no_tokens_no_states(lm):
    assert lm.read(PROMPT).extend([], []).shape == (0, 32)


@FAMILIES
def test_restricted_head_equals_the_full_head(lm):
    assert lm.has_plain_head
    states = lm.read(PROMPT).extend(TOKENS, PARENTS)
    some = torch.tensor([3, 7, 300])
    with torch.inference_mode():
        full = lm.hidden_to_logits(states)
        torch.testing.assert_close(lm.hidden_to_logits(states, some), full[:, some])
        logits = lm.model(input_ids=torch.tensor([[*PROMPT, TOKENS[0]]])).logits[0, -1]
    torch.testing.assert_close(full[0], logits, atol=1e-4, rtol=0)


def test_post_processed_logits_are_detected():
    lm = tiny_cohere()
    assert not lm.has_plain_head
    with pytest.raises(ModelError, match="cohere post-processes its logits"):
        lm.hidden_to_logits(lm.read(PROMPT).end)


@FAMILIES
def test_an_empty_prompt(lm):
    with pytest.raises(ModelError, match="the prompt has no tokens"):
        lm.read([])


@FAMILIES
def test_a_prompt_that_fills_the_model(lm):
    assert lm.max_tokens == 1024
    lm.read([5] * 127)
    with pytest.raises(ModelError, match="1024 tokens; the model takes 1024"):
        lm.read([5] * 1024)


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_a_lora_adapter_changes_what_is_read():
    from peft import LoraConfig, get_peft_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        base = GPT2LMHeadModel(GPT2Config(vocab_size=330, n_embd=32, n_layer=2, n_head=4)).eval()
        config = LoraConfig(
            r=2, target_modules=["c_attn"], init_lora_weights=False, fan_in_fan_out=True
        )
        lm = CausalLM(get_peft_model(base, config).eval(), tiny_tokenizer())
    assert lm.has_plain_head
    adapted = lm.read(PROMPT).end
    with lm.model.disable_adapter():
        assert not torch.allclose(lm.read(PROMPT).end, adapted)
