"""The packaged language model as it was published, and scores of it that are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from coldstart.runtime import models
from coldstart.runtime.cache import cache_dir, write_through

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.generation.models.causal import CausalLM

    Floats = NDArray[np.float64]


class UntunedModel(NamedTuple):
    """A language model that nothing was learned on top of.

    Args:
        lm: the model.
        fingerprint: of its weights and tokenizer.
    """

    lm: CausalLM
    fingerprint: str


@cache
def packaged_model() -> UntunedModel:
    """The packaged model, loaded once for all systems of a process.

    Raises:
        ModelError: it cannot be loaded.
        FetchError: it could not be downloaded.
    """
    from coldstart.generation.models.causal import CausalLM

    tokenizer = models.load_tokenizer(models.DEFAULT_LM)
    model = models.load_causal_lm(models.DEFAULT_LM)
    return UntunedModel(CausalLM(model, tokenizer), models.fingerprint(model, tokenizer))


class KeptScores:
    """Scores of a catalog by what they were made of, so that a stopped benchmark goes on.

    Args:
        folder: of one file per array; ``None``: in the cache.
        about: what identifies all of them, such as model and catalog.
    """

    def __init__(self, folder: Path | None = None, *about: str) -> None:
        self._folder = folder or cache_dir() / "benchmark" / "zero-shot"
        self._about = about

    def of(self, what: tuple[str, ...], make: Callable[[], Floats]) -> Floats:
        """The array that ``make`` gave for these texts, now or before."""
        key = hashlib.sha256(json.dumps([*self._about, *what]).encode()).hexdigest()
        path = self._folder / f"{key}.npy"
        try:
            return np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        except (OSError, ValueError, EOFError):  # not there yet, or damaged
            found = np.asarray(make(), dtype=np.float32)
        self._folder.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()
        np.save(buffer, found, allow_pickle=False)
        write_through(path, lambda place: place.write_bytes(buffer.getvalue()))
        return found.astype(np.float64)
