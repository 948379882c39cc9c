"""Published results of zero-shot language models on turns of ReDial's test dialogues.

He et al., "Large language models as zero-shot conversational recommenders", CIKM 2023: for every
turn the targets that were not mentioned before, and for each model and target whether it was among
the first 1 and 10 of its list. Titles outside the catalog, and items of the dialogue, had been
removed from the lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.frames import read_table
from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.errors import DataError

CASES = Path("he2023") / "cases.parquet"
MODELS = ("gpt-4", "gpt-3.5-turbo", "vicuna")
PUBLISHED = {"recall@1": "rank_hit1", "recall@10": "rank_hit10", "ndcg@10": "ndcg10"}
"""Metric → ending of its column."""

Wording = Literal["seeker", "dialogue"]


@dataclass(frozen=True)
class PublishedTurn:
    """One turn with published results.

    Args:
        request: what is asked, and its targets as chosen items.
        hits: by model and metric, the published values summed over the turn's targets.
    """

    request: RecordedRequest
    hits: Mapping[str, Mapping[str, float]]


def load_published_turns(
    folder: Path, catalog: Catalog, *, wording: Wording = "seeker"
) -> tuple[PublishedTurn, ...]:
    """Read the turns and their published results.

    Args:
        folder: that holds ``he2023/cases.parquet``.
        catalog: of the requests.
        wording: ``seeker``: the request's text is what the seeker wrote; ``dialogue``: what both
            wrote, each line after its role, as the published models were given it.

    Raises:
        DataError: the table is missing or malformed, names items outside the catalog, or has other
            numbers of results than targets.
    """
    path = folder / CASES
    frame = read_table(path)
    columns = [f"{m}_{end}" for m in MODELS for end in PUBLISHED.values()]
    needed = ["dialog_id", "history", "previous", "targets"]
    needed += [c for c in columns if not c.endswith("rank_hit1")]
    if missing := [c for c in needed if c not in frame.columns]:
        raise DataError(f"{path}: no column {missing[0]!r}", hint="take the table as prepared")
    out = []
    for number, row in enumerate(frame.iter_rows(named=True), start=1):
        named = [*row["previous"], *row["targets"]]
        if unknown := [i for i in named if i not in catalog]:
            raise DataError(
                f"{path}, row {number}: item {unknown[0]!r} is not in the catalog",
                hint="give the catalog of the same requests",
            )
        hits = {
            model: {
                metric: _total(row, f"{model}_{end}", path, number)
                for metric, end in PUBLISHED.items()
                if f"{model}_{end}" in frame.columns
            }
            for model in MODELS
        }
        out.append(PublishedTurn(_request(row, catalog, wording), hits))
    return tuple(out)


def _total(row: Mapping[str, Any], column: str, path: Path, number: int) -> float:
    if len(row[column]) != len(row["targets"]):
        raise DataError(
            f"{path}, row {number}: {len(row[column])} results of {len(row['targets'])} targets "
            f"in {column}",
            hint="take the table as prepared",
        )
    return float(sum(row[column]))


def _request(row: Mapping[str, Any], catalog: Catalog, wording: Wording) -> RecordedRequest:
    history = [(line["role"], line["text"]) for line in row["history"]]
    if wording == "seeker":
        text = " ".join(said for role, said in history if role == "seeker")
    else:
        text = "\n".join(f"{role}: {said}" for role, said in history)
    mentioned = tuple(
        RequestItem(i, by_user=_first_named_by(catalog, i, history) != "recommender")
        for i in row["previous"]
    )
    return RecordedRequest(
        text=text,
        chosen=tuple(RequestItem(i, by_user=False) for i in row["targets"]),
        mentioned=mentioned,
        dialogue=str(row["dialog_id"]),
        first=all(item.by_user for item in mentioned),
    )


def _first_named_by(catalog: Catalog, item_id: str, history: list[tuple[str, str]]) -> str:
    item = catalog[item_id]
    title = f"{item.title} ({item.year})" if item.year else item.title
    return next((role for role, said in history if title in said), "")
