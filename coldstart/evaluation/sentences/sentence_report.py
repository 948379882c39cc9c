"""Report of judged sentences: tables, the worst lists, and plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coldstart.catalog.catalog import Catalog
from coldstart.evaluation.report import Document, Report, Table, made_with, plain
from coldstart.evaluation.sentences.obedience import ALL, UNCOVERED, ObedienceRun, Shown

if TYPE_CHECKING:
    from collections.abc import Mapping

_INTRO = (
    "Each sentence is given as the only thing known about a person. Obedience is the share of the "
    "shown items whose metadata fulfil the sentence's predicate, in as many places as the catalog "
    "has such items, ten at most; mean over sentences with its 95 % bootstrap interval."
)


@dataclass(frozen=True)
class SentenceReport(Report):
    """A finished judgement of sentences.

    Args:
        run: all numbers and lists.
        tables: means, differences, then the worst sentences.
        about: what produced them, name → text.
        catalog: titles of the shown items.
        warnings: notes printed first.
    """

    run: ObedienceRun
    tables: tuple[Table, ...]
    about: Mapping[str, str]
    catalog: Catalog
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data: every mean, and every shown list with titles."""
        return {
            "about": dict(self.about),
            "warnings": list(self.warnings),
            "k": self.run.k,
            "means": plain(self.run.means),
            "against": {name: plain(d) for name, d in self.run.against.items()},
            "against_uncovered": {name: plain(d) for name, d in self.run.against_uncovered.items()},
            "left_out": [s.sentence for s in self.run.left_out],
            "shown": [_row(s, self.catalog) for s in self.run.shown],
        }

    def document(self) -> Document:
        """Title, tables and plain data."""
        title = f"Sentences: {self.about['sentences']}"
        first = (self.run.means[0].system,)
        data = self.to_dict()
        return Document(title, _INTRO, self.tables, self.about, data, self.warnings, first)


def sentence_report(
    run: ObedienceRun, catalog: Catalog, *, source: str, command: str, worst: int = 10
) -> SentenceReport:
    """Lay out judged sentences.

    Args:
        run: the judgement; its first system is the one under test.
        catalog: of the shown items.
        source: name of the file of sentences.
        command: that makes it again.
        worst: number of sentences of the first system that are listed with their items.
    """
    system = run.means[0].system
    count = run.means[0].sentences
    warnings: tuple[str, ...] = ()
    if run.left_out:
        quoted = ", ".join(repr(s.sentence) for s in run.left_out[:5])
        more = f" and {len(run.left_out) - 5} more" if len(run.left_out) > 5 else ""
        warnings = (
            f"{len(run.left_out)} sentences left out, as no available item of the catalog "
            f"fulfils them: {quoted}{more}",
        )
    about = {
        "sentences": f"{source}, {count} judged",
        "command": command,
        "catalog": f"{len(catalog)} items, fingerprint {catalog.fingerprint()[:16]}",
        **made_with(),
    }
    tables = [_mean_table(run), *_difference_table(run, system)]
    tables += [_worst_table(shown, catalog) for shown in run.worst(system, worst)]
    return SentenceReport(run, tuple(tables), about, catalog, warnings)


def _mean_table(run: ObedienceRun) -> Table:
    systems = list(dict.fromkeys(m.system for m in run.means))
    found = {(m.group, m.system): m for m in run.means}
    rows = []
    for group in dict.fromkeys(m.group for m in run.means):
        means = [found[group, s] for s in systems]
        cells = [f"{m.mean:.3f} ({m.low:.3f} to {m.high:.3f})" for m in means]
        rows.append((group, str(means[0].sentences), *cells))
    note = f"Mean share of {run.k} places, or of as many as can be filled; 95 % interval."
    columns = ("kind", "sentences", *systems)
    return Table(f"Obedience@{run.k}", columns, tuple(rows), note)


def _difference_table(run: ObedienceRun, system: str) -> list[Table]:
    groups = (ALL, run.against), (UNCOVERED, run.against_uncovered)
    rows = [
        (group, name, f"{d.mean:+.3f}", f"{d.low:+.3f} to {d.high:+.3f}", f"{d.p_value:.4f}")
        for group, against in groups
        for name, d in against.items()
    ]
    columns = ("sentences", "system", "difference", "95 % interval", "p")
    title = f"Obedience@{run.k} of {system} less that of others"
    return [Table(title, columns, tuple(rows), "Same sentences, paired.")] if rows else []


def _worst_table(shown: Shown, catalog: Catalog) -> Table:
    pairs = zip(shown.item_ids, shown.fulfils, strict=True)
    rows = tuple(
        (
            _named(item_id, catalog),
            "yes" if good else "no",
            ", ".join(catalog[item_id].categories),
            "" if catalog[item_id].min_age is None else str(catalog[item_id].min_age),
        )
        for item_id, good in pairs
    )
    title = f"“{shown.sentence.sentence}”: {shown.obedience:.2f}"
    few = f"; first {shown.places} count" if shown.places < len(shown.item_ids) else ""
    note = f"{shown.sentence.kind}; {condition(shown)}{few}"
    return Table(title, ("shown", "fulfils it", "categories", "from age"), rows, note)


def condition(shown: Shown) -> str:
    """The sentence's predicate in one line of JSON, defaults left out."""
    return shown.sentence.predicate.model_dump_json(exclude_defaults=True)


def _named(item_id: str, catalog: Catalog) -> str:
    item = catalog[item_id]
    return item.title if item.year is None else f"{item.title} ({item.year})"


def _row(shown: Shown, catalog: Catalog) -> dict[str, Any]:
    sentence = shown.sentence
    titles: Sequence[str] = [_named(item_id, catalog) for item_id in shown.item_ids]
    return {
        "system": shown.system,
        "sentence": sentence.sentence,
        "kind": sentence.kind,
        "covered": sentence.covered,
        "predicate": sentence.predicate.model_dump(mode="json", exclude_defaults=True),
        "places": shown.places,
        "obedience": shown.obedience,
        "items": [
            {"item_id": i, "title": title, "fulfils": good}
            for i, title, good in zip(shown.item_ids, titles, shown.fulfils, strict=True)
        ],
    }
