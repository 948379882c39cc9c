"""The scorers of one recommender: synchronised, fitted, saved and scored together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np

from coldstart.errors import ArtifactError, ColdstartError, ConfigError
from coldstart.runtime.untrusted import first_line
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import Scope, Scorer, ScoreRequest, Scores

if TYPE_CHECKING:
    from coldstart.catalog.item_store import ItemStore
    from coldstart.data.dataset import Dataset
    from coldstart.data.requests.recorded import RecordedRequest
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.scoring.resources import Resources
    from coldstart.scoring.scorer import Floats

SUFFIXES = (".json", ".jsonl", ".safetensors")
"""Of files that scorers save: artifacts hold nothing that runs code when it is read."""


class Scorers:
    """An ordered collection of scorers.

    Args:
        scorers: in the order of the ranker's columns; ``None``: a new one of every registered kind.
    """

    def __init__(self, scorers: Iterable[Scorer] | None = None) -> None:
        self._scorers = tuple(SIGNALS.make_scorers() if scorers is None else scorers)

    @classmethod
    def of_artifact(cls, weighed: Collection[str], files: Mapping[str, bytes]) -> Scorers:
        """New scorers for a trained ranker, with the state that an artifact has of them.

        Plug-ins that the artifact was trained without have no weight and no state: they are left
        out, so that it gives the same lists whatever is installed beside it.

        Args:
            weighed: signals that the ranker weighs.
            files: of the artifact.
        """

        def belongs(scorer: Scorer) -> bool:
            known = any(signal.name in weighed for signal in scorer.signals)
            return known or any(name.startswith(_folder(scorer)) for name in files)

        made = cls(SIGNALS.make_scorers(belongs))
        made.load(files)
        return made

    def __iter__(self) -> Iterator[Scorer]:
        return iter(self._scorers)

    def of(self, strategy: str, scope: Scope) -> list[Scorer]:
        """Those that take part in a strategy and score a scope."""
        return [
            s
            for s in self._scorers
            if s.scope == scope and (s.strategies is None or strategy in s.strategies)
        ]

    def replaced(self, change: Callable[[Scorer], Scorer]) -> Scorers:
        """A collection in which a function has replaced, or wrapped, scorers."""
        return Scorers(change(scorer) for scorer in self._scorers)

    def sync(self, resources: Resources) -> None:
        """Have every scorer catch up with the catalog."""
        for scorer in self._scorers:
            scorer.sync(resources)

    def fit(self, data: Dataset, users: Sequence[str]) -> None:
        """Have every scorer learn from the likes of training users."""
        for scorer in self._scorers:
            scorer.fit(data, users)

    def fit_requests(self, requests: Sequence[RecordedRequest], items: ItemStore) -> None:
        """Have every scorer learn from recorded requests."""
        for scorer in self._scorers:
            scorer.fit_requests(requests, items)

    def features(
        self, batch: Sequence[ScoreRequest], scores: Sequence[Iterable[Scores]] = ()
    ) -> list[Floats]:
        """The ranker's input of each request: all signals of its candidate set.

        Args:
            batch: requests with their candidate sets.
            scores: for each request what scorers of other scopes found, cut to its candidate set;
                their columns are zero where nothing is given.

        Returns:
            One array per request, shape (N, len(SIGNALS)), columns in the order of ``SIGNALS``.
        """
        column = {name: at for at, name in enumerate(SIGNALS.names)}
        out = [np.zeros((len(request.items.ids), len(column))) for request in batch]
        for features, given in zip(out, scores, strict=False):
            for found in given:
                _put(features, found, column)
        for scorer in self._scorers:
            if scorer.scope != "candidates":
                continue
            for features, made in zip(out, scorer.score(batch), strict=True):
                if isinstance(made, Exception):
                    raise made
                _put(features, made, column)
        return out

    def features_of(self, user: ResolvedProfile, items: ItemStore) -> Floats:
        """``features`` of one request without a language model."""
        return self.features([ScoreRequest(user, items)])[0]

    def save(self, files: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
        """The files of all scorers, under ``scorers/NAME/``.

        Args:
            files: of an artifact; kept, but for earlier ones of these scorers. Those of scorers
                that are not installed stay.

        Raises:
            ConfigError: a scorer saves something else than a plain file of one of ``SUFFIXES``.
        """
        starts = tuple(map(_folder, self._scorers))
        out = {n: data for n, data in (files or {}).items() if not n.startswith(starts)}
        for scorer in self._scorers:
            for name, data in scorer.save().items():
                path = PurePosixPath(name)
                if path.name != name or path.suffix not in SUFFIXES:
                    raise ConfigError(
                        f"the scorer {scorer.name!r} saves a file {name!r}",
                        hint=f"a plain name that ends in {', '.join(SUFFIXES)}",
                    )
                out[_folder(scorer) + name] = data
        return out

    def load(self, files: Mapping[str, bytes]) -> None:
        """Restore every scorer that has files; those of scorers that are not installed stay.

        Raises:
            ArtifactError: the files of a scorer are damaged.
        """
        for scorer in self._scorers:
            start = _folder(scorer)
            own = {n.removeprefix(start): d for n, d in files.items() if n.startswith(start)}
            if own:
                _load(scorer, own)


def _load(scorer: Scorer, files: Mapping[str, bytes]) -> None:
    try:
        scorer.load(files)
    except ColdstartError:
        raise
    except Exception as e:  # what no check foresaw, of a plug-in too
        raise ArtifactError(
            f"state of the scorer {scorer.name!r} cannot be read: {first_line(e)}",
            hint="copy the artifact again",
        ) from e


def _folder(scorer: Scorer) -> str:
    return f"scorers/{scorer.name}/"


def _put(features: Floats, found: Scores, column: Mapping[str, int]) -> None:
    for name, values in found.columns.items():
        features[:, column[name]] = values
