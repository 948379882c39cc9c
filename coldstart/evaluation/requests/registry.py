"""The systems that ``coldstart benchmark --requests`` knows by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from itertools import product

from coldstart.errors import ConfigError
from coldstart.evaluation.requests.ablations import CHANGES, changed
from coldstart.evaluation.requests.blended import TunedBlend, ValidationSample
from coldstart.evaluation.requests.by_meaning import DenseMemory, EncoderSimilarity, RequestVectors
from coldstart.evaluation.requests.by_words import ItemWords, WordMemory
from coldstart.evaluation.requests.counted import ChosenPopularity, CoMention, EaseOnMentions
from coldstart.evaluation.requests.ranks import Entrant
from coldstart.evaluation.requests.system import LearnedOnce
from coldstart.evaluation.requests.trained import (
    SILENCED,
    STRATEGIES,
    TrainedRecommender,
    TrainedSystem,
)
from coldstart.protocols import Encoder

BLEND = "blend"
SCORERS = ("popularity", "bm25", "encoder", "co_mention", "ease", "memory_words", "memory_dense")
"""Names of the simple scorers; a scorer is one system, or several that belong together."""

ALONE = ("popularity", "bm25", "encoder", "memory_words", "memory_dense")
PAIRED = tuple(f"{name}+popularity" for name in SCORERS[1:])
ABLATIONS = tuple(f"{BLEND}:{what}" for what in (*CHANGES, *(f"no-{name}" for name in SCORERS)))
"""Names of the blend with less to go by, and of the blend without each scorer."""


class RequestSystems:
    """Systems over shared parts, made on demand.

    Args:
        encoder: makes the encoder when one is needed; ``None``: the packaged one.
        most: validation requests that blends are tuned on.
        seed: of their sample.
        questionnaire: see ``inputs.blinded``.
        trained: a trained recommender, measured as well: ``trained:prior`` and ``trained:catalog``
            among ``all``, other strategies by name.
    """

    def __init__(
        self,
        encoder: Callable[[], Encoder] | None = None,
        *,
        most: int = 1200,
        seed: int = 0,
        questionnaire: bool = False,
        trained: TrainedRecommender | None = None,
    ) -> None:
        self._encoder = encoder or _packaged
        self.sample = ValidationSample(most, seed, questionnaire=questionnaire)
        self._trained = trained
        self._parts: dict[str, tuple[LearnedOnce, ...]] = {}

    def parts(self, name: str) -> tuple[LearnedOnce, ...]:
        """The systems of a scorer, the same at every call.

        Args:
            name: one of ``SCORERS``.
        """
        if name not in self._parts:
            make: dict[str, Callable[[], tuple[LearnedOnce, ...]]] = {
                "popularity": lambda: (ChosenPopularity(),),
                "bm25": lambda: (ItemWords(),),
                "encoder": lambda: (EncoderSimilarity(self._vectors),),
                "co_mention": lambda: (CoMention(), CoMention(logarithm=True)),
                "ease": lambda: (EaseOnMentions(),),
                "memory_words": lambda: (WordMemory(),),
                "memory_dense": lambda: (DenseMemory(self._vectors),),
            }
            self._parts[name] = make[name]()
        return self._parts[name]

    @cached_property
    def blend(self) -> TunedBlend:
        """All simple scorers, without a language model."""
        what = "all simple scorers, no language model; weights tuned on validation requests"
        return self._blended(BLEND, SCORERS, what)

    def entrants(self, names: Sequence[str] = ("all",)) -> tuple[Entrant, ...]:
        """Systems by name, in the order of tables.

        Args:
            names: systems, ``all`` for those without ablations, ``ablations`` for these.

        Raises:
            ConfigError: there is no such system.
        """
        known: dict[str, Callable[[], Entrant]] = {}
        known |= {name: partial(self._alone, name) for name in ALONE}
        known |= {name: partial(self._with_popularity, name) for name in PAIRED}
        known[BLEND] = self._whole
        ours = self._of_trained()
        usual = ("trained:prior", "trained:prior-strict", "trained:catalog")
        everything = (*known, *(name for name in usual if name in ours))
        reduced = (*ABLATIONS, *(name for name in ours if name.startswith("trained:prior:")))
        sets = {"all": everything, "ablations": reduced}
        known |= ours | {name: partial(self._ablation, name) for name in ABLATIONS}
        chosen = {one for name in names for one in sets.get(name, (name,))}
        if unknown := sorted(chosen - known.keys()):
            raise ConfigError(
                f"no system {unknown[0]!r}", hint=f"all, ablations, or some of {', '.join(known)}"
            )
        if not chosen:
            raise ConfigError("no system to run", hint="all, ablations, or names")
        return tuple(make() for name, make in known.items() if name in chosen)

    @cached_property
    def _vectors(self) -> RequestVectors:
        return RequestVectors(self._encoder())

    def _alone(self, name: str) -> Entrant:
        return Entrant(self.parts(name)[0])

    def _with_popularity(self, name: str) -> Entrant:
        return Entrant(self._blended(name, ("popularity", name.removesuffix("+popularity"))))

    def _whole(self) -> Entrant:
        return Entrant(self.blend, ours=True)

    def _of_trained(self) -> dict[str, Callable[[], Entrant]]:
        """Each strategy of the trained recommender, with changed requests or a silent scorer."""
        if self._trained is None:
            return {}
        out: dict[str, Callable[[], Entrant]] = {}
        for strategy, strict in product(STRATEGIES, (False, True)):
            entrant = Entrant(TrainedSystem(self._trained, strategy, strict=strict), ours=True)
            out[entrant.label] = partial(Entrant, entrant.system, ours=True)
            out |= {f"{entrant.label}:{c}": partial(changed, entrant, c) for c in CHANGES}
        for silent in SILENCED:
            system = TrainedSystem(self._trained, "prior", silent=silent)
            out[system.name] = partial(Entrant, system)
        return out

    def _ablation(self, name: str) -> Entrant:
        what = name.removeprefix(f"{BLEND}:")
        if what in CHANGES:
            return changed(self._whole(), what)
        removed = what.removeprefix("no-")
        rest = [scorer for scorer in SCORERS if scorer != removed]
        return Entrant(self._blended(name, rest, f"{BLEND} tuned again without {removed}"))

    def _blended(self, name: str, scorers: Sequence[str], description: str = "") -> TunedBlend:
        parts = [part for scorer in scorers for part in self.parts(scorer)]
        return TunedBlend(name, parts, self.sample, description)


def _packaged() -> Encoder:
    from coldstart.artifacts.loading import make_encoder
    from coldstart.runtime import models

    return make_encoder(models.DEFAULT_ENCODER)
