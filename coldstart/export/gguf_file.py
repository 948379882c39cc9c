"""Export to GGUF: one file of weights and vocabulary, for llama.cpp and Transformers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from coldstart.errors import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from coldstart.generation.models.causal import CausalLM

ARCHITECTURES = ("llama", "gpt2")
"""Supported model types."""
_ACTIVATION = {"llama": ("hidden_act", "silu"), "gpt2": ("activation_function", "gelu_new")}
_OTHERWISE = "export it with --merged, and convert that with llama.cpp's convert_hf_to_gguf.py"
_TYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
_FILE_TYPES = {"float32": "ALL_F32", "float16": "MOSTLY_F16", "bfloat16": "MOSTLY_BF16"}
_DIGITS = {"type": "Digits", "individual_digits": True}
_CONV1D = ("attn_qkv.weight", "attn_output.weight", "ffn_up.weight", "ffn_down.weight")


def write_gguf(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, path: Path, dtype: str, name: str
) -> None:
    """Write a merged model.

    Args:
        model: of one of the ``ARCHITECTURES``.
        tokenizer: its tokenizer, byte-level BPE.
        path: output file.
        dtype: of the matrices: ``float32``, ``float16`` or ``bfloat16``; vectors are float32.
        name: model name in the metadata.

    Raises:
        ModelError: unsupported model or tokenizer.
    """
    import gguf

    config = model.config
    check_writable(config)
    vocabulary = _Vocabulary(tokenizer, config.vocab_size)  # first, as it may refuse
    kind = gguf.GGMLQuantizationType[_TYPES[dtype]]
    writer = gguf.GGUFWriter(path, config.model_type)
    try:
        writer.add_name(name)
        writer.add_file_type(gguf.LlamaFileType[_FILE_TYPES[dtype]])
        _add_shape(writer, config)
        vocabulary.add_to(writer)
        for tensor, values in _tensors(gguf, model):
            if values.ndim == 1:
                writer.add_tensor(tensor, values)
            else:
                writer.add_tensor(tensor, gguf.quantize(values, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def read_gguf(path: Path) -> CausalLM:
    """Load a file by Transformers' own reader, in float32 on the CPU."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from coldstart.generation.models.causal import CausalLM
    from coldstart.runtime.models import quieten_transformers, quietly

    quieten_transformers()
    where = {"gguf_file": path.name}
    with quietly(), redirect_stderr(io.StringIO()):  # its bar cannot be turned off
        tokenizer = AutoTokenizer.from_pretrained(str(path.parent), **where)
        model = AutoModelForCausalLM.from_pretrained(str(path.parent), dtype=torch.float32, **where)
    return CausalLM(model.eval(), tokenizer)


def check_writable(config: Any) -> None:
    """Refuse what the file could not say.

    Raises:
        ModelError: another architecture, or a variant of one with more to it.
    """
    family = config.model_type
    if family not in ARCHITECTURES:
        raise ModelError(
            f"a {family} model cannot be written as GGUF here; {', '.join(ARCHITECTURES)} can",
            hint=_OTHERWISE,
        )
    rope = getattr(config, "rope_parameters", None) or {}
    has_biases = getattr(config, "attention_bias", False) or getattr(config, "mlp_bias", False)
    setting, usual = _ACTIVATION[family]
    extras = [
        ("scaled positions", rope.get("rope_type", "default") != "default"),
        ("biases", has_biases),
        ("another activation", getattr(config, setting) != usual),
    ]
    if family == "gpt2":
        plain = config.scale_attn_weights and not config.scale_attn_by_inverse_layer_idx
        extras.append(("attention that is scaled otherwise", not plain))
    for what, there in extras:
        if there:
            raise ModelError(
                f"a {family} model with {what} cannot be written as GGUF here", hint=_OTHERWISE
            )


def _add_shape(writer: Any, config: Any) -> None:
    writer.add_vocab_size(config.vocab_size)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_head_count(config.num_attention_heads)
    if config.model_type == "gpt2":
        writer.add_feed_forward_length(config.n_inner or 4 * config.hidden_size)
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
        return
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_rope_dimension_count(size)
    writer.add_key_length(size)
    writer.add_value_length(size)


