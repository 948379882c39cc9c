"""Loading of base models from the Hugging Face hub, a local folder, or the packaged defaults.

The packaged language model is a 4-bit GGUF file; it is converted once to bfloat16 safetensors in
the user's cache, so that later loads are memory-mapped and Hugging Face libraries can read it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.errors import ModelError
from coldstart.runtime import fetch
from coldstart.runtime.cache import cache_dir, new_folder, write_atomic

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DEFAULT_LM = fetch.SMOLLM2.name
DEFAULT_ENCODER = fetch.MINILM.name
_FINGERPRINT = "fingerprint.txt"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def resolve(name: str | Path, *, force: bool = False) -> str:
    """Resolve a model name to an argument of ``from_pretrained``: a folder or a hub id.

    Args:
        name: hub id, folder, or a packaged default.
        force: fetch and convert a packaged default again.

    Raises:
        ModelError: ``name`` is a path without a folder.
        FetchError: a packaged default could not be downloaded.
    """
    if name == DEFAULT_LM:
        return str(_converted_smollm2(force))
    if name == DEFAULT_ENCODER:
        return str(fetch.fetch(fetch.MINILM, force=force))
    try:
        path = Path(name).expanduser()
        is_folder = path.is_dir()
    except (OSError, ValueError, RuntimeError) as e:  # a name that no file can have
        raise ModelError(
            f"no model can be called {str(name)[:80]!a}", hint="give a folder or a hub id org/name"
        ) from e
    if is_folder:
        return str(path)
    if path.is_absolute() or str(name).startswith((".", "~")) or str(name).count("/") > 1:
        raise ModelError(f"no model folder at {name}", hint="give a folder or a hub id org/name")
    return str(name)


def load_tokenizer(name: str | Path = DEFAULT_LM) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a causal LM."""
    from transformers import AutoTokenizer

    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    tokenizer: PreTrainedTokenizerBase = _load(AutoTokenizer, name)
    return tokenizer


def load_causal_lm(
    name: str | Path = DEFAULT_LM, *, device: str = "auto", dtype: str = "auto"
) -> PreTrainedModel:
    """Load a Hugging Face causal language model in evaluation mode.

    Args:
        name: hub id, folder, or the packaged ``smollm2-135m-instruct``.
        device: ``auto``, ``cpu``, ``cuda``, …
        dtype: ``auto`` (follow the hardware), ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        ModelError: not found, not a causal LM, or damaged.
    """
    from transformers import AutoModelForCausalLM

    from coldstart.runtime.hardware import pick_device, pick_dtype, use_all_cores

    use_all_cores()
    place = pick_device(device)
    model = _load(AutoModelForCausalLM, name, dtype=pick_dtype(place, dtype))
    ready: PreTrainedModel = model.to(place).eval()
    return ready


def fingerprint(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> str:
    """Fingerprint of base weights and vocabulary, to match an adapter with its base model.

    A SHA-256 (hexadecimal, 16 digits) over the architecture, the vocabulary and the input
    embedding of 64 evenly spaced tokens; quick, and independent of dtype and file layout.
    """
    import torch

    config = model.config
    shape = [config.model_type, config.hidden_size, config.num_hidden_layers, config.vocab_size]
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda x: (x[1], x[0]))
    table: torch.Tensor = model.get_input_embeddings().weight.detach()
    rows = table[:: max(1, len(table) // 64)][:64].to("cpu", torch.bfloat16)
    digest = hashlib.sha256(json.dumps([shape, vocabulary]).encode())
    digest.update(rows.view(torch.int16).contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def kept_fingerprint(name: str | Path, made: str | None = None) -> str | None:
    """Fingerprint of the packaged model as it was found when it was last loaded.

    With it the model can be loaded from the cache of decoders, without Transformers.

    Args:
        name: of a model; any but the packaged one may change, so that nothing is kept of it.
        made: fingerprint to keep.

    Returns:
        The fingerprint; ``None`` if there is none.
    """
    if name != DEFAULT_LM:
        return None
    place = Path(resolve(name)) / _FINGERPRINT
    if made is not None:
        try:
            write_atomic(place, made)
        except OSError as e:  # a full disk is no reason not to recommend
            logging.getLogger(__name__).info("the fingerprint of %s is not kept: %s", name, e)
        return made
    try:
        found = place.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return found if re.fullmatch("[0-9a-f]{16}", found) else None


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress deprecation warnings of third-party libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _load(auto_class: Any, name: str | Path, **options: Any) -> Any:
    where = resolve(name)
    quieten_transformers()
    try:
        with quietly():
            return auto_class.from_pretrained(where, trust_remote_code=False, **options)
    except Exception as e:  # whatever the hub, the tokenizer or torch raise
        reason = str(e).strip().splitlines()[0][:200] if str(e).strip() else type(e).__name__
        raise ModelError(
            f"cannot load {name!s} as {auto_class.__name__}: {reason}",
            hint=f"a hub id needs a network; the packaged default is {DEFAULT_LM!r}",
        ) from e


def quieten_transformers() -> None:
    """Suppress Transformers' warnings and progress bars."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()


def _converted_smollm2(force: bool = False) -> Path:
    """Folder of the packaged model as bfloat16 safetensors; converted on first use (about 20 s)."""
    target = cache_dir() / "models" / f"{fetch.SMOLLM2.name}-{fetch.SMOLLM2.version}"
    if target.is_dir() and not force:
        return target
    source = fetch.fetch(fetch.SMOLLM2, force=force)
    logging.getLogger(__name__).info("converting %s to safetensors, once", fetch.SMOLLM2.name)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

    quieten_transformers()
    with quietly():
        tokenizer = AutoTokenizer.from_pretrained(str(source), gguf_file=_GGUF)
        loaded = AutoModelForCausalLM.from_pretrained(
            str(source), gguf_file=_GGUF, dtype=torch.float32
        )
        # A model loaded from GGUF refuses save_pretrained: copy its weights into a clean one.
        config = loaded.config
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        clean = LlamaForCausalLM(config)
        clean.load_state_dict(loaded.state_dict())
        with new_folder(target) as work:
            clean.to(torch.bfloat16).save_pretrained(work)
            tokenizer.save_pretrained(work)
    return target
