"""Every scorer and every signal by name: the built-in ones, then those of other packages.

The order is that of the ranker's columns. Weights, tree constraints, artifact checks, explanations
and the service's "why" are derived from ``SIGNALS``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from coldstart.errors import ConfigError
from coldstart.plugins import plugins
from coldstart.scoring.catalog_facts import CatalogFactsScorer
from coldstart.scoring.categories import CategoryScorer
from coldstart.scoring.co_occurrence import CoOccurrenceScorer
from coldstart.scoring.evidence import EvidenceScorer
from coldstart.scoring.language_model import LanguageModelScorer
from coldstart.scoring.lexical import LexicalScorer
from coldstart.scoring.mentions import MentionScorer
from coldstart.scoring.neighbours import NeighbourScorer
from coldstart.scoring.opening import OpeningScorer
from coldstart.scoring.pick_profile import PickProfileScorer
from coldstart.scoring.popularity import PopularityScorer
from coldstart.scoring.request_encoder import RequestEncoderScorer
from coldstart.scoring.request_facts import RequestFactsScorer
from coldstart.scoring.request_memory import RequestMemoryScorer
from coldstart.scoring.scorer import FunctionScorer, Scorer
from coldstart.scoring.sequence import SequenceScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import StatedScorer
from coldstart.scoring.wishes import WishScorer
from coldstart.scoring.written import WrittenTitlesScorer

BUILT_IN: tuple[Callable[[], Scorer], ...] = (
    PopularityScorer,
    CoOccurrenceScorer,
    NeighbourScorer,
    SequenceScorer,
    CategoryScorer,
    PickProfileScorer,
    RequestFactsScorer,
    StatedScorer,
    WishScorer,
    LanguageModelScorer,
    WrittenTitlesScorer,
    RequestEncoderScorer,
    RequestMemoryScorer,
    LexicalScorer,
    MentionScorer,
    CatalogFactsScorer,
    OpeningScorer,
    EvidenceScorer,
)


class SignalRegistry:
    """The signals of all registered scorers, in column order."""

    def __init__(self) -> None:
        self._extra: list[Callable[[], Scorer]] = []
        self._signals: dict[str, Signal] = {}
        self._made_of: tuple[object, ...] = ()  # plug-ins and registrations behind the signals

    def register(self, make: Callable[[], Scorer]) -> None:
        """Add a scorer of this process's own; packages use entry points instead.

        Recommenders that exist already go on without it.

        Args:
            make: a scorer class, or a function without arguments.

        Raises:
            ConfigError: it declares a signal that exists.
        """
        self._extra.append(make)
        try:
            self._all()
        except ConfigError:
            self.unregister(make)
            raise

    def unregister(self, make: Callable[[], Scorer]) -> None:
        """Take a registered scorer back."""
        self._extra.remove(make)

    def make_scorers(self, wanted: Callable[[Scorer], bool] | None = None) -> tuple[Scorer, ...]:
        """A new instance of every scorer, in column order.

        Args:
            wanted: chooses among plug-ins and registered scorers; ``None``: all of them.
        """
        others: list[Scorer] = [
            *(_made(name, make) for name, make in plugins("scorers").items()),
            *(make() for make in self._extra),
            *(_function(name, made) for name, made in plugins("signals").items()),
        ]
        return (*(make() for make in BUILT_IN), *filter(wanted or _any, others))

    @property
    def names(self) -> tuple[str, ...]:
        """Signal names: the columns of the ranker's input."""
        return tuple(self._all())

    @property
    def tree_names(self) -> tuple[str, ...]:
        """Signals that the tree correction may use."""
        return tuple(signal.name for signal in self if signal.in_trees)

    def index(self, name: str) -> int:
        """Column of a signal. Raises ``ValueError`` if there is none of that name."""
        return self.names.index(name)

    def __getitem__(self, name: str) -> Signal:
        return self._all()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all()

    def __iter__(self) -> Iterator[Signal]:
        return iter(self._all().values())

    def __len__(self) -> int:
        return len(self._all())

    def learned_late(self, strategy: str) -> tuple[str, ...]:
        """Signals of scorers beyond the candidate scope, such as language models.

        Their weights are learned on validation users, which these scorers were not trained on.
        """
        return tuple(
            signal.name
            for scorer in self.make_scorers()
            if scorer.scope != "candidates"
            and (scorer.strategies is None or strategy in scorer.strategies)
            for signal in scorer.signals
        )

    def weights(self, strategy: str) -> dict[str, tuple[float, float]]:
        """Default linear weights of the signals that a strategy computes, without those of 0."""
        return {
            signal.name: signal.weight
            for scorer in self.make_scorers()
            if scorer.strategies is None or strategy in scorer.strategies
            for signal in scorer.signals
            if any(signal.weight)
        }

    def _all(self) -> dict[str, Signal]:
        made_of = plugins("scorers"), plugins("signals"), *self._extra
        before = self._made_of
        if len(made_of) != len(before) or any(
            a is not b for a, b in zip(made_of, before, strict=True)
        ):
            self._signals, self._made_of = _signals(self.make_scorers()), made_of
        return self._signals


def _any(scorer: Scorer) -> bool:
    return True


def _signals(scorers: Collection[Scorer]) -> dict[str, Signal]:
    """The signals of some scorers by name, in column order."""
    found: dict[str, Signal] = {}
    names: set[str] = set()
    for scorer in scorers:
        if not scorer.name.isidentifier():  # it becomes a folder of the artifact
            raise ConfigError(
                f"a scorer is named {scorer.name!r}", hint="letters, digits and underscores"
            )
        if scorer.name in names:
            raise ConfigError(f"two scorers are named {scorer.name!r}", hint="rename one")
        names.add(scorer.name)
        for signal in scorer.signals:
            if signal.name in found:
                raise ConfigError(
                    f"two scorers declare the signal {signal.name!r}",
                    hint=f"rename that of {scorer.name!r}",
                )
            found[signal.name] = signal
    return found


def _made(name: str, make: Any) -> Scorer:
    """A scorer of an entry point ``coldstart.scorers``."""
    made = make() if callable(make) else make
    if not callable(make) or not hasattr(made, "signals") or not hasattr(made, "score"):
        raise ConfigError(
            f"the entry point {name!r} of coldstart.scorers is a {type(made).__name__}",
            hint="name a scorer class, or a function without arguments that returns a scorer",
        )
    scorer: Scorer = made
    return scorer


def _function(name: str, made: Any) -> Scorer:
    """A signal of an entry point ``coldstart.signals``: a scorer without state, so never copied."""
    if not isinstance(made, FunctionScorer):
        raise ConfigError(
            f"the entry point {name!r} of coldstart.signals is a {type(made).__name__}",
            hint="name a function under the decorator coldstart.scoring.scorer.signal",
        )
    return made


SIGNALS = SignalRegistry()
