"""Progress of encoding a catalog, and how long it will take where that is long."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_encoding import encode_items
from coldstart.encoding.ngram_encoder import NgramEncoder
from coldstart.runtime.hardware import quick_products

if TYPE_CHECKING:
    from coldstart.protocols import Encoder, Float

log = logging.getLogger(__name__)

Report = Callable[[str, int, int], None]
"""Progress callback (what, done, total)."""
_STEP = 512  # items encoded between two reports
_MANY = 2000  # items beyond which speed is worth the last bits of their vectors
_TIMED = 2  # steps, after one that loads the model
_LONG = 600.0  # seconds that are worth a warning


class ReportingEncoder:
    """Encoder that reports its progress on the items of a catalog, and warns of hours.

    The time is that of the first 1,024 items after those with which the model is loaded, times
    the number of items that are left; vectors that are known already make it short.

    Args:
        encoder: that encodes.
        total: number of items.
        report: progress callback.
    """

    def __init__(self, encoder: Encoder, total: int, report: Report) -> None:
        self._encoder, self._total, self._report = encoder, total, report
        self._done, self._steps = 0, 0
        self._begun = 0.0
        self.name = encoder.name

    def encode(self, texts: Sequence[str]) -> Float:
        """Vectors of texts; see ``protocols.Encoder``."""
        return self._encoder.encode(texts)

    def encode_items(self, texts: Sequence[str]) -> Float:
        """Vectors of catalog texts; see ``catalog.item_encoding``."""
        out = []
        for at in range(0, len(texts), _STEP):
            some = texts[at : at + _STEP]
            with quick_products() if self._total > _MANY else nullcontext():
                out.append(encode_items(self._encoder, some))
            self._done += len(some)
            self._steps += 1
            self._time()
            self._report("reading the items", self._done, self._total)
        return np.concatenate(out)

    def _time(self) -> None:
        if self._steps == 1:
            self._begun = time.perf_counter()
        if self._steps != 1 + _TIMED or isinstance(self._encoder, NgramEncoder):
            return
        rate = _TIMED * _STEP / max(time.perf_counter() - self._begun, 1e-9)
        left = (self._total - self._done) / rate
        if left >= _LONG:
            log.warning(
                "encoding %s items takes about %s more, at the %s items per second of the first "
                "ones; --encoder ngrams (encoder='ngrams') takes minutes, and compares the letters "
                "of words instead of their meaning",
                f"{self._total:,}",
                _duration(left),
                f"{rate:,.0f}",
            )


def _duration(seconds: float) -> str:
    """Whole hours and minutes.

    >>> _duration(600), _duration(8000)
    ('10 min', '2 h 13 min')
    """
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
