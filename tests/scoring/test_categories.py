"""Categories, years and popularity of the picks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ten_films import ITEM_STORE, features_of, ids, resolved


@given(st.lists(ids, min_size=1, max_size=4, unique=True))
def test_kinds_follow_the_categories_of_the_picks(liked):
    found = features_of(resolved({"liked": liked}))
    kinds = {i: ITEM_STORE.kinds[ITEM_STORE.rows[i]] for i in ITEM_STORE.ids}
    taste = np.mean([kinds[i] for i in liked], axis=0) - ITEM_STORE.usual_kinds
    expected = [kinds[i] @ taste * len(liked) ** 0.5 for i in ITEM_STORE.ids]
    assert found["kinds"] == pytest.approx(expected)
    years = np.array([ITEM_STORE.catalog[i].year for i in ITEM_STORE.ids])
    mean = np.mean([ITEM_STORE.catalog[i].year for i in liked])
    assert found["year_gap"] == pytest.approx(np.abs(years - mean))
    popular = dict(zip(ITEM_STORE.ids, found["popularity"], strict=True))
    gap = found["popularity"] - np.mean([popular[i] for i in liked])
    assert found["mainstream"] == pytest.approx(gap)
    assert set(found["shots"]) == {len(liked)}
