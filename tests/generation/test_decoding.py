from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch

from coldstart.catalog.titles import clean_text
from coldstart.errors import ModelError
from coldstart.generation.decoding import free as decoding
from coldstart.generation.decoding.free import write_titles
from coldstart.generation.models.causal import CausalLM
from coldstart.schema import DecodingConfig
from tests.fakes_lm import CONTROL, tiny_cohere, tiny_gpt2, tiny_llama

PROMPT = "Movies:\nToy Story\n"
OTHER = "Movies:\nThe Matrix\nAlien\n"
SAMPLE = DecodingConfig(mode="sample", n=20, max_new_tokens=16)
BEAM = replace(SAMPLE, mode="beam", n=8)
DIVERSE = replace(SAMPLE, mode="diverse", n=8, groups=4)


def in_bfloat16() -> CausalLM:
    lm = tiny_llama()
    return CausalLM(copy.deepcopy(lm.model).to(torch.bfloat16), lm.lines.tokenizer)


MODELS = {"llama": tiny_llama, "gpt2": tiny_gpt2, "cohere": tiny_cohere, "bfloat16": in_bfloat16}
MODES = pytest.mark.parametrize("config", [SAMPLE, BEAM, DIVERSE], ids=lambda c: c.mode)


@pytest.fixture(scope="module", params=MODELS)
def lm(request):
    return MODELS[request.param]()


def lines_of(lm: CausalLM, config: DecodingConfig) -> list[decoding._Line]:
    """Lines as token ids, before they become text."""
    with torch.inference_mode():
        rows = decoding._Rows(lm, lm.lines.encode(PROMPT))
        if config.mode == "sample":
            generator = torch.Generator().manual_seed(0)
            return decoding._sample(rows, config, config.max_new_tokens, generator)
        return decoding._search(rows, config, config.max_new_tokens)


def next_logprobs(lm: CausalLM, lines: list[list[int]]) -> torch.Tensor:
    """Of the token after the prompt and each line, by the model's own forward pass."""
    prompt = lm.lines.encode(PROMPT)
    with torch.inference_mode():
        ids = torch.tensor([prompt + line for line in lines])
        return lm.model(input_ids=ids, use_cache=False).logits[:, -1].float().log_softmax(-1)


@MODES
def test_distinct_clean_titles_best_first(lm, config):
    found = write_titles(lm, PROMPT, config, seed=3)
    texts = [c.text for c in found]
    assert 1 < len(found) <= config.n
    assert len(set(texts)) == len(texts)
    assert [c.logprob for c in found] == sorted((c.logprob for c in found), reverse=True)
    assert all(c.strategy == "free" and c.item_ids == () for c in found)
    for text in texts:
        assert text == clean_text(text) != ""
        assert not any(token in text for token in CONTROL)


@MODES
def test_titles_depend_on_the_prompt_alone(lm, config):
    first = write_titles(lm, PROMPT, config, 1)
    other = write_titles(lm, OTHER, config, 1)
    assert write_titles(lm, PROMPT, config, 1) == first != other


def test_sampling_follows_its_seed(lm):
    assert write_titles(lm, PROMPT, SAMPLE, 5) == write_titles(lm, PROMPT, SAMPLE, 5)
    assert write_titles(lm, PROMPT, SAMPLE, 5) != write_titles(lm, PROMPT, SAMPLE, 6)


def test_sampling_leaves_the_global_random_state_alone(lm):
    before = torch.random.get_rng_state()
    write_titles(lm, PROMPT, SAMPLE)
    assert torch.equal(torch.random.get_rng_state(), before)


@MODES
@pytest.mark.parametrize("lm", [tiny_llama(), tiny_gpt2()], ids=["llama", "gpt2"])
def test_search_and_sampling_account_for_every_token(lm, config):
    """Rows come, go and change places in the cache; each line's sum must still be its own."""
    lines = lines_of(lm, replace(config, n=60, temperature=30.0))
    assert len({len(line.ids) for line in lines}) > 1
    for line in lines:
        ids = torch.tensor([lm.lines.encode(PROMPT) + list(line.ids)])
        with torch.inference_mode():
            logprobs = lm.model(input_ids=ids[:, :-1], use_cache=False).logits[0].log_softmax(-1)
        total = logprobs.gather(1, ids[0, 1:, None])[-len(line.ids) :].sum().item()
        assert line.logprob == pytest.approx(total, abs=1e-3)


@MODES
def test_a_line_ends_at_its_first_ending_and_has_no_control_tokens(lm, config):
    tokenizer = lm.lines.tokenizer
    ends = {i for i in range(len(tokenizer)) if "\n" in tokenizer.decode([i])}
    ends.add(tokenizer.eos_token_id)
    lines = lines_of(lm, replace(config, n=100))
    for *title, last in (line.ids for line in lines):
        assert title  # no empty lines
        assert not ends & set(title)
        assert set(title) <= set(range(len(tokenizer))) - set(tokenizer.all_special_ids)
        assert last < len(tokenizer)
    assert [line.finished for line in lines] == [line.ids[-1] in ends for line in lines]


