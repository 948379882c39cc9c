"""The ``Scorer`` protocol: computes signals for a batch of requests over their candidate sets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from coldstart.scoring.lm_signals import LMSignals
from coldstart.scoring.signal import Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.data.dataset import Dataset
    from coldstart.data.requests.recorded import RecordedRequest
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.schema import DecodingConfig
    from coldstart.scoring.resources import Resources
    from coldstart.scoring.retrieval import Nearest

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Scope = Literal["catalog", "candidates", "shortlist"]
"""Which items a scorer scores: the whole catalog, before the candidate set is chosen; the candidate
set; or the shortlist, the best candidates by all other signals."""


@dataclass(frozen=True)
class ScoreRequest:
    """One request as scorers see it.

    Args:
        user: the resolved profile.
        items: the candidate set; the whole catalog for scorers of the scopes ``catalog`` and
            ``shortlist``.
        shortlist: catalog rows that a scorer of scope ``shortlist`` scores, best first; ``None``:
            all.
        decoding: how a language model writes.
        seed: of whatever is drawn.
    """

    user: ResolvedProfile
    items: ItemStore
    shortlist: Ints | None = None
    decoding: DecodingConfig | None = None
    seed: int = 0


@dataclass(frozen=True)
class Scores:
    """Scores of one request by one scorer.

    Args:
        columns: values by signal name, shape (N,) each, in the row order of the request's items.
        lm: output of a language model, for provenance; ``None`` for other scorers.
    """

    columns: Mapping[str, Floats] = field(default_factory=dict)
    lm: LMSignals | None = None

    @classmethod
    def of_model(cls, lm: LMSignals) -> Scores:
        """Output of a language model, as columns and for provenance."""
        columns = {"model": lm.model, "written": lm.written}
        return cls({n: values for n, values in columns.items() if values is not None}, lm)

    def of_rows(self, rows: Ints) -> Scores:
        """The same of some rows."""
        columns = {name: values[rows] for name, values in self.columns.items()}
        return Scores(columns, self.lm and self.lm.of_rows(rows))


@runtime_checkable
class Scorer(Protocol):
    """Computes one or several signals; see ``ColumnScorer`` for defaults to inherit.

    Scorers are synchronised with the catalog, fitted in training, saved with the artifact, and
    scored in batches. A batch equals its requests one by one.
    """

    @property
    def name(self) -> str:
        """Identifies it in artifacts and errors."""
        ...

    @property
    def signals(self) -> tuple[Signal, ...]:
        """The columns that it computes."""
        ...

    @property
    def scope(self) -> Scope:
        """Which items it scores."""
        ...

    @property
    def strategies(self) -> frozenset[str] | None:
        """Strategies in which it takes part; ``None``: all."""
        ...

    @property
    def concurrency(self) -> int | None:
        """Requests to give it at a time; ``None``: any number."""
        ...

    def fit(self, data: Dataset, users: Sequence[str]) -> None:
        """Learn from the likes of training users, and of no others.

        Called once for the artifact, and on a fresh scorer for each part of out-of-fold training.
        A scorer that was neither fitted nor loaded gives finite columns, such as zeros.
        """
        ...

    def fit_requests(self, requests: Sequence[RecordedRequest], items: ItemStore) -> None:
        """Learn from recorded requests in people's own words; after ``fit``.

        Args:
            requests: training requests, and no others.
            items: the whole catalog, synchronised.
        """
        ...

    def sync(self, resources: Resources) -> None:
        """Catch up with the catalog; called before every batch, quick if nothing changed.

        Args:
            resources: the caller keeps them for as long as it scores. They know the scorers, so a
                scorer refers to them weakly (``UsesResources``) or not at all.
        """
        ...

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Retrieve the best rows by this scorer's signals, for the candidate set.

        Args:
            user: the resolved profile.
            items: the whole catalog; used only for catalogs too large to be scored as a whole.
            nearest: (unit content vector, n) → rows of the n items nearest by content.
        """
        ...

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
        """Score the items of every request; an exception is that request's alone."""
        ...

    def save(self) -> Mapping[str, bytes]:
        """Files that ``load`` reads, by plain name (JSON or safetensors); none without state."""
        ...

    def load(self, files: Mapping[str, bytes]) -> None:
        """Restore the state that ``save`` returned."""
        ...


@runtime_checkable
class KnowsFacts(Protocol):
    """A scorer that knows the facts that reasons of its signals state."""

    def facts(
        self, reason: str, user: ResolvedProfile, items: ItemStore, row: int
    ) -> Mapping[str, Any] | None:
        """Arguments of a reason, for its wording; ``None`` where it does not hold of the item.

        Args:
            reason: code, as in ``Signal.reason``.
            user: the resolved profile.
            items: the candidate set.
            row: of the item in it.
        """
        ...


class BaseScorer:
    """What a scorer without state of its own need not define."""

    name: str
    signals: tuple[Signal, ...] = ()
    scope: Scope = "candidates"
    strategies: frozenset[str] | None = None

    @property
    def concurrency(self) -> int | None:
        """Any number."""
        return None

    def fit(self, data: Dataset, users: Sequence[str]) -> None:
        """Learn nothing: the item store has the interaction statistics."""

    def fit_requests(self, requests: Sequence[RecordedRequest], items: ItemStore) -> None:
        """Learn nothing from requests."""

    def sync(self, resources: Resources) -> None:
        """Follow nothing: the item store follows the catalog."""

    def retrieve(self, user: ResolvedProfile, items: ItemStore, nearest: Nearest) -> Sequence[Ints]:
        """Name no items."""
        return ()

    def save(self) -> Mapping[str, bytes]:
        """No files."""
        return {}

    def load(self, files: Mapping[str, bytes]) -> None:
        """No state."""


class ColumnScorer(BaseScorer, ABC):
    """A scorer of candidates that computes its signals one request at a time.

    Subclasses set ``name`` and ``signals`` and define ``columns``.
    """

    @abstractmethod
    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """Values of every signal for one request, shape (N,) each.

        Args:
            user: the resolved profile.
            items: the candidate set, of N items.
        """

    def score(self, batch: Sequence[ScoreRequest]) -> Sequence[Scores | Exception]:
        """Compute ``columns`` of every request."""
        return [Scores(self.columns(request.user, request.items)) for request in batch]


Compute = Callable[["ResolvedProfile", "ItemStore"], "Floats"]


class FunctionScorer(ColumnScorer):
    """A scorer of one signal that a function computes; made by the decorator ``signal``.

    Args:
        declared: the signal.
        compute: (resolved profile, candidate set) → values of shape (N,).
    """

    def __init__(self, declared: Signal, compute: Compute) -> None:
        self.name, self.signals, self.compute = declared.name, (declared,), compute

    def columns(self, user: ResolvedProfile, items: ItemStore) -> Mapping[str, Floats]:
        """The function's values."""
        return {self.name: self.compute(user, items)}


def signal(
    name: str, meaning: str, unit: str, **declared: Any
) -> Callable[[Compute], FunctionScorer]:
    """Declare a signal and the function that computes it, as a scorer.

    Args:
        name: as in ``Signal``.
        meaning: likewise.
        unit: likewise.
        declared: the other fields of ``Signal``.

    >>> @signal("title_length", "Length of the title.", "characters", weight=(-0.01, 0.0))
    ... def title_length(user, items):
    ...     return np.array([len(item.title) for item in items.items], dtype=float)
    """

    def made(compute: Compute) -> FunctionScorer:
        return FunctionScorer(Signal(name, meaning, unit, **declared), compute)

    return made
