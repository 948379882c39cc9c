"""A small log in which words, mentions and popularity each tell something."""

from __future__ import annotations

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.schema import Item

KINDS = ("western", "horror", "romance", "space")
WORDS = {
    "western": "cowboys and horses on the prairie",
    "horror": "ghosts in a haunted house",
    "romance": "a wedding and a tender kiss",
    "space": "rockets and planets far away",
}
EACH = 6


def made_catalog() -> Catalog:
    """Six items of each kind, described by its words."""
    return Catalog(
        Item(
            item_id=f"{kind}-{n}",
            title=f"{kind.title()} {n}",
            year=1990 + n,
            categories=(kind.title(),),
            description=WORDS[kind],
            attributes={"stars": f"Star {kind.title()}|Other Star"},
        )
        for kind in KINDS
        for n in range(EACH)
    )


def made_requests(count: int, seed: int, prefix: str) -> tuple[RecordedRequest, ...]:
    """Requests for one kind, in its words, two to a dialogue, the second with a mentioned item."""
    rng, out = np.random.default_rng(seed), []
    for n in range(count):
        kind = KINDS[rng.integers(len(KINDS))] if n % 2 == 0 else kind  # noqa: F821
        first, other, *_ = (f"{kind}-{k}" for k in rng.permutation(EACH))
        words = " ".join(rng.permutation(WORDS[kind].split())[:3])
        out.append(
            RecordedRequest(
                text=f"I am looking for a movie with {words}",
                chosen=(RequestItem(first, liked=bool(rng.random() < 0.9), by_user=False),),
                mentioned=(RequestItem(other, liked=True),) if n % 2 else (),
                dialogue=f"{prefix}{n // 2}",
                first=n % 2 == 0,
            )
        )
    return tuple(out)


def made_log() -> RequestLog:
    """Sixty requests to learn from, forty to tune with, forty to judge with."""
    parts = (made_requests(60, 1, "a"), made_requests(40, 2, "b"), made_requests(40, 3, "c"))
    return RequestLog("made up", made_catalog(), *parts)
