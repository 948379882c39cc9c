"""A cloze about profile and item."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coldstart.errors import ModelError
from coldstart.evaluation.zero_shot.cloze import VERBALIZER, ClozeRanker
from coldstart.evaluation.zero_shot.model import UntunedModel
from coldstart.schema import UserProfile
from coldstart.testing.world import toy_catalog
from tests.fakes_lm import tiny_llama

CATALOG = toy_catalog()
WORDS = (("good", "fine"), ("bad", "dull"))
PROFILE = UserProfile(gender="F", about="a film about the sea", liked=["i1", "gone"])


@pytest.fixture
def ranker(tmp_path):
    return ClozeRanker(CATALOG, UntunedModel(tiny_llama(), "tiny"), tmp_path, WORDS)


def odds(lm, text):
    """Log odds of the verbalizer after a text that is read by itself."""
    tokens = [t for line in text.splitlines(keepends=True) for t in lm.lines.line(line)]
    ids = torch.tensor([[*lm.lines.start, *tokens]])
    with torch.inference_mode():
        logits = lm.model(ids).logits[0, -1].float()
    words = [[lm.lines.line(w)[0] for w in side] for side in WORDS]
    good, bad = (torch.logsumexp(logits[side], dim=0).item() for side in words)
    return good - bad


def test_each_item_is_read_as_if_it_were_alone(ranker):
    """All items share a forward pass, and do not see one another."""
    rows = [4, 0, 9]
    found = ranker.scores(PROFILE, rows)
    for row, value in zip(rows, found, strict=True):
        item = CATALOG.items[row]
        text = ". ".join(x for x in (item.title, ", ".join(item.categories)) if x)
        lm = tiny_llama()
        cut = lm.lines.decode(lm.lines.line(f"Item: {text}")[:40])
        told = ranker.told(PROFILE)
        assert value == pytest.approx(
            odds(lm, f"{told}{cut}\nThis person thinks that it is"), abs=2e-3
        )


def test_the_profile_is_told_without_what_the_catalog_lacks(ranker):
    told = ranker.told(PROFILE)
    assert CATALOG["i1"].title in told
    assert "a film about the sea" in told
    assert "gone" not in told
    assert told.endswith("\n")
    assert ranker.told(UserProfile()) == "A person\n"


def test_many_items_take_several_passes_with_the_same_values(ranker, tmp_path):
    every = list(range(len(CATALOG)))
    together = ranker.scores(PROFILE, every)
    single = [ranker.scores(PROFILE, [row])[0] for row in every]
    np.testing.assert_allclose(together, single, atol=2e-3)
    assert np.ptp(together) > 0


def test_words_have_to_differ_in_their_first_token(tmp_path, smollm2):
    """All words of the packaged model do; those of a model of letters begin with a space."""
    with pytest.raises(ModelError, match="begin with the same token ' '"):
        ClozeRanker(CATALOG, UntunedModel(tiny_llama(), "tiny"), tmp_path)
    assert all(len(smollm2.lines.line(word)) == 1 for side in VERBALIZER for word in side)
    ClozeRanker(CATALOG, UntunedModel(smollm2, "smollm2"), tmp_path)
