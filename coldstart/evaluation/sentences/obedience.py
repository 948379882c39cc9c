"""Obedience@k: the share of the shown items that fulfil a sentence, by system and kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_encoding import encode_items
from coldstart.errors import ConfigError
from coldstart.evaluation.sentences.sentence_file import (
    Sentence,
    check_categories,
    fulfilling,
    judgeable,
)
from coldstart.metrics.significance import Difference, bootstrap_interval, paired_bootstrap
from coldstart.protocols import Encoder, Recommends
from coldstart.schema import UserProfile

K = 10
ALL = "all"
"""Name of the group of all sentences."""
UNCOVERED = "not covered by rules"
"""Name of the group of sentences that a keyword rule would not understand."""

ShownIds = Callable[[str], Sequence[str]]
"""System under test: sentence → ids of the shown items, best first."""
Report = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Shown:
    """What one system showed for one sentence.

    Args:
        system: name of the system.
        sentence: the sentence.
        item_ids: the shown items, best first.
        fulfils: whether each of them fulfils the sentence.
        places: ``k``, or the number of items of the catalog that fulfil the sentence if lower.
        obedience: share of the first ``places`` places with an item that does, in [0, 1].
    """

    system: str
    sentence: Sentence
    item_ids: tuple[str, ...]
    fulfils: tuple[bool, ...]
    places: int
    obedience: float


@dataclass(frozen=True)
class MeanObedience:
    """Mean obedience of one system over a group of sentences.

    Args:
        system: name of the system.
        group: ``all``, a kind of sentence, or those that no keyword rule covers.
        sentences: number of sentences.
        mean: of their obedience, in [0, 1].
        low: lower end of its 95 % bootstrap interval over sentences.
        high: upper end.
    """

    system: str
    group: str
    sentences: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class ObedienceRun:
    """Judged sentences.

    Args:
        shown: a list per system and sentence.
        means: per system and group, ``all`` first.
        against: system → how much the first system's obedience exceeds it on the same sentences.
        against_uncovered: the same on the sentences that no rule is believed to cover.
        left_out: sentences that no available item of the catalog fulfils.
        k: number of shown items.
    """

    shown: tuple[Shown, ...]
    means: tuple[MeanObedience, ...]
    against: Mapping[str, Difference]
    against_uncovered: Mapping[str, Difference]
    left_out: tuple[Sentence, ...]
    k: int

    def mean(self, system: str, group: str = ALL) -> float:
        """Mean obedience of a system, in [0, 1]."""
        return next(m.mean for m in self.means if (m.system, m.group) == (system, group))

    def worst(self, system: str, n: int) -> tuple[Shown, ...]:
        """The ``n`` lists of a system with the lowest obedience, in the file's order if equal."""
        mine = [s for s in self.shown if s.system == system]
        return tuple(sorted(mine, key=lambda s: s.obedience)[:n])


def about_sentence(recommender: Recommends, k: int = K, **options: Any) -> ShownIds:
    """System that is given the sentence as ``about``, by the public interface.

    Args:
        recommender: judged.
        k: number of items.
        options: more of ``recommend``, such as the strategy.
    """
    return lambda text: recommender.recommend(UserProfile(about=text), k=k, **options).item_ids


def about_nothing(recommender: Recommends, k: int = K) -> ShownIds:
    """System that shows the list for an empty profile, whatever the sentence."""
    shown = tuple(recommender.recommend(UserProfile(), k=k).item_ids)
    return lambda text: shown


def encoder_alone(catalog: Catalog, encoder: Encoder, k: int = K) -> ShownIds:
    """System that ranks by the cosine of the sentence and an item's title and categories."""
    texts = [". ".join(x for x in (i.title, ", ".join(i.categories)) if x) for i in catalog]
    ids, vectors = catalog.ids, encode_items(encoder, texts)

    def shown(text: str) -> Sequence[str]:
        similarity = vectors @ encoder.encode([text])[0]
        return [ids[row] for row in np.argsort(-similarity, kind="stable")[:k]]

    return shown


def judge(
    systems: Mapping[str, ShownIds],
    sentences: Sequence[Sentence],
    catalog: Catalog,
    *,
    k: int = K,
    seed: int = 0,
    report: Report | None = None,
) -> ObedienceRun:
    """Show every sentence to every system, and measure obedience.

    ``obedience@k = #{shown items among the first p that fulfil the sentence} / p`` with
    ``p = min(k, #{available items of the catalog that fulfil it})``: precision at what can be
    attained. A list of fewer items has empty places, which fulfil nothing. Sentences that no item
    fulfils are left out.

    Args:
        systems: by name; the first is compared with the others.
        sentences: what people say.
        catalog: metadata of the items that are shown.
        k: number of items.
        seed: of the bootstrap.
        report: progress callback (what, done, total).

    Raises:
        ConfigError: no system, or no sentence that can be judged.
        DataError: a sentence names a category that the catalog lacks.
    """
    check_categories(sentences, catalog)
    judged, left_out = judgeable(sentences, catalog)
    if not systems or not judged:
        raise ConfigError(
            f"{len(systems)} systems and {len(judged)} sentences that any item fulfils",
            hint=f"give one of each; {len(left_out)} sentences were left out",
        )
    shown = []
    for done, sentence in enumerate(judged, start=1):
        good = fulfilling(sentence, catalog)
        places = min(k, len(good))
        for name, system in systems.items():
            ids = tuple(system(sentence.sentence))[:k]
            fulfils = tuple(item_id in good for item_id in ids)
            obedience = sum(fulfils[:places]) / places
            shown.append(Shown(name, sentence, ids, fulfils, places, obedience))
        if report:
            report("sentences", done, len(judged))
    means = tuple(_means(shown, tuple(systems), seed))
    names = tuple(systems)
    every, uncovered = (_against(shown, names, seed, group) for group in (ALL, UNCOVERED))
    return ObedienceRun(tuple(shown), means, every, uncovered, left_out, k)


def groups_of(sentence: Sentence) -> tuple[str, ...]:
    """Groups of the report that a sentence belongs to."""
    return (ALL, sentence.kind, *(() if sentence.covered else (UNCOVERED,)))


def _means(shown: Sequence[Shown], systems: Sequence[str], seed: int) -> list[MeanObedience]:
    groups = sorted({g for s in shown for g in groups_of(s.sentence)} - {ALL, UNCOVERED})
    out = []
    for group in (ALL, UNCOVERED, *groups):
        for system in systems:
            mine = [s for s in shown if s.system == system and group in groups_of(s.sentence)]
            if mine:
                values = [s.obedience for s in mine]
                low, high = bootstrap_interval(values, seed)
                mean = float(np.mean(values))
                out.append(MeanObedience(system, group, len(values), mean, low, high))
    return out


def _against(
    shown: Sequence[Shown], systems: Sequence[str], seed: int, group: str
) -> dict[str, Difference]:
    """Differences of the first system from the others on a group; none with under two sentences."""
    mine = [s for s in shown if group in groups_of(s.sentence)]
    values = {n: {s.sentence.sentence: s.obedience for s in mine if s.system == n} for n in systems}
    first, *others = systems
    if len(values[first]) < 2:
        return {}
    return {n: paired_bootstrap(values[first], values[n], seed) for n in others}
