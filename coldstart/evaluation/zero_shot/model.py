"""The packaged language model as it was published, and scores of it that are kept."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
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


MOST_KEPT_BYTES = 1 << 30
"""Size of a folder of kept scores, beyond which those not used for longest are deleted."""


class KeptScores:
    """Scores of a catalog by what they were made of, so that a stopped benchmark goes on.

    A folder holds at most ``MOST_KEPT_BYTES``, whatever catalogs, models and prompts they are of.

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
            found = np.asarray(np.load(path, allow_pickle=False), dtype=np.float64)
        except (OSError, ValueError, EOFError):  # not there yet, or damaged
            made = np.asarray(make(), dtype=np.float32)
        else:
            with suppress(OSError):  # a folder that may be read only
                os.utime(path)  # used now
            return found
        self._folder.mkdir(parents=True, exist_ok=True)
        buffer = BytesIO()
        np.save(buffer, made, allow_pickle=False)
        write_through(path, lambda place: place.write_bytes(buffer.getvalue()))
        _evict(self._folder, path, MOST_KEPT_BYTES - buffer.tell())
        return made.astype(np.float64)


def _evict(folder: Path, newest: Path, left: int) -> None:
    """Delete the scores that were not used for longest, so that others have ``left`` bytes."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.glob("*.npy"):
        try:
            about = path.stat()
        except FileNotFoundError:  # deleted by another process
            continue
        if path != newest:
            found.append((about.st_mtime, about.st_size, path))
    for _, size, path in sorted(found, reverse=True):
        left -= size
        if left < 0:
            path.unlink(missing_ok=True)
