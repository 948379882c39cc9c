"""Weights of the signals for a catalog without interactions.

Checked by ``benchmarks/from_nothing_weights.py`` (``docs/results/from-nothing-weights.md``). They
are the same for every catalog, but for that of popularity (``starting.domain.has_departments``) and
that of the language model (``starting.zero_shot``), which are decided by the catalog.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from coldstart.encoding.ngram_encoder import NAME as NGRAMS
from coldstart.ranking.ranker import BlendRanker
from coldstart.ranking.request_blend import RequestBlend
from coldstart.schema import Strategy
from coldstart.scoring.evidence import PICKS_WEIGHT
from coldstart.scoring.opening import PLACES, OpeningScorer
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorers import Scorers

Pair = tuple[float, float]

_OF_PICKS = ("evidence_content", "evidence_years", "evidence_picks")
TASTE: Mapping[str, Pair] = {
    "evidence_popularity": (1.0, 0.0),
    "catalog_popularity": (1.0, 0.0),
    **dict.fromkeys(_OF_PICKS, PICKS_WEIGHT),
    "opening": (3.0, 0.0),
    "resembles": (0.5, 0.0),
    "shares": (0.6, 0.0),
    "kinds": (0.1, 0.0),
    "interests": (2.0, 0.0),
    "dislikes": (-3.0, 0.0),
}
"""(Weight without picks, change by ten picks) of each signal, for requests without words.

The signals of picks by content, years and likes have equal weights, so that likes take over as they
come in (``scoring.evidence``), and grow with the number of picks less than its root. Other signals
of content do not fade, so they are small (docs/decisions/0095-reliability-of-content.md): with
``resembles`` at 4 and ``kinds`` and ``shares`` at 1, NDCG@10 after all likes of MovieLens-100K was
two thirds of what it is.
"""
DEPARTMENTS: Mapping[str, Pair] = {
    **dict.fromkeys(("evidence_popularity", "catalog_popularity"), (0.3, 0.0)),
    **dict.fromkeys(_OF_PICKS, (1.0, 0.0)),
    "resembles": (1.0, 0.0),
    "kinds": (0.2, 0.0),
}
"""The same where they differ for shops of departments: people come there for different things, so
what many like says less than what is like the pick (decision 0086)."""
REQUEST: Mapping[str, Pair] = {
    "lexical": (4.0, 0.0),
    "words": (4.0, -3.5),
    "wished": (2.0, 0.0),
    "unwished": (-3.0, 0.0),
    "mood": (0.2, 0.0),
}
"""(Weight, slope in the number of words) of each signal, for requests in words."""
LITERAL: Pair = (0.5, 0.0)
"""That of ``words`` where the encoder compares letters, which the lexical match does better."""
REQUEST_TASTE: Pair = (0.0, 0.6)
"""Likewise, of the score without the words."""
SUPERSEDED: Mapping[str, str] = {"catalog_popularity": "evidence_popularity"}
"""Signals that count only where the other one, which includes them, is not registered."""


def from_nothing_ranker(
    model: float = 0.0, encoder: str = "", *, departments: bool = False
) -> BlendRanker:
    """The blend for a catalog without interactions, for every strategy.

    Args:
        model: weight of the language model's lift in requests in words, at least 0.
        encoder: name of the encoder; ``ngrams`` knows no meaning.
        departments: whether the catalog is a shop of departments.
    """
    request = {**REQUEST, "words": LITERAL} if encoder == NGRAMS else REQUEST
    every = {**TASTE, **DEPARTMENTS} if departments else TASTE
    taste = {name: pair for name, pair in every.items() if _counts(name)}
    lm = {"model": (model, 0.0)} if model else {}
    weights, requests = {}, {}
    for strategy in get_args(Strategy):
        weights[strategy] = taste
        own = lm if strategy in ("catalog", "both") else {}
        requests[strategy] = RequestBlend({**request, **own}, REQUEST_TASTE)
    return BlendRanker(weights, requests=requests)


def starting_state() -> dict[str, bytes]:
    """Files of an artifact that turn on the scorers which count without interactions."""
    return Scorers((OpeningScorer(PLACES),)).save()


def _counts(name: str) -> bool:
    return name in SIGNALS and SUPERSEDED.get(name) not in SIGNALS
