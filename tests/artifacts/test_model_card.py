"""The model card of an artifact that learned from requests."""

from __future__ import annotations

import json

import pytest

from coldstart.artifacts.model_card import model_card
from coldstart.artifacts.request_card import learned_from_requests, request_command
from tests.conftest import ARTIFACT


@pytest.fixture
def manifest():
    """Of an artifact with the likes of ``movies`` and the requests of ReDial."""
    told = json.loads((ARTIFACT / "manifest.json").read_text(encoding="utf-8"))
    del told["made"], told["files"]["split.json"]
    told |= {"name": "films", "started_from": "ml-100k", "data": told["data"] | {"name": "movies"}}
    told["catalog"] = told["catalog"] | {"source": "movies"}
    told["requests"] = {
        "name": "redial",
        "train": 12331,
        "valid": 2492,
        "test": 3426,
        "blend_cases": 1500,
        "settings": {
            "tower": {"epochs": 4, "head_epochs": 2},
            "final": False,
            "reading_epochs": 6,
            "seed": 0,
        },
    }
    told["files"] |= {
        f"scorers/{n}/a": "" for n in ("mentions", "request_encoder", "co_occurrence")
    }
    return told


def test_it_names_source_authors_licence_and_what_was_changed(manifest):
    card = model_card(manifest)
    for fact in (
        "scorers of requests in words",
        "Raymond Li",
        "“Towards Deep Conversational Recommendations”, NeurIPS 2018",
        "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Changed here:",
        "of these texts nothing but the vectors is in this folder",
        "MovieLens latest-small (2016) is for research use",
        "MPAA ratings in ggplot2movies",
        "Not measured yet: `coldstart benchmark --sentences builtin --artifact adapters/films`",
    ):
        assert fact in card
    assert "(`split.json`)" not in card
    assert "Not measured yet" not in model_card(manifest, "", "| R@10 | .2 |")
    assert "\n| R@10 | .2 |\n" in model_card(manifest, "", "| R@10 | .2 |")


def test_the_command_has_the_settings_of_the_training(manifest):
    command = (
        "coldstart train --requests REDIAL_FOLDER --data movies --start adapters/ml-100k "
        "--encoder-epochs 4 --head-epochs 2 --reading-epochs 6 --no-final --out adapters/films"
    )
    assert request_command(manifest) == command
    assert f"| made by | `{command}` |" in model_card(manifest)
    manifest["catalog"]["source"] = None
    assert "--data" not in request_command(manifest)
    assert "fuller text" not in model_card(manifest)


def test_what_was_learned_counts_the_requests_that_were_learned_from(manifest):
    learned = learned_from_requests(manifest)
    assert learned.startswith("Mentions, request encoder from 12,331 requests of redial; weights")
    manifest["requests"]["settings"] |= {"final": True, "reading_epochs": 0}
    learned = learned_from_requests(manifest)
    assert "from 14,823 requests" in learned
    assert "language model" not in learned


def test_requests_of_ones_own_have_no_other_source(manifest):
    manifest["requests"]["name"] = "requests"
    card = model_card(manifest)
    assert "`requests`, recorded by the author." in card
    assert "ReDial" not in card


def test_an_artifact_without_requests_says_nothing_of_them(manifest):
    del manifest["requests"]
    assert learned_from_requests(manifest) == ""
    card = model_card(manifest)
    assert "request" not in card.lower()
    assert "coldstart train --data movies --out adapters/films" in card


def test_a_card_of_a_catalog_alone_claims_no_training(manifest):
    kept = {k: manifest[k] for k in ("base", "encoder", "prompt", "catalog")}
    card = model_card({**kept, "name": "shop", "start": {"model": {"weight": 0.1}}})
    assert "of a catalog alone: no interactions, nothing trained." in card
    assert "| language model | counts with weight 0.1 |" in card
    assert "LoRA" not in card
    assert "Held-out users" not in card