def _tensors(gguf: Any, model: PreTrainedModel) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Name and values of each tensor in the layout of the format."""
    config = model.config
    arch = next(a for a, name in gguf.MODEL_ARCH_NAMES.items() if name == config.model_type)
    names = gguf.get_tensor_name_map(arch, config.num_hidden_layers)
    tied = config.tie_word_embeddings
    for name, tensor in model.state_dict().items():
        if tied and name.startswith("lm_head."):
            continue
        written = names.get_name(name, try_suffixes=(".weight", ".bias"))
        if written is None:
            raise ModelError(f"GGUF has no name for the tensor {name}")
        values = tensor.detach().to("cpu", torch.float32)
        if config.model_type == "gpt2" and written.endswith(_CONV1D):
            values = values.T
        elif ".attn_q." in written:
            values = _paired(values, config.num_attention_heads)
        elif ".attn_k." in written:
            values = _paired(values, config.num_key_value_heads)
        yield written, values.contiguous().numpy()


def _paired(weight: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows in llama.cpp's order: rotated pairs are adjacent, shape (H·D, K)."""
    halves = weight.view(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:])
    return halves.transpose(1, 2).reshape(weight.shape)


class _Vocabulary:
    """Byte-level BPE tokenizer in the format of GGUF.

    Raises:
        ModelError: another kind of tokenizer.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, size: int) -> None:
        self._tokenizer = tokenizer
        inner = getattr(tokenizer, "backend_tokenizer", None)
        about = json.loads(inner.to_str()) if inner is not None else {}
        self._pre = _pre_tokenizer(about)
        self._merges = [m if isinstance(m, str) else " ".join(m) for m in about["model"]["merges"]]
        added = {token["id"]: token for token in about["added_tokens"]}
        by_id = {n: text for text, n in about["model"]["vocab"].items()}
        by_id |= {n: token["content"] for n, token in added.items()}
        # 1: normal, 3: control, 4: user-defined, 5: unused; a table may be longer than its names.
        kind = {n: 3 if token["special"] else 4 for n, token in added.items()}
        self._tokens = [by_id.get(n, f"[PAD{n}]") for n in range(size)]
        self._kinds = [kind.get(n, 1) if n in by_id else 5 for n in range(size)]
        if max(by_id, default=0) >= size:
            raise ModelError(f"the tokenizer has more tokens than the model's {size}")

    def add_to(self, writer: Any) -> None:
        """Write it."""
        of = self._tokenizer
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(self._pre)
        writer.add_token_list(self._tokens)
        writer.add_token_types(self._kinds)
        writer.add_token_merges(self._merges)
        for add, token in (
            (writer.add_bos_token_id, of.bos_token_id),
            (writer.add_eos_token_id, of.eos_token_id),
            (writer.add_unk_token_id, of.unk_token_id),
            (writer.add_pad_token_id, of.pad_token_id),
        ):
            if token is not None:
                add(token)
        starts = of.bos_token_id is not None and of("a")["input_ids"][:1] == [of.bos_token_id]
        writer.add_add_bos_token(starts)
        writer.add_add_space_prefix(False)
        if isinstance(of.chat_template, str):
            writer.add_chat_template(of.chat_template)


def _pre_tokenizer(about: dict[str, Any]) -> str:
    """llama.cpp's name of the pre-tokenizer."""
    pre = about.get("pre_tokenizer") or {}
    steps = pre.get("pretokenizers", [pre])
    last = steps[-1]
    plain = last.get("type") == "ByteLevel" and last.get("use_regex", True)
    if about.get("model", {}).get("type") == "BPE" and not about.get("normalizer") and plain:
        if not last.get("add_prefix_space"):
            if len(steps) == 1:
                return "gpt-2"
            if steps[:-1] == [_DIGITS]:
                return "smollm"
    raise ModelError(
        "only byte-level BPE tokenizers that cut as GPT-2 or SmolLM do can be written as GGUF here",
        hint=_OTHERWISE,
    )
