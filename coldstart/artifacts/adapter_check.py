"""LoRA adapters of artifacts: plain low-rank updates of bounded size, and no code by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from coldstart.errors import ArtifactError
from coldstart.runtime import untrusted, untrusted_arrays
from coldstart.runtime.untrusted import HINT

CONFIG, WEIGHTS = "adapter/adapter_config.json", "adapter/adapter_model.safetensors"
MOST_WEIGHT = 100.0
"""Largest magnitude of a weight; trained adapters stay below 1."""
_MOST_RANK = 4096
_PLAIN = re.compile(r"[\w.-]{1,200}")
_FREE = frozenset(
    "peft_type peft_version task_type base_model_name_or_path revision inference_mode r lora_alpha "
    "lora_dropout use_rslora use_dora target_modules exclude_modules layers_to_transform "
    "layers_pattern fan_in_fan_out megatron_core qalora_group_size init_lora_weights rank_pattern "
    "alpha_pattern bias lora_bias modules_to_save ensure_weight_tying".split()
)
"""Settings of PEFT that may have a value. The others import modules, read files or copy layers."""


def check_adapter(files: Mapping[str, bytes]) -> None:
    """Check the adapter of an artifact before PEFT reads it.

    Args:
        files: of the artifact.

    Raises:
        ArtifactError: a file is missing or damaged, a setting is not one of plain LoRA, or a weight
            is not finite or larger than 100.
    """
    if missing := [name for name in (CONFIG, WEIGHTS) if name not in files]:
        raise ArtifactError(f"the artifact lacks {', '.join(missing)}", HINT)
    _check_config(untrusted.mapping(untrusted.read_json(files[CONFIG], CONFIG), CONFIG))
    weights = untrusted_arrays.read_arrays(files[WEIGHTS], WEIGHTS)
    if not weights:
        raise ArtifactError(f"{WEIGHTS} holds no weights", HINT)
    for name, values in weights.items():
        if values.dtype.kind != "f" or (values.size and np.abs(values).max() > MOST_WEIGHT):
            what = f"{WEIGHTS}: {untrusted.shown(name)}"
            raise untrusted.refuse(what, values, f"weights of magnitude up to {MOST_WEIGHT:g}")


def _check_config(config: dict[str, Any]) -> None:
    if config.get("peft_type") != "LORA":
        raise untrusted.refuse(f"{CONFIG}: peft_type", config.get("peft_type"), "'LORA'")
    odd = [n for n, v in config.items() if n not in _FREE and v not in (None, False, {}, [])]
    if odd:
        raise ArtifactError(
            f"{CONFIG} sets {untrusted.shown(sorted(odd))}, expected the settings of plain LoRA",
            HINT,
        )
    untrusted.whole(config.get("r"), f"{CONFIG}: r", 1, _MOST_RANK)
    untrusted.number(config.get("lora_alpha"), f"{CONFIG}: lora_alpha", 0, _MOST_RANK)
    for name in ("rank_pattern", "alpha_pattern"):
        for key, value in untrusted.mapping(config.get(name) or {}, f"{CONFIG}: {name}").items():
            _check_names([key], name)
            untrusted.number(value, f"{CONFIG}: {name}", 0, _MOST_RANK)
    for name in ("target_modules", "exclude_modules", "modules_to_save", "layers_pattern"):
        value = config.get(name)
        if value is not None and value != "all-linear":
            _check_names([value] if isinstance(value, str) else value, name)


def _check_names(value: object, setting: str) -> None:
    """Names of modules, and no patterns, whose matching may take for ever."""
    if not isinstance(value, list):
        raise untrusted.refuse(f"{CONFIG}: {setting}", value, "a list of modules")
    for name in value:
        if not isinstance(name, str) or not _PLAIN.fullmatch(name):
            raise untrusted.refuse(f"{CONFIG}: {setting}", name, "the plain name of a module")


def check_loaded(adapted: Any, files: Mapping[str, bytes]) -> None:
    """Compare the low-rank weights of an adapted model with those of the files, by name.

    PEFT leaves what a file lacks as it was made, and ignores what it has too much.

    Raises:
        ArtifactError: they differ.
    """
    from peft import get_peft_model_state_dict
    from safetensors import deserialize

    # Without embedding layers, whose saving asks the hub.
    wanted = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    tensors = deserialize(files[WEIGHTS])  # type: ignore[no-untyped-call]
    names = wanted.keys(), (name for name, _ in tensors)
    ours, theirs = ({name for name in part if ".lora_" in name} for part in names)
    if odd := sorted(ours ^ theirs):
        raise ArtifactError(
            f"the adapter does not fit its base model: {len(odd)} weights are missing or too many, "
            f"such as {untrusted.shown(odd[0])}",
            HINT,
        )
