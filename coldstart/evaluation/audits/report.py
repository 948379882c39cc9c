"""The audits' tables as Markdown, and all their numbers as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coldstart.evaluation.audits.counterfactual import Counterfactual
from coldstart.evaluation.audits.hallucinations import Ledger
from coldstart.evaluation.audits.list_similarity import MeanInterval
from coldstart.evaluation.audits.memorization import Memory
from coldstart.evaluation.audits.prompt_sensitivity import Wordings
from coldstart.evaluation.report import Table, plain, save
from coldstart.metrics.significance import Difference, holm

PACKAGES = ("coldstart-rec", "numpy", "torch", "transformers")
BAR = 40
_ALIKE = (
    "Overlap: share of the first ten that stay. RBO: rank-biased overlap, p = 0.9, over 100 ranks "
    "(Webber, Moffat and Zobel, 2010). Places: how far the first ten move, mean of the absolute "
    "values; an item that leaves the first 100 has rank 101 (footrule of Fagin, Kumar and "
    "Sivakumar, 2003)."
)

INTRO = (
    "Held-out users, drawn by the seed. Means ± half the width of their 95 % bootstrap intervals; "
    "p adjusted (Holm) within a table."
)

Result = Counterfactual | Wordings | Memory | Ledger


@dataclass(frozen=True)
class AuditReport:
    """Finished audits.

    Args:
        results: by name of the audit.
        about: what produced them, name → text.
    """

    results: Mapping[str, Result]
    about: Mapping[str, str]

    @property
    def left_out(self) -> list[str]:
        """What could not be tested, and why, one line each."""
        return [
            line
            for result in self.results.values()
            if not isinstance(result, Ledger)
            for line in result.left_out
        ]

    def tables(self) -> list[Table]:
        """All tables, in the order of the audits."""
        out: list[Table] = []
        for result in self.results.values():
            if isinstance(result, Counterfactual):
                out += _counterfactual(result)
            elif isinstance(result, Wordings):
                out += _wordings(result)
            elif isinstance(result, Memory):
                out += _memory(result)
            else:
                out += _ledger(result)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every number."""
        results = {name: plain(result) for name, result in self.results.items()}
        return {"about": dict(self.about), "left_out": self.left_out, **results}

    def markdown(self) -> str:
        """Tables and what produced them, as Markdown."""
        parts = [f"# Audits: {self.about['artifact']}\n"]
        parts.append(f"{INTRO}\n")
        parts += [f"**Left out:** {line}.\n" for line in self.left_out]
        parts += [table.markdown() for table in self.tables()]
        for result in self.results.values():
            if isinstance(result, Wordings):
                parts.append("## One user in every wording\n")
                parts += [f"{name}:\n\n```\n{text}```\n" for name, text in result.prompts.items()]
        parts.append("## How it was made\n")
        parts.append("\n".join(f"- {name}: {value}" for name, value in self.about.items()) + "\n")
        return "\n".join(parts)

    def save(self, out: Path) -> list[Path]:
        """Write ``OUT.md`` and ``OUT.json``, each at once or not at all."""
        return save(out, self.to_dict(), md=self.markdown())


def histogram(counts: Sequence[int], width: int = BAR) -> list[str]:
    """One bar of full blocks per count, the longest ``width`` blocks; none for 0, else one or more.

    >>> histogram([4, 1, 0], width=4)
    ['████', '█', '']
    """
    top = max([1, *counts])
    return ["█" * (max(1, round(width * n / top)) if n else 0) for n in counts]


def _counterfactual(result: Counterfactual) -> list[Table]:
    columns = (
        "system",
        "changed",
        "users",
        "overlap@10",
        "RBO",
        "places",
        "NDCG@10",
        "change",
        "p (Holm)",
    )
    out: list[Table] = []
    for n_picks in sorted({r.n_picks for r in result.rows}):
        mine = [r for r in result.rows if r.n_picks == n_picks]
        rows = [
            (
                r.system,
                r.changed,
                str(r.overlap.n),
                str(r.overlap),
                str(r.rbo),
                _places(r.shift),
                f"{r.ndcg:.3f}",
                *gain,
            )
            for r, gain in zip(mine, _gains([r.gain for r in mine]), strict=True)
        ]
        note = (
            "One attribute is changed to that of a training user in another group, all else stays. "
            f"{_ALIKE} NDCG@10 is that of the true profiles, change that of the changed ones less "
            "it."
        )
        out.append(
            Table(f"Who the user is, k={n_picks}", columns, tuple(rows), "" if out else note)
        )
    return out


