"""Hashed words of requests."""

import numpy as np
import pytest
from bm25s import BM25
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.scoring.asked_words import LEAST, AskedWords

WORDS = "alien garden letter train night star voyage".split()
requests = st.lists(st.lists(st.sampled_from(WORDS), max_size=5), min_size=1, max_size=12)


@settings(max_examples=60)
@given(requests, st.lists(st.sampled_from([*WORDS, "unknown"]), max_size=5))
def test_scores_are_bm25_over_the_different_frequent_words(texts, query):
    often = [w for w in WORDS if sum(w in text for text in texts) >= LEAST]
    kept = [[w for w in often if w in text] for text in texts]
    found = AskedWords.of(texts).scores(query)
    wanted = sorted(set(query) & set(often))
    if not wanted:
        np.testing.assert_array_equal(found, np.zeros(len(texts)))
        return
    oracle = BM25(backend="numpy")
    oracle.index(kept, show_progress=False)
    assert found == pytest.approx(oracle.get_scores(wanted), rel=1e-5)


def test_no_word_is_kept_and_no_order():
    texts = [["zebra", "alien", "garden"], ["garden", "alien"], ["alien", "garden", "garden"]]
    words = AskedWords.of(texts)
    assert words.hashes.dtype == np.uint32
    assert len(words.hashes) == 2  # "zebra" is in one request only
    assert words.has.toarray().tolist() == [[1, 1]] * 3
