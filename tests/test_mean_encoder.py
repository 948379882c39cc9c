"""Mean pooling by hand gives what sentence-transformers gives."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from coldstart.encoding.encoders import SentenceEncoder
from coldstart.encoding.lazy import LazyEncoder
from coldstart.encoding.mean import MeanEncoder, is_plain
from coldstart.errors import ModelError

TEXTS = [
    "Toy Story",
    "",
    "Amélie 🎬",
    "东京物语",
    "a very long story " * 200,
    "slow-burn stories",
] * 15


def test_equal_to_sentence_transformers(encoder_folder):
    assert is_plain(encoder_folder)
    ours, theirs = MeanEncoder(encoder_folder), SentenceEncoder.from_pretrained(encoder_folder)
    found = ours.encode(TEXTS)
    assert (found.shape, found.dtype) == ((len(TEXTS), 384), np.float32)
    np.testing.assert_allclose(found, theirs.encode(TEXTS), atol=2e-6)
    np.testing.assert_allclose(found[3], ours.encode([TEXTS[3]])[0], atol=2e-6)
    assert ours.encode([]).shape == (0, 384)
    assert ours.encode(["lone \ud800 surrogate"]).shape == (1, 384)


def test_the_packaged_encoder_needs_no_library(encoder_folder):
    assert isinstance(LazyEncoder(str(encoder_folder))._loaded, MeanEncoder)


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
    assert is_plain(tmp_path)
    settings = json.loads((tmp_path / file).read_text()) | change
    (tmp_path / file).write_text(json.dumps(settings))
    assert not is_plain(tmp_path)
    (tmp_path / "modules.json").unlink()
    assert not is_plain(tmp_path)


def test_a_folder_without_weights_says_so(encoder_folder, tmp_path):
    copy = tmp_path / "broken"
    shutil.copytree(encoder_folder, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    with pytest.raises(ModelError, match="cannot load the encoder"):
        LazyEncoder(str(copy)).encode(["x"])
