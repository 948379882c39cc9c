"""Two-tower model of requests: a tuned sentence encoder against vectors of the items.

The request tower is the sentence encoder with a LoRA adapter, a linear map, and the sum of the
vectors of named titles; the item tower a linear map of the item's content vector plus a residual of
its own; popularity is a bias per item. Learned with the full softmax over the catalog
(``training.requests.tower``), so the score is log P(item | request).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.titles import clean_text
from coldstart.encoding.adapted import adapted_encoder, adapter_scale, check_pairs
from coldstart.errors import ArtifactError
from coldstart.runtime import models, untrusted, untrusted_arrays
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import BaseScorer, Scores
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text, standardised, text_similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.catalog import Catalog
    from coldstart.catalog.item_store import ItemStore
    from coldstart.encoding.sentence_encoder import LazyEncoder
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.protocols import Float
    from coldstart.scoring.resources import Resources
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints, ScoreRequest

MOST_CHARACTERS = 400
"""Length to which a request is cut before it is encoded; its last characters are kept."""
TOPIC_FROM, TOPIC_MOST = 3.0, 6.0
"""Standard deviations of closeness from which an item counts as about a topic, and the most that
count: the closest item of any words at all is 4 to 5 off."""
_TOPICS, _KEPT = 3, 8  # topics that are compared; texts whose closeness is kept
_YEAR = re.compile(r"\s*\(\d{4}\)")
_ABOUT = "a movie about {}"
_STANDS_OUT = 0.98  # quantile of the lift from which the request is a reason
_SHORT = 60  # characters of a request in a reason
FILES = ("tower.json", "tower.safetensors", "adapter.safetensors", "adapter_config.json")
_HINT = "copy the artifact again"


class RequestEncoderScorer(BaseScorer):
    """Log-probability of every item given the words of the request."""

    name = "request_encoder"
    signals = (
        Signal(
            "request",
            "Log-probability of the item given the request's text and named titles, by the tuned "
            "encoder.",
            "nats",
            high=0.0,
            in_trees=False,
            of_words=True,
            reads="encoder",
            group="words",
            reason="request",
        ),
        Signal(
            "about",
            "By how many standard deviations over the catalog, above a threshold, an item is close "
            "to the topics that the text names (“about chess”), by the tuned encoder or, without "
            "one, by content; mean over them.",
            "standard deviations",
            low=0.0,
            high=TOPIC_MOST - TOPIC_FROM,
            weight=(1.5, 0.0),
            direction=1,
            states_taste=True,
            in_trees=False,
            fixed=True,
            of_words=True,
            reads="encoder",
            group="words",
            reason="meaning",
            always=True,
        ),
        Signal(
            "not_about",
            "The same of the words that the text rejects (“not about Vietnam”).",
            "standard deviations",
            low=0.0,
            high=TOPIC_MOST - TOPIC_FROM,
            weight=(-2.0, 0.0),
            direction=-1,
            states_taste=True,
            in_trees=False,
            fixed=True,
            of_words=True,
            reads="encoder",
            group="words",
            always=True,
        ),
    )

    def __init__(self) -> None:
        self._tower: RequestTower | None = None
        self._vectors: ItemVectors | None = None
        # The latest request with its vector: an explanation asks again for every item.
        self._last: tuple[tuple[ItemVectors, str, tuple[int, ...]], Float] | None = None
        self._closest: tuple[ItemVectors, Mapping[str, Floats]] | None = None  # likewise

    @property
    def tower(self) -> RequestTower | None:
        """The learned model, ``None`` before one was loaded."""
        return self._tower

    def sync(self, resources: Resources) -> None:
        """Compute the vectors of the catalog, once per version."""
        if self._tower is not None:
            self._follow(self._tower, resources.items)

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """The likeliest items given the request."""
        found = []
        if self._tower is not None and request_text(user):
            found.append(best(self._logits(self._tower, user, items)))
        if (about := self._about(user, items, wanted=True)).any():
            found.append(best(about))
        return found

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
        """Zero where there is no text, or where nothing was learned."""
        out = []
        for request in batch:
            values = np.zeros(len(request.items.ids))
            if self._tower is not None and request_text(request.user) and len(values):
                values = _log_softmax(self._logits(self._tower, request.user, request.items))
            about, not_about = (
                self._about(request.user, request.items, wanted=wanted) for wanted in (True, False)
            )
            out.append(Scores({"request": values, "about": about, "not_about": not_about}))
        return out

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> Mapping[str, Any] | None:
        """The topic or text that the item is much likelier for than others; see ``KnowsFacts``."""
        if reason == "meaning":
            near = {t: self._topic(t, items)[row] for t in user.understood.values("phrase")}
            closest = max(near, key=lambda topic: (near[topic], topic), default=None)
            told = closest is not None and near[closest] > TOPIC_FROM
            return {"text": closest} if told else None
        text = clean_text(request_text(user))
        if not text or self._tower is None:
            return None
        lift = self._lift(self._tower, user, items)
        if lift[row] < np.quantile(lift, _STANDS_OUT):
            return None
        short = text if len(text) <= _SHORT else text[: _SHORT - 3].rsplit(" ", 1)[0] + "…"
        return {"text": short}

    def _about(self, user: ResolvedProfile, items: ItemStore, *, wanted: bool) -> Floats:
        """Closeness to what is wanted, or rejected, above the threshold, shape (N,)."""
        out = np.zeros(len(items.ids))
        topics = user.understood.values("phrase", wanted=wanted)[:_TOPICS]
        for topic in topics if len(out) else ():
            near = self._topic(topic, items)
            out += (np.clip(near, TOPIC_FROM, TOPIC_MOST) - TOPIC_FROM) / len(topics)
        return out

    def closeness(self, text: str, items: ItemStore) -> Floats:
        """How close each item is to a text, standardised over the catalog, shape (N,).

        Args:
            text: compared by the tuned encoder or, without one, by content.
            items: a whole store or a part.
        """
        if self._tower is None:
            return text_similarity(items, text)
        vectors = self._follow(self._tower, items)
        known = self._closest  # other threads may replace it
        if known is None or known[0] is not vectors or text not in known[1]:
            query = self._tower.query(text, vectors.mentions[:0])
            lift = np.asarray(vectors.rows @ query, dtype=np.float64)
            kept = known[1] if known and known[0] is vectors and len(known[1]) < _KEPT else {}
            known = self._closest = vectors, {**kept, text: standardised(lift, lift)}
        return known[1][text][items.where]

    def _topic(self, topic: str, items: ItemStore) -> Floats:
        """How close each item is to being about something, shape (N,)."""
        return self.closeness(topic if self._tower is None else _ABOUT.format(topic), items)

    def _logits(self, tower: RequestTower, user: ResolvedProfile, items: ItemStore) -> Floats:
        """Logit of every item of a store or a part of one, shape (N,)."""
        lift = self._lift(tower, user, items)
        return lift + self._follow(tower, items).bias[items.where]

    def _lift(self, tower: RequestTower, user: ResolvedProfile, items: ItemStore) -> Floats:
        """The logit of every item without its bias, which is its popularity; shape (N,)."""
        vectors = self._follow(tower, items)
        named = tuple(vectors.place[i] for i in user.liked if i in vectors.place)
        key, last = (vectors, request_text(user), named), self._last
        if last is None or last[0] != key:
            last = self._last = key, tower.query(key[1], vectors.mentions[list(named)])
        return np.asarray(vectors.rows[items.where] @ last[1], dtype=np.float64)

    def _follow(self, tower: RequestTower, items: ItemStore) -> ItemVectors:
        """Vectors of the whole catalog that a store, or the whole of a part, holds."""
        found = self._vectors
        if found is None or found.catalog is not items.catalog or found.version != items.version:
            found = self._vectors = tower.vectors(items)
        return found

    def save(self) -> Mapping[str, bytes]:
        """Tower, adapter and what they were learned for."""
        return {} if self._tower is None else self._tower.files

    def load(self, files: Mapping[str, bytes]) -> None:
        """Restore the tower.

        Raises:
            ArtifactError: a file is missing or damaged.
        """
        self._tower = RequestTower(files)
        self._vectors = self._last = self._closest = None


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


def _log_softmax(logits: Floats) -> Floats:
    top = logits.max()
    return np.asarray(logits - top - np.log(np.exp(logits - top).sum()))
