"""What a system is given of a recorded request, and the text made of requests and items."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from coldstart.data.requests.recorded import RecordedRequest
from coldstart.errors import DataError
from coldstart.schema import Item

_YEAR = re.compile(r"\s*\((?:1[89]|20)\d\d\)")
_CAST = 3


def blinded(request: RecordedRequest, *, questionnaire: bool = False) -> RecordedRequest:
    """The request without what was not known when it was made.

    Args:
        request: as recorded.
        questionnaire: keep what the person thought of the mentioned items. In ReDial that comes
            from a form filled in after the dialogue, so that a system must not see it.

    Returns:
        A copy without chosen items, and, unless kept, without what was liked.
    """
    kept = request.mentioned
    if not questionnaire:
        kept = tuple(replace(item, liked=None) for item in kept)
    return replace(request, chosen=(), mentioned=kept)


def request_text(request: RecordedRequest, most: int = 600) -> str:
    """Last ``most`` characters of a request's text, without years in parentheses."""
    return _YEAR.sub("", request.text)[-most:]


def item_text(item: Item) -> str:
    """Title, year, categories, description, and people, as one text for matching by words."""
    people = [
        f"{name}: {', '.join(item.attributes[name].split('|')[:_CAST])}"
        for name in ("stars", "directors")
        if item.attributes.get(name)
    ]
    year = str(item.year) if item.year else ""
    parts = [item.title, year, ", ".join(item.categories), item.description, *people]
    return ". ".join(part for part in parts if part)


def named_rows(request: RecordedRequest, rows: Mapping[str, int]) -> list[int]:
    """Rows of the items that the person named and did not call bad, without repeats."""
    found = (m.item_id for m in request.mentioned if m.by_user and m.liked is not False)
    return [rows[i] for i in dict.fromkeys(found) if i in rows]


def good_rows(request: RecordedRequest, rows: Mapping[str, int]) -> list[int]:
    """Rows of the chosen items that the person did not call bad, without repeats."""
    found = (c.item_id for c in request.chosen if c.liked is not False)
    return [rows[i] for i in dict.fromkeys(found) if i in rows]


def without_text(requests: Sequence[RecordedRequest], seed: int) -> list[RecordedRequest]:
    """Requests with an empty text."""
    return [replace(request, text="") for request in requests]


def without_mentions(requests: Sequence[RecordedRequest], seed: int) -> list[RecordedRequest]:
    """Requests without mentioned items; titles stay in the text."""
    return [replace(request, mentioned=()) for request in requests]


def with_shuffled_texts(requests: Sequence[RecordedRequest], seed: int) -> list[RecordedRequest]:
    """Requests with the text of a request of another dialogue.

    Dialogues are ordered at random and each request takes the text of the request half of all
    requests further on, so that every text is used once.

    Args:
        requests: at least of two dialogues, none of which has more than half of the requests.
        seed: of the order.

    Raises:
        DataError: one dialogue has more than half of the requests.
    """
    dialogues = list(dict.fromkeys(request.dialogue for request in requests))
    place = np.random.default_rng(seed).permutation(len(dialogues))
    rank = dict(zip(dialogues, place.tolist(), strict=True))
    order = sorted(range(len(requests)), key=lambda n: (rank[requests[n].dialogue], n))
    half, out = len(requests) // 2, list(requests)
    for at, n in enumerate(order):
        giver = requests[order[(at + half) % len(order)]]
        if giver.dialogue == requests[n].dialogue:
            raise DataError(
                f"texts of {len(requests)} requests of {len(dialogues)} dialogues cannot be "
                "shuffled between dialogues",
                hint="give more dialogues, or none that has more than half of the requests",
            )
        out[n] = replace(requests[n], text=giver.text)
    return out
