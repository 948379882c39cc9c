"""One sentence per recommendation, built from what really moved it; nothing is invented.

Each statement is made only if its feature raised the item above what is ordinary in the catalog,
and the fact it states (a count, a category, a similarity) holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from coldstart.catalog.item_store import ItemStore
from coldstart.catalog.titles import clean_text
from coldstart.interactions.interaction_stats import attribute_groups, group_lift
from coldstart.profile.resolve import ResolvedProfile
from coldstart.scoring.features import text_similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_WORDS_FROM = 1.5  # standard deviations above the catalog's mean similarity
_ALIKE_FROM = 0.5  # cosine between contents
_LIFT_FROM = 0.03  # nats
_AGES = {
    "00s": "people under 10",
    "10s": "people aged 10 to 19",
    **{f"{tens}0s": f"people in their {tens}0s" for tens in range(2, 6)},
    "60s": "people aged 60 or more",
}
_PARTS = {
    "picks": ("picks", "fold_in", "lift", "closest"),
    "alike": ("alike", "resembles", "smoothed"),
}
"""Features that the same statement is about."""
_OFTEN = 0.1  # share of training users from which an item counts as widely liked


class Reasons:
    """Writes the reasons of one user's list.

    Args:
        item_store: synced with the catalog.
        user: the profile and context.
    """

    def __init__(self, item_store: ItemStore, user: ResolvedProfile) -> None:
        self._item_store, self._user = item_store, user
        counts = item_store.counts
        self._groups = {
            g: item_store.spread(group_lift(counts, g))
            for g in attribute_groups(user.profile)
            if g in counts.group_sizes
        }

    def of(self, row: int, excess: Mapping[str, float], wrote: str | None) -> str:
        """Say why the item in catalog row ``row`` is here.

        Args:
            row: the item.
            excess: contribution of each feature above its mean over the catalog.
            wrote: a title the model wrote freely that led here, if one did.
        """
        writers = {
            "picks": self._picks,
            "alike": self._alike,
            "shares": self._shares,
            "kinds": self._kinds,
            "interests": self._interests,
            "words": self._words,
            "people": self._people,
        }
        gain = {n: sum(excess.get(part, 0) for part in _PARTS.get(n, (n,))) for n in writers}
        order = sorted((n for n in writers if gain[n] > 0), key=lambda n: -gain[n])
        parts = [part for n in order if (part := writers[n](row))][:2]
        if len(parts) < 2 and wrote is not None and excess.get("written", 0) > 0:
            parts.append(f"the language model wrote “{wrote}” for this profile")
        if not parts and excess.get("model", 0) > 0:
            parts.append("the language model favours it for this profile beyond its popularity")
        if not parts:
            parts.append(self._popularity(row))
        sentence = ", and ".join(parts)
        return sentence[0].upper() + sentence[1:] + "."

    def _picks(self, row: int) -> str | None:
        """The pick that most people liked together with the item, relative to its own fame."""
        counts, item = self._item_store.counts, self._item_store.ids[row]
        if item not in counts.column:
            return None
        mine = counts.column[item]
        together = counts.together[[mine]].toarray().ravel()
        close = {
            pick: together[c] / np.sqrt(counts.likes[c] + 20)
            for pick in self._user.liked
            if (c := counts.column.get(pick)) is not None and together[c] > 0
        }
        if not close:
            return None
        best = max(close, key=lambda p: (close[p], p))
        n = int(together[counts.column[best]])
        who = "1 person" if n == 1 else f"{n} people"
        liked = best in {p.item for p in self._user.profile.liked}
        why = "because you liked" if liked else "because you are looking at"
        return f"{why} {self._title(best)}: {who} liked both"

    def _alike(self, row: int) -> str | None:
        liked = [i for i in self._user.liked if i in self._item_store.rows]
        if not liked:
            return None
        content = self._item_store.content
        near = content[[self._item_store.rows[i] for i in liked]] @ content[row]
        best = int(near.argmax())
        return f"similar to {self._title(liked[best])}" if near[best] >= _ALIKE_FROM else None

    def _shares(self, row: int) -> str | None:
        """The attribute that the item has in common with the latest pick that has one."""
        catalog = self._item_store.catalog
        mine = catalog[self._item_store.ids[row]].attributes
        for pick in reversed([i for i in self._user.liked if i in self._item_store.rows]):
            theirs = catalog[pick].attributes
            for name, value in mine.items():
                if theirs.get(name, "").strip().casefold() == value.strip().casefold() != "":
                    what = name.replace("_", " ")
                    return f"same {what} as {self._title(pick)}: {clean_text(value)}"
        return None

    def _kinds(self, row: int) -> str | None:
        """The item's categories that at least half of the picks share."""
        catalog = self._item_store.catalog
        picks = [catalog[i] for i in self._user.liked if i in self._item_store.rows]
        if not picks:
            return None
        kinds = [{c.casefold() for c in pick.categories} for pick in picks]
        mine = catalog[self._item_store.ids[row]].categories
        shared = [c for c in mine if 2 * sum(c.casefold() in k for k in kinds) >= len(picks)]
        if not shared:
            return None
        like = self._title(picks[0].item_id) if len(picks) == 1 else "much of what you liked"
        return f"{_list(shared)} like {like}"

    def _interests(self, row: int) -> str | None:
        wanted = {i.strip().casefold(): i for i in self._user.profile.interests}
        item = self._item_store.catalog[self._item_store.ids[row]]
        has = dict.fromkeys(c.casefold() for c in item.categories)
        shared = [wanted[c] for c in has if c in wanted]
        return f"matches your interest in {_list(shared)}" if shared else None

    def _words(self, row: int) -> str | None:
        """Quote what was said, if the item is close to that alone."""
        for text, similarity in self._said:
            if similarity[row] >= _WORDS_FROM:
                short = text if len(text) <= 60 else text[:57].rsplit(" ", 1)[0] + "…"
                return f"matches “{short}”"
        return None

    @cached_property
    def _said(self) -> list[tuple[str, Floats]]:
        """What the user wrote, and how close every item is to it."""
        context = self._user.context
        texts = (self._user.profile.about, context.text, context.occasion)
        said = [text for x in texts if x and (text := clean_text(x))]
        return [(text, text_similarity(self._item_store, text)) for text in said]

    def _people(self, row: int) -> str | None:
        if self._item_store.ids[row] not in self._item_store.counts.column:
            return None  # its counts are borrowed
        lifts = {g: v[row] for g, v in self._groups.items() if v[row] >= _LIFT_FROM}
        names = [_group_name(g) for g in sorted(lifts, key=lambda g: -lifts[g])][:2]
        return f"liked more than usual by {_list(names)}" if names else None

    def _popularity(self, row: int) -> str:
        share = float(self._item_store.share[row])
        if self._item_store.ids[row] not in self._item_store.counts.column:
            return "new in the catalog, close to items that people like"
        if share >= _OFTEN:
            return f"widely liked: by {share:.0%} of the people we know"
        return "the best of what is left to recommend"

    def _title(self, item_id: str) -> str:
        return self._item_store.catalog[item_id].title


def _group_name(group: str) -> str:
    name, value = group.split("=", 1)
    if name == "age" and value in _AGES:
        return _AGES[value]
    if name == "gender":
        return {"m": "men", "f": "women"}.get(value, f"people of gender {value}")
    if name == "occupation":
        return f"people whose occupation is {value}"
    return f"people whose {name} is {value}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
