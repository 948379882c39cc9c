"""Reasons of recommendations as data: a code and its arguments, true of the item; nothing invented.

A reason is given only if the signals behind it raised the item above what is ordinary among the
candidates, and the fact it states (a count, a category, a similarity) holds. ``ranking.wording``
makes sentences of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from coldstart.catalog.known_attributes import NOT_COMPARED, STOCK
from coldstart.catalog.titles import clean_text
from coldstart.interactions.interaction_stats import attribute_groups, group_lift
from coldstart.schema import Reason
from coldstart.scoring.category_nearness import shared_category
from coldstart.scoring.compounds import Compound, compounds, uncalled
from coldstart.scoring.piece_matches import ADULTS, fulfils, fulfils_any
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import KnowsFacts, Scorer
from coldstart.scoring.stated import text_similarity
from coldstart.scoring.wishes import wanted_groups
from coldstart.scoring.word_matches import Matcher
from coldstart.understanding.audience import MILD
from coldstart.understanding.products.forms import words
from coldstart.understanding.products.heads import category_parts
from coldstart.understanding.products.vocabulary import is_of_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coldstart.catalog.item_store import ItemStore
    from coldstart.profile.resolve import ResolvedProfile
    from coldstart.schema import Piece

    Floats = NDArray[np.float64]
    Arguments = dict[str, Any]

MOST = 2
"""Reasons of one item."""
_MEANING_FROM = 1.0  # standard deviations above that mean from which the text's meaning is a reason
_WORDS_FROM = 1.5  # standard deviations above the catalog's mean similarity
_ALIKE_FROM = 0.5  # cosine between contents
_LIFT_FROM = 0.03  # nats
_OFTEN = 0.1  # share of training users from which an item counts as widely liked
_LAST = ("written", "model")  # reasons that are given only where others are few


class Explainer:
    """Explains the items of one response.

    Args:
        items: the candidate set.
        user: the profile and context.
        scorers: of the recommender; asked for the facts that they know.
        quote_text: whether the text, or similarity to it, may be a reason.
        compare_meaning: whether closeness in meaning to the text may be one.
    """

    def __init__(
        self,
        items: ItemStore,
        user: ResolvedProfile,
        scorers: Iterable[Scorer] = (),
        *,
        quote_text: bool = True,
        compare_meaning: bool = True,
    ) -> None:
        self._items, self._user = items, user
        self._quote_text, self._compare_meaning = quote_text, compare_meaning
        self._known_by = {
            signal.reason: scorer
            for scorer in scorers
            if isinstance(scorer, KnowsFacts)
            for signal in scorer.signals
        }

    def explain(
        self, row: int, excess: Mapping[str, float], wrote: str | None = None
    ) -> tuple[Reason, ...]:
        """Reasons of one item, the strongest first, at least one.

        Args:
            row: of the item.
            excess: contribution of each signal above its mean over the candidates.
            wrote: a title that the model wrote and that led here, if one did.
        """
        gain: dict[str, float] = {}
        for signal in SIGNALS:
            if signal.reason is not None and signal.reason not in _LAST:
                gain[signal.reason] = gain.get(signal.reason, 0) + excess.get(signal.name, 0)
        out: list[Reason] = []
        wishes = self._wishes(row)
        if wishes is not None:  # what was wanted comes first, however it counted in the score
            out.append(Reason(code="wishes", arguments=wishes))
        for code in sorted((c for c in gain if gain[c] > 0), key=lambda c: -gain[c]):
            if code == "wishes" or code in ("words", "request") and wishes is not None:
                continue  # given already, and more precisely
            if code == "words" and self._misses_type(row):
                continue  # it does not match the text, it is only close to it
            arguments = self._facts(code, row)
            if arguments is not None and len(out) < MOST:
                named = "meaning" if code == "words" and self._of_products else code
                out.append(Reason(code=named, arguments=arguments))
        if any(reason.code == "asked_alike" for reason in out):  # the same, with a number
            out = [reason for reason in out if reason.code != "request"]
        if len(out) > 1:  # popularity is a reason where nothing of the request is one
            out = [reason for reason in out if reason.code != "liked_here"]
        if len(out) < MOST and wrote is not None and excess.get("written", 0) > 0:
            out.append(Reason(code="written", arguments={"title": wrote}))
        if not out and excess.get("model", 0) > 0:
            out.append(Reason(code="model"))
        about = {"types", "categories", "terms", "people", "attributes", "values"}
        told = any(reason.code == "meaning" for reason in out)
        if excess.get("words", 0) > 0 and not told and (not out or self._names_more(wishes, row)):
            near = self._meaning(row) if not about & set(wishes or ()) else None
            out = [*([Reason(code="meaning", arguments=near)] if near else []), *out][:MOST]
        if not out and (category := self._near_category(row)):
            out.append(Reason(code="near", arguments={"category": category}))
        return tuple(out) or (self._popularity(row),)

    def _near_category(self, row: int) -> str:
        """The category that the item shares with what is of the type that the text asks for."""
        return shared_category(self._items, self._asked, row) if self._asked.any() else ""

    def _meaning(self, row: int) -> Arguments | None:
        """The text that the item is closer to in meaning than most; not by encoders of letters."""
        if not self._compare_meaning or getattr(self._items.encoder, "by_letters", False):
            return None
        return self._close(row, _MEANING_FROM)

    def _names_more(self, wishes: Arguments | None, row: int) -> bool:
        """Whether the text names a thing that the reason by its wishes does not tell of.

        A text of nothing but a recipient and a price is compared with these words in it.
        """
        read = self._user.understood
        limits = (p.words for p in read.pieces if p.kind in ("audience", "price"))
        plain = not read.wanted_text or any(words in read.wanted_text for words in limits)
        return bool(wishes) and (self._misses_type(row) or (self._of_products and not plain))

    def _misses_type(self, row: int) -> bool:
        """Whether the text asks for a type of thing that the item is not."""
        types = [p for p in self._user.understood.pieces if p.kind == "type" and p.wanted]
        known = [p for p in types if (p.start, p.end) not in self._uncalled]
        return bool(types) and not any(fulfils(self._items, piece)[row] for piece in known)

    def _facts(self, code: str, row: int) -> Arguments | None:
        """Arguments of a reason; those of plug-ins may state nothing but their wording."""
        if code in _FACTS:
            return _FACTS[code](self, row)
        if code not in self._known_by:
            return {}
        if code in ("asked_alike", "request") and not self._quote_text:
            return None
        found = self._known_by[code].facts(code, self._user, self._items, row)
        return None if found is None else dict(found)

    def _picks(self, row: int) -> Arguments | None:
        """The pick that most people liked together with the item, relative to its own fame."""
        counts, item = self._items.counts, self._items.ids[row]
        if item not in counts.column:
            return None
        together = counts.together[[counts.column[item]]].toarray().ravel()
        close = {
            pick: together[c] / np.sqrt(counts.likes[c] + 20)
            for pick in self._user.liked
            if (c := counts.column.get(pick)) is not None and together[c] > 0
        }
        if not close:
            return None
        best = max(close, key=lambda p: (close[p], p))
        given = {p.item for p in self._user.profile.liked}
        return {
            "pick": self._title(best),
            "people": int(together[counts.column[best]]),
            "viewing": best not in given and best not in self._user.understood.liked,
            "named": best not in given and best in self._user.understood.liked,
        }

    def _alike(self, row: int) -> Arguments | None:
        liked = [i for i in self._user.liked if i in self._items.rows]
        if not liked:
            return None
        content = self._items.content
        near = content[self._items.rows_in_order(liked)] @ content[row]
        best = int(near.argmax())
        return {"pick": self._title(liked[best])} if near[best] >= _ALIKE_FROM else None

    def _shares(self, row: int) -> Arguments | None:
        """The attribute that the item has in common with the latest pick that has one."""
        catalog = self._items.catalog
        mine = catalog[self._items.ids[row]].attributes
        for pick in reversed([i for i in self._user.liked if i in self._items.rows]):
            theirs = catalog[pick].attributes
            for name, value in mine.items():
                if name in NOT_COMPARED:
                    continue
                if theirs.get(name, "").strip().casefold() == value.strip().casefold() != "":
                    return {
                        "attribute": name.replace("_", " "),
                        "pick": self._title(pick),
                        "value": clean_text(value),
                    }
        return None

    def _kinds(self, row: int) -> Arguments | None:
        """The item's categories that at least half of the picks share."""
        catalog = self._items.catalog
        picks = [catalog[i] for i in self._user.liked if i in self._items.rows]
        kinds = [{c.casefold() for c in pick.categories} for pick in picks]
        mine = catalog[self._items.ids[row]].categories
        shared = [c for c in mine if 2 * sum(c.casefold() in k for k in kinds) >= len(picks) > 0]
        if not shared:
            return None
        return {"categories": shared, "pick": picks[0].title if len(picks) == 1 else None}

    def _wishes(self, row: int) -> Arguments | None:
        """What of the text's wishes is true of the item, by kind of piece."""
        found: dict[str, list[Any]] = {}
        alone = self._nouns_alone(row)
        for compound in self._compounds:
            if len(compound.groups) > 1 and compound.called_so(self._items)[row]:
                found.setdefault("types", []).append(compound.words)
                alone.update(compound.spans)
        for group in wanted_groups(self._user.understood):
            group = [p for p in group if (p.start, p.end) not in alone]
            told: set[tuple[int, int]] = set()  # several names for the same words: one is enough
            by_word = any(p.kind in ("term", "type") for p in group)
            for piece in group:
                span = piece.start, piece.end
                if (by_word and span in told) or not fulfils(self._items, piece)[row]:
                    continue
                told.add(span)
                self._wish(piece, row, found)
        rejected = {v.casefold() for v in self._user.understood.values("category", wanted=False)}
        kinds = [c for c in found.get("categories", ()) if c.casefold() not in rejected]
        kinds, types = _without_repeats(kinds, found.get("types", []))
        found["categories"], found["types"] = kinds, types
        out = {name: list(dict.fromkeys(values)) for name, values in found.items() if values}
        return out or None

    def _nouns_alone(self, row: int) -> set[tuple[int, int]]:
        """Words of compounds that say nothing of the item: of "coffee machine", where none is."""
        out = set(self._uncalled)
        for compound in self._compounds:
            if len(compound.groups) > 1 and not fulfils_any(self._items, compound.groups[0])[row]:
                out.update(compound.spans)
        return out

    def _wish(self, piece: Piece, row: int, found: dict[str, list[Any]]) -> None:
        """Add what a fulfilled wish says of an item."""
        if piece.kind == "years":
            found.setdefault("years", []).append((piece.first, piece.last))
        elif piece.kind == "audience":
            if piece.age is not None and piece.value not in (ADULTS, MILD):
                found.setdefault("ages", []).append(piece.age)
        elif piece.kind == "price":
            item = self._items.items[row]
            told = item.price, item.attributes.get("currency", "")
            found.setdefault("prices", []).append(told)
        elif piece.kind == "attribute" and piece.attribute:
            if piece.attribute != STOCK:
                limited = piece.low is not None or piece.high is not None
                own = self._items.items[row].attributes.get(piece.attribute, "")
                values = (piece.attribute.replace("_", " "), own if limited else piece.value)
                found.setdefault("attributes", []).append(values)
        else:
            value = piece.value
            if piece.kind == "term":  # what the item says, which may be another word for it
                value = Matcher(piece).word_of(self._items.items[row]) or value
            found.setdefault(_WISHES[piece.kind], []).append(value)

    def _interests(self, row: int) -> Arguments | None:
        wanted = {i.strip().casefold(): i for i in self._user.profile.interests}
        item = self._items.catalog[self._items.ids[row]]
        has = dict.fromkeys(c.casefold() for c in item.categories)
        shared = [wanted[c] for c in has if c in wanted]
        return {"interests": shared} if shared else None

    def _words(self, row: int) -> Arguments | None:
        """The text that the item is close to, by itself."""
        return self._close(row, _WORDS_FROM) if self._quote_text else None

    def _close(self, row: int, least: float) -> Arguments | None:
        """The text to which the item's similarity exceeds the mean by some standard deviations."""
        for text, similarity in self._texts:
            if similarity[row] >= least:
                short = text if len(text) <= 60 else text[:57].rsplit(" ", 1)[0] + "…"
                return {"text": short}
        return None

    def _people(self, row: int) -> Arguments | None:
        if self._items.ids[row] not in self._items.counts.column:
            return None  # its counts are borrowed
        lifts = {g: v[row] for g, v in self._groups.items() if v[row] >= _LIFT_FROM}
        groups = sorted(lifts, key=lambda g: -lifts[g])[:2]
        return {"groups": groups} if groups else None

    def _popularity(self, row: int) -> Reason:
        share = float(self._items.share[row])
        if not self._items.counts.n_users:  # nothing is known of anyone's likes
            return Reason(code="remaining")
        if self._items.ids[row] not in self._items.counts.column:
            return Reason(code="cold")
        if share >= _OFTEN:
            return Reason(code="popular", arguments={"share": share})
        return Reason(code="remaining")

    @cached_property
    def _of_products(self) -> bool:
        """Whether the catalog is one of products: what is alike to a text is close in meaning."""
        by_letters = getattr(self._items.encoder, "by_letters", False)
        return not by_letters and is_of_products(self._items.catalog)

    @cached_property
    def _asked(self) -> NDArray[np.bool_]:
        """Mask of the items of a type that the text asks for, or else with a word of it."""
        wanted = [p for p in self._user.understood.pieces if p.wanted and p.strict]
        types = [p for p in wanted if p.kind == "type"] or [p for p in wanted if p.kind == "term"]
        return fulfils_any(self._items, types)

    @cached_property
    def _compounds(self) -> list[Compound]:
        return compounds(self._user.understood, self._items)

    @cached_property
    def _uncalled(self) -> frozenset[tuple[int, int]]:
        """Words of the compounds that no item is called by."""
        found = uncalled(self._compounds, self._items)
        return frozenset(span for compound in found for span in compound.spans)

    @cached_property
    def _texts(self) -> list[tuple[str, Floats]]:
        """What the user wrote, without what is rejected, and how close every item is to it."""
        context, read = self._user.context, self._user.understood
        texts = (self._user.profile.about, context.text, context.occasion)
        written = [text for x in texts if x and (text := clean_text(x))]
        if read.text or read.pieces:
            wanted = read.wanted_text
            whole = [text for text in written if text.casefold() in wanted.casefold()]
            written = whole if len(whole) == len(written) else [wanted] if wanted else []
        return [(text, text_similarity(self._items, text)) for text in written]

    @cached_property
    def _groups(self) -> dict[str, Floats]:
        counts = self._items.counts
        return {
            g: self._items.spread(group_lift(counts, g))
            for g in attribute_groups(self._user.profile)
            if g in counts.group_sizes
        }

    def _title(self, item_id: str) -> str:
        return self._items.catalog[item_id].title


