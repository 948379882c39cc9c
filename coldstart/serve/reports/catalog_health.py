"""What the catalog lacks, and which items nobody was shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from pydantic import BaseModel, ConfigDict, Field

from coldstart.schema import Item

_EXAMPLES = 20


class ItemName(BaseModel):
    """Id and title of an item."""

    model_config = ConfigDict(frozen=True)

    item_id: str
    title: str


class HealthCheck(BaseModel):
    """Items with one gap."""

    model_config = ConfigDict(frozen=True)

    check: str
    why: str = Field(description="What the gap costs.")
    items: int
    share: float = Field(description="Of the catalog, 0 to 1.")
    examples: list[ItemName] = Field(description="The first ones, in the order of the catalog.")


class CatalogHealth(BaseModel):
    """Gaps of the catalog."""

    model_config = ConfigDict(frozen=True)

    items: int
    checks: list[HealthCheck]
    days: int = Field(description="Window of “never shown”.")
    complete: bool = Field(
        description="False if there were more lists in the window than are read: the newest ones "
        "count, and “not in the newest lists” is in the place of “never shown”."
    )


_CHECKS: tuple[tuple[str, str, Callable[[Item], bool]], ...] = (
    (
        "no description",
        "found by title and category only",
        lambda item: not item.description.strip(),
    ),
    ("no image", "shown with a drawn poster", lambda item: not item.image),
    ("no category", "not found by kind, no part of any row", lambda item: not item.categories),
    ("not available", "never recommended", lambda item: not item.available),
)
_NEVER = "never shown", "nobody can take it"
_LATELY = "not in the newest lists", "older lists of the window, which are not read, may have it"


def catalog_health(
    items: Sequence[Item],
    shown: Collection[str],
    days: int,
    *,
    complete: bool = True,
    examples: int = _EXAMPLES,
) -> CatalogHealth:
    """Check the items of a catalog.

    Args:
        items: of the catalog.
        shown: ids of items that were shown in the window.
        days: length of the window.
        complete: whether ``shown`` is of all lists in the window.
        examples: most items that are named for each gap.
    """
    titles = Counter(item.title.casefold() for item in items)
    own: tuple[tuple[str, str, Callable[[Item], bool]], ...] = (
        *_CHECKS,
        (
            "no price, others have one",
            "left out where a price is asked for",
            lambda item: item.price is None,
        ),
        (
            "same title as another",
            "a named title means the most liked one",
            lambda item: titles[item.title.casefold()] > 1,
        ),
        (*(_NEVER if complete else _LATELY), lambda item: item.item_id not in shown),
    )
    checks = []
    priced = any(item.price is not None for item in items)
    for name, why, lacks in own:
        found = [item for item in items if lacks(item)]
        if name.startswith("no price") and not priced:
            found = []
        checks.append(
            HealthCheck(
                check=name,
                why=why,
                items=len(found),
                share=len(found) / len(items) if items else 0.0,
                examples=[
                    ItemName(item_id=item.item_id, title=item.title) for item in found[:examples]
                ],
            )
        )
    return CatalogHealth(items=len(items), checks=checks, days=days, complete=complete)