def _wordings(result: Wordings) -> list[Table]:
    columns = ("system", "wording", "overlap@10", "RBO", "places", "NDCG@10", "change", "p (Holm)")
    out: list[Table] = []
    for n_picks in sorted({r.n_picks for r in result.rows}):
        mine = [r for r in result.rows if r.n_picks == n_picks]
        rows = [
            (
                r.system,
                r.wording,
                str(r.overlap),
                str(r.rbo),
                _places(r.shift),
                str(r.ndcg),
                *gain,
            )
            for r, gain in zip(mine, _gains([r.gain for r in mine]), strict=True)
        ]
        note = (
            "The same statements in words the adapter was not trained on, compared with its own. "
            f"{_ALIKE}"
        )
        title = f"How the prompt is worded, k={n_picks} (n={mine[0].overlap.n})"
        out.append(Table(title, columns, tuple(rows), "" if out else note))
    return out


def _memory(result: Memory) -> list[Table]:
    columns = ("given", "titles", "n", "completed greedily", "nats per token", "median first rank")
    rows = tuple(
        (
            c.probe,
            c.third,
            str(c.greedy.n),
            str(c.greedy),
            str(c.logprob),
            f"{c.median_rank:g}",
        )
        for c in result.completed
    )
    recited = ", ".join(result.recited)
    note = (
        "The base model without the adapter. Head, middle and tail hold a third of the training "
        "likes each. Completed: greedy decoding writes the rest of the title (extractable in the "
        "sense of Carlini et al., 2023; asked of a recommendation data set by Di Palma et al., "
        "2025); given only the year, at most one title per year can be. First rank: of the rest's "
        "first token in the vocabulary. The rows before are written as id|title (year) with the "
        "article first, which need not be how the source file writes them. Most liked of those "
        f"completed from half a title: {recited or 'none'}."
    )
    out = [Table("What the base model knew", columns, rows, note)]
    if result.dated:
        dated = tuple(
            (
                d.third,
                str(d.gain.n),
                f"{d.median_rank:g} of {result.items}",
                str(d.gain),
                str(d.shuffled),
            )
            for d in result.dated
        )
        heads = ("titles", "n", "median rank given its year", "gain, nats", "years shuffled")
        note = (
            f"Every title scored after each of the {result.years} years. Gain: log-probability of "
            "a title given its year less that given any year; beside it, the same with years dealt "
            "to other titles."
        )
        out.append(Table("Whether the base model knows the years", heads, dated, note))
    return out


def _ledger(result: Ledger) -> list[Table]:
    columns = ("written by", "k", "titles", "distinct", "in the catalog", "taken for a similar one")
    rows = tuple(
        (
            e.mode,
            str(e.n_picks),
            str(e.titles),
            str(e.distinct),
            str(e.exact),
            str(e.similarity),
            str(e.abstained),
            str(e.picked),
        )
        for e in result.entries
    )
    note = (
        "Free writing: beam search as shipped, and titles sampled at temperature 1. Shares of a "
        "user's titles. The catalog has a title but for case, punctuation, article or year; a "
        "title it lacks may still exist elsewhere."
    )
    heads = (*columns, "matched nothing", "own picks repeated")
    out = [Table("What free writing makes up", heads, rows, note)]
    for mode, counts in result.histogram.items():
        if not sum(counts):
            continue
        bars = histogram(counts)
        drawn = tuple(
            (f"{n / 10:.1f} to {(n + 1) / 10:.1f}", str(count), bar)
            for n, (count, bar) in enumerate(zip(counts, bars, strict=True))
        )
        found = f"Cosine to the nearest title; from {result.threshold:g} on, it counts as found."
        title = f"Titles the catalog lacks ({mode}, {sum(counts)} in all)"
        out.append(Table(title, ("cosine", "titles", ""), drawn, found))
        if most := result.invented[mode]:
            cells = tuple(
                (x.text, str(x.times), x.nearest, f"{x.similarity:.2f}", x.outcome) for x in most
            )
            names = ("written", "times", "nearest title", "cosine", "outcome")
            out.append(Table(f"Most frequent of them ({mode})", names, cells))
    return out


def _gains(found: Sequence[Difference | None]) -> list[tuple[str, str]]:
    """Two cells each: the difference with its interval, and p adjusted for all of them."""
    adjusted = iter(holm([d.p_value for d in found if d is not None]))
    return [
        ("–", "–")
        if d is None
        else (f"{d.mean:+.3f} ({d.low:+.3f} to {d.high:+.3f})", f"{next(adjusted):.3f}")
        for d in found
    ]


def _places(mean: MeanInterval) -> str:
    return f"{mean.value:.1f} ± {(mean.high - mean.low) / 2:.1f}"
