"""Resolve the picks of a profile, ids or titles as users write them, to catalog ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.lookup import By, Lookup, look_up, split_picks
from coldstart.catalog.suggestions import nearest
from coldstart.catalog.titles import split_year
from coldstart.errors import AmbiguousPickError, ConfigError, ProfileError, UnknownPickError
from coldstart.interactions.interaction_stats import Counts
from coldstart.schema import Context, Pick, PickReading, Understood, UserProfile

_MOST_NEAR = 3

Field = Literal["liked", "disliked", "seen", "viewing"]
LEFT_OUT = "not in the catalog, left out: "
"""Beginning of the note on an unknown pick that is ignored."""
AMBIGUOUS = "title of one item and id of another, left out: "
"""Beginning of the note on an ambiguous pick that is ignored."""


@dataclass(frozen=True)
class ResolvedProfile:
    """User profile and request context with picks resolved to catalog ids.

    Args:
        profile: as given, with ``liked``, ``disliked`` and ``seen`` replaced by item ids.
        context: as given, with ``viewing`` replaced by an item id.
        unknown: picks missing from the catalog, as the user wrote them.
        understood: what was read in the texts of profile and context.
        reading_given: whether ``understood`` came with the request instead of being read.
        readings: how each typed pick was read; picks given by id are not among them.
        notes: on what was guessed or left out, for the response.
    """

    profile: UserProfile
    context: Context
    unknown: tuple[str, ...] = ()
    understood: Understood = Understood()
    reading_given: bool = False
    readings: tuple[PickReading, ...] = ()
    notes: tuple[str, ...] = ()

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
    """Resolve picks to catalog ids: by title, or by id where no other item has it as its title.

    A pick that is neither may be several, separated by ``|``, ``;`` or commas; see ``split_picks``.

    Args:
        catalog: in which the picks are looked up.
        counts: interaction statistics that break ties between items of one title; see
            ``most_liked``.
        unknown: treatment of picks missing from the catalog: ``error`` or ``ignore``. Ambiguous
            picks likewise; with ``ignore`` they are read as the profile's other picks are, and left
            out if there are none.

    Raises:
        ConfigError: ``unknown`` is neither.
    """

    def __init__(self, catalog: Catalog, counts: Counts, unknown: str = "error") -> None:
        if unknown not in ("error", "ignore"):
            raise ConfigError(f"unknown_picks is {unknown!r}", hint="error or ignore")
        self._catalog, self._counts, self._unknown = catalog, counts, unknown
        self._left_out: list[str] = []
        self._ambiguous: list[str] = []
        self._readings: list[PickReading] = []

    def resolve(self, profile: UserProfile, context: Context) -> ResolvedProfile:
        """Replace every pick by the id of its item.

        Raises:
            ProfileError: a pick matches no item of the catalog, or is the title of one and the id
                of another, and ``unknown`` is ``error``.
        """
        self._left_out, self._ambiguous, self._readings = [], [], []
        fields: tuple[Field, ...] = ("liked", "disliked", "seen")
        found: dict[str, tuple[Pick, ...]] = {
            field: tuple(self._all(getattr(profile, field), field)) for field in fields
        }
        viewing = next(iter(self._all((context.viewing,), "viewing")), None)
        return ResolvedProfile(
            profile.model_copy(update=found),
            context.model_copy(update={"viewing": viewing}),
            tuple(self._left_out),
            readings=tuple(self._readings),
            notes=tuple(f"{AMBIGUOUS}{text!r}" for text in self._ambiguous),
        )

    def _all(self, picks: tuple[Pick | None, ...], field: Field) -> list[Pick]:
        found: dict[str, Pick] = {}  # an item named twice, by id and by title, is one pick
        texts = [one for pick in picks if pick is not None for one in self._texts(pick)]
        looked_up = [look_up(self._catalog, text, pick.by) for pick, text in texts]
        usual = _usual(looked_up)
        for (pick, text), result in zip(texts, looked_up, strict=True):
            item = self._item(text, result, field, usual, typed=pick.by is None)
            if item is not None:
                found.setdefault(item, pick.model_copy(update={"item": item, "by": "id"}))
        return list(found.values())

    def _texts(self, pick: Pick) -> Iterator[tuple[Pick, str]]:
        parts = [pick.item] if pick.by is not None else split_picks(self._catalog, pick.item)
        yield from ((pick, part) for part in parts)

    def _item(
        self, text: str, found: Lookup, field: Field, usual: By | None, *, typed: bool
    ) -> str | None:
        """The id of one pick; ``None`` if it is left out."""
        if not found.ids:
            self._unknown_pick(text, field, found.by if not typed else None)
            return None
        if found.other:
            if self._unknown == "error":
                raise AmbiguousPickError(*self._both(text, found, field))
            if usual is None:
                self._ambiguous.append(text)
                return None
            found = Lookup((found.other,), "id") if usual == "id" else Lookup(found.ids, "title")
        chosen = most_liked(found.ids, self._counts)
        if typed:
            self._readings.append(self._reading(text, found, field, chosen))
        return chosen

    def _reading(self, text: str, found: Lookup, field: Field, chosen: str) -> PickReading:
        item, note = self._catalog[chosen], ""
        if len(found.ids) > 1:
            others = ", ".join(_described(self._catalog, i) for i in found.ids if i != chosen)
            note = f"taken for {_described(self._catalog, chosen)}, not {others}"
        return PickReading(
            field=field,
            text=text,
            item_id=chosen,
            title=item.title,
            year=item.year,
            by=found.by,
            note=note,
        )

    def _unknown_pick(self, text: str, field: Field, by: By | None) -> None:
        if self._unknown == "ignore":
            self._left_out.append(text)
            return
        if by == "id" and (titled := self._catalog.find_title(text)):
            raise ProfileError(
                f"{field}: no item has the id {text!r}",
                hint=f"it is the title of item {titled[0]!r}: give it as a text, not a number",
            )
        near = self._near(text)
        raise UnknownPickError(
            f"{field}: {text!r} is neither an id nor a title of the catalog",
            hint=f"did you mean {' or '.join(map(repr, near))}?"
            if near
            else "give an id or a title, or leave such picks out with unknown_picks='ignore'",
        )

    def _near(self, text: str) -> list[str]:
        """Titles that are likely meant, with their years if the text has one; else an id."""
        near = self._catalog.suggest(text)
        if split_year(text)[1] is not None:
            items = [self._catalog[i] for title in near for i in self._catalog.find_title(title)]
            dated = [f"{item.title} ({item.year})" for item in items if item.year is not None]
            return list(dict.fromkeys(dated))[:_MOST_NEAR] or near
        if near or text.isdigit():  # another number is no likelier than any
            return near
        return nearest(text, self._catalog.ids, 1)

    def _both(self, text: str, found: Lookup, field: Field) -> tuple[str, str]:
        """Message and hint on a pick with two meanings."""
        title, other = (_described(self._catalog, i) for i in (found.ids[0], found.other))
        return (
            f"{field}: {text!r} is the title of {title} and the id of {other}",
            f"write 'title:{text}' or 'id:{text}'",
        )


def _usual(found: Sequence[Lookup]) -> By | None:
    """How the unambiguous picks are found, if all alike."""
    kinds = {one.by for one in found if one.ids and not one.other}
    return kinds.pop() if len(kinds) == 1 else None


def _described(catalog: Catalog, item_id: str) -> str:
    item = catalog[item_id]
    year = f" ({item.year})" if item.year is not None else ""
    return f"{item.title}{year} [{item_id}]"


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
