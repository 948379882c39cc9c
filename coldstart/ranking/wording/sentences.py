"""One sentence per recommendation from its reasons, in any language that has a module here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from coldstart.errors import ConfigError
from coldstart.ranking.wording import en, zh
from coldstart.schema import Reason
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


LANGUAGES: Mapping[str, Wording] = {"en": en, "zh": zh}


def sentence(reasons: Sequence[Reason], language: str = "en") -> str:
    """Word reasons; adjustments of the score (``points``) come as a sentence of their own.

    Args:
        reasons: at least one.
        language: ``en`` or ``zh``; of ``zh-CN`` the first part counts.

    Raises:
        ConfigError: an unknown language.
    """
    code = language.split("-")[0].casefold()
    if code not in LANGUAGES:
        raise ConfigError(
            f"no reasons in language {language!r}", hint=f"one of {', '.join(LANGUAGES)}"
        )
    wording = LANGUAGES[code]
    clauses = [_clause(wording, r, code) for r in reasons if "points" not in r.arguments]
    adjusted = [
        wording.points(_clause(wording, r, code), r.arguments["points"])
        for r in reasons
        if "points" in r.arguments
    ]
    parts = [wording.sentence(clauses)] if clauses else []
    if adjusted:
        parts.append(wording.sentence(["; ".join(adjusted)]))
    return (" " if code == "en" else "").join(parts)


def _clause(wording: Wording, reason: Reason, language: str) -> str:
    known = wording.clause(reason.code, reason.arguments)
    if known is not None:
        return known
    for signal in SIGNALS:  # a plug-in's, worded where it is declared
        if signal.reason == reason.code and signal.wording:
            return signal.wording.get(language) or next(iter(signal.wording.values()))
    return reason.code.replace("_", " ")
