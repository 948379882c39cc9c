"""Sentence encoders with a LoRA adapter, merged once into a folder of the user's cache."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from coldstart.encoding.sentence_encoder import LazyEncoder
from coldstart.errors import ArtifactError, ModelError
from coldstart.runtime import untrusted, untrusted_arrays
from coldstart.runtime.cache import cache_dir, new_folder

if TYPE_CHECKING:
    from torch import Tensor

_WEIGHTS, _PREFIX = "model.safetensors", "base_model.model."
_MOST = 100.0  # magnitude of an adapter's weights


def adapted_encoder(base: Path, adapter: bytes, scale: float) -> LazyEncoder:
    """The encoder of a folder with an adapter merged: W + scale · B A (Hu et al., LoRA, 2021).

    Args:
        base: sentence-transformers folder with its weights in ``model.safetensors``.
        adapter: the adapter as peft saves it, safetensors.
        scale: alpha over rank.

    Raises:
        ArtifactError: the adapter is damaged, or does not fit the encoder.
        ModelError: the encoder has no such weights.
    """
    if not (base / _WEIGHTS).is_file():
        raise ModelError(
            f"the encoder {base} has no {_WEIGHTS}", "give a folder saved in that format"
        )
    digest = hashlib.sha256(adapter + f"{scale:g}".encode())
    with (base / _WEIGHTS).open("rb") as f:
        digest.update(f.read(1 << 20))
    folder = cache_dir() / "encoders" / f"{base.name}-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        _write(base, adapter, scale, folder)
    return LazyEncoder(str(folder))


def _write(base: Path, adapter: bytes, scale: float, folder: Path) -> None:
    from safetensors.torch import load, load_file, save_file

    try:
        pairs = load(adapter)
    except Exception as e:
        raise ArtifactError(
            f"the encoder's adapter is damaged: {e}", "copy the artifact again"
        ) from e
    weights = load_file(base / _WEIGHTS)
    _merge(weights, pairs, scale)
    with new_folder(folder) as work:
        shutil.copytree(base, work, ignore=shutil.ignore_patterns(_WEIGHTS), dirs_exist_ok=True)
        save_file(weights, work / _WEIGHTS, metadata={"format": "pt"})


def _merge(weights: dict[str, Tensor], pairs: Mapping[str, Tensor], scale: float) -> None:
    """Add every pair of an adapter to the weight that it is of, in place."""
    downs = [name for name in pairs if ".lora_A" in name]
    if not downs:
        raise ArtifactError("the encoder's adapter has no LoRA weights", "copy the artifact again")
    for name in downs:
        module = name.removeprefix(_PREFIX).partition(".lora_A")[0]
        down, up = pairs[name], pairs.get(name.replace(".lora_A", ".lora_B"))
        target = next(
            (w for w in (f"{module}.weight", f"bert.{module}.weight") if w in weights), ""
        )
        if up is None or not target or not _fits(weights[target], up, down):
            raise ArtifactError(
                f"the encoder's adapter does not fit at {module}",
                "use the encoder that the artifact names",
            )
        old = weights[target]
        weights[target] = (old.float() + scale * up.float() @ down.float()).to(old.dtype)


def _fits(weight: Tensor, up: Tensor, down: Tensor) -> bool:
    return (
        up.ndim == down.ndim == 2
        and up.shape[1] == down.shape[0]
        and weight.shape == (up.shape[0], down.shape[1])
    )


def adapter_scale(config: bytes) -> float:
    """Alpha over rank of an adapter's ``adapter_config.json``.

    Raises:
        ArtifactError: it does not state them.
    """
    name = "adapter_config.json"
    with untrusted.within(f"malformed {name} of the encoder"):
        data = untrusted.mapping(untrusted.read_json(config, name), name, ("lora_alpha", "r"))
        rank = untrusted.whole(data["r"], "r", 1, 4096)
        return untrusted.number(data["lora_alpha"], "lora_alpha", 0) / rank


def check_pairs(adapter: bytes) -> None:
    """Check the weights of an adapter before it is merged.

    Raises:
        ArtifactError: it is damaged, or a weight is not finite or larger than 100.
    """
    with untrusted.within("the encoder's adapter is damaged"):
        pairs = untrusted_arrays.read_arrays(adapter, "adapter.safetensors")
        for name in pairs:
            untrusted_arrays.array(
                pairs, name, "adapter.safetensors", (None, None), "f", low=-_MOST, high=_MOST
            )
        ups = {name for name in pairs if ".lora_A" not in name}
        if {n.replace(".lora_A", ".lora_B") for n in pairs.keys() - ups} != ups:
            raise ArtifactError("its matrices do not go in pairs", "copy the artifact again")
