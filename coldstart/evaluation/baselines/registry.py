"""All rivals by name, so that an evaluation can run them without knowing any of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from coldstart.evaluation.baselines.als import als
from coldstart.evaluation.baselines.dropout_autoencoder import dropout_autoencoder
from coldstart.evaluation.baselines.ease import ease, ease_prior
from coldstart.evaluation.baselines.knn_text_prior import knn_text_prior
from coldstart.evaluation.baselines.later_lift import later_lift
from coldstart.evaluation.baselines.library import PACKAGES, installed
from coldstart.evaluation.baselines.lightfm_warp import lightfm_warp
from coldstart.evaluation.baselines.neighbours import demographic_user_knn, item_knn
from coldstart.evaluation.baselines.simple import damped_mean, random_items
from coldstart.evaluation.baselines.words import bm25, text_retrieval
from coldstart.protocols import Recommends

__all__ = ["PACKAGES", "RIVALS", "Rival", "Uses", "installed"]

Uses = Literal["picks", "attributes", "text"]


@dataclass(frozen=True)
class Rival:
    """One recommender to be measured against.

    Args:
        name: its key in ``RIVALS``.
        description: one line for a table or its legend.
        uses: what of a profile moves its list: picks, attributes, text (interests and about).
        build: training data, and a setting as keyword arguments, → a trained recommender. Without
            a setting it takes the one that validated best on MovieLens-100K.
        grid: settings worth trying on validation users; empty where nothing is tuned.
        requires: library that has to be installed, as it is imported, or ``None``.
    """

    name: str
    description: str
    uses: frozenset[Uses]
    build: Callable[..., Recommends]
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    requires: str | None = None


def _rival(
    build: Callable[..., Recommends],
    description: str,
    *uses: Uses,
    requires: str | None = None,
    **grid: Sequence[Any],
) -> Rival:
    return Rival(build.__name__, description, frozenset(uses), build, grid, requires)


_ALL = (
    _rival(random_items, "random order"),
    _rival(
        damped_mean, "damped mean of likes against dislikes", damping=(10.0, 50.0, 200.0, 500.0)
    ),
    _rival(
        demographic_user_knn,
        "likes of the people with the same attributes",
        "attributes",
        neighbours=(50, 100, 200, 400, 600),
    ),
    _rival(
        item_knn,
        "item-kNN (damped cosine) alone; demographic popularity without picks",
        "picks",
        "attributes",
        damping=(20.0, 50.0, 100.0, 200.0, 500.0),
        neighbours=(20, 50, 200, 2000),
    ),
    _rival(
        ease,
        "EASE fold-in alone; demographic popularity without picks",
        "picks",
        "attributes",
        l2=(300.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0),
    ),
    _rival(
        ease_prior,
        "EASE fold-in + demographic popularity",
        "picks",
        "attributes",
        l2=(300.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0),
        weight=(0.5, 1.0, 2.0, 3.0),
    ),
    _rival(
        als,
        "implicit ALS fold-in alone; demographic popularity without picks",
        "picks",
        "attributes",
        requires="implicit",
        factors=(4, 8, 16),
        alpha=(2.0, 5.0, 10.0, 20.0),
        l2=(50.0, 100.0, 200.0, 500.0),
    ),
    _rival(
        lightfm_warp,
        "LightFM: hybrid matrix factorisation of attributes and picks, WARP loss",
        "picks",
        "attributes",
        requires="lightfm",
        factors=(16, 32, 64),
        epochs=(15, 30, 60),
        rate=(0.01, 0.02, 0.05),
        l2=(0.0, 1e-5),
    ),
    _rival(
        dropout_autoencoder,
        "DropoutNet-style autoencoder of attributes and picks",
        "picks",
        "attributes",
        hidden=(16, 64),
        decay=(2.0, 5.0),
        epochs=(20, 40, 80),
    ),
    _rival(
        later_lift,
        "what is liked after the picks (order-aware counts) + demographic lift",
        "picks",
        "attributes",
        first=(5, 10, 20),
        shrink=(20.0, 50.0, 100.0),
        weight=(0.5, 1.0, 1.5),
    ),
    _rival(
        knn_text_prior,
        "demographic popularity + item-kNN + sentence embeddings of the picks",
        "picks",
        "attributes",
        weight=(0.5, 1.0, 2.0, 3.0, 5.0),
        text=(0.0, 1.0, 2.0, 4.0),
    ),
    _rival(
        text_retrieval,
        "sentence embeddings of profile and items, cosine",
        "picks",
        "attributes",
        "text",
    ),
    _rival(
        bm25,
        "BM25 of the profile's words against the items' words",
        "picks",
        "attributes",
        "text",
        k1=(0.5, 1.2, 2.0),
        b=(0.0, 0.4, 0.75),
    ),
)

RIVALS: Mapping[str, Rival] = MappingProxyType({r.name: r for r in _ALL})
