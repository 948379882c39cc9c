"""Loaders of toy models for Ray Serve, named in its config."""

from __future__ import annotations

import os
from pathlib import Path

from coldstart.errors import ArtifactError
from tests.serve.helpers import CANARY
from tests.toy import toy_recommender
from tests.waiting import until

HOLD = "hold"
"""While a file of this name is in a model's folder, nobody is answered."""


def load_unless_held(folder):
    """The loader of all applications here."""
    assert os.environ["OMP_NUM_THREADS"] == "1", "Ray sets it to num_cpus"
    rec, hold = toy_recommender(), Path(folder) / HOLD
    quick = rec.pipeline.run

    def run(*args, **options):
        until(lambda: not hold.exists(), f"{hold} to go")
        return quick(*args, **options)

    rec.pipeline.run = run
    return rec


LOADED: list[str] = []


def load_here(folder):
    """For replicas in this process."""
    LOADED.append(folder)
    if folder == "damaged":
        raise ArtifactError(f"damaged {CANARY}")
    return toy_recommender()
