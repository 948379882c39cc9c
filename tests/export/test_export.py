"""Exports: what other engines load ranks as the original does, or nothing is left of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, pre_tokenizers
from tokenizers import models as token_models
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

from coldstart import Recommender
from coldstart.cli import main
from coldstart.errors import ArtifactError, ConfigError, MissingExtraError, ModelError
from coldstart.export import ExportError, ExportPlan, export, gguf_file, run
from coldstart.export.ct2 import CTranslate2LM, _paths
from coldstart.export.gguf_file import check_writable, read_gguf, write_gguf
from coldstart.runtime.fetch import SMOLLM2, fetch
from coldstart.training.run import train
from tests.conftest import ARTIFACT
from tests.fakes_lm import tiny_cohere, tiny_gpt2, tiny_llama
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split

KINDS = ("merged", "gguf", "ctranslate2")
PROMPT = "Age: 21\nLikes:\nToy Story\nStar Wars\n"


@pytest.fixture(scope="module", params=["llama", "gpt2"])
def artifact(request, tmp_path_factory):
    """An artifact trained on the toy world, for each architecture that GGUF is written for."""
    if request.param == "llama":
        return request.getfixturevalue("llama_artifact")
    return trained(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def llama_artifact(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("one"), "llama")


def trained(where: Path, family: str) -> Path:
    base = save_tiny_base(where / "base", family)
    config = toy_config(base, prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, where / "artifact", runs=where / "run")
    return where / "artifact"


def logits_of(model, tokenizer) -> np.ndarray:
    ids = torch.tensor([tokenizer(PROMPT, add_special_tokens=False)["input_ids"]])
    with torch.inference_mode():
        return model(input_ids=ids).logits[0].float().numpy()


def test_every_export_says_what_the_original_says(artifact, tmp_path):
    """Told apart from the command's own check by the logits of a prompt, loaded as users do."""
    lm = Recommender.from_pretrained(artifact, device="cpu", dtype="float32").lm
    llama = lm.model.config.model_type == "llama"  # GPT-2's converter takes no padded vocabulary
    ct2 = tmp_path / "ct2" if llama else None
    plan = ExportPlan(tmp_path / "merged", tmp_path / "model.gguf", ct2)
    lines: list[str] = []
    made = list(export(artifact, plan, lines.append))
    assert [m.kind for m in made] == list(KINDS if llama else KINDS[:2])
    assert all(m.check.identical and m.check.difference < 1e-3 for m in made)
    assert all(m.size == disk_size(m.path) for m in made)
    assert len(lines) == 3 + len(made)

    ours = logits_of(lm.model, lm.tokenizer)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    np.testing.assert_allclose(logits_of(merged, tokenizer), ours, atol=1e-3)
    there = {"gguf_file": "model.gguf"}
    tokenizer = AutoTokenizer.from_pretrained(tmp_path, **there)
    read = AutoModelForCausalLM.from_pretrained(tmp_path, **there)
    np.testing.assert_allclose(logits_of(read, tokenizer), ours, atol=1e-3)
    if not llama:
        with pytest.raises(ModelError, match="cannot convert this model: Vocabulary has size 320"):
            list(export(artifact, ExportPlan(ctranslate2=tmp_path / "ct2")))
        assert not (tmp_path / "ct2").exists()
        return
    translated = CTranslate2LM(tmp_path / "ct2", 1024)
    ids = translated.tokenizer(PROMPT, add_special_tokens=False)["input_ids"]
    chain = np.arange(-1, len(ids) - 2)
    states = translated.read_trees([(ids[:1], np.array(ids[1:]), chain)])[0].numpy()
    found = np.concatenate([states[-1:], states[:-1]])
    np.testing.assert_allclose(found[:, : ours.shape[1]], ours, atol=1e-3)


