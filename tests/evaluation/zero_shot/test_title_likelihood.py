"""Titles by their probability under an untuned model."""

from __future__ import annotations

import numpy as np
import pytest

from coldstart.evaluation.zero_shot.model import UntunedModel
from coldstart.evaluation.zero_shot.title_likelihood import TitleLikelihood
from coldstart.schema import UserProfile
from coldstart.testing.world import toy_catalog
from tests.fakes_lm import tiny_llama

CATALOG = toy_catalog()


@pytest.fixture
def titles(tmp_path):
    return TitleLikelihood(CATALOG, UntunedModel(tiny_llama(), "tiny"), tmp_path)


def test_they_are_probabilities_of_the_catalog_that_follow_the_profile(titles):
    nothing, one = titles.logprobs(UserProfile()), titles.logprobs(UserProfile(liked=["i1"]))
    assert nothing.shape == (len(CATALOG),)
    for found in (nothing, one):
        assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-4)
    assert not np.allclose(nothing, one)


def test_the_lift_is_over_an_empty_profile(titles):
    profile = UserProfile(about="a quiet film", liked=["i2"])
    expected = titles.logprobs(profile) - titles.logprobs(UserProfile())
    np.testing.assert_array_equal(titles.lift(profile), expected)
    assert not titles.lift(UserProfile()).any()


def test_some_titles_are_compared_among_each_other(titles):
    profile, rows = UserProfile(liked=["i2"]), [7, 0, 3, 11]
    some, whole = titles.logprobs(profile, rows), titles.logprobs(profile)
    assert np.exp(some).sum() == pytest.approx(1.0, abs=1e-4)
    again = titles.logprobs(profile, rows[::-1])
    np.testing.assert_allclose(some, again[::-1], atol=1e-3)
    assert not np.allclose(some, whole[rows])


def test_picks_that_the_catalog_lacks_are_left_out(titles):
    known, strange = UserProfile(liked=["i1"]), UserProfile(liked=["i1", "what?"])
    np.testing.assert_array_equal(titles.logprobs(known), titles.logprobs(strange))


def test_scores_are_kept_by_model_and_damaged_ones_made_again(titles, tmp_path):
    profile = UserProfile(liked=["i3"])
    found = titles.logprobs(profile)
    (path,) = tmp_path.glob("*.npy")
    np.save(path, np.zeros(3, dtype=np.float32))
    assert len(titles.logprobs(profile)) == 3  # read, not made again
    path.write_bytes(b"no array")
    np.testing.assert_array_equal(titles.logprobs(profile), found)
    other = TitleLikelihood(CATALOG, UntunedModel(tiny_llama(), "another"), tmp_path)
    other.logprobs(profile)
    assert len(list(tmp_path.glob("*.npy"))) == 2
