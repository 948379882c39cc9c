"""One sentence per recommendation from its reasons, in any language that has a module here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from coldstart.errors import ConfigError
from coldstart.ranking.wording import en, zh
from coldstart.ranking.wording.notes import note_in
from coldstart.schema import Reason, Recommendation, RecommendationList
from coldstart.scoring.registry import SIGNALS


class Wording(Protocol):
    """What a language module defines."""

    def clause(self, code: str, arguments: Mapping[str, Any]) -> str | None:
        """A reason as part of a sentence, ``None`` for a code that the language does not know."""
        ...

    def sentence(self, clauses: Sequence[str]) -> str:
        """Clauses joined to one sentence, with capital letter and full stop."""
        ...

    def points(self, text: str, amount: float) -> str:
        """A clause with what it adds to the score."""
        ...

    def adjustments(self, clauses: Sequence[str]) -> str:
        """Clauses with points as one sentence."""
        ...

    def paragraph(self, sentences: Sequence[str]) -> str:
        """Sentences one after another."""
        ...


LANGUAGES: Mapping[str, Wording] = {"en": en, "zh": zh}
_QUALITY = re.compile(r"q\s*=\s*([01](?:\.\d{0,3})?)")
_SEPARATE = frozenset({"exploration"})  # codes that are a sentence of their own


def supported(language: str) -> str | None:
    """Language code with sentences for a tag such as ``zh-CN``, ``None`` if there are none."""
    code = language.replace("_", "-").split("-")[0].casefold()
    return code if code in LANGUAGES else None


def preferred(accept_language: str) -> str:
    """The language with sentences that a header ``Accept-Language`` wants most, else ``en``.

    >>> preferred("fr-CH, fr;q=0.9, zh-TW;q=0.8, en;q=0.7"), preferred("nonsense")
    ('zh', 'en')
    """
    wanted: dict[str, float] = {}
    for part in accept_language.split(","):
        tag, _, weight = part.partition(";")
        code = supported(tag.strip())
        found = _QUALITY.fullmatch(weight.strip())
        if code is not None and code not in wanted:
            wanted[code] = float(found[1]) if found else float(not weight.strip())
    best = max(wanted, key=lambda code: wanted[code], default="en")
    return best if wanted.get(best) else "en"


def check_language(language: str) -> str:
    """Language code with sentences for a tag such as ``zh-CN``.

    Raises:
        ConfigError: an unknown language.
    """
    code = supported(language)
    if code is None:
        raise ConfigError(
            f"no reasons in language {language!r}", hint=f"one of {', '.join(LANGUAGES)}"
        )
    return code


def sentence(reasons: Sequence[Reason], language: str = "en") -> str:
    """Word reasons; adjustments of the score (``points``) come as a sentence of their own.

    >>> sentence([Reason(code="alike", arguments={"pick": "Alien"})], "zh")
    '和“Alien”相似。'

    Args:
        reasons: at least one.
        language: ``en`` or ``zh``; of ``zh-CN`` the first part counts.

    Raises:
        ConfigError: an unknown language.
    """
    code = check_language(language)
    wording = LANGUAGES[code]
    clauses = [
        _clause(wording, r, code)
        for r in reasons
        if "points" not in r.arguments and r.code not in _SEPARATE
    ]
    adjusted = [
        wording.points(_clause(wording, r, code), r.arguments["points"])
        for r in reasons
        if "points" in r.arguments
    ]
    parts = [wording.sentence(clauses)] if clauses else []
    if adjusted:
        parts.append(wording.adjustments(adjusted))
    parts += [wording.sentence([_clause(wording, r, code)]) for r in reasons if r.code in _SEPARATE]
    return wording.paragraph(parts)


def worded(recommendation: Recommendation, language: str) -> Recommendation:
    """The same item with its reason in another language.

    Raises:
        ConfigError: an unknown language.
    """
    if not recommendation.reasons:
        return recommendation
    reason = sentence(recommendation.reasons, language)
    return recommendation.model_copy(update={"reason": reason})


def in_language(recommendations: RecommendationList, language: str) -> RecommendationList:
    """The same list with reasons, notes and details of dropped items in another language.

    Raises:
        ConfigError: an unknown language.
    """
    items = tuple(worded(r, language) for r in recommendations)
    code = check_language(language)
    notes = tuple(note_in(note, code) for note in recommendations.notes)
    dropped = tuple(
        d.model_copy(update={"detail": note_in(d.detail, code)}) for d in recommendations.dropped
    )
    return recommendations.model_copy(update={"items": items, "notes": notes, "dropped": dropped})


def _clause(wording: Wording, reason: Reason, language: str) -> str:
    known = wording.clause(reason.code, reason.arguments)
    if known is not None:
        return known
    for signal in SIGNALS:  # a plug-in's, worded where it is declared
        if signal.reason == reason.code and signal.wording:
            return signal.wording.get(language, next(iter(signal.wording.values())))
    return reason.code.replace("_", " ")
