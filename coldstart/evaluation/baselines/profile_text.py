"""Texts of profiles and items that text-only baselines match."""

from __future__ import annotations

from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.schema import Item, UserProfile


def profile_text(training: TrainingData, profile: UserProfile) -> str:
    """Attributes, interests, ``about``, then title and categories of the known picks."""
    items = training.catalog.items
    said = [", ".join(profile.demographics().values()), profile.free_text()]
    said += [item_text(items[n]) for n in training.picks(profile)]
    return ". ".join(s for s in said if s)


def item_text(item: Item) -> str:
    """Title, categories and description."""
    return ". ".join(x for x in (item.title, ", ".join(item.categories), item.description) if x)
