"""Choice of device, number format and threads for the hardware."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from threadpoolctl import ThreadpoolController


def processor() -> str:
    """Name of the processor, and which bfloat16 units it has; as far as Linux tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    facts = dict(line.replace("\t", "").split(":", 1) for line in lines if ":" in line)
    flags = facts.get("flags", "").split()
    units = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags]
    return f"{facts.get('model name', 'unknown').strip()} ({', '.join(units) or 'no bfloat16'})"


def pick_device(device: str = "auto") -> torch.device:
    """Return the device to run on: ``auto`` takes CUDA, then Apple's MPS, then the CPU."""
    import torch

    if device != "auto":
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def pick_dtype(device: torch.device, dtype: str = "auto") -> torch.dtype:
    """Return the weights' number format: bfloat16 where products in it are faster, else float32.

    On a CPU that is where the instruction set has bfloat16 products (AMX or AVX-512 BF16);
    elsewhere they are emulated and slower than float32.
    """
    import torch

    if dtype != "auto":
        chosen: torch.dtype = getattr(torch, dtype)
        return chosen
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "cpu" and _cpu_multiplies_bf16():
        return torch.bfloat16
    return torch.float32


@contextmanager
def quick_products() -> Iterator[None]:
    """Compute float32 models' products in bfloat16 within the context, where that is faster.

    Unit vectors of sentence encoders keep a cosine above .9999 with those of float32.
    """
    import torch

    quick = pick_dtype(torch.device("cpu")) == torch.bfloat16
    with torch.autocast("cpu", torch.bfloat16, enabled=quick):
        yield


def _cpu_multiplies_bf16() -> bool:
    import torch

    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, name, lambda: False)()) for name in checks)


def use_all_cores() -> int:
    """Set torch's threads to the available cores, unless OMP_NUM_THREADS is set; return them."""
    import torch

    if "OMP_NUM_THREADS" not in os.environ:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        torch.set_num_threads(cores or 1)
    return torch.get_num_threads()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit numpy's BLAS to one thread within the context, in the whole process.

    BLAS threads busy-wait for the next product and so compete with torch's threads for cores: on
    two cores a forward pass of the language model between two small numpy products takes twice as
    long.
    """
    with _blas().limit(limits=1, user_api="blas"):
        yield


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
