"""Grounding of generated titles: exact match, else nearest neighbour, else abstention."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from coldstart.catalog.item_encoding import encode_items
from coldstart.catalog.title_numbers import names_same_part
from coldstart.catalog.titles import clean_text, natural_title, split_year
from coldstart.encoding.coverage import knows
from coldstart.errors import CatalogError, ConfigError
from coldstart.grounding.index.allowed import Allowed
from coldstart.protocols import Encoder, Index
from coldstart.schema import Candidate, Grounding, Item, Match

_WIDER = 10  # times as many items are searched where the nearest are other parts of a series
_WIDEST = 100  # items, beyond which no wider search follows
_LONGEST = 2000  # characters of a text that are used; titles are shorter


class TitledCatalog(Protocol):
    """Catalog as grounding uses it."""

    @property
    def version(self) -> int:
        """Version number, increased by every change."""
        ...

    @property
    def ids(self) -> Iterable[str]:
        """All ids."""
        ...

    def changes_since(self, version: int, /) -> tuple[frozenset[str], frozenset[str]]:
        """Return ids added or updated since ``version``, and ids removed."""
        ...

    def find_title(self, text: str, /) -> tuple[str, ...]:
        """Return all ids with a title equal to ``text`` after normalisation."""
        ...

    def __contains__(self, item_id: object, /) -> bool: ...

    def __getitem__(self, item_id: str, /) -> Item: ...


class Grounder:
    """Grounding of titles to catalog ids; a title shared by several items has several ids.

    The index holds one vector per item, of its title without the year.

    Args:
        encoder: of titles; a ``CachedEncoder`` stores the catalog's vectors.
        index: of the catalog's vectors; rows of other items are removed from it, so only grounders
            of the same catalog may share one.
        threshold: smallest cosine of a match, in [-1, 1]. The default suits MiniLM: recall of
            reworded film titles 7 in 10, false matches of films outside the catalog 1 in 10
            (``benchmarks/grounding_threshold.py``). Other encoders need another value.

    Raises:
        ConfigError: ``threshold`` is out of range.
    """

    def __init__(self, encoder: Encoder, index: Index, threshold: float = 0.7) -> None:
        if not -1 <= threshold <= 1:
            raise ConfigError(f"threshold is {threshold}, expected a cosine in [-1, 1]")
        self.encoder = encoder
        self.index = index
        self.threshold = threshold
        self._catalog: TitledCatalog | None = None
        self._version = 0
        self._indexed: set[str] = set()
        self._lock = threading.Lock()

    def sync(self, catalog: TitledCatalog) -> None:
        """Update the index to ``catalog``: encode new titles, remove deleted items.

        ``ground`` applies later changes of the same catalog by itself.
        """
        with self._lock:
            version = catalog.version
            if catalog is not self._catalog:
                # An index on a server may hold items that were removed from the catalog meanwhile.
                held = self.index if isinstance(self.index, Iterable) else self._indexed
                self._update(catalog, catalog.ids, set(held).difference(catalog.ids))
            elif version != self._version:
                self._update(catalog, *catalog.changes_since(self._version))
            self._catalog, self._version = catalog, version

    def ground(
        self,
        candidates: Sequence[Candidate],
        allowed: Collection[str] | None = None,
        k: int = 5,
    ) -> list[Grounding]:
        """Return one grounding per candidate, in the same order.

        A candidate with ids keeps them (``trie``). A text equal to a catalog title up to case,
        punctuation, article and year gets all ids of that title (``exact``). Any other text gets up
        to ``k`` ids whose titles reach the threshold, best first (``similarity``), or none
        (``abstained``); their numbers and years must be those of the text, so that no part of a
        series and no remake stands for another. Texts in a script that the encoder does not know
        are not compared: their vectors would be those of any such text.

        Args:
            candidates: generated titles.
            allowed: restrict matches to these ids. A known title that is not allowed is matched to
                its nearest allowed neighbour, if that reaches the threshold. ``Allowed`` is the
                fastest for many calls.
            k: most matches by similarity, at least 1.

        Raises:
            CatalogError: ``sync`` was never called.
            ConfigError: ``k`` < 1.
        """
        if self._catalog is None:
            raise CatalogError("the grounder knows no catalog", "call sync(catalog) first")
        if k < 1:
            raise ConfigError(f"k is {k}, expected at least 1")
        self.sync(self._catalog)
        within = allowed if allowed is None or isinstance(allowed, Allowed) else Allowed(allowed)
        found = [_known(candidate, self._catalog, within) for candidate in candidates]
        texts = [
            candidate.text
            for candidate, grounding in zip(candidates, found, strict=True)
            if grounding is None
            and (title := _title(candidate.text))
            and knows(self.encoder, title)
        ]
        near = self._nearest(self._catalog, list(dict.fromkeys(texts)), within, k)
        return [
            grounding or _by_similarity(candidate, near.get(candidate.text, ()))
            for candidate, grounding in zip(candidates, found, strict=True)
        ]

    def ground_texts(
        self, texts: Sequence[str], allowed: Collection[str] | None = None, k: int = 5
    ) -> list[Grounding]:
        """Ground plain texts; see ``ground``."""
        valid = [text.encode("utf-8", "replace").decode() for text in texts]  # no lone surrogates
        candidates = [Candidate(text=text, logprob=0.0, strategy="free") for text in valid]
        return self.ground(candidates, allowed, k)

    def _update(
        self, catalog: TitledCatalog, changed: Iterable[str], removed: Collection[str]
    ) -> None:
        titles = {i: _title(catalog[i].title) or catalog[i].title for i in changed if i in catalog}
        unique = sorted(set(titles.values()))
        if unique:
            row = {title: n for n, title in enumerate(unique)}
            vectors = encode_items(self.encoder, unique)
            self.index.set(list(titles), vectors[[row[title] for title in titles.values()]])
        self.index.remove(sorted(removed))
        self._indexed = (self._indexed | titles.keys()).difference(removed)

    def _nearest(
        self, catalog: TitledCatalog, texts: Sequence[str], allowed: Allowed | None, k: int
    ) -> dict[str, tuple[Match, ...]]:
        """Up to ``k`` items that each text may name, best first."""
        if not texts:
            return {}
        row = {title: n for n, title in enumerate(dict.fromkeys(map(_title, texts)))}
        vectors = self.encoder.encode(list(row))
        found: dict[str, tuple[Match, ...]] = {}
        width, left = k, list(texts)
        while left:
            rows = {title: n for n, title in enumerate(dict.fromkeys(map(_title, left)))}
            hits = self.index.search(vectors[[row[title] for title in rows]], width, allowed)
            crowded = []  # texts whose nearest items are other parts of a series, or remakes
            for text in left:
                near = self._above(hits[rows[_title(text)]])
                found[text] = tuple(m for m in near if _may_name(text, m.item_id, catalog))[:k]
                if len(found[text]) < k and len(near) == width:
                    crowded.append(text)
            width, left = _WIDER * width, crowded if width <= _WIDEST else []
        return found

    def _above(self, hits: Sequence[tuple[str, float]]) -> list[Match]:
        return [Match(item_id=i, similarity=s) for i, s in hits if s >= self.threshold]


def _may_name(text: str, item_id: str, catalog: TitledCatalog) -> bool:
    return item_id in catalog and names_same_part(text[:_LONGEST], catalog[item_id])


def _known(
    candidate: Candidate, catalog: TitledCatalog, allowed: Allowed | None
) -> Grounding | None:
    """Ground without vectors; ``None`` if vectors are needed."""
    ids = candidate.item_ids or catalog.find_title(candidate.text.strip()[:_LONGEST])
    found = tuple(Match(item_id=i, similarity=1.0) for i in ids if allowed is None or i in allowed)
    if candidate.item_ids:
        return Grounding(
            candidate=candidate, matches=found, method="trie" if found else "abstained"
        )
    return Grounding(candidate=candidate, matches=found, method="exact") if found else None


def _by_similarity(candidate: Candidate, matches: tuple[Match, ...]) -> Grounding:
    return Grounding(
        candidate=candidate, matches=matches, method="similarity" if matches else "abstained"
    )


def _title(text: str) -> str:
    """Normalise a title for encoding: article first, no year."""
    return natural_title(split_year(clean_text(text[:_LONGEST]))[0])
