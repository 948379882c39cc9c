"""One recommended item: how it came about, and why."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from coldstart.schema.base import Frozen

Strategy = Literal["catalog", "free", "both", "prior"]


class Provenance(Frozen):
    """Provenance of one recommendation, from generation to rank.

    Args:
        strategy: of the request.
        generated_text: the generated title, if the item comes from one.
        logprob: its natural-log probability.
        matched_by: how the title was grounded.
        similarity: cosine of the match.
        features: ranker inputs of the item, by name.
        contributions: additive contribution of each feature to the score before diversity.
        groups: the same, summed by explanation group; adjustments outside all groups, such as
            boosts, keep their own name.
        lifts: what each group adds beyond its mean over the candidates.
        ranks: rank of the item among the candidates by each group, from 1; groups in which all are
            equal have none.
        among: number of candidates.
    """

    strategy: Strategy
    generated_text: str | None = None
    logprob: float | None = None
    matched_by: Literal["trie", "exact", "similarity"] | None = None
    similarity: float | None = None
    features: dict[str, float] = Field(default_factory=dict)
    contributions: dict[str, float] = Field(default_factory=dict)
    groups: dict[str, float] = Field(default_factory=dict)
    lifts: dict[str, float] = Field(default_factory=dict)
    ranks: dict[str, int] = Field(default_factory=dict)
    among: int = 0


class Reason(Frozen):
    """Why an item is recommended, as data; ``ranking.wording`` makes a sentence of it.

    Args:
        code: which kind of reason, such as ``picks`` or ``popular``.
        arguments: the facts it states.
    """

    code: str
    arguments: dict[str, Any] = Field(default_factory=dict)


class Recommendation(Frozen):
    """One recommended item.

    Args:
        rank: from 1.
        item_id: id of the item.
        title: title of the item.
        year: year of the item.
        score: final ranking value, higher is better.
        reason: one English sentence; ``ranking.wording.sentences.in_language`` words a list in
            another language.
        reasons: the same as data, the strongest first.
        provenance: from generation to rank.
    """

    rank: int = Field(ge=1)
    item_id: str
    title: str
    year: int | None = None
    score: float
    reason: str
    reasons: tuple[Reason, ...] = ()
    provenance: Provenance
