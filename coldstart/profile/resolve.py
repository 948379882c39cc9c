"""From what people write ("Toy Story", "50") to catalog ids."""

from __future__ import annotations

from dataclasses import dataclass

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, ProfileError
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Context, Pick, UserProfile


@dataclass(frozen=True)
class ResolvedProfile:
    """A profile whose picks are catalog ids.

    Args:
        profile: as given, with ``liked``, ``disliked`` and ``seen`` replaced by item ids.
        context: the moment, ``viewing`` replaced by an item id.
        unknown: picks that the catalog lacks, as the user wrote them.
    """

    profile: UserProfile
    context: Context
    unknown: tuple[str, ...] = ()

    @property
    def liked(self) -> list[str]:
        """Ids of the liked items, and of the one being looked at."""
        picks = [p.item for p in self.profile.liked]
        viewing = [self.context.viewing.item] if self.context.viewing else []
        return list(dict.fromkeys([*picks, *viewing]))

    @property
    def disliked(self) -> list[str]:
        """Ids of the disliked items."""
        return list(dict.fromkeys(p.item for p in self.profile.disliked))


class PickResolver:
    """Resolves the picks of a profile.

    Args:
        catalog: where they are looked up: an id first, then a title.
        counts: of two items with the same title, the more liked one is meant.
        unknown: what to do with picks the catalog lacks: ``error`` or ``ignore``.
    """

    def __init__(self, catalog: Catalog, counts: Counts, unknown: str = "error") -> None:
        if unknown not in ("error", "ignore"):
            raise ConfigError(f"unknown_picks is {unknown!r}", hint="error or ignore")
        self._catalog, self._counts, self._unknown = catalog, counts, unknown
        self._left_out: list[str] = []

    def resolve(self, profile: UserProfile, context: Context) -> ResolvedProfile:
        """Replace every pick by the id of its item.

        Raises:
            ProfileError: a pick is in no way in the catalog, and ``unknown`` is ``error``.
        """
        self._left_out = []
        found = {
            field: tuple(self._all(getattr(profile, field), field))
            for field in ("liked", "disliked", "seen")
        }
        viewing = next(iter(self._all((context.viewing,), "viewing")), None)
        return ResolvedProfile(
            profile.model_copy(update=found),
            context.model_copy(update={"viewing": viewing}),
            tuple(self._left_out),
        )

    def _all(self, picks: tuple[Pick | None, ...], field: str) -> list[Pick]:
        found: dict[str, Pick] = {}  # an item named twice, by id and by title, is one pick
        for pick in filter(None, picks):
            item = self._item(pick.item, field)
            if item is not None:
                found.setdefault(item, pick.model_copy(update={"item": item}))
        return list(found.values())

    def _item(self, text: str, field: str) -> str | None:
        found = self._catalog.find(text)
        if found:
            return max(found, key=self._likes)
        if self._unknown == "ignore":
            self._left_out.append(text)
            return None
        near = self._catalog.suggest(text)
        raise ProfileError(
            f"{field}: {text!r} is neither an id nor a title of the catalog",
            hint=f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else "give an id or a title, or leave such picks out with unknown_picks='ignore' "
            "(--ignore-unknown)",
        )

    def _likes(self, item_id: str) -> float:
        column = self._counts.column.get(item_id)
        return 0.0 if column is None else float(self._counts.likes[column])
