"""Options of a request out of range are errors."""

import numpy as np
import pytest

from coldstart.errors import ConfigError
from coldstart.pipeline.request import RecommendOptions


@pytest.mark.parametrize("k", [0, -1, 1001, True, 2.0, "3", None])
def test_k_is_a_whole_number_from_1_to_1000(k):
    with pytest.raises(ConfigError, match="k is .*expected a whole number from 1 to 1000"):
        RecommendOptions(k=k)


@pytest.mark.parametrize("name", ["diversity", "popularity_penalty"])
@pytest.mark.parametrize("value", [-0.1, 11, float("nan"), float("inf"), "1", None, True])
def test_knobs_are_numbers_in_range(name, value):
    with pytest.raises(ConfigError, match=f"{name} is .*, expected a number from 0 to 1"):
        RecommendOptions(**{name: value})


def test_diversity_ends_at_one():
    assert RecommendOptions(diversity=1).diversity == 1
    assert RecommendOptions(popularity_penalty=np.float32(10)).popularity_penalty == 10
    with pytest.raises(ConfigError, match="diversity is 2, expected"):
        RecommendOptions(diversity=2)


def test_strategy_is_one_of_four():
    with pytest.raises(ConfigError, match="'magic'.*one of catalog, free, both, prior"):
        RecommendOptions(strategy="magic")
