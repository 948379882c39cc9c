"""Files of sentences: one JSON object per line, ``sentence``, ``kind`` and ``predicate``."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field

from coldstart.catalog.catalog import Catalog
from coldstart.errors import DataError
from coldstart.evaluation.sentences.predicate import ItemPredicate, category_key
from coldstart.schema import Short
from coldstart.schema.base import Input, parse

MOVIES = Path(__file__).with_name("movies.jsonl")
"""The sentences that the package is judged by, for catalogs of films with MovieLens' genres."""


class Sentence(Input):
    """One sentence and what fulfils it.

    Args:
        sentence: as a person would type it.
        kind: group of the report, such as ``positive``, ``negated``, ``years`` or ``indirect``.
        predicate: what an item must be.
        covered: whether a rule about keywords could understand it; reported apart if any is not.
    """

    sentence: str = Field(min_length=1, max_length=20_000)
    kind: Short
    predicate: ItemPredicate
    covered: bool = True


def read_sentences(path: str | Path) -> tuple[Sentence, ...]:
    """Read a file of sentences; empty lines are skipped.

    Args:
        path: UTF-8 file, one JSON object per line.

    Raises:
        DataError: no such file, no sentence, a line that is no sentence, or a repeated one; the
            message names the line.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(
            f"cannot read the sentences in {path}: {e}",
            hint='give a UTF-8 file with a line {"sentence": …, "kind": …, "predicate": {…}} each',
        ) from e
    found: dict[str, tuple[int, Sentence]] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            data = json.loads(line)
        except (ValueError, RecursionError) as e:
            raise DataError(f"{where}: no JSON ({e})", hint="one JSON object per line") from e
        made = parse(Sentence, data, where, DataError)
        if made.sentence in found:
            earlier = found[made.sentence][0]
            raise DataError(
                f"{where}: {made.sentence!r} is also in line {earlier}", hint="remove one of them"
            )
        found[made.sentence] = (number, made)
    if not found:
        raise DataError(f"{path} holds no sentence", hint="one JSON object per line")
    return tuple(sentence for _, sentence in found.values())


def fulfilling(sentence: Sentence, catalog: Catalog) -> frozenset[str]:
    """Ids of the available items that fulfil a sentence; what is sold out fulfils nothing."""
    return frozenset(i.item_id for i in catalog if i.available and sentence.predicate.holds(i))


def check_categories(sentences: Iterable[Sentence], catalog: Catalog) -> None:
    """Refuse categories that no item of the catalog has: nothing could fulfil or violate them.

    Raises:
        DataError: an unknown category; the message names its sentence.
    """
    known = {category_key(c): c for item in catalog for c in item.categories}
    for sentence in sentences:
        for category in sentence.predicate.categories():
            if category_key(category) not in known:
                near = difflib.get_close_matches(category_key(category), known, 1)
                hint = f"did you mean {known[near[0]]!r}?" if near else ", ".join(known.values())
                raise DataError(
                    f"no item has the category {category!r} of {sentence.sentence!r}", hint=hint
                )


def judgeable(
    sentences: Sequence[Sentence], catalog: Catalog
) -> tuple[tuple[Sentence, ...], tuple[Sentence, ...]]:
    """Divide sentences by whether any available item fulfils them.

    Returns:
        Those to judge, and those that are left out.
    """
    some = [bool(fulfilling(s, catalog)) for s in sentences]
    pairs = list(zip(sentences, some, strict=True))
    return tuple(s for s, good in pairs if good), tuple(s for s, good in pairs if not good)
