"""The four audits of one artifact, on users it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from coldstart.data.dataset import Dataset
from coldstart.errors import DataError
from coldstart.evaluation.audits.counterfactual import audit_counterfactual
from coldstart.evaluation.audits.hallucinations import audit_ledger
from coldstart.evaluation.audits.memorization import audit_memory
from coldstart.evaluation.audits.prompt_sensitivity import ALONE, FULL, audit_wordings
from coldstart.evaluation.audits.report import Result
from coldstart.evaluation.baselines.registry import baselines
from coldstart.evaluation.cases import ColdCase, prefix_cases
from coldstart.evaluation.recommender_adapter import LoadedArtifact, base_model
from coldstart.prompts import PromptTemplate
from coldstart.schema import UserProfile
from coldstart.splitting.user_splits import Split, shuffled_ids

if TYPE_CHECKING:
    from coldstart.recommender import Recommender

N_PICKS = (0, 3)
AUDITED = {
    FULL: "coldstart_catalog",
    "blend without the language model": "coldstart_prior",
    ALONE: "model_catalog",
}
"""Systems whose lists are compared, label → baseline."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Auditor:
    """A recommender and the users it is audited on.

    Args:
        recommender: with a language model.
        cases: held-out users.
        people: training users, the source of counterfactual values.
        wordings: further templates to compare.
        seed: of everything random.
    """

    recommender: Recommender
    cases: Sequence[ColdCase]
    people: Mapping[str, UserProfile]
    wordings: Sequence[PromptTemplate] = ()
    seed: int = 0

    def run(self, name: str, report: Progress | None = None) -> Result:
        """Run one of ``AUDITS``.

        Args:
            name: of the audit.
            report: called with (what, done, total).
        """
        return AUDITS[name](self, report)

    def counterfactual(self, report: Progress | None) -> Result:
        """See ``audit_counterfactual``."""
        artifact = LoadedArtifact(lambda: self.recommender, self.seed)
        known = baselines(artifact=True)
        systems = {label: known[name].build(artifact) for label, name in AUDITED.items()}
        telling = _telling(report, "counterfactual")
        return audit_counterfactual(
            systems, self.cases, self.people, seed=self.seed, report=telling
        )

    def rewordings(self, report: Progress | None) -> Result:
        """See ``audit_wordings``."""
        telling = _telling(report, "wordings")
        return audit_wordings(
            self.recommender, self.cases, more=self.wordings, seed=self.seed, report=telling
        )

    def memory(self, report: Progress | None) -> Result:
        """See ``audit_memory``; loads the base model."""
        return audit_memory(
            self.recommender, base_model(self.recommender), seed=self.seed, report=report
        )

    def ledger(self, report: Progress | None) -> Result:
        """See ``audit_ledger``."""
        telling = _telling(report, "ledger")
        return audit_ledger(self.recommender, self.cases, seed=self.seed, report=telling)


AUDITS: dict[str, Callable[[Auditor, Progress | None], Result]] = {
    "counterfactual": Auditor.counterfactual,
    "wordings": Auditor.rewordings,
    "memory": Auditor.memory,
    "ledger": Auditor.ledger,
}
"""By name, in the order of the report."""


def held_out(data: Dataset, split: Split, users: int, seed: int = 0) -> list[ColdCase]:
    """Cases of some test users, without picks and with three.

    Args:
        data: what the artifact was trained on.
        split: of its users.
        users: how many at most, drawn by the seed.
        seed: of the draw.

    Raises:
        DataError: no test user has enough likes, or the data lacks one.
    """
    cases = prefix_cases(data, shuffled_ids(split.test, seed)[:users], N_PICKS)
    if not cases:
        raise DataError(
            f"none of the split's {len(split.test)} test users can be asked about",
            hint="a case needs 5 likes besides the picks; give --split with such users",
        )
    return cases


def training_people(data: Dataset, split: Split) -> dict[str, UserProfile]:
    """The training users' profiles."""
    return {user: data.users[user] for user in split.train if user in data.users}


def _telling(report: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if report is None else partial(report, what)
