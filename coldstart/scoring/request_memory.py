"""Request memory: what was chosen by the people who asked in similar words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from coldstart.catalog.item_encoding import encode_items
from coldstart.catalog.titles import clean_text
from coldstart.encoding.vector_cache import text_key
from coldstart.errors import ArtifactError
from coldstart.runtime import untrusted
from coldstart.scoring.asked_words import AskedWords
from coldstart.scoring.compressed_vectors import CompressedVectors
from coldstart.scoring.retrieval import best
from coldstart.scoring.scorer import ColumnScorer
from coldstart.scoring.scorer_files import (
    MOST_COUNT,
    counted,
    names_of,
    pack,
    sparse_from,
    sparse_tensors,
    unpack,
)
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import request_text
from coldstart.scoring.words import ending, terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.data.requests.recorded import RecordedRequest
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.protocols import Float
    from coldstart.scoring.retrieval import Nearest
    from coldstart.scoring.scorer import Floats, Ints

ENCODED, WORDED = 400, 600
"""Characters of a text that are encoded, and whose words are compared: its latest part."""
FEWEST, MOST, PART = 20, 400, 30
"""Nearest requests that vote: one in 30 of those recorded, from 20 to 400."""
_COSINES, _BM25 = 0.2, 4.0  # how much less similar a request is that counts 1/e as much
_SHARPNESS = 200.0  # of the logarithm
UNLIKE_FROM = 0.4
"""Lift in nats from which an item counts as what rejected words mean; smaller ones are noise."""
_TELLING = 1.05  # lift of the nearest item from which anything is known of a phrase
_PHRASES = 4  # rejected phrases that are looked up
_CLOSE = 50  # requests that a reason counts
_CHOSEN, _REJECTED, _NAMED = 4, 3, 2
"""Quarters that an item counts: chosen, chosen but not liked, and named as an example."""


@dataclass(frozen=True)
class RequestMemory:
    """Recorded requests without their texts.

    Args:
        item_ids: every item that was chosen or named, length I.
        vectors: of the R requests.
        words: of the requests.
        chosen: quarters that each item counts, shape (R, I).
        person: number of the person or dialogue of each request, shape (R,).
    """

    item_ids: tuple[str, ...] = ()
    vectors: CompressedVectors = field(default_factory=CompressedVectors)
    words: AskedWords = field(default_factory=AskedWords)
    chosen: sparse.csr_array = field(default_factory=lambda: sparse.csr_array((0, 0)))
    person: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.uint32))

    @cached_property
    def usual(self) -> Floats:
        """How often a request chose or named each item, in [0, 1], shape (I,)."""
        return np.asarray(self.chosen.mean(axis=0)).ravel() / _CHOSEN

    def shares(self, similarities: NDArray[Any], width: float, above: float) -> Floats:
        """How often the nearest requests chose or named each item, in [0, 1], shape (I,).

        The nearest requests are weighted by ``exp((s − s_max) / width)``.

        Args:
            similarities: of each request, shape (R,).
            width: difference of similarities at which a request counts 1/e as much.
            above: only requests of larger similarity count.
        """
        near = best(similarities, max(FEWEST, min(MOST, len(similarities) // PART)))
        near = np.sort(near[similarities[near] > above])
        if not len(near):
            return np.zeros(len(self.item_ids))
        values = similarities[near].astype(np.float64)
        weights = np.exp((values - values.max()) / width)
        return np.asarray((weights / weights.sum()) @ self.chosen[near]) / _CHOSEN


class RequestMemoryScorer(ColumnScorer):
    """Signals from recorded requests that resemble the request.

    A request must not be scored by a memory that holds it: fit the blend on other requests than
    the scorers, or on the parts of a cross-fit, split by dialogue.
    """

    name = "request_memory"
    signals = (
        Signal(
            "asked_alike",
            "log(1 + 200 · share of the recorded requests nearest in meaning that chose the item; "
            "those that named it count half).",
            "nats",
            low=0.0,
            in_trees=False,
            of_words=True,
            reads="encoder",
            group="words",
            reason="asked_alike",
        ),
        Signal(
            "asked_alike_words",
            "log(1 + 200 · share of the recorded requests nearest in words that chose the item; "
            "those that named it count half).",
            "nats",
            low=0.0,
            in_trees=False,
            of_words=True,
            group="words",
            reason="asked_alike",
        ),
        Signal(
            "asked_unlike",
            "How much oftener, in log, the recorded requests nearest to rejected words chose the "
            "item than all did, above a threshold: the lower of nearness in meaning and in words.",
            "nats",
            low=0.0,
            weight=(-4.0, 0.0),
            direction=-1,
            in_trees=False,
            fixed=True,
            states_taste=True,
            of_words=True,
            reads="encoder",
            group="words",
            always=True,
        ),
    )

    def __init__(self) -> None:
        self._memory = RequestMemory()
        self._chosen_for: tuple[bytes, Mapping[str, int]] = b"", {}

    def fit_requests(self, requests: Sequence[RecordedRequest], items: ItemStore) -> None:
        """Remember the requests that chose an item of the catalog."""
        self._chosen_for = b"", {}
        kept = [r for r in requests if _counted(r, items.rows)]
        if not kept:
            self._memory = RequestMemory()
            return
        texts = [clean_text(request.text) for request in kept]
        choices = [_counted(request, items.rows) for request in kept]
        ids = sorted(set().union(*choices))
        column = {item: n for n, item in enumerate(ids)}
        cells = [(n, column[i], w) for n, chosen in enumerate(choices) for i, w in chosen.items()]
        rows, columns, weights = np.array(cells, dtype=np.int64).T
        keys = [r.dialogue or n for n, r in enumerate(kept)]
        number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
        self._memory = RequestMemory(
            tuple(ids),
            CompressedVectors.of(self.vectors([ending(t, ENCODED) for t in texts], items)),
            AskedWords.of([terms(ending(text, WORDED)) for text in texts]),
            sparse.csr_array((weights * 1.0, (rows, columns)), shape=(len(kept), len(ids))),
            np.array([number[key] for key in keys], dtype=np.uint32),
        )

    def vectors(self, texts: Sequence[str], items: ItemStore) -> Float:
        """Vectors of recorded requests, unit rows; kept in the encoder's cache if it has one."""
        return encode_items(items.encoder, texts)

    def vector(self, text: str, items: ItemStore) -> Float:
        """Vector of a request, of unit length, comparable with ``vectors``."""
        return items.vector_of(text)

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """All three; zero where nothing is stated or nothing was learned."""
        text = request_text(user)
        made = {name: _nats(s) for name, s in self._shares(text, items).items()}
        if phrases := user.understood.values("phrase", wanted=False):
            made["asked_unlike"] = self._unlike(phrases, items)
        out = {signal.name: np.zeros(len(items.ids)) for signal in self.signals}
        for name, values in made.items():
            known = np.flatnonzero(values)
            ids = [self._memory.item_ids[n] for n in known.tolist()]
            rows = np.array([items.rows.get(i, -1) for i in ids], dtype=np.int64)
            here = rows >= 0
            out[name][rows[here]] = values[known[here]]
        return out

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Items that the nearest requests chose most often, by meaning and by words."""
        out = []
        for values in self._shares(request_text(user), items).values():
            top = [n for n in best(values).tolist() if values[n] > 0]
            out.append(items.rows_of([self._memory.item_ids[n] for n in top]))
        return out

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> dict[str, Any] | None:
        """How many of the people who asked most alike chose the item."""
        people = self._choosers(request_text(user), items).get(items.ids[row])
        return {"people": people} if people else None

    def _choosers(self, text: str, items: ItemStore) -> Mapping[str, int]:
        """How many people of the requests nearest to a text chose each item; the last is kept."""
        memory = self._memory
        if not text or not memory.item_ids:
            return {}
        key, known = text_key(text), self._chosen_for  # other threads may replace it
        if known[0] != key:
            cosines = memory.vectors.cosines(self.vector(ending(text, ENCODED), items))
            near = best(cosines, _CLOSE)
            cells = memory.chosen[near].tocoo()
            full = cells.data == _CHOSEN
            people = memory.person[near][cells.row[full]].tolist()
            pairs = set(zip(cells.col[full].tolist(), people, strict=True))
            found = Counter(memory.item_ids[column] for column, _ in pairs)
            known = self._chosen_for = key, found
        return known[1]

    def save(self) -> Mapping[str, bytes]:
        """Vectors, hashed words and choices; none without state."""
        memory = self._memory
        if not memory.item_ids:
            return {}
        tensors = {
            "mean": memory.vectors.mean,
            "directions": memory.vectors.directions,
            "steps": memory.vectors.steps,
            "hashes": memory.words.hashes,
            "person": memory.person,
            **sparse_tensors(memory.words.has, "words"),
            **sparse_tensors(memory.chosen, "chosen"),
        }
        return pack(tensors, {"item_ids": memory.item_ids})

    def load(self, files: Mapping[str, bytes]) -> None:
        """Restore the memory.

        Raises:
            ArtifactError: the files are damaged.
        """
        shapes = {"mean": 1, "directions": 2, "steps": 2, "hashes": 1, "person": 1}
        tensors, about = unpack(files, self.name, shapes)
        ids = names_of(about, "item_ids", self.name)
        r, v = len(tensors["person"]), len(tensors["hashes"])
        mean, directions, steps = (tensors[n] for n in ("mean", "directions", "steps"))
        if (len(mean), *steps.shape) != (len(directions), r, directions.shape[1]):
            raise ArtifactError(
                f"state of the scorer {self.name!r} has vectors of shape {steps.shape} for {r} "
                f"requests and directions of shape {directions.shape}",
                hint="save the artifact again",
            )
        for name, size in (("mean", 1), ("directions", 2)):
            counted(tensors, name, self.name, (None,) * size, "f", untrusted.MOST)
        counted(tensors, "steps", self.name, (r, None), "i", untrusted.MOST)
        hashes = counted(tensors, "hashes", self.name, (v,), "u", MOST_COUNT)
        if len(np.unique(hashes)) < v:
            raise ArtifactError(
                f"state of the scorer {self.name!r}: a word is in it twice",
                "save the artifact again",
            )
        self._chosen_for = b"", {}
        self._memory = RequestMemory(
            ids,
            CompressedVectors(mean, directions, steps),
            AskedWords(hashes, sparse_from(tensors, "words", (r, v), self.name, 1)),
            sparse_from(tensors, "chosen", (r, len(ids)), self.name, _CHOSEN),
            counted(tensors, "person", self.name, (r,), "u", MOST_COUNT),
        )

    def _unlike(self, phrases: Sequence[str], items: ItemStore) -> Floats:
        """Lift of every remembered item by the phrase that it is nearest to, shape (I,)."""
        memory = self._memory
        out = np.zeros(len(memory.item_ids))
        for phrase in phrases[:_PHRASES]:
            lifts = [_nats(s) - _nats(memory.usual) for s in self._shares(phrase, items).values()]
            lift = np.minimum(*lifts) if lifts else out
            if lift.max(initial=0.0) >= _TELLING:
                out = np.maximum(out, lift - UNLIKE_FROM)
        return out

    def _shares(self, text: str, items: ItemStore) -> dict[str, Floats]:
        """Shares of every remembered item by signal, shape (I,); none without text or state."""
        memory = self._memory
        if not text or not memory.item_ids:
            return {}
        cosines = memory.vectors.cosines(self.vector(ending(text, ENCODED), items))
        words = memory.words.scores(terms(ending(text, WORDED)))
        return {
            "asked_alike": memory.shares(cosines, _COSINES, -1.0),
            "asked_alike_words": memory.shares(words, _BM25, 0.0),
        }


def _nats(shares: Floats) -> Floats:
    return np.log1p(_SHARPNESS * shares)


def _counted(request: RecordedRequest, known: Mapping[str, int]) -> dict[str, int]:
    """Quarters that the known items of a recorded request count, by id."""
    named = [m.item_id for m in request.mentioned if m.by_user and m.liked is not False]
    out = dict.fromkeys(named, _NAMED)
    for choice in request.chosen:
        out[choice.item_id] = _REJECTED if choice.liked is False else _CHOSEN
    return {item: quarters for item, quarters in out.items() if item in known}
