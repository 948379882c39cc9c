"""Why an item is recommended, for people: shares of what lifted it, ranks and counts."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from coldstart.ranking.wording.sentences import LANGUAGES
from coldstart.schema import Frozen, Recommendation
from coldstart.scoring.registry import SIGNALS

_LEAST = 0.01  # share below which a part is not worth a line

_NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "en": {
        "words": ("What you asked for", "what you asked for"),
        "liked": ("What you liked", "what people like who share your likes"),
        "alike": ("Alike in content", "how alike it is to what you liked"),
        "popularity": ("How many like it", "how many people like it"),
        "people": ("People like you", "how much people like you like it"),
        "years": ("The years you prefer", "the years you prefer"),
        "disliked": ("Far from what you dislike", "how far it is from what you dislike"),
        "model": ("The language model", "what the language model expects of you"),
        "other": ("Other signs", "other signs"),
    },
    "zh": {
        "words": ("你说的要求", "你说的要求"),
        "liked": ("你的喜好", "和你喜好相同的人的选择"),
        "alike": ("内容相近", "与你喜欢的内容的相近程度"),
        "popularity": ("受欢迎程度", "喜欢的人数"),
        "people": ("和你相似的人", "和你相似的人的喜爱程度"),
        "years": ("你偏好的年代", "你偏好的年代"),
        "disliked": ("远离你不喜欢的", "与你不喜欢的内容的距离"),
        "model": ("语言模型", "语言模型对你的预期"),
        "other": ("其他因素", "其他因素"),
    },
}
_NOTHING = {"en": "more than is usual here", "zh": "高于这里的平均水平"}


class Why(Frozen):
    """One part of what lifted an item above the others.

    Args:
        name: of the part, in the language of the response.
        share: of all that lifted it; the shares of one item sum to 1.
        text: its rank, and counts where there are some.
    """

    name: str
    share: float = Field(ge=0, le=1)
    text: str


def why(recommendation: Recommendation, language: str = "en") -> tuple[Why, ...]:
    """What lifted an item above the mean of the candidates, the largest part first.

    What spoke against it has no part. Empty where nothing lifted it.

    Args:
        recommendation: with its provenance.
        language: ``en`` or ``zh``.
    """
    provenance = recommendation.provenance
    boosts = {g: v for g, v in provenance.groups.items() if g not in provenance.lifts}
    lifted = {g: v for g, v in (provenance.lifts | boosts).items() if v > 0}
    total = sum(lifted.values())
    told = {g: v for g, v in lifted.items() if v >= _LEAST * total}
    total = sum(told.values())
    names = _NAMES[language]
    return tuple(
        Why(
            name=names[group][0] if group in names else group,
            share=value / total,
            text=_text(recommendation, group, language),
        )
        for group, value in sorted(told.items(), key=lambda pair: -pair[1])
    )


def _text(recommendation: Recommendation, group: str, language: str) -> str:
    """Rank by a part, and the reason of the item that belongs to it."""
    provenance, names, parts = recommendation.provenance, _NAMES[language], []
    rank = provenance.ranks.get(group)
    if rank is not None and group in names:
        parts.append(_rank(rank, provenance.among, names[group][1], language))
    groups = {signal.reason: signal.group for signal in SIGNALS if signal.reason}
    for reason in recommendation.reasons:
        if groups.get(reason.code, "popularity" if reason.code == "popular" else "") == group:
            clause = LANGUAGES[language].clause(reason.code, reason.arguments)
            parts += [clause] if clause else []
    return ("；" if language == "zh" else "; ").join(parts) or _NOTHING[language]


def _rank(rank: int, among: int, what: str, language: str) -> str:
    """A rank in words.

    >>> _rank(3, 1682, "what you asked for", "en")
    '3rd of 1,682 by what you asked for'
    """
    if language == "zh":
        return f"按{what}，在 {among:,} 件中排第 {rank:,}"
    teen = 10 < rank % 100 < 14
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(rank % 10, "th")
    return f"{rank:,}{ending} of {among:,} by {what}"
