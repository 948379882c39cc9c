"""Memorization audit: how much of the catalog the base model can recite before fine-tuning.

If it can recite the data, results on that data generalise less. Di Palma et al. (2025, "Do LLMs
Memorize Recommendation Datasets?") prompt models for MovieLens rows by their id;
Carlini et al. (2021; 2023, definition 3.1) call a text extractable with a context if greedy
decoding continues the context with it. Three contexts are tried: half a title, the year, and the
rows before in the order of the data. Knowing a title is not knowing its likes, and common words
are completed without having been learned by heart; on the other hand, what these contexts do not
bring about another might.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coldstart.evaluation.audits.list_similarity import MeanInterval, mean_of
from coldstart.evaluation.audits.title_completion import (
    Recalled,
    fits,
    half_titles,
    recall,
    rows,
    whole_titles,
)
from coldstart.metrics.ranking_metrics import terciles
from coldstart.scoring.catalog_model import CatalogLanguageModel

if TYPE_CHECKING:
    from coldstart.generation.models.causal import CausalLM
    from coldstart.recommender import Recommender
    from coldstart.schema import Item

THIRDS = ("head", "middle", "tail")
EVERY = "all"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Completed:
    """One probe on one part of the catalog.

    Args:
        probe: its name.
        third: of the likes, ``head``, ``middle`` or ``tail``; or ``all``.
        greedy: share of the titles that greedy decoding completes, in [0, 1].
        logprob: nats per token, mean over titles.
        median_rank: of the rest's first token, 1 for the likeliest.
    """

    probe: str
    third: str
    greedy: MeanInterval
    logprob: MeanInterval
    median_rank: float


@dataclass(frozen=True)
class Dated:
    """Information gain of the year about the title, on one part of the catalog.

    Args:
        third: of the likes; or ``all``.
        median_rank: of the title among all of the catalog, given its year; 1 for the likeliest.
        gain: ``log P(title | its year) − log 1/Y Σ_y P(title | y)`` over the Y years probed,
            nats, mean over titles; probabilities are renormalised over the catalog.
        shuffled: the same with years dealt to other titles: what a model that knows no year gets.
    """

    third: str
    median_rank: float
    gain: MeanInterval
    shuffled: MeanInterval


@dataclass(frozen=True)
class Memory:
    """Result of the memorization audit.

    Args:
        completed: by probe and part of the catalog.
        dated: by part of the catalog; empty without years.
        items: size of the catalog.
        years: how many different years it has.
        recited: the most liked titles that half a title brings about, at most 20.
        left_out: what could not be tested, and why, one line each.
    """

    completed: tuple[Completed, ...]
    dated: tuple[Dated, ...]
    items: int
    years: int
    recited: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def audit_memory(
    recommender: Recommender,
    base: CausalLM,
    *,
    seed: int = 0,
    report: Progress | None = None,
) -> Memory:
    """Probe the base model with every title of the catalog, by popularity.

    Args:
        recommender: its catalog, and the likes of its training users.
        base: the language model without the adapter.
        seed: of shuffled years and the bootstrap.
        report: called with (what, done, total).
    """
    items = list(recommender.catalog)
    likes = dict(zip(recommender.counts.item_ids, recommender.counts.likes.tolist(), strict=True))
    thirds = terciles({i.item_id: likes.get(i.item_id, 0.0) for i in items})
    parts = {EVERY: {i.item_id for i in items}}
    for n, name in enumerate(THIRDS):
        parts[name] = {i for i, third in thirds.items() if third == n}
    thing = "film" if recommender.template.domain == "movies" else "item"
    asked = {
        "half a title": half_titles(items),
        "the year": whole_titles(items, thing),
        "the rows before": rows(items),
    }
    completed, recited, left_out = [], [], []
    for name, wanted in asked.items():
        cues = [cue for cue in wanted if fits(base, cue)]
        if long := len(wanted) - len(cues):
            whose = f"{long} of {len(wanted)} titles"
            left_out.append(f"{whose} are not asked with {name}: longer than the model reads")
        if not cues:
            left_out.append(f"nothing is asked with {name}: no item has what it takes")
            continue
        found = recall(base, cues, report=_telling(report, f"memory, {name}"))
        completed += _parts(name, found, parts, seed)
        if name == "half a title":
            known = [r.item_id for r in found if r.greedy]
            known.sort(key=lambda i: (-likes.get(i, 0.0), i))
            recited = [recommender.catalog[i].title for i in known[:20]]
    years = sorted({i.year for i in items if i.year is not None})
    dated: list[Dated] = []
    if len(years) > 1:
        tables = _by_year(recommender, base, years, thing, _telling(report, "memory, years"))
        dated = _dated(items, years, tables, parts, seed)
    else:
        left_out.append("titles are not ranked by year: the catalog has fewer than two years")
    return Memory(
        tuple(completed), tuple(dated), len(items), len(years), tuple(recited), tuple(left_out)
    )


def _parts(
    probe: str, found: Sequence[Recalled], parts: Mapping[str, set[str]], seed: int
) -> list[Completed]:
    out = []
    for third, members in parts.items():
        mine = [r for r in found if r.item_id in members]
        if mine:
            greedy = mean_of({r.item_id: float(r.greedy) for r in mine}, seed)
            logprob = mean_of({r.item_id: r.logprob for r in mine}, seed)
            rank = float(np.median([r.rank for r in mine]))
            out.append(Completed(probe, third, greedy, logprob, rank))
    return out


def _by_year(
    recommender: Recommender,
    base: CausalLM,
    years: Sequence[int],
    thing: str,
    report: Callable[[int, int], None] | None,
) -> np.ndarray:
    """Log-probability of every title given each year, shape (Y, N), catalog row order."""
    recommender.item_store.sync()
    plain = replace(recommender.settings, use_prior=False)
    reader = CatalogLanguageModel(base, recommender.template, recommender.item_store, plain)
    out = []
    for done, year in enumerate(years, start=1):
        out.append(reader.logprobs(f"A {thing} from {year}:\n"))
        if report:
            report(done, len(years))
    return np.stack(out)


def _dated(
    items: Sequence[Item],
    years: Sequence[int],
    tables: np.ndarray,
    parts: Mapping[str, set[str]],
    seed: int,
) -> list[Dated]:
    rows_of = [n for n, i in enumerate(items) if i.year is not None]
    own = np.array([years.index(items[n].year) for n in rows_of])
    dealt = np.random.default_rng(seed).permutation(own)
    usual = np.logaddexp.reduce(tables, axis=0) - np.log(len(years))
    gains = tables[own, rows_of] - usual[rows_of]
    chance = tables[dealt, rows_of] - usual[rows_of]
    ranks = 1 + (tables[own] > tables[own, rows_of][:, None]).sum(axis=1)
    out = []
    for third, members in parts.items():
        mine = [n for n, row in enumerate(rows_of) if items[row].item_id in members]
        if mine:
            ids = [items[rows_of[n]].item_id for n in mine]
            gain, shuffled = (
                mean_of(dict(zip(ids, values[mine].tolist(), strict=True)), seed)
                for values in (gains, chance)
            )
            out.append(Dated(third, float(np.median(ranks[mine])), gain, shuffled))
    return out


def _telling(report: Progress | None, what: str) -> Callable[[int, int], None] | None:
    return None if report is None else lambda done, total: report(what, done, total)
