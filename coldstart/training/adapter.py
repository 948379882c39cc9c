"""Trainable LoRA adapters (Hu et al., 2021): new, or loaded from an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from coldstart import prompts
from coldstart.artifacts.format import MANIFEST, read_manifest
from coldstart.artifacts.format import load as load_artifact
from coldstart.errors import ArtifactError
from coldstart.prompts import PromptTemplate
from coldstart.runtime.models import quietly
from coldstart.settings import TrainConfig


def new_adapter(base: PreTrainedModel, config: TrainConfig) -> Any:
    """Add new adapters to all linear layers of the base model, initialised as the identity."""
    lora = LoraConfig(
        r=config.lora_rank,
        lora_alpha=config.lora_alpha,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        # GPT-2 keeps its weights transposed.
        fan_in_fan_out=any(isinstance(m, Conv1D) for m in base.modules()),
    )
    # The adapter runs in the model's dtype; the optimiser keeps float32 copies of it.
    with quietly():
        return get_peft_model(base, lora, autocast_adapter_dtype=False)


def find_adapter(folder: Path) -> Path:
    """Locate the adapter: ``folder`` itself, or the adapter of an artifact.

    Raises:
        ArtifactError: no adapter found.
    """
    place = folder / "adapter" if (folder / MANIFEST).is_file() else folder
    if not (place / "adapter_config.json").is_file():
        raise ArtifactError(
            f"no adapter in {folder}", hint="an artifact's folder, or one that peft saved"
        )
    return place


def template_of(config: TrainConfig) -> PromptTemplate:
    """Load the prompt template of a training run: configured, or that of ``config.start``."""
    if config.prompt is None and config.start and Path(config.start, MANIFEST).is_file():
        return load_artifact(Path(config.start)).template
    return prompts.load(config.prompt or prompts.DEFAULT)


def earlier_adapter(base: PreTrainedModel, folder: Path, fingerprint: str) -> Any:
    """Add the adapters of an earlier run to the base model, trainable.

    Args:
        base: the model the adapters were trained on.
        folder: an artifact, or an adapter in peft's format.
        fingerprint: of the base model.

    Raises:
        ArtifactError: no adapter, an adapter of another base model, or a damaged one.
    """
    if (folder / MANIFEST).is_file():
        expected = read_manifest(folder)["base"]["fingerprint"]
        if expected != fingerprint:
            raise ArtifactError(
                f"{folder} was trained on a base model with fingerprint {expected}, "
                f"this one has {fingerprint}",
                hint="give its base model with --base",
            )
    place = find_adapter(folder)
    try:
        with quietly():
            return PeftModel.from_pretrained(
                base, str(place), is_trainable=True, autocast_adapter_dtype=False
            )
    except Exception as e:
        first = str(e).strip().splitlines()[0][:200] if str(e).strip() else type(e).__name__
        raise ArtifactError(
            f"the adapter in {folder} does not fit the base model: {first}",
            hint="give its base model with --base",
        ) from e
