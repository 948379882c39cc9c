"""Every scorer and every signal by name: the built-in ones, then those of other packages.

The order is that of the ranker's columns. Weights, tree constraints, artifact checks, explanations
and the service's "why" are derived from ``SIGNALS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from coldstart.errors import ConfigError
from coldstart.plugins import plugins
from coldstart.scoring.categories import CategoryScorer
from coldstart.scoring.co_occurrence import CoOccurrenceScorer
from coldstart.scoring.language_model import LanguageModelScorer
from coldstart.scoring.neighbours import NeighbourScorer
from coldstart.scoring.pick_profile import PickProfileScorer
from coldstart.scoring.popularity import PopularityScorer
from coldstart.scoring.request_facts import RequestFactsScorer
from coldstart.scoring.scorer import Scorer
from coldstart.scoring.sequence import SequenceScorer
from coldstart.scoring.signal import Signal
from coldstart.scoring.stated import StatedScorer
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
    LanguageModelScorer,
    WrittenTitlesScorer,
)


class SignalRegistry:
    """The signals of all registered scorers, in column order."""

    def __init__(self) -> None:
        self._extra: list[Callable[[], Scorer]] = []
        self._signals: dict[str, Signal] | None = None

    def register(self, make: Callable[[], Scorer]) -> None:
        """Add a scorer of this process's own; packages use entry points instead.

        Args:
            make: a scorer class, or a function without arguments.

        Raises:
            ConfigError: it declares a signal that exists.
        """
        self._extra.append(make)
        self._signals = None
        try:
            self._all()
        except ConfigError:
            self.unregister(make)
            raise

    def unregister(self, make: Callable[[], Scorer]) -> None:
        """Take a registered scorer back."""
        self._extra.remove(make)
        self._signals = None

    def make_scorers(self) -> tuple[Scorer, ...]:
        """A new instance of every scorer, in column order."""
        made = [make() for make in (*BUILT_IN, *plugins("scorers").values(), *self._extra)]
        # A function of the decorator ``signal`` is a scorer already, and has no state.
        return *made, *plugins("signals").values()

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

        Their weights are learned on validation users, whom the scorers have not seen.
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
        if self._signals is None:
            found: dict[str, Signal] = {}
            for scorer in self.make_scorers():
                for signal in scorer.signals:
                    if signal.name in found:
                        raise ConfigError(
                            f"two scorers declare the signal {signal.name!r}",
                            hint=f"rename that of {scorer.name!r}",
                        )
                    found[signal.name] = signal
            self._signals = found
        return self._signals


SIGNALS = SignalRegistry()