def disk_size(path: Path) -> int:
    return sum(p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")))


def test_the_adapter_is_in_the_export(llama_artifact, tmp_path):
    list(export(llama_artifact, ExportPlan(tmp_path / "merged")))
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged").state_dict()
    base = tiny_llama().model.state_dict()
    assert any(not torch.allclose(merged[n], base[n], atol=1e-4) for n in base)


def without_adapter(self, folder):
    """A merge that forgot the adapter."""
    tiny_llama().model.save_pretrained(folder)
    self._tokenizer.save_pretrained(folder)
    return lambda: run._read_merged(folder)


def no_numbers(self, folder):
    broken = self._model
    with torch.no_grad():
        broken.get_output_embeddings().weight.fill_(float("nan"))
    broken.save_pretrained(folder)
    self._tokenizer.save_pretrained(folder)
    return lambda: run._read_merged(folder)


@pytest.mark.parametrize(
    ("write", "why"),
    [(without_adapter, "the top 10 is not the original's"), (no_numbers, "cannot be asked")],
)
def test_another_model_is_refused_and_nothing_is_left(
    llama_artifact, tmp_path, monkeypatch, write, why
):
    monkeypatch.setattr(run._Merged, "merged", write)
    with pytest.raises(ExportError, match=why):
        list(export(llama_artifact, ExportPlan(tmp_path / "merged")))
    assert not list(tmp_path.iterdir())


def test_a_wrong_gguf_is_refused_and_an_earlier_one_stays(llama_artifact, tmp_path, monkeypatch):
    out = tmp_path / "model.gguf"
    list(export(llama_artifact, ExportPlan(gguf=out)))
    before = out.read_bytes()
    monkeypatch.setattr(gguf_file, "_paired", lambda weight, heads: weight)  # not llama.cpp's order
    with pytest.raises(ExportError, match="nothing was kept"):
        list(export(llama_artifact, ExportPlan(gguf=out, force=True)))
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]


def test_ties_may_change_places_when_that_is_allowed(llama_artifact, tmp_path, monkeypatch):
    monkeypatch.setattr(run._Merged, "merged", without_adapter)
    (made,) = export(llama_artifact, ExportPlan(tmp_path / "merged", ties=1000.0))
    assert not made.check.identical
    assert 0 < made.check.displaced < 1000
    with pytest.raises(ExportError, match="nats apart changed places"):
        list(export(llama_artifact, ExportPlan(tmp_path / "two", ties=made.check.displaced / 2)))
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_smaller_weights_are_smaller_and_close(llama_artifact, tmp_path, dtype):
    plan = ExportPlan(tmp_path / "m", tmp_path / "m.gguf", tmp_path / "ct2", dtype=dtype, ties=0.5)
    for made in export(llama_artifact, plan):
        assert 0 < made.check.difference < 0.5
    weights = AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    assert weights.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_replaced_only_on_demand_and_if_it_is_ours(tmp_path, kind):
    out = tmp_path / "out"
    if kind == "gguf":
        out.write_bytes(b"GGUF, an earlier one")
    else:
        out.mkdir()
        (out / run._OURS[kind]).write_text("{}")
    with pytest.raises(ConfigError, match="exists \\(--force replaces it"):
        ExportPlan(**{kind: out})
    assert ExportPlan(**{kind: out}, force=True).wanted == {kind: out}
    foreign = tmp_path / "foreign"
    if kind == "gguf":
        foreign.write_text("a letter")
    else:
        foreign.mkdir()
        (foreign / "letter.txt").write_text("dear")
    with pytest.raises(ConfigError, match="is no export of that kind"):
        ExportPlan(**{kind: foreign}, force=True)


def test_malformed_plans_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="nothing to export"):
        ExportPlan()
    with pytest.raises(ConfigError, match="dtype is 'int4'"):
        ExportPlan(tmp_path / "a", dtype="int4")
    with pytest.raises(ConfigError, match="same name"):
        ExportPlan(merged=tmp_path / "a", ctranslate2=tmp_path / "a")
    for ties in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="ties is"):
            ExportPlan(tmp_path / "a", ties=ties)


def test_a_missing_library_is_told_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'coldstart-rec\[ctranslate2\]'"):
        next(export(tmp_path / "no artifact", ExportPlan(ctranslate2=tmp_path / "out")))


def test_other_architectures_are_refused_by_name():
    with pytest.raises(ModelError, match="a cohere model cannot .* llama, gpt2 can"):
        check_writable(tiny_cohere().model.config)
    config = type(tiny_llama().model.config)(**tiny_llama().model.config.to_dict())
    config.attention_bias = True
    with pytest.raises(ModelError, match="with biases cannot"):
        check_writable(config)
    config.attention_bias = False
    config.rope_parameters = {"rope_type": "llama3", "rope_theta": 1e4}
    with pytest.raises(ModelError, match="with scaled positions cannot"):
        check_writable(config)


def test_other_tokenizers_are_refused(tmp_path):
    inner = Tokenizer(token_models.BPE(vocab={"a": 0, "b": 1}, merges=[]))
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    other = PreTrainedTokenizerFast(tokenizer_object=inner)
    with pytest.raises(ModelError, match="only byte-level BPE tokenizers"):
        write_gguf(tiny_llama().model, other, tmp_path / "x.gguf", "float32", "x")
    assert not (tmp_path / "x.gguf").exists()