def test_a_wide_beam_finds_the_likeliest_titles(lm):
    """All titles of one token, counted out."""
    tokenizer = lm.lines.tokenizer
    config = DecodingConfig(mode="beam", n=400, max_new_tokens=2)
    found = {c.text: c.logprob for c in write_titles(lm, PROMPT, config)}
    first = next_logprobs(lm, [[]])[0]
    second = next_logprobs(lm, [[i] for i in range(len(tokenizer))])
    ends = [tokenizer.eos_token_id, *lm.lines.end]
    expected: dict[str, float] = {}
    for i in set(range(len(tokenizer))) - set(tokenizer.all_special_ids):
        text = clean_text(tokenizer.decode([i]))
        logprob = (first[i] + second[i, ends].max()).item()
        if text:
            expected[text] = max(logprob, expected.get(text, -1e9))
    tolerance = 0.1 if lm.model.dtype == torch.bfloat16 else 1e-3
    assert found == pytest.approx(expected, abs=tolerance)


def test_sampling_follows_the_distribution():
    lm = tiny_llama()
    tokenizer = lm.lines.tokenizer
    config = DecodingConfig(mode="sample", n=4000, temperature=2.0, max_new_tokens=2)
    drawn = torch.tensor([line.ids[0] for line in lines_of(lm, config)])
    expected = next_logprobs(lm, [[]])[0] / 2
    expected[[*tokenizer.all_special_ids, *lm.lines.end, *range(320, 330)]] = -torch.inf
    shares = torch.bincount(drawn, minlength=330) / len(drawn)
    torch.testing.assert_close(shares, expected.softmax(0), atol=0.02, rtol=0)


@pytest.mark.parametrize("sharp", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-4}])
def test_sharp_sampling_is_greedy(sharp):
    lm, greedy = tiny_llama(), []
    banned = {*lm.lines.tokenizer.all_special_ids, *range(320, 330)}
    ends = {lm.lines.tokenizer.eos_token_id, *lm.lines.end}
    while len(greedy) < SAMPLE.max_new_tokens and not ends & {*greedy}:
        ranked = next_logprobs(lm, [greedy])[0].argsort(descending=True).tolist()
        avoid = banned - ends if greedy else banned | ends
        greedy.append(next(token for token in ranked if token not in avoid))
    lines = lines_of(lm, replace(SAMPLE, **sharp))
    assert {line.ids for line in lines} == {tuple(greedy)}


def test_top_p_keeps_the_fewest_tokens_that_reach_it():
    logprobs = torch.tensor([[0.5, 0.3, 0.15, 0.05], [0.05, 0.9, 0.03, 0.02]]).log()
    weights = decoding._weights(logprobs, DecodingConfig(top_p=0.7))
    assert (weights > 0).tolist() == [[True, True, False, False], [False, True, False, False]]
    both = decoding._weights(logprobs, DecodingConfig(top_p=0.9, top_k=2))
    assert (both > 0).sum(1).tolist() == [2, 1]


def test_one_group_is_beam_search(lm):
    assert write_titles(lm, PROMPT, replace(DIVERSE, groups=1)) == write_titles(lm, PROMPT, BEAM)


def test_groups_avoid_each_others_tokens():
    config = DecodingConfig(mode="diverse", n=10, groups=10, diversity=1e6, max_new_tokens=2)
    assert len({line.ids[0] for line in lines_of(tiny_llama(), config)}) == 10
    alike = write_titles(tiny_llama(), PROMPT, replace(config, diversity=0.0))
    assert len(alike) == 1  # nothing keeps the groups apart


def test_fewer_titles_than_groups(lm):
    assert len(write_titles(lm, PROMPT, replace(DIVERSE, n=2, groups=5))) == 2


@MODES
def test_unfinished_titles_only_if_nothing_else(monkeypatch, config):
    lines = [decoding._Line((20, 21), -1.0), decoding._Line((30, 31), -2.0, finished=True)]
    for name in ("_sample", "_search"):
        monkeypatch.setattr(decoding, name, lambda *_: lines)
    assert [c.logprob for c in write_titles(tiny_llama(), PROMPT, config)] == [-2.0]
    lines[1] = lines[1]._replace(finished=False)
    assert [c.logprob for c in write_titles(tiny_llama(), PROMPT, config)] == [-1.0, -2.0]


@MODES
def test_writing_stops_where_the_model_does(lm, config):
    prompt = "a\n" * ((lm.max_tokens - len(lm.lines.start)) // 2 - 2)
    assert 0 < lm.max_tokens - lm.lines.count(prompt) < 16
    assert write_titles(lm, prompt, config)


def test_prompts_that_cannot_be_read(lm):
    with pytest.raises(ModelError, match="the prompt has no tokens"):
        write_titles(lm, "", SAMPLE)
    with pytest.raises(ModelError, match="the model takes 1024"):
        write_titles(lm, "a\n" * 512, SAMPLE)


REAL = "Favourite movies:\nThe Matrix\nAlien\n"


def test_smollm2_samples_titles(smollm2):
    config = DecodingConfig(mode="sample", n=8)
    first = write_titles(smollm2, REAL, config, seed=0)
    assert len(first) >= 5
    assert write_titles(smollm2, REAL, config, seed=0) == first
    assert write_titles(smollm2, REAL, config, seed=1) != first


def test_smollm2_searches_titles(smollm2):
    config = DecodingConfig(mode="beam", n=10, max_new_tokens=16)
    beam = write_titles(smollm2, REAL, config)
    diverse = write_titles(smollm2, REAL, replace(config, mode="diverse", diversity=5.0))
    for found in (beam, diverse):
        assert len({c.text for c in found}) == len(found) == 10
    starts = [len({c.text.split()[0] for c in found}) for found in (beam, diverse)]
    assert starts[1] >= starts[0]
    assert beam[0].logprob >= diverse[0].logprob
