"""The systems that ``coldstart benchmark --requests`` knows by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from coldstart.errors import ConfigError
from coldstart.evaluation.requests.blended import RequestBlend, ValidationSample
from coldstart.evaluation.requests.by_meaning import DenseMemory, EncoderSimilarity, RequestVectors
from coldstart.evaluation.requests.by_words import ItemWords, WordMemory
from coldstart.evaluation.requests.counted import ChosenPopularity, CoMention, EaseOnMentions
from coldstart.evaluation.requests.inputs import (
    with_shuffled_texts,
    without_mentions,
    without_text,
)
from coldstart.evaluation.requests.ranks import Entrant
from coldstart.evaluation.requests.system import RequestSystem
from coldstart.protocols import Encoder

BLEND = "blend"
_POPULAR = " + popularity"


class RequestSystems:
    """Systems over shared parts, made on demand.

    Args:
        encoder: makes the encoder when one is needed; ``None``: the packaged one.
        most: validation requests that blends are tuned on.
        seed: of their sample.
        questionnaire: see ``inputs.blinded``.
    """

    def __init__(
        self,
        encoder: Callable[[], Encoder] | None = None,
        *,
        most: int = 1200,
        seed: int = 0,
        questionnaire: bool = False,
    ) -> None:
        self._encoder = encoder
        self.sample = ValidationSample(most, seed, questionnaire=questionnaire)
        self.popularity = ChosenPopularity()

    @cached_property
    def words(self) -> ItemWords:
        """BM25 over item texts."""
        return ItemWords()

    @cached_property
    def memory(self) -> WordMemory:
        """Past requests by words."""
        return WordMemory()

    @cached_property
    def co_mention(self) -> tuple[CoMention, CoMention]:
        """Co-mention counts, and their logarithm."""
        return CoMention(), CoMention(logarithm=True)

    @cached_property
    def ease(self) -> EaseOnMentions:
        """EASE on mentions."""
        return EaseOnMentions()

    @cached_property
    def dense(self) -> tuple[EncoderSimilarity, DenseMemory]:
        """Encoder similarity, and past requests by vectors."""
        vectors = RequestVectors((self._encoder or _packaged)())
        return EncoderSimilarity(vectors), DenseMemory(vectors)

    @cached_property
    def blend(self) -> RequestBlend:
        """All simple scorers, without a language model."""
        similar, dense = self.dense
        parts = (self.memory, dense, similar, *self.co_mention, self.ease, self.words)
        what = "all simple scorers, no language model; weights tuned on validation requests"
        return RequestBlend(BLEND, (self.popularity, *parts), self.sample, what)

    def entrants(self, names: Sequence[str] | None = None) -> tuple[Entrant, ...]:
        """Systems by name, in the order of tables.

        Args:
            names: systems, and ``ablations`` for all of those; ``None``: all.

        Raises:
            ConfigError: there is no such system.
        """
        known = self._known()
        known |= dict.fromkeys(ABLATIONS, self._ablation)
        chosen = list(known) if names is None else list(dict.fromkeys(_spelled_out(names)))
        if unknown := [name for name in chosen if name not in known]:
            raise ConfigError(
                f"no system {unknown[0]!r}", hint=f"ablations, or some of {', '.join(known)}"
            )
        if not chosen:
            raise ConfigError("no system to run", hint=f"some of {', '.join(known)}")
        return tuple(known[name](name) for name in known if name in chosen)

    def _known(self) -> dict[str, Callable[[str], Entrant]]:
        plain: dict[str, Callable[[], RequestSystem]] = {
            "popularity": lambda: self.popularity,
            "bm25": lambda: self.words,
            "encoder": lambda: self.dense[0],
            "memory (words)": lambda: self.memory,
            "memory (dense)": lambda: self.dense[1],
        }
        tuned: dict[str, Callable[[], Sequence[RequestSystem]]] = {
            "bm25": lambda: (self.words,),
            "encoder": lambda: (self.dense[0],),
            "co-mention": lambda: self.co_mention,
            "ease": lambda: (self.ease,),
            "memory (words)": lambda: (self.memory,),
            "memory (dense)": lambda: (self.dense[1],),
        }
        known: dict[str, Callable[[str], Entrant]] = {}
        for name, make in plain.items():
            known[name] = lambda label, make=make: Entrant(make(), label)  # type: ignore[misc]
        for name, parts in tuned.items():
            known[name + _POPULAR] = lambda label, parts=parts: Entrant(  # type: ignore[misc]
                RequestBlend(label, (self.popularity, *parts()), self.sample)
            )
        known[BLEND] = lambda label: Entrant(self.blend, label, ours=True)
        return known

    def _ablation(self, name: str) -> Entrant:
        _, _, what = name.partition(" − ")
        if what in _CHANGES:
            change, described = _CHANGES[what]
            return Entrant(self.blend, name, change, f"{BLEND}, {described}")
        return Entrant(self.blend.without(what))


_CHANGES = {
    "text": (without_text, "given no text"),
    "own text": (with_shuffled_texts, "given the text of a request of another dialogue"),
    "mentions": (without_mentions, "given no mentioned items"),
}
_PARTS = (
    "popularity",
    "memory (words)",
    "memory (dense)",
    "encoder",
    "co-mention",
    "co-mention, log",
    "ease",
    "bm25",
)
ABLATIONS = tuple(f"{BLEND} − {what}" for what in (*_CHANGES, *_PARTS))
"""Names of the blend with less to go by, and of the blend without each of its parts."""


def _spelled_out(names: Sequence[str]) -> list[str]:
    return [n for name in names for n in (ABLATIONS if name == "ablations" else (name,))]


def _packaged() -> Encoder:
    from coldstart.artifacts.loading import make_encoder
    from coldstart.runtime import models

    return make_encoder(models.DEFAULT_ENCODER)
