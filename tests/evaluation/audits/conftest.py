"""A small recommender and the cases of its held-out users."""

import pytest

from coldstart.evaluation.cases import prefix_cases
from tests.evaluation.audits.worlds import make
from tests.toy import toy_dataset, toy_split


@pytest.fixture(scope="module")
def rec():
    return make()


@pytest.fixture(scope="module")
def cases():
    return prefix_cases(toy_dataset(), toy_split().test[:4], (0, 3))