def _without_repeats(kinds: list[str], types: list[str]) -> tuple[list[str], list[str]]:
    """Categories and types that do not name the same twice.

    >>> _without_repeats(["Jackets"], ["jacket"]), _without_repeats(["Running Shoes"], ["shoes"])
    (([], ['jacket']), (['Running Shoes'], []))
    >>> _without_repeats(["Socks & Underwear"], ["socks"])
    ([], ['socks'])
    """
    stems = {name: set(words(name)) for name in (*kinds, *types)}
    several = [c for c in kinds if len(category_parts(c)) > 1]
    for kind in kinds:
        if any(
            stems[kind] <= stems[t] or kind in several and stems[kind] & stems[t] for t in types
        ):
            kinds = [c for c in kinds if c != kind]
    return kinds, [t for t in types if not any(stems[t] <= stems[c] for c in kinds)]


_WISHES = {
    "category": "categories",
    "person": "people",
    "attribute": "values",
    "term": "terms",
    "type": "types",
}


_FACTS: Mapping[str, Callable[[Explainer, int], Arguments | None]] = {
    "picks": Explainer._picks,
    "alike": Explainer._alike,
    "shares": Explainer._shares,
    "kinds": Explainer._kinds,
    "interests": Explainer._interests,
    "words": Explainer._words,
    "people": Explainer._people,
}
"""By code of a reason: its arguments, or ``None`` where the fact does not hold."""
