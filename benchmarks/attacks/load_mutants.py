"""Worker of the attack on artifacts: loads the folders that it is told, and says what happened."""

from __future__ import annotations

import functools
import json
import math
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from coldstart import Recommender
from coldstart.artifacts import loading
from coldstart.data.named import Named
from coldstart.errors import ArtifactError, ColdstartError
from coldstart.generation.models import cached
from coldstart.schema import DecodingConfig
from coldstart.scoring import lexical

PROFILE = {
    "age": 30,
    "occupation": "student",
    "liked": ["Toy Story", "Alien"],
    "disliked": ["Titanic"],
    "about": "a space adventure like Star Wars",
}
WRITTEN = DecodingConfig(mode="sample", n=2, max_new_tokens=6)


def main() -> None:
    """Answer one JSON line for each folder that is read."""
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print
    # What is not of the artifact is loaded once: the catalogs by name, and encoders.
    Named.load_catalog = functools.cache(Named.load_catalog)  # type: ignore[method-assign]
    loading.make_encoder = functools.lru_cache(8)(loading.make_encoder)  # type: ignore[assignment]
    lexical.TermIndexes = functools.cache(lexical.TermIndexes)  # type: ignore[misc]
    cached.store_decoder = lambda lm, folder: None  # hundreds of MB for each changed adapter
    for line in sys.stdin:
        folder, strategies = line.rstrip("\n").split("\t")
        print(json.dumps(tried(folder, strategies.split(","))), file=answers, flush=True)


def tried(folder: str, strategies: Sequence[str]) -> dict[str, Any]:
    """What became of one artifact."""
    try:
        recommender = Recommender.from_pretrained(folder, device="cpu")
        for strategy in strategies:
            found = recommender.recommend(
                PROFILE, k=5, strategy=strategy, decoding=WRITTEN, unknown_picks="ignore"
            )
            numbers = [x for i in found.items for x in numbers_of(i.model_dump())]
            if len(found.items) < 5 or not all(map(math.isfinite, numbers)):
                return {"end": "list of NaN", "detail": strategy}
    except ColdstartError as e:
        if "\n" in str(e):
            return {"end": "error of several lines", "detail": str(e)[:300]}
        kind = "ArtifactError" if isinstance(e, ArtifactError) else "another typed error"
        return {"end": f"refused by {kind}", "detail": f"{type(e).__name__}: {e}"[:300]}
    except Exception as e:
        return {"end": "untyped error", "detail": f"{type(e).__name__}: {e}"[:300]}
    return {"end": "accepted, lists of numbers"}


def numbers_of(value: Any) -> list[float]:
    """All numbers within plain data."""
    if isinstance(value, dict):
        return [x for inner in value.values() for x in numbers_of(inner)]
    if isinstance(value, list | tuple):
        return [x for inner in value for x in numbers_of(inner)]
    return [float(value)] if isinstance(value, int | float) else []


if __name__ == "__main__":
    main()
