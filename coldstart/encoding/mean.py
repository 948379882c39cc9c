"""The commonest kind of sentence encoder, read without importing sentence-transformers.

Importing that library takes two seconds, and Transformers two more, which is much for one sentence
on a cold start. A model that is a transformer, the mean of its states and a unit length needs
nothing else of it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.encoding.bert import BertStates, is_bert

if TYPE_CHECKING:
    from torch import Tensor

    from coldstart.protocols import Float

_BATCH = 64
_MEAN = {"pooling_mode_mean_tokens"}


class MeanEncoder:
    """Unit-length means of a transformer's last states; equal to sentence-transformers to 1e-6.

    Args:
        folder: a sentence-transformers folder for which ``is_plain`` holds.
    """

    def __init__(self, folder: Path) -> None:
        import torch

        longest = int(_read(folder / "sentence_bert_config.json")["max_seq_length"])
        quick = is_bert(folder) and not torch.cuda.is_available()
        self._states = BertStates(folder, longest) if quick else _WithTransformers(folder, longest)
        self._lock = threading.Lock()  # fast tokenizers cannot be shared while running

    def encode(self, texts: Sequence[str]) -> Float:
        """Return an array of shape (len(texts), dim), rows of Euclidean length 1."""
        out = np.empty((len(texts), self._states.size), dtype=np.float32)
        clean = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        order = np.argsort([-len(text) for text in clean], kind="stable")  # less padding
        with self._lock:
            for start in range(0, len(clean), _BATCH):
                rows = order[start : start + _BATCH]
                out[rows] = self._encode([clean[n] for n in rows])
        return out

    def _encode(self, texts: list[str]) -> Float:
        import torch

        with torch.inference_mode():
            states, real = self._states(texts)
            mask = real.unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1e-9)
            vectors: Float = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
        return vectors


class _WithTransformers:
    """The last states of any model that Transformers knows; see ``BertStates``."""

    def __init__(self, folder: Path, longest: int) -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        from coldstart.runtime.models import quieten_transformers

        quieten_transformers()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        model = AutoModel.from_pretrained(folder, dtype="float32").eval()
        self._model: Any = model.to("cuda" if torch.cuda.is_available() else "cpu")
        self.size = int(self._model.config.hidden_size)
        self._longest = longest

    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        inputs = self._tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self._longest,
            return_tensors="pt",
        ).to(self._model.device)
        return self._model(**inputs).last_hidden_state, inputs["attention_mask"]


def is_plain(folder: Path) -> bool:
    """Whether a folder holds a transformer, mean pooling and, perhaps, normalisation only."""
    try:
        kinds = [m["type"].rsplit(".", 1)[-1] for m in _read(folder / "modules.json")]
        pooling = _read(folder / "1_Pooling" / "config.json")
        settings = _read(folder / "sentence_bert_config.json")
    except (OSError, ValueError, KeyError, TypeError):
        return False
    modes = {name for name, on in pooling.items() if name.startswith("pooling_mode") and on}
    return (
        kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and modes == _MEAN
        and isinstance(settings.get("max_seq_length"), int)
        and not settings.get("do_lower_case")
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
