"""Resolve the picks of a profile, ids or titles as users write them, to catalog ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, ProfileError
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Context, Pick, Understood, UserProfile


@dataclass(frozen=True)
class ResolvedProfile:
    """User profile and request context with picks resolved to catalog ids.

    Args:
        profile: as given, with ``liked``, ``disliked`` and ``seen`` replaced by item ids.
        context: as given, with ``viewing`` replaced by an item id.
        unknown: picks missing from the catalog, as the user wrote them.
        understood: what was read in the texts of profile and context.
        reading_given: whether ``understood`` came with the request instead of being read.
    """

    profile: UserProfile
    context: Context
    unknown: tuple[str, ...] = ()
    understood: Understood = Understood()
    reading_given: bool = False

    @cached_property
    def liked(self) -> list[str]:
        """Ids of liked items, of the item being viewed and of good examples named in the text."""
        picks = [p.item for p in self.profile.liked]
        viewing = [self.context.viewing.item] if self.context.viewing else []
        against = {p.item for p in self.profile.disliked}
        named = [i for i in self.understood.liked if i not in against]
        return list(dict.fromkeys([*picks, *viewing, *named]))

    @cached_property
    def disliked(self) -> list[str]:
        """Ids of the disliked items and of bad examples named in the text, without repeats."""
        given = [p.item for p in self.profile.disliked]
        named = [i for i in self.understood.disliked if i not in self.liked]
        return list(dict.fromkeys([*given, *named]))

    @cached_property
    def filter_profile(self) -> UserProfile:
        """The profile as filters see it: with the titles that the text names among its picks."""
        liked = _more(self.profile.liked, self.understood.liked)
        disliked = _more(self.profile.disliked, self.understood.disliked)
        if len(liked) == len(self.profile.liked) and len(disliked) == len(self.profile.disliked):
            return self.profile
        return self.profile.model_copy(update={"liked": liked, "disliked": disliked})


def _more(picks: tuple[Pick, ...], ids: Sequence[str]) -> tuple[Pick, ...]:
    known = {p.item for p in picks}
    return (*picks, *(Pick(item=i) for i in ids if i not in known))


def stated_text(profile: UserProfile, context: Context) -> str:
    """Interests, free text and the words of the context, joined; empty if there are none."""
    return ". ".join(x for x in (profile.free_text(), context.free_text()) if x)


class PickResolver:
    """Resolve picks to catalog ids: by id first, then by title.

    Args:
        catalog: in which the picks are looked up.
        counts: interaction statistics that break ties between items of one title; see
            ``most_liked``.
        unknown: treatment of picks missing from the catalog: ``error`` or ``ignore``.

    Raises:
        ConfigError: ``unknown`` is neither.
    """

    def __init__(self, catalog: Catalog, counts: Counts, unknown: str = "error") -> None:
        if unknown not in ("error", "ignore"):
            raise ConfigError(f"unknown_picks is {unknown!r}", hint="error or ignore")
        self._catalog, self._counts, self._unknown = catalog, counts, unknown
        self._left_out: list[str] = []

    def resolve(self, profile: UserProfile, context: Context) -> ResolvedProfile:
        """Replace every pick by the id of its item.

        Raises:
            ProfileError: a pick matches no item of the catalog, and ``unknown`` is ``error``.
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
            return most_liked(found, self._counts)
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


def most_liked(item_ids: Sequence[str], counts: Counts) -> str:
    """Choose among items of one title: the one with the most observed likes.

    Args:
        item_ids: one id or more, in row order; ties go to the first.
        counts: interaction statistics; items without counts (cold items) have no likes.
    """

    def likes(item_id: str) -> float:
        column = counts.column.get(item_id)
        return 0.0 if column is None else float(counts.likes[column])

    return max(item_ids, key=likes)
