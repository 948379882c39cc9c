"""A recorded request: what a person asked for in their own words, and what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from coldstart.schema import UserProfile

if TYPE_CHECKING:
    from coldstart.catalog.catalog import Catalog

Part = Literal["train", "valid", "test"]


@dataclass(frozen=True)
class RequestItem:
    """An item that a recorded request mentions, or that was chosen for it.

    Args:
        item_id: id in the catalog.
        liked: what the person said of it, ``None``: nothing.
        by_user: whether the person named it first, rather than the one who recommended.
    """

    item_id: str
    liked: bool | None = None
    by_user: bool = True


@dataclass(frozen=True)
class RecordedRequest:
    """One request in a person's own words.

    Args:
        text: all that the person had written so far, titles inline.
        chosen: what was recommended to them, or what they took, at this point.
        mentioned: items named before, in order; never counted as new targets.
        profile: what else is known of the person; its ``about`` is not used.
        dialogue: requests of one dialogue or person depend on each other: they are split and
            resampled together.
        first: nothing had been recommended before.
        exact: whether ``text`` is the original wording.
        fidelity: share of content words from whole sentences, where it is not exact, in [0, 1].
    """

    text: str
    chosen: tuple[RequestItem, ...]
    mentioned: tuple[RequestItem, ...] = ()
    profile: UserProfile = field(default_factory=UserProfile)
    dialogue: str = ""
    first: bool = True
    exact: bool = True
    fidelity: float | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """Ids of the chosen items that were not mentioned before, without repeats."""
        known = {m.item_id for m in self.mentioned}
        ids = (c.item_id for c in self.chosen)
        return tuple(dict.fromkeys(i for i in ids if i not in known))


@dataclass(frozen=True)
class RequestLog:
    """Recorded requests over one catalog, by part.

    Args:
        name: of the data.
        catalog: every item that a request may name.
        train: requests to learn from.
        valid: requests to choose and blend with.
        test: requests to measure with, used for nothing else.
    """

    name: str
    catalog: Catalog
    train: Sequence[RecordedRequest]
    valid: Sequence[RecordedRequest]
    test: Sequence[RecordedRequest]
