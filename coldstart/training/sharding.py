"""Sharded base model: PyTorch's FSDP2 on the frozen layers only.

The small adapter is replicated, so steps, optimiser and checkpoints are those of unsharded
training.
"""

from __future__ import annotations

import os
from typing import Any

import torch

from coldstart.errors import ConfigError


def shard_layers(model: Any, device: torch.device) -> None:
    """Shard every layer across processes; a layer is gathered while it is in use.

    Args:
        model: with a trainable adapter, on the CPU.
        device: to run on.

    Raises:
        ConfigError: no layer of the configured class.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    named = os.environ.get("FSDP_TRANSFORMER_CLS_TO_WRAP", "")
    kinds = set(named.split(",")) if named else set(model.get_base_model()._no_split_modules or ())
    layers = [module for module in model.modules() if type(module).__name__ in kinds]
    if not layers:
        raise ConfigError(
            f"the model has no layers of the kind {', '.join(sorted(kinds)) or '(none named)'}",
            hint="give the class name of its layers with --fsdp_transformer_layer_cls_to_wrap",
        )
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    is_freed = os.environ.get("FSDP_RESHARD_AFTER_FORWARD", "true").lower() == "true"
    adapter = {p for p in model.parameters() if p.requires_grad}
    for layer in layers:
        own = {p for p in layer.parameters() if p in adapter}
        fully_shard(layer, mesh=mesh, reshard_after_forward=is_freed, ignored_params=own)
    for whole in (*model.parameters(), *model.buffers()):
        if not isinstance(whole, torch.distributed.tensor.DTensor):
            whole.data = whole.data.to(device)
    # The buffers of gathered layers are allocated at first use, and must take gradients.
    with torch.no_grad():
        model(input_ids=torch.zeros(1, 1, dtype=torch.long, device=device), use_cache=False)
