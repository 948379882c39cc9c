"""Apply the settings of ``accelerate launch`` and ``torchrun``; reject unsupported ones.

``accelerate launch`` passes its options as environment variables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from coldstart.errors import ConfigError
from coldstart.settings import TrainConfig
from coldstart.training.processes import Processes

_REFUSED = {
    "ACCELERATE_USE_DEEPSPEED": (
        "DeepSpeed",
        "use --use_fsdp --fsdp_version 2 for a base model that one device cannot hold; else "
        "--multi_gpu, since the adapter's optimiser state is small",
    ),
    "ACCELERATE_USE_MEGATRON_LM": ("Megatron-LM", "use --multi_gpu, or --use_fsdp"),
    "ACCELERATE_USE_PARALLELISM_CONFIG": (
        "a parallelism config",
        "processes share out the users of a batch: use --multi_gpu, or --use_fsdp",
    ),
}
_REFUSED_SHARDED = ("FSDP_OFFLOAD_PARAMS", "FSDP_ACTIVATION_CHECKPOINTING")


def apply_launcher(
    config: TrainConfig, environment: Mapping[str, str] | None = None
) -> TrainConfig:
    """Apply the launcher's settings to the training settings.

    Args:
        config: as given by the user.
        environment: environment variables; ``None``: those of this process.

    Raises:
        ConfigError: a launcher setting that is unsupported or contradicts ``config``.
    """
    said = os.environ if environment is None else environment
    for name, (what, hint) in _REFUSED.items():
        if _is_true(said.get(name)):
            raise ConfigError(f"training does not run on {what}", hint=hint)
    if said.get("ACCELERATE_DYNAMO_BACKEND", "NO") != "NO":
        raise ConfigError(
            f"training compiles nothing, but --dynamo_backend is "
            f"{said['ACCELERATE_DYNAMO_BACKEND'].lower()}",
            hint="leave --dynamo_backend out",
        )
    if is_sharded(said):
        _check_sharding(said)
    is_launched = "ACCELERATE_MIXED_PRECISION" in said
    if is_launched and "MASTER_ADDR" in said and not _ranks(said):
        raise ConfigError(
            "accelerate launch --cpu was to start several processes, but has started one",
            hint="launch with --multi_gpu instead of --cpu, also where there is no GPU, or with "
            "torchrun --nproc-per-node",
        )
    if ":" in config.device and any(count > 1 for count in _ranks(said)):
        raise ConfigError(
            f"--device {config.device} for several processes",
            hint="give --device cuda: each process takes a GPU of its own",
        )
    return _mixed(config, said.get("ACCELERATE_MIXED_PRECISION", "no"))


def join_processes(config: TrainConfig) -> Processes:
    """Initialise the process group that the launcher's environment describes.

    Raises:
        ConfigError: the environment declares several processes without a rendezvous.
        ColdstartError: a process cannot be reached.
    """
    processes = Processes.join(config.device, sharded=is_sharded(os.environ))
    count = max(_ranks(os.environ), default=1)
    if processes.count == 1 and count > 1:
        raise ConfigError(
            f"the environment speaks of {count} processes, but this one has not met the others",
            hint="start them with accelerate launch or torchrun",
        )
    return processes


def is_sharded(said: Mapping[str, str]) -> bool:
    """True if the launcher requests a sharded model (FSDP)."""
    return _is_true(said.get("ACCELERATE_USE_FSDP"))


def _check_sharding(said: Mapping[str, str]) -> None:
    version = said.get("FSDP_VERSION", "1")
    if version != "2":
        raise ConfigError(
            f"training does not run on FSDP {version}",
            hint="give --fsdp_version 2 beside --use_fsdp",
        )
    for name in _REFUSED_SHARDED:
        if _is_true(said.get(name)):
            raise ConfigError(
                f"training does not know --{name.lower()}",
                hint="set it to false; fewer --batch-users or --titles take less memory, too",
            )


def _mixed(config: TrainConfig, asked: str) -> TrainConfig:
    """Map ``--mixed_precision bf16`` to bfloat16 weights; the optimiser state stays float32."""
    if asked == "no":
        return config
    if asked != "bf16":
        raise ConfigError(
            f"--mixed_precision {asked} would need its gradients scaled",
            hint="leave it out and give --dtype bfloat16 to coldstart train",
        )
    if config.dtype not in ("auto", "bfloat16"):
        raise ConfigError(
            f"--mixed_precision bf16 of the launcher against --dtype {config.dtype}",
            hint="leave one of them out",
        )
    return replace(config, dtype="bfloat16")


def _ranks(said: Mapping[str, str]) -> list[int]:
    """Numbers of processes declared by torchrun and by Intel, Open and MVAPICH MPI."""
    names = ("WORLD_SIZE", "PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE")
    return [int(said[name]) for name in names if said.get(name, "").isdigit()]


def _is_true(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true", "yes", "y", "on")
