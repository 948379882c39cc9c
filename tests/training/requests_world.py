"""Requests of the small artifact's films in which the words say which film is chosen."""

from __future__ import annotations

from dataclasses import replace

from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.testing.world import toy_catalog

WORDS = {
    "i8": "scary battles",
    "i19": "a gangster adventure",
    "i0": "toys that come alive",
}
"""Words that lead to a film."""
_FORMS = ("a film about {}", "{} please", "I want {} tonight", "do you know {}?", "show me {}")


def worded_requests(mentioned: str = "i3") -> tuple[RecordedRequest, ...]:
    """Five requests for each film of ``WORDS``, the first with a named title."""
    return tuple(
        RecordedRequest(
            form.format(words),
            (RequestItem(item, liked=True),),
            (RequestItem(mentioned, liked=True),) if n == 0 else (),
            dialogue=f"{item}-{n}",
        )
        for item, words in WORDS.items()
        for n, form in enumerate(_FORMS)
    )


def worded_log() -> RequestLog:
    """The same as a log: three forms to learn from, one to blend with and one to test."""
    found = worded_requests()
    parts = [found[n::5] for n in range(5)]
    train = [replace(r, dialogue="") if r.dialogue == "i0-0" else r for p in parts[:3] for r in p]
    return RequestLog("worded", toy_catalog(), train, parts[3], parts[4])
