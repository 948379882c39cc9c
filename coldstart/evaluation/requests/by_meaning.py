"""Systems that match by sentence vectors: request to item, and request to past request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coldstart.catalog.item_encoding import encode_items
from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.evaluation.requests.by_words import ChosenItems
from coldstart.evaluation.requests.inputs import request_text
from coldstart.evaluation.requests.system import Floats, LearnedOnce
from coldstart.protocols import Encoder

MOST = 400
"""Characters of a request that are encoded, the last ones."""

_SHARPNESS = 10.0


class RequestVectors:
    """Vectors of requests' texts, kept in memory by text.

    Args:
        encoder: of request texts; its own cache on disk is used for training requests.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._known: dict[str, Floats] = {}

    def of(self, requests: Sequence[RecordedRequest], *, kept: bool = False) -> Floats:
        """Unit vectors, shape (B, dim); zeros for an empty text.

        Args:
            requests: any.
            kept: store the vectors in the encoder's cache on disk.
        """
        texts = [request_text(request, MOST).strip() for request in requests]
        new = [t for t in dict.fromkeys(texts) if t not in self._known and t]
        if new:
            found = encode_items(self.encoder, new) if kept else self.encoder.encode(new)
            self._known.update(zip(new, found, strict=True))
        if "" in texts and "" not in self._known:
            self._known[""] = np.zeros_like(self.encoder.encode(["a"])[0])
        return np.stack([self._known[text] for text in texts])


class EncoderSimilarity(LearnedOnce):
    """Cosine of a request's vector and the items' vectors.

    Args:
        vectors: of requests.
        name: see ``RequestSystem``.
    """

    def __init__(self, vectors: RequestVectors, name: str = "encoder") -> None:
        super().__init__(name, f"cosine of request and item, {vectors.encoder.name}")
        self._requests = vectors

    def learn(self, log: RequestLog) -> None:
        """Encode the items."""
        texts = [item.content_text() for item in log.catalog]
        self._items = encode_items(self._requests.encoder, texts)

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Zero for an empty text."""
        return np.asarray(self._requests.of(requests) @ self._items.T)


class DenseMemory(LearnedOnce):
    """What was chosen in the past requests of most similar meaning.

    As ``WordMemory``, with ``exp(10 · (cosine − largest cosine))`` as the nearness.

    Args:
        vectors: of requests.
        name: see ``RequestSystem``.
    """

    def __init__(self, vectors: RequestVectors, name: str = "memory_dense") -> None:
        what = f"chosen in the training requests nearest by cosine, {vectors.encoder.name}"
        super().__init__(name, what)
        self._requests = vectors

    def learn(self, log: RequestLog) -> None:
        """Encode the training requests."""
        self._memory = ChosenItems(log)
        self._past = self._requests.of(log.train, kept=True) if log.train else None

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Scores in [0, 1]; zero for an empty text."""
        vectors = self._requests.of(requests)
        rows = []
        for vector in vectors:
            cosines = self._past @ vector if self._past is not None else np.zeros(0)
            near = np.exp(_SHARPNESS * (cosines - cosines.max(initial=-1.0)))
            rows.append(self._memory.of(near if vector.any() else np.zeros_like(near), 100))
        return np.stack(rows)
