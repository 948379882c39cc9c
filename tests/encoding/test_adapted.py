"""Sentence encoders with an adapter: merged they are what peft makes of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from coldstart.encoding.adapted import adapted_encoder, adapter_scale
from coldstart.encoding.sentence_encoder import LazyEncoder
from coldstart.errors import ArtifactError, ModelError
from coldstart.runtime.cache import cache_dir
from coldstart.training.requests.tower import AdaptedSentenceEncoder, TowerConfig
from tests.tiny_bert import SIZE, save_tiny_bert

TEXTS = ["aliens in space", "a crime drama like Fargo", "toys"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny")


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """An encoder whose adapter does something, and its folder."""
    encoder = AdaptedSentenceEncoder(base, TowerConfig(rank=4))
    with torch.no_grad():
        for name, parameter in encoder.model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn(parameter.shape) * 0.3)
    folder = tmp_path_factory.mktemp("adapter")
    encoder.model.eval().save_pretrained(folder)
    return encoder, folder


@pytest.fixture
def adapter(trained):
    return (trained[1] / "adapter_model.safetensors").read_bytes()


def test_merged_is_what_peft_computes(base, trained, adapter):
    scale = adapter_scale((trained[1] / "adapter_config.json").read_bytes())
    assert scale == 2.0
    encoder = adapted_encoder(base, adapter, scale)
    found = encoder.encode(TEXTS)
    with torch.inference_mode():
        np.testing.assert_allclose(found, trained[0](TEXTS).numpy(), atol=1e-5)
    assert np.abs(found - LazyEncoder(str(base)).encode(TEXTS)).max() > 0.01
    assert adapted_encoder(base, adapter, scale).where == encoder.where
    assert adapted_encoder(base, adapter, 1.0).where != encoder.where


def test_weights_below_the_prefix_of_a_whole_model_are_found(base, adapter, tmp_path):
    weights = load((base / "model.safetensors").read_bytes())
    whole = save_tiny_bert(tmp_path / "tiny")
    (whole / "model.safetensors").write_bytes(save({f"bert.{n}": w for n, w in weights.items()}))
    found = adapted_encoder(whole, adapter, 2.0).encode(TEXTS)
    np.testing.assert_allclose(found, adapted_encoder(base, adapter, 2.0).encode(TEXTS), atol=1e-6)


def _first(pairs, part):
    return next(name for name in sorted(pairs) if part in name)


def _cut(pairs, part, rows=slice(None), columns=slice(None)):
    name = _first(pairs, part)
    return pairs | {name: pairs[name][rows, columns].contiguous()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: _cut(p, "lora_A", columns=slice(SIZE - 1)), "does not fit at encoder.layer"),
        (lambda p: _cut(p, "lora_A", rows=slice(3)), "does not fit at encoder.layer"),
        (lambda p: _cut(p, "lora_B", rows=slice(3)), "does not fit at encoder.layer"),
        (lambda p: p | {_first(p, "lora_A"): torch.zeros(3)}, "does not fit at encoder.layer"),
        (lambda p: {n: w for n, w in p.items() if n != _first(p, "lora_B")}, "does not fit at"),
        (lambda p: {n.replace("layer.0", "layer.9"): w for n, w in p.items()}, "layer.9"),
        (lambda p: {"classifier.weight": torch.zeros(2, 2)}, "no LoRA weights"),
    ],
)
def test_an_adapter_of_something_else_is_refused(base, adapter, change, message):
    with pytest.raises(ArtifactError, match=message):
        adapted_encoder(base, save(change(load(adapter))), 2.0)
    assert not list((cache_dir() / "encoders").glob("*"))


@pytest.mark.parametrize("damaged", [b"", b"x" * 100, None])
def test_a_damaged_adapter_is_refused(base, adapter, damaged):
    with pytest.raises(ArtifactError, match="the encoder's adapter is damaged.*copy"):
        adapted_encoder(base, adapter[:-9] if damaged is None else damaged, 2.0)


def test_an_encoder_without_weights_is_refused(tmp_path, adapter):
    with pytest.raises(ModelError, match=r"none has no model\.safetensors"):
        adapted_encoder(tmp_path / "none", adapter, 2.0)


@pytest.mark.parametrize(
    "config", [b"", b"[]", b"{}", b'{"r": 0, "lora_alpha": 1}', b'{"r": "x", "lora_alpha": 1}']
)
def test_a_malformed_configuration_is_refused(config):
    with pytest.raises(ArtifactError, match=r"malformed adapter_config\.json"):
        adapter_scale(config)
