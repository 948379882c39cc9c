"""Blend of systems by a conditional logit, tuned on validation requests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coldstart.data.requests.recorded import RecordedRequest, RequestLog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.requests.inputs import blinded
from coldstart.evaluation.requests.system import Floats, LearnedOnce, RequestSystem
from coldstart.ranking.conditional_logit import ChoiceCase, ConditionalLogit


class ValidationSample:
    """The validation requests that blends are tuned on, drawn once for all of them.

    Args:
        most: number of requests; more are sampled.
        seed: of the sample.
        questionnaire: see ``inputs.blinded``.
    """

    def __init__(self, most: int = 1200, seed: int = 0, *, questionnaire: bool = False) -> None:
        if most < 1:
            raise ConfigError(f"most is {most}", hint="give at least 1 validation request")
        self._most, self._seed, self._questionnaire = most, seed, questionnaire
        self._drawn: tuple[RequestLog, tuple[RecordedRequest, ...]] | None = None
        self._given: tuple[RecordedRequest, ...] = ()

    def of(
        self, log: RequestLog
    ) -> tuple[tuple[RecordedRequest, ...], tuple[RecordedRequest, ...]]:
        """Requests with a new target as recorded, and as systems see them.

        Raises:
            DataError: the log has none.
        """
        if self._drawn is None or self._drawn[0] is not log:
            useful = [request for request in log.valid if request.targets]
            if not useful:
                raise DataError(
                    f"{log.name}: no validation request has a new target",
                    hint='mark some lines with "split": "valid"',
                )
            order = np.random.default_rng(self._seed).permutation(len(useful))
            drawn = tuple(useful[n] for n in sorted(order[: self._most].tolist()))
            self._given = tuple(blinded(r, questionnaire=self._questionnaire) for r in drawn)
            self._drawn = log, drawn
        return self._drawn[1], self._given


class TunedBlend(LearnedOnce):
    """Linear blend of other systems' scores, by maximum likelihood on validation requests.

    The targets of a request share its weight; items that it mentions are out of the choice.

    Args:
        name: see ``RequestSystem``.
        parts: the systems, with distinct names; fitted on the same log.
        sample: what it is tuned on.
        description: see ``RequestSystem``; by default the names of the parts.
    """

    def __init__(
        self,
        name: str,
        parts: Sequence[RequestSystem],
        sample: ValidationSample,
        description: str = "",
    ) -> None:
        if not parts or len({part.name for part in parts}) < len(parts):
            raise ConfigError(
                f"a blend of {', '.join(p.name for p in parts) or 'nothing'}",
                hint="give one system or more, each with a name of its own",
            )
        self.parts, self._sample = tuple(parts), sample
        self.model: ConditionalLogit | None = None
        names = " + ".join(part.name for part in parts)
        super().__init__(name, description or f"{names}; weights tuned on validation requests")

    def learn(self, log: RequestLog) -> None:
        """Fit the parts on training requests and the weights on validation requests."""
        for part in self.parts:
            part.fit(log)
        recorded, given = self._sample.of(log)
        columns = [part.scores(given) for part in self.parts]
        rows = log.catalog.rows
        cases = _Cases(recorded, columns, rows)
        self.model = ConditionalLogit.fit(cases, names=[part.name for part in self.parts])

    def compute(self, requests: Sequence[RecordedRequest]) -> Floats:
        """Weighted sum of the parts' scores."""
        assert self.model is not None  # fit before scores, as RequestSystem has it
        weighted = zip(self.model.weights, self.parts, strict=True)
        return np.asarray(sum(np.float32(w) * part.scores(requests) for w, part in weighted))


class _Cases(Sequence[ChoiceCase]):
    """Choices of validation requests, whose features are put together on demand."""

    def __init__(
        self,
        requests: Sequence[RecordedRequest],
        columns: Sequence[Floats],
        rows: dict[str, int],
    ) -> None:
        self._requests, self._columns, self._rows = requests, columns, rows

    def __len__(self) -> int:
        return len(self._requests)

    def __getitem__(self, at: int) -> ChoiceCase:  # type: ignore[override]
        if not 0 <= at < len(self):
            raise IndexError(at)
        request = self._requests[at]
        features = np.stack([column[at] for column in self._columns], axis=1)
        targets = [self._rows[i] for i in request.targets]
        excluded = sorted({self._rows[m.item_id] for m in request.mentioned})
        return ChoiceCase(
            features.astype(np.float32, copy=False),
            np.array(targets, dtype=np.int64),
            np.array(excluded, dtype=np.int64),
        )
