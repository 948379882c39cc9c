"""Two-tower model of requests: a tuned sentence encoder against vectors of the items.

The request tower is the sentence encoder with a LoRA adapter, a linear map, and the sum of the
vectors of named titles; the item tower a linear map of the item's content vector plus a residual of
its own; popularity is a bias per item. Learned with the full softmax over the catalog
(``training.requests.tower``), so the score is log P(item | request).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.titles import clean_text
from coldstart.encoding.vector_cache import text_key
from coldstart.scoring.likeness import likeness
from coldstart.scoring.request_tower import ItemVectors, RequestTower
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import BaseScorer, Scores
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text, standardised, text_similarity

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.protocols import Float
    from coldstart.scoring.resources import Resources
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints, ScoreRequest

TOPIC_FROM, TOPIC_MOST = 3.0, 6.0
"""Standard deviations of closeness from which an item counts as about a topic, and the most that
count: the closest item of any words at all is 4 to 5 off."""
LIKE_FROM = 1.5
"""Standard deviations of closeness from which an item counts as like a named title."""
_TOPICS, _KEPT = 3, 8  # topics that are compared; texts whose closeness is kept
_ABOUT = "a movie about {}"
_STANDS_OUT = 0.98  # quantile of the lift from which the request is a reason
_SHORT = 60  # characters of a request in a reason


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
        Signal(
            "like_named",
            "By how many standard deviations over the catalog, above a threshold, an item is close "
            "to the titles that the text names as examples; see ``scoring.likeness``.",
            "standard deviations",
            low=0.0,
            weight=(1.2, 0.0),
            direction=1,
            states_taste=True,
            in_trees=False,
            fixed=True,
            of_words=True,
            reads="content",
            group="alike",
            reason="alike",
            always=True,
        ),
    )

    def __init__(self) -> None:
        self._tower: RequestTower | None = None
        self._vectors: ItemVectors | None = None
        # The latest request with its vector: an explanation asks again for every item. Texts are
        # kept as digests only: a service erases what people wrote.
        self._last: tuple[tuple[ItemVectors, bytes, tuple[int, ...]], Float] | None = None
        self._named: tuple[ItemVectors, tuple[int, ...], Floats] | None = None
        self._closest: tuple[ItemVectors, Mapping[bytes, Floats]] | None = None  # likewise

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
            like = self._like_named(request.user, request.items)
            columns = {"request": values, "about": about, "not_about": not_about}
            out.append(Scores({**columns, "like_named": like}))
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

    def _like_named(self, user: ResolvedProfile, items: ItemStore) -> Floats:
        """The signal ``like_named`` of every item of a store or a part of one, shape (N,)."""
        whole = items.whole
        named = tuple(whole.rows_in_order(user.understood.liked))
        if not named or self._tower is None or not len(items.ids):
            return np.zeros(len(items.ids))
        vectors, last = self._follow(self._tower, items), self._named
        if last is None or last[0] is not vectors or last[1] != named:
            near = likeness(whole, named, vectors.units)
            last = self._named = vectors, named, np.maximum(near - LIKE_FROM, 0.0)
        return last[2][items.where]

    def closeness(self, text: str, items: ItemStore) -> Floats:
        """How close each item is to a text, standardised over the catalog, shape (N,).

        Args:
            text: compared by the tuned encoder or, without one, by content.
            items: a whole store or a part.
        """
        if self._tower is None:
            return text_similarity(items, text)
        vectors = self._follow(self._tower, items)
        key, known = text_key(text), self._closest  # other threads may replace it
        if known is None or known[0] is not vectors or key not in known[1]:
            query = self._tower.query(text, vectors.mentions[:0])
            lift = np.asarray(vectors.rows @ query, dtype=np.float64)
            kept = known[1] if known and known[0] is vectors and len(known[1]) < _KEPT else {}
            known = self._closest = vectors, {**kept, key: standardised(lift, lift)}
        return known[1][key][items.where]

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
        text = request_text(user)
        key, last = (vectors, text_key(text), named), self._last
        if last is None or last[0] != key:
            last = self._last = key, tower.query(text, vectors.mentions[list(named)])
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
        self._vectors = self._last = self._closest = self._named = None


def _log_softmax(logits: Floats) -> Floats:
    top = logits.max()
    return np.asarray(logits - top - np.log(np.exp(logits - top).sum()))
