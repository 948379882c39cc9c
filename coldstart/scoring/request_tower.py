"""Learned parts of the two-tower model of requests: the request tower and the item tower."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.encoding.adapted import adapted_encoder, adapter_scale, check_pairs
from coldstart.errors import ArtifactError
from coldstart.runtime import models, untrusted, untrusted_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.catalog import Catalog
    from coldstart.catalog.item_store import ItemStore
    from coldstart.encoding.sentence_encoder import LazyEncoder
    from coldstart.protocols import Float

MOST_CHARACTERS = 400
"""Length to which a request is cut before it is encoded; its last characters are kept."""
FILES = ("tower.json", "tower.safetensors", "adapter.safetensors", "adapter_config.json")
_YEAR = re.compile(r"\s*\(\d{4}\)")
_HINT = "copy the artifact again"


@dataclass(frozen=True, eq=False)
class ItemVectors:
    """The item tower over one version of a catalog.

    Args:
        catalog: whose rows these are.
        version: of the catalog.
        rows: item vectors, scaled, shape (N, D).
        bias: shape (N,).
        mentions: what each item adds to a query that names it, shape (N, D).
        place: row by item id.
    """

    catalog: Catalog
    version: int
    rows: Float
    bias: Float
    mentions: Float
    place: Mapping[str, int]

    @cached_property
    def units(self) -> Float:
        """Item vectors less their mean, of unit length, shape (N, D)."""
        rows = self.rows - self.rows.mean(axis=0)
        return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


class RequestTower:
    """The learned parts, as saved.

    Args:
        files: ``tower.json``, ``tower.safetensors``, and the encoder's adapter if it has one.

    Raises:
        ArtifactError: a file is missing or damaged.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = {name: files[name] for name in FILES if name in files}
        with untrusted.within("the request encoder is damaged"):
            about, arrays = _read(files)
            self.base = untrusted.text(about["encoder"], "the name of its encoder", 1000)
            self._popular = untrusted.pair(about["popularity"], "popularity")
            self._ids = untrusted.names(about["items"], "items")
            self._scale = untrusted.number(about["scale"], "scale")
        query, offset, item, mention = (
            arrays[name].astype(np.float32) for name in ("query", "offset", "item", "mention")
        )
        self._known = tuple(_wide(arrays, name) for name in ("rows", "mentions"))
        self._bias = arrays["bias"].astype(np.float32)
        shapes = {(len(self._ids), len(offset)), *(rows.shape for rows in self._known)}
        maps = {(len(offset), item.shape[-1]), item.shape, mention.shape}
        if len(shapes) > 1 or len(maps) > 1:
            raise ArtifactError("the request encoder's arrays differ in size", _HINT)
        if self._bias.shape != (len(self._ids),) or query.shape[:-1] != offset.shape:
            raise ArtifactError("the request encoder's arrays differ in size", _HINT)
        self._query, self._offset, self._item, self._mention = query, offset, item, mention
        self._adapter_scale = 1.0
        if "adapter.safetensors" in self.files:
            self._adapter_scale = adapter_scale(self.files.get("adapter_config.json", b""))
            check_pairs(self.files["adapter.safetensors"])

    @cached_property
    def encoder(self) -> LazyEncoder:
        """The request encoder, its adapter merged; loaded at first use."""
        from coldstart.encoding.sentence_encoder import LazyEncoder

        folder = models.resolve(self.base)
        if "adapter.safetensors" not in self.files:
            return LazyEncoder(folder)
        adapter = self.files["adapter.safetensors"]
        return adapted_encoder(Path(folder), adapter, self._adapter_scale)

    def query(self, text: str, named: Float) -> Float:
        """Vector of a request, shape (D,).

        Args:
            text: its words.
            named: rows of ``ItemVectors.mentions`` of the named titles, shape (n, D).
        """
        encoded = self.encoder.encode([query_text(text)])[0]
        _check_length(len(encoded), self._query.shape[1])
        vector = encoded @ self._query.T + self._offset
        if len(named):
            vector = vector + named.sum(axis=0) / np.sqrt(len(named))
        return np.asarray(vector, dtype=np.float32)

    def vectors(self, items: ItemStore) -> ItemVectors:
        """The item tower over a whole catalog.

        Items that were not in training have no residual, and the bias that their popularity
        predicts.
        """
        _check_length(items.content.shape[1], self._item.shape[1])
        rows, mentions = items.content @ self._item.T, items.content @ self._mention.T
        alpha, beta = self._popular
        bias = (alpha + beta * items.popularity).astype(np.float32)
        pairs = [(items.rows[i], n) for n, i in enumerate(self._ids) if i in items.rows]
        if pairs:
            here, known = np.array(pairs).T
            rows[here], mentions[here] = self._known[0][known], self._known[1][known]
            bias[here] = self._bias[known]
        return ItemVectors(
            items.catalog, items.version, self._scale * rows, bias, mentions, items.rows
        )


def query_text(text: str) -> str:
    """A request as it is encoded: without years in brackets, cut to its last characters.

    >>> query_text("Something like Alien (1979)")
    'Something like Alien'
    """
    return _YEAR.sub("", text)[-MOST_CHARACTERS:]


def _read(files: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Plain data and arrays, of the right kinds and numbers of dimensions."""
    for name in ("tower.json", "tower.safetensors"):
        if name not in files:
            raise ArtifactError(f"{name!r} is missing", _HINT)
    needed = ("encoder", "popularity", "items", "scale")
    about = untrusted.mapping(
        untrusted.read_json(files["tower.json"], "tower.json"), "tower.json", needed
    )
    arrays = untrusted_arrays.read_arrays(files["tower.safetensors"], "tower.safetensors")
    forms = {name: ("f", 2) for name in ("query", "item", "mention")}
    forms |= {name: ("f", 1) for name in ("offset", "bias", "rows_step", "mentions_step")}
    forms |= {name: ("i", 2) for name in ("rows", "mentions")}
    for name, (kinds, size) in forms.items():
        if name not in arrays:
            raise ArtifactError(f"{name!r} is missing", _HINT)
        untrusted_arrays.array(
            arrays, name, "tower.safetensors", (None,) * size, kinds, low=-untrusted.MOST
        )
    return about, arrays


def _check_length(found: int, expected: int) -> None:
    if found != expected:
        raise ArtifactError(
            f"the request encoder takes vectors of length {expected}, its encoder's have {found}",
            hint="use the encoder that the artifact was made with",
        )


def _wide(arrays: Mapping[str, NDArray[Any]], name: str) -> Float:
    """Rows of 8-bit integers times each row's step, shape (M, D)."""
    rows, steps = arrays[name], arrays[f"{name}_step"]
    if len(rows) != len(steps):
        raise ArtifactError("the request encoder's arrays differ in size", _HINT)
    return np.asarray(rows.astype(np.float32) * steps[:, None])