@pytest.mark.parametrize("lm", [tiny_llama, tiny_gpt2])
def test_gguf_keeps_the_vocabulary(tmp_path, lm):
    model, tokenizer = lm().model, lm().tokenizer
    write_gguf(model, tokenizer, tmp_path / "x.gguf", "float32", "x")
    again = read_gguf(tmp_path / "x.gguf")
    texts = [
        "Toy Story\n",
        "Star Trek: First Contact\n",
        "红高粱\n",
        "🎬 Movie\n",
        "<|im_end|> 1999",
    ]
    for text in texts:
        assert again.lines.encode(text) == lm().lines.encode(text)
    assert again.tokenizer("<|im_end|>a")["input_ids"] == tokenizer("<|im_end|>a")["input_ids"]
    for name in ("bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id"):
        assert getattr(again.tokenizer, name) == getattr(tokenizer, name)
    for name, ours in model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], ours)


def test_gguf_is_laid_out_as_llama_cpp_does_it(smollm2, tmp_path):
    """The packaged base model was written by llama.cpp's converter, and read from there."""
    packaged = next(fetch(SMOLLM2).glob("*.gguf"))
    write_gguf(smollm2.model, smollm2.tokenizer, tmp_path / "x.gguf", "float32", "x")
    theirs, ours = gguf.GGUFReader(packaged), gguf.GGUFReader(tmp_path / "x.gguf")
    expected = {t.name: gguf.dequantize(t.data, t.tensor_type) for t in theirs.tensors}
    assert {t.name for t in ours.tensors} == expected.keys()
    for tensor in ours.tensors:  # between them they were rounded to bfloat16
        np.testing.assert_allclose(tensor.data, expected[tensor.name], rtol=2**-8)
    same = ("block_count", "context_length", "embedding_length", "feed_forward_length")
    same += ("attention.head_count", "attention.head_count_kv", "rope.freq_base", "vocab_size")
    same += ("attention.layer_norm_rms_epsilon", "rope.dimension_count")
    names = [f"llama.{name}" for name in same]
    names += [f"tokenizer.ggml.{name}" for name in ("model", "tokens", "token_type", "merges")]
    names += [f"tokenizer.ggml.{name}_token_id" for name in ("bos", "eos", "unknown", "padding")]
    names += ["tokenizer.ggml.add_bos_token", "tokenizer.chat_template"]
    for name in names:
        assert ours.fields[name].contents() == theirs.fields[name].contents(), name


def test_branches_are_read_as_sequences():
    assert _paths(np.array([], dtype=np.int64)) == [[]]
    assert _paths(np.array([-1, 0, 0, 1, -1])) == [[0, 2], [0, 1, 3], [4]]


def test_the_command_prints_the_check(llama_artifact, tmp_path, capsys):
    out = tmp_path / "merged"
    assert main(["export", str(llama_artifact), "--merged", str(out), "--json"]) == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert told["top_10_identical"] is True
    assert 0 <= told["largest_logprob_difference"] < 1e-3
    assert main(["export", str(llama_artifact), "--merged", str(out)]) == 2
    assert "--force replaces it" in capsys.readouterr().err
    assert main(["export", str(llama_artifact), "--merged", str(out), "--force"]) == 0
    assert "top_10_identical" in capsys.readouterr().out


def test_what_was_written_before_a_failure_is_told(llama_artifact, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(gguf_file, "_paired", lambda weight, heads: weight)
    places = "--merged", str(tmp_path / "merged"), "--gguf", str(tmp_path / "x.gguf")
    assert main(["export", str(llama_artifact), *places, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in told] == ["merged"]
    assert [p.name for p in tmp_path.iterdir()] == ["merged"]


def test_the_command_fails_with_1_when_the_check_does(
    llama_artifact, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(run._Merged, "merged", without_adapter)
    assert main(["export", str(llama_artifact), "--merged", str(tmp_path / "out")]) == 1
    told = capsys.readouterr()
    assert "the top 10 is not the original's" in told.err
    assert not told.out
    assert not (tmp_path / "out").exists()


def test_no_artifact_and_nothing_to_do_are_users_mistakes(tmp_path, capsys):
    assert main(["export", str(tmp_path), "--merged", str(tmp_path / "out")]) == 2
    assert "no artifact at" in capsys.readouterr().err
    assert main(["export", str(ARTIFACT)]) == 2
    assert "nothing to export" in capsys.readouterr().err
    with pytest.raises(ArtifactError, match="no artifact at"):
        next(export(tmp_path / "nothing", ExportPlan(tmp_path / "out")))


def test_the_shipped_model_as_gguf(shipped, tmp_path):
    (made,) = export(ARTIFACT, ExportPlan(gguf=tmp_path / "ml-100k.gguf"))
    assert made.check.identical
    assert made.check.difference < 1e-3
    lines = read_gguf(made.path).lines
    for item in shipped.catalog:
        assert lines.title(item.title) == shipped.lm.lines.title(item.title)
