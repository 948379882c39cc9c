"""The cached decoder: equal to the whole model, which loads only when it is needed."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coldstart import Recommender, UserProfile
from coldstart.errors import ModelError
from coldstart.generation.decoding.beam import beam_logprobs
from coldstart.generation.decoding.exact import exact_logprobs
from coldstart.generation.decoding.free import write_titles
from coldstart.generation.models import cached
from coldstart.generation.models.cached import LazyLM, load_decoder, load_deferred
from coldstart.generation.models.causal import CausalLM
from coldstart.schema import DecodingConfig
from tests.conftest import ARTIFACT
from tests.fakes_lm import TITLES, tiny_cohere, tiny_gpt2, tiny_llama, trie_of

PROMPT = "A person.\nToy Story\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("kept") / "one"
    cached.store_decoder(tiny_llama(), place)
    return place


def whole_is_not_needed() -> CausalLM:
    raise AssertionError("the whole model was loaded")


@settings(max_examples=100)
@given(text=st.text(st.characters(codec="utf-8"), max_size=30))
@example(text="<|im_start|>system\nAlien<|im_end|>\n<|endoftext|>")
@example(text="红高粱\n🎬 Movie (1995)\n")
def test_it_reads_texts_as_the_whole_model_does(folder, text):
    one = load_decoder(folder, whole_is_not_needed).lines
    other = tiny_llama().lines
    assert one.encode(text) == other.encode(text)
    assert one.title("Alien") == other.title("Alien")
    assert one.decode(other.encode(text)) == other.decode(other.encode(text))
    assert (one.start, one.end) == (other.start, other.end)


def test_it_scores_titles_without_the_whole_model(folder):
    trie = trie_of(TITLES)
    mass = np.ones(len(trie))
    lm = load_decoder(folder, whole_is_not_needed)
    found = exact_logprobs(lm, PROMPT, trie.plan(), mass, 0.5)
    expected = exact_logprobs(tiny_llama(), PROMPT, trie.plan(), mass, 0.5)
    np.testing.assert_array_equal(found, expected)
    assert lm.max_tokens == tiny_llama().max_tokens
    with pytest.raises(ModelError, match="no tokens"):
        lm.read_tree([], np.zeros(0, np.int64), np.zeros(0, np.int64))


def test_the_whole_model_is_loaded_once_and_only_for_what_needs_it(folder):
    loaded = []

    def load():
        loaded.append(1)
        return tiny_llama()

    lm, trie = load_decoder(folder, load), trie_of(TITLES)
    assert not loaded
    config = DecodingConfig(n=3, max_new_tokens=6)
    assert write_titles(lm, PROMPT, config) == write_titles(tiny_llama(), PROMPT, config)
    mass = np.ones(len(trie))
    found = beam_logprobs(lm, PROMPT, trie, mass, 0.5, width=4).logprobs
    expected = beam_logprobs(tiny_llama(), PROMPT, trie, mass, 0.5, width=4).logprobs
    np.testing.assert_array_equal(found, expected)
    assert len(loaded) == 1
    assert lm.tokenizer is tiny_llama().tokenizer


def test_only_a_cached_decoder_answers_without_the_whole_model(folder):
    cached_lm, loaded = load_decoder(folder, whole_is_not_needed), []

    def load():
        loaded.append(1)
        return tiny_llama()

    deferred = LazyLM(tiny_llama().lines, 1024, load)
    assert cached_lm.has_plain_head
    assert cached_lm.head()[0].shape == tiny_llama().head()[0].shape
    assert cached_lm.fused_decoder() is not None
    assert not cached_lm.loaded
    assert deferred.max_tokens == 1024
    assert not loaded
    assert deferred.fused_decoder() is tiny_llama().fused_decoder()
    assert deferred.loaded
    assert loaded == [1]


def test_the_whole_model_shares_the_weights_of_the_cached_decoder(folder):
    whole = CausalLM(copy.deepcopy(tiny_llama().model), tiny_llama().tokenizer)
    lm = load_decoder(folder, lambda: whole)
    assert lm.whole is whole
    assert lm.fused_decoder().is_shared_with(whole.decoder)


@pytest.mark.parametrize(
    "about", ['{"bos_token_id": 1}', '{"bos_token_id": 1, "max_tokens": "x"}', "["]
)
def test_a_cached_tokenizer_that_is_damaged_is_written_again(tmp_path, monkeypatch, about):
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))
    base = tmp_path / "base"
    tiny_llama().model.save_pretrained(base)
    tiny_llama().tokenizer.save_pretrained(base)
    for _ in range(2):
        lm = load_deferred(str(base), "fingerprint", whole_is_not_needed)
        assert lm.max_tokens == tiny_llama().max_tokens
        assert lm.lines.encode(PROMPT) == tiny_llama().lines.encode(PROMPT)
        assert lm.lines.eos_token_id == tiny_llama().tokenizer.eos_token_id
        (folder,) = (tmp_path / "cache" / "tokenizers").iterdir()
        (folder / "about.json").write_text(about)
    load_deferred(str(base), "fingerprint", whole_is_not_needed)
    assert json.loads((folder / "about.json").read_text())["max_tokens"] == 1024


def test_only_models_that_can_be_kept_are(tmp_path):
    for lm in (tiny_gpt2(), tiny_cohere()):
        cached.store_decoder(lm, tmp_path / "other")
    assert not list(tmp_path.iterdir())


def test_a_head_of_its_own_is_kept_too(tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=330, intermediate_size=8, **sizes)).eval()
    lm = CausalLM(model, tiny_llama().tokenizer)
    cached.store_decoder(lm, tmp_path / "one")
    state, some = torch.randn(3, 16), torch.tensor([5, 9])
    found = load_decoder(tmp_path / "one", whole_is_not_needed).hidden_to_logits(state, some)
    torch.testing.assert_close(found, lm.hidden_to_logits(state, some))


def test_the_oldest_kept_models_give_way(tmp_path):
    names = [f"m{n}" for n in range(cached.MOST_KEPT + 2)]
    for name in names:
        cached.store_decoder(tiny_llama(), tmp_path / name)
    left = {p.name for p in tmp_path.iterdir()}
    assert len(left) == cached.MOST_KEPT
    assert names[-1] in left


def test_a_full_disk_does_not_stop_anything(tmp_path, monkeypatch):
    def full(*args, **more):
        raise OSError("no space left on device")

    monkeypatch.setattr(cached, "new_folder", full)
    cached.store_decoder(tiny_llama(), tmp_path / "one")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["lean.safetensors", "lean.json", "tokenizer.json", "about.json"])
def test_a_damaged_folder_is_told(tmp_path, name):
    cached.store_decoder(tiny_llama(), tmp_path / "one")
    path = tmp_path / "one" / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ModelError, match="delete the folder"):
        load_decoder(tmp_path / "one", whole_is_not_needed)


def test_each_base_adapter_and_format_has_its_own_place():
    files = {"adapter/a": b"1", "ranker.json": b"x"}
    place = cached.decoder_folder("base", "f", files, torch.float32)
    assert cached.decoder_folder("base", "f", files | {"ranker.json": b"y"}, torch.float32) == place
    others = [
        cached.decoder_folder("base", "f", files | {"adapter/a": b"2"}, torch.float32),
        cached.decoder_folder("base", "g", files, torch.float32),
        cached.decoder_folder("other", "f", files, torch.float32),
        cached.decoder_folder("base", "f", files, torch.bfloat16),
    ]
    assert len({place, *others}) == 5


def test_the_shipped_artifact_gives_the_same_lists_quickly_and_whole():
    profile = UserProfile(age=24, occupation="student", liked=["Toy Story", "Alien"])
    Recommender.from_pretrained(ARTIFACT)  # kept from now on, if it was not before
    rec = Recommender.from_pretrained(ARTIFACT)
    assert isinstance(rec.lm, LazyLM)
    found = rec.recommend(profile)
    assert not rec.lm.loaded
    rec.lm = rec.lm.whole
    assert rec.recommend(profile) == found


def test_what_is_damaged_in_the_cache_is_made_anew(tmp_path, monkeypatch):
    real = cached.decoder_folder

    def elsewhere(*args):
        return tmp_path / real(*args).name

    monkeypatch.setattr(cached, "decoder_folder", elsewhere)
    Recommender.from_pretrained(ARTIFACT)
    (folder,) = tmp_path.iterdir()
    (folder / "about.json").write_text("{")
    assert not isinstance(Recommender.from_pretrained(ARTIFACT).lm, LazyLM)
    assert isinstance(Recommender.from_pretrained(ARTIFACT).lm, LazyLM)
