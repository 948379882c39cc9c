"""Mean pooling by hand gives what sentence-transformers gives."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from coldstart.encoding.mean_pooling import MeanPoolingEncoder, is_bert, is_mean_pooling
from coldstart.encoding.sentence_encoder import LazyEncoder, SentenceEncoder
from coldstart.errors import ModelError
from coldstart.testing.contracts.encoder import EncoderContract

TEXTS = [
    "Toy Story",
    "",
    "Amélie 🎬",
    "东京物语",
    "a very long story " * 200,
    "slow-burn stories",
] * 15


class TestMeanPoolingEncoder(EncoderContract):
    @pytest.fixture(autouse=True)
    def _folder(self, encoder_folder):
        self.folder = encoder_folder

    def make(self):
        return LazyEncoder(str(self.folder))


def test_equal_to_sentence_transformers(encoder_folder):
    assert is_mean_pooling(encoder_folder)
    ours, theirs = (
        MeanPoolingEncoder(encoder_folder),
        SentenceEncoder.from_pretrained(encoder_folder),
    )
    found = ours.encode(TEXTS)
    assert (found.shape, found.dtype) == ((len(TEXTS), 384), np.float32)
    np.testing.assert_allclose(found, theirs.encode(TEXTS), atol=2e-6)
    np.testing.assert_allclose(found[3], ours.encode([TEXTS[3]])[0], atol=2e-6)
    assert ours.encode([]).shape == (0, 384)
    assert ours.encode(["lone \ud800 surrogate"]).shape == (1, 384)


def test_other_transformers_are_read_by_the_library(encoder_folder, tmp_path):
    assert is_bert(encoder_folder)
    copy = tmp_path / "copy"
    shutil.copytree(encoder_folder, copy)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"hidden_act": "gelu_new"}))
    assert not is_bert(copy)
    found = MeanPoolingEncoder(copy).encode(TEXTS[:6])
    expected = SentenceEncoder.from_pretrained(copy).encode(TEXTS[:6])
    np.testing.assert_allclose(found, expected, atol=2e-6)
    (copy / "config.json").unlink()
    assert not is_bert(copy)


def test_weights_that_are_missing_are_named(encoder_folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(encoder_folder, copy)
    weights = load_file(copy / "model.safetensors")
    kept = {n: w for n, w in weights.items() if not n.endswith("layer.3.output.dense.bias")}
    save_file(kept, copy / "model.safetensors")
    with pytest.raises(ModelError, match=r"layer\.3\.output\.dense\.bias"):
        LazyEncoder(str(copy)).encode(["x"])


def test_a_sentence_imports_no_library(encoder_folder):
    code = (
        "import sys; from pathlib import Path; "
        "from coldstart.encoding.mean_pooling import MeanPoolingEncoder; "
        f"print(MeanPoolingEncoder(Path({str(encoder_folder)!r})).encode(['x']).shape); "
        "assert not {'transformers', 'sentence_transformers'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "(1, 384)\n", done.stderr


def test_the_packaged_encoder_needs_no_library(encoder_folder):
    assert isinstance(LazyEncoder(str(encoder_folder))._loaded, MeanPoolingEncoder)


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True}),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("sentence_bert_config.json", {"max_seq_length": None}),
    ],
)
def test_other_kinds_are_left_to_the_library(encoder_folder, tmp_path, file, change):
    for name in ("modules.json", "1_Pooling/config.json", "sentence_bert_config.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(encoder_folder / name, tmp_path / name)
    assert is_mean_pooling(tmp_path)
    settings = json.loads((tmp_path / file).read_text()) | change
    (tmp_path / file).write_text(json.dumps(settings))
    assert not is_mean_pooling(tmp_path)
    (tmp_path / "modules.json").unlink()
    assert not is_mean_pooling(tmp_path)


def test_a_folder_without_weights_says_so(encoder_folder, tmp_path):
    copy = tmp_path / "broken"
    shutil.copytree(encoder_folder, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(ModelError, match="cannot load the encoder"):
        LazyEncoder(str(copy)).encode(["x"])
