"""Late likes: of first likes and of empty profiles only."""

import numpy as np

from tests.ten_films import NOBODY, features_of, resolved


def test_late_likes_count_for_first_likes_and_nobodys_picks_only():
    late = features_of(NOBODY)["late"]
    assert late.any()
    for said, expected in (
        ({"liked": ["1"], "history": True}, late),
        ({"liked": ["1"]}, 0 * late),
        ({"interests": ["drama"]}, late),
    ):
        np.testing.assert_array_equal(features_of(resolved(said))["beyond"], expected)
