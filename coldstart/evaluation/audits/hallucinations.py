"""Ledger of generated titles: share that exists in the catalog, is matched, or is hallucinated.

A title "exists" if the catalog has it, but for case, punctuation, article or year. One that does
not may still be a real film that the catalog lacks: the ledger judges against the catalog only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.audits.list_similarity import MeanInterval, mean_of
from coldstart.evaluation.cases import ColdCase
from coldstart.evaluation.recommender_adapter import grounding_threshold, written_titles
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index.exact import ExactIndex
from coldstart.recommender import Recommender
from coldstart.schema import DecodingConfig, Grounding

MODES = {"beam": DecodingConfig(), "sample": DecodingConfig(mode="sample")}
"""How ``free`` writes by default, and drawing titles at temperature 1."""

OUTCOMES = ("exact", "similarity", "abstained")
MOST = 15

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Entry:
    """Grounding outcomes of one decoding mode at one number of picks.

    Args:
        mode: how titles were written, one of ``MODES``.
        n_picks: number of picks.
        titles: written in all.
        distinct: different ones among them.
        exact: share that the catalog has, mean over users, in [0, 1].
        similarity: share that was taken for a similar title, likewise.
        abstained: share that matched nothing, likewise.
        picked: share that repeats one of the user's own picks, likewise.
    """

    mode: str
    n_picks: int
    titles: int
    distinct: int
    exact: MeanInterval
    similarity: MeanInterval
    abstained: MeanInterval
    picked: MeanInterval


@dataclass(frozen=True)
class Invented:
    """A generated title that the catalog lacks.

    Args:
        text: as it was written.
        times: how often.
        nearest: the catalog's most similar title.
        similarity: their cosine, in [-1, 1].
        outcome: ``similarity`` or ``abstained``.
    """

    text: str
    times: int
    nearest: str
    similarity: float
    outcome: str


@dataclass(frozen=True)
class Ledger:
    """Result of the ledger audit.

    Args:
        entries: by way of writing and number of picks.
        histogram: by way of writing, how many titles that the catalog lacks have their nearest
            cosine in each tenth: [0, .1), … [.9, 1]; below 0 goes to the first.
        invented: by way of writing, the most frequent of them.
        threshold: cosine from which one counts as found.
    """

    entries: tuple[Entry, ...]
    histogram: Mapping[str, tuple[int, ...]]
    invented: Mapping[str, tuple[Invented, ...]]
    threshold: float


def audit_ledger(
    recommender: Recommender,
    cases: Sequence[ColdCase],
    *,
    modes: Mapping[str, DecodingConfig] = MODES,
    seed: int = 0,
    report: Progress | None = None,
) -> Ledger:
    """Generate titles for held-out users and count their grounding outcomes.

    Args:
        recommender: with a language model.
        cases: held-out users, from ``cold_users``.
        modes: ways of writing, by name; each writes as many titles as ``free`` does.
        seed: of sampling and the bootstrap.
        report: called with (done, total) after each case and way.

    Raises:
        ConfigError: there is no way of writing.
        DataError: there is no case, or nothing was written.
    """
    if not modes:
        raise ConfigError("no way of writing is given", hint=f"such as {', '.join(MODES)}")
    if not cases:
        raise DataError("there is no held-out user to write for", hint="give a split with more")
    n = recommender.settings.written_titles
    entries, histogram, invented = [], {}, {}
    done, total = 0, len(cases) * len(modes)
    for mode, config in modes.items():
        written: list[tuple[ColdCase, list[Grounding]]] = []
        for case in cases:
            found = written_titles(recommender, case.profile, n, replace(config, n=n), seed)
            written.append((case, found))
            done += 1
            if report:
                report(done, total)
        for n_picks in sorted({c.n_picks for c in cases}):
            entries.append(_entry(mode, n_picks, written, seed))
        lost = [g for _, found in written for g in found if g.method != "exact"]
        listed = _invented(recommender, lost)
        histogram[mode] = tenths([(x.similarity, x.times) for x in listed])
        invented[mode] = tuple(listed[:MOST])
    return Ledger(tuple(entries), histogram, invented, grounding_threshold(recommender))


def tenths(similarities: Sequence[tuple[float, int]]) -> tuple[int, ...]:
    """Count (cosine, times) by tenth: [0, .1), … [.9, 1]; what is below 0 goes to the first."""
    out = [0] * 10
    for cosine, times in similarities:
        # Rounded, so that a cosine of .7 that came out as .69999999 keeps its tenth.
        out[min(9, max(0, int(round(cosine, 6) * 10)))] += times
    return tuple(out)


def _entry(
    mode: str, n_picks: int, written: Sequence[tuple[ColdCase, Sequence[Grounding]]], seed: int
) -> Entry:
    mine = [(c, found) for c, found in written if c.n_picks == n_picks and found]
    if not mine:
        raise DataError(f"nothing was written with {n_picks} picks", hint="is the model trained?")
    shares = {
        outcome: mean_of(
            {c.user: sum(g.method == outcome for g in f) / len(f) for c, f in mine}, seed
        )
        for outcome in OUTCOMES
    }
    repeated = {c.user: _repeats(c, found) / len(found) for c, found in mine}
    texts = [g.candidate.text for _, found in mine for g in found]
    return Entry(
        mode,
        n_picks,
        len(texts),
        len(set(texts)),
        shares["exact"],
        shares["similarity"],
        shares["abstained"],
        mean_of(repeated, seed),
    )


def _repeats(case: ColdCase, found: Sequence[Grounding]) -> int:
    """Number of generated titles that repeat the user's picks."""
    picks = {p.item for p in case.profile.liked}
    return sum(g.method == "exact" and any(m.item_id in picks for m in g.matches) for g in found)


def _invented(recommender: Recommender, lost: Sequence[Grounding]) -> list[Invented]:
    """Titles that the catalog lacks, most frequent first, each with its nearest neighbour."""
    times = Counter(g.candidate.text for g in lost)
    outcome = {g.candidate.text: g.method for g in lost}
    texts = sorted(times)
    # Grounding keeps no cosine below its threshold; one that never abstains does.
    nearest = Grounder(recommender.encoder, ExactIndex(), threshold=-1)
    nearest.sync(recommender.catalog)
    out = []
    for text, g in zip(texts, nearest.ground_texts(texts, k=1), strict=True):
        best = g.matches[0] if g.matches else None
        title = recommender.catalog[best.item_id].title if best else ""
        cosine = best.similarity if best else 0.0
        out.append(Invented(text, times[text], title, cosine, outcome[text]))
    return sorted(out, key=lambda x: (-x.times, x.text))
