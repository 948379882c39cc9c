"""Every training setting, its default and its range."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from coldstart.errors import ConfigError
from coldstart.runtime.models import DEFAULT_ENCODER, DEFAULT_LM

Objective = Literal["completion", "branch", "distil"]


@dataclass(frozen=True)
class TrainConfig:
    """How to fine-tune.

    Args:
        base: language model: hub id, folder, or a packaged default.
        prompt: prompt template: packaged name, or a folder; ``None``: that of the artifact to go on
            from, else ``movies-en``.
        encoder: sentence-transformers model: hub id, folder, or a packaged default.
        objective: ``completion`` (next-token loss on the titles), ``branch`` (loss at the trie's
            decisions, on top of the prior), ``distil`` (the same with soft targets).
        start: folder of an artifact, or of an adapter that peft saved, to go on from; ``None``: a
            new adapter.
        epochs: at most this many; one epoch draws as many users as there are training users.
        patience: epochs without a better validation score before stopping early.
        batch_users: users per optimiser step.
        titles: liked titles per training sequence.
        learning_rate: peak; warm-up, then cosine to zero.
        warmup_steps: optimiser steps to the peak, a tenth of all steps at most.
        lora_rank: rank of the LoRA adapters (Hu et al., 2021) on all linear layers.
        lora_alpha: their scale.
        use_prior: decide by ``tau · logits + log prior`` instead of by the model's logits alone.
            The model then learns only what popularity does not know, but can no longer write
            freely at true probabilities.
        tau: weight of the logits beside the log prior; fixed. Without the prior it is 1.
        taught: in ``distil``, number of places in the list of titles, at most, where the next title
            is taught; the first two always are.
        likes_share: in ``distil``, weight of the user's own remaining likes in the target; the
            rest is the classical blend.
        validity: weight of the loss that keeps the model's free writing inside the catalog.
        validity_share: share of title positions that loss is computed at.
        attribute_dropout: chance that each profile attribute is left out of a prompt.
        interests_share: chance that a prompt states interests, simulated from liked categories.
        about_share: chance that it says something in free text, simulated likewise.
        context_share: chance that it names a moment, drawn at random: one that means nothing.
        dislikes_share: chance that it names disliked items.
        valid_users: validation users ranked after each epoch.
        seed: of everything random.
        device: ``auto``, ``cpu``, ``cuda``.
        dtype: ``auto``, ``float32``, ``bfloat16``.
    """

    base: str = DEFAULT_LM
    prompt: str | None = None
    encoder: str = DEFAULT_ENCODER
    objective: Objective = "distil"
    start: str | None = None
    epochs: int = 8
    patience: int = 3
    batch_users: int = 8
    titles: int = 16
    learning_rate: float = 1e-3
    warmup_steps: int = 20
    lora_rank: int = 16
    lora_alpha: int = 32
    use_prior: bool = False
    tau: float = 0.2
    taught: int = 6
    likes_share: float = 0.1
    validity: float = 0.2
    validity_share: float = 0.25
    attribute_dropout: float = 0.15
    interests_share: float = 0.4
    about_share: float = 0.2
    context_share: float = 0.1
    dislikes_share: float = 0.15
    valid_users: int = 40
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"

    def __post_init__(self) -> None:
        objectives = ("completion", "branch", "distil")
        if self.objective not in objectives:
            raise ConfigError(f"objective is {self.objective!r}", hint=f"one of {objectives}")
        if self.epochs < (0 if self.start else 1):
            raise ConfigError(
                f"epochs is {self.epochs}, expected at least 1",
                hint="0 goes with --start: that adapter is kept, and the rest learned anew",
            )
        whole = (
            "batch_users",
            "titles",
            "lora_rank",
            "lora_alpha",
            "taught",
            "valid_users",
        )
        for name in whole:
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected at least 1")
        for name in ("learning_rate", "tau"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name} is {getattr(self, name)}, expected more than 0")
        for name, value in asdict(self).items():
            is_share = name.endswith(("_share", "_dropout"))
            if is_share and not 0 <= value <= 1:
                raise ConfigError(f"{name} is {value}, expected a share from 0 to 1")

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for the manifest."""
        return asdict(self)
