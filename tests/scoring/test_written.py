"""Written titles and the items that they reached."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.scoring.lm_signals import reached
from coldstart.scoring.written import closeness
from tests.ten_films import ITEM_STORE, ids, wrote

matches = st.lists(st.tuples(ids, st.floats(-1, 1)), max_size=3)


def test_written_is_the_chance_that_one_title_meant_the_item():
    found = [
        wrote("A", -1.0, ("1", 1.0), ("2", 0.8)),
        wrote("B", -3.0, ("2", 0.9), ("gone", 1.0)),
        wrote("C", -2.0),
    ]
    written = dict(zip(ITEM_STORE.ids, closeness(ITEM_STORE, found), strict=True))
    second = 0.9 * np.sqrt(np.exp(-3.0) / np.exp(-1.0))
    assert written["1"] == pytest.approx(0.9)
    assert written["2"] == pytest.approx(1 - (1 - 0.9 * 0.8) * (1 - second * 0.9))
    assert sum(v > 0 for v in written.values()) == 2


@given(st.lists(st.tuples(st.floats(-50, 0), matches), max_size=6))
def test_written_stays_between_0_and_1(drawn):
    found = [wrote("x", logprob, *m) for logprob, m in drawn]
    written = closeness(ITEM_STORE, found)
    assert written.min() >= 0
    assert written.max() <= 1
    met = {i for _, m in drawn for i, s in m if s > 0}
    assert {i for i, w in zip(ITEM_STORE.ids, written, strict=True) if w > 0} <= met


def test_reached_keeps_the_best_way():
    a, b = wrote("A", -1.0, ("1", 0.7)), wrote("B", -2.0, ("1", 0.9), ("2", 0.5))
    found = reached([a, b])
    assert {i: (f.grounding, f.similarity) for i, f in found.items()} == {
        "1": (b, 0.9),
        "2": (b, 0.5),
    }
    assert reached([wrote("C", -1.0)]) == {}
