"""Domain of an artifact: what its catalog holds, and whether another catalog holds the like."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from coldstart import prompts
from coldstart.artifacts.loading import RecommenderParts
from coldstart.catalog.catalog import Catalog
from coldstart.catalog.titles import normalise_title
from coldstart.data.named import NAMED
from coldstart.errors import FetchError
from coldstart.interactions.interaction_stats import Counts
from coldstart.starting.survey import CatalogSurvey
from coldstart.starting.weights import from_nothing_ranker, starting_state
from coldstart.understanding.lexicon import category_forms
from coldstart.understanding.products.vocabulary import is_of_products

log = logging.getLogger(__name__)

SHARED_FROM = 0.3
"""Share of a catalog's items that have to fit an artifact's domain."""
HELD_FROM = 0.05
"""Share of the artifact's own items that have to have a category that both catalogs have: a shop of
books and toys has a few crime novels, and is none of films."""
_NAMES = 300  # categories that an artifact records
_SAMPLE = 2000  # items that are compared


@dataclass(frozen=True)
class DomainMatch:
    """How far a catalog fits the domain of an artifact.

    Args:
        items: number of compared items.
        by_category: share of them with a category that the artifact's catalog has.
        held: share of the artifact's items that have the most frequent of these categories.
        by_title: share of them whose title its catalog has.
        categories: the artifact's most frequent categories.
    """

    items: int
    by_category: float
    held: float
    by_title: float
    categories: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the catalog is of the same domain."""
        by_category = self.by_category >= SHARED_FROM and self.held >= HELD_FROM
        return by_category or self.by_title >= SHARED_FROM


def domain_of(catalog: Catalog) -> dict[str, Any]:
    """The domain of a catalog, as artifacts record it: share of the items by frequent category."""
    counted = Counter(name for item in catalog for name in dict.fromkeys(item.categories))
    n = max(1, len(catalog))
    return {"categories": {k: round(v / n, 6) for k, v in counted.most_common(_NAMES)}}


def has_departments(catalog: Catalog) -> bool:
    """Whether a catalog is a shop of departments, in which people come for different things.

    It is if it holds products, most of them with a category, and no first category more than half.
    """
    if not is_of_products(catalog):
        return False
    first = Counter(item.categories[0] for item in catalog if item.categories)
    return 2 * first.total() > len(catalog) and 2 * max(first.values()) <= len(catalog)


def match_domain(manifest: Mapping[str, Any], counts: Counts, catalog: Catalog) -> DomainMatch:
    """Compare a catalog with the domain of an artifact.

    The domain is the categories that the artifact records, or those of the public dataset that it
    names. Categories are equal as requests find them: without case, plural and punctuation.

    Args:
        manifest: of the artifact.
        counts: of the artifact; items of these ids are its own.
        catalog: the other one.
    """
    known, titles = _known(manifest)
    held: dict[str, float] = {}
    for name, share in known.items():
        for form in category_forms(name):
            held[form] = max(held.get(form, 0.0), share)
    step = max(1, len(catalog) // _SAMPLE)
    items = catalog.items[::step]
    matched = [
        max((held.get(f, 0.0) for c in item.categories for f in category_forms(c)), default=0.0)
        for item in items
    ]
    by_category = sum(share > 0 for share in matched)
    own = sum(
        item.item_id in counts.column or normalise_title(item.title) in titles for item in items
    )
    n = max(1, len(items))
    most = max(matched, default=0.0)
    return DomainMatch(len(items), by_category / n, most, own / n, tuple(known)[:3])


def fitted_to_domain(parts: RecommenderParts, artifact: str) -> RecommenderParts:
    """Parts of an artifact that was loaded with another catalog.

    Where the catalog is of another domain, what was learned on the artifact's own says nothing of
    it: trees, language model and scorers of requests are left out, and the weights are those of a
    catalog without interactions. What is left out is logged as a warning.

    Args:
        parts: loaded with the other catalog.
        artifact: its name, for the message.
    """
    if not len(parts.catalog):
        return parts
    match = match_domain(parts.manifest, parts.counts, parts.catalog)
    if match.same or not match.categories:
        return parts
    learned = sorted({n.split("/")[1] for n in parts.adapter if n.startswith("scorers/")})
    off = ", ".join(["trees", "language model", *(n.replace("_", " ") for n in learned)])
    log.warning(
        "%s was made for another domain (%s): %.0f%% of the items of this catalog have a category "
        "of it. Left out: %s. Lists are as of `coldstart start`",
        artifact,
        ", ".join(match.categories),
        100 * match.by_category,
        off,
    )
    survey = CatalogSurvey.of(parts.catalog)
    kept = {k: v for k, v in parts.manifest.items() if k not in ("requests", "data", "split")}
    return replace(
        parts,
        template=prompts.load(survey.prompt),
        counts=Counts.fit(parts.catalog.ids, {}, {}),
        ranker=from_nothing_ranker(
            0.0, parts.manifest["encoder"]["name"], departments=has_departments(parts.catalog)
        ),
        manifest=kept | {"domain": domain_of(parts.catalog), "left_out": off},
        adapter=starting_state(),
    )


def _known(manifest: Mapping[str, Any]) -> tuple[dict[str, float], frozenset[str]]:
    """Categories of an artifact's domain, the most frequent first, and titles if known."""
    source = manifest["catalog"]["source"]
    if source in NAMED:
        try:
            catalog = NAMED[source].load_catalog()
        except FetchError:  # without a network: the domain stays unknown
            return {}, frozenset()
        titles = frozenset(normalise_title(item.title) for item in catalog)
        return domain_of(catalog)["categories"], titles
    return dict((manifest.get("domain") or {}).get("categories", {})), frozenset()
