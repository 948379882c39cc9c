"""Compressed vectors: near ones stay near, in a byte a coordinate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.scoring.compressed_vectors import DIRECTIONS, CompressedVectors


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clusters(n=300, dim=48, seed=0):
    """Vectors of ten groups that share a large common part."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(10, dim))
    group = np.arange(n) % 10
    return unit(5 * np.ones(dim) + centres[group] + 0.2 * rng.normal(size=(n, dim))), group


def test_the_nearest_are_of_the_same_group_and_the_common_part_is_gone():
    vectors, group = clusters()
    compressed = CompressedVectors.of(vectors)
    assert compressed.steps.dtype == np.int8
    for row in range(0, 300, 37):
        cosines = compressed.cosines(vectors[row])
        assert cosines.argmax() == row
        assert cosines[row] == pytest.approx(1, abs=0.01)
        nearest = np.argsort(-cosines)[:20]
        assert (group[nearest] == group[row]).all()
        assert cosines.mean() == pytest.approx(0, abs=0.1)
        assert (vectors @ vectors[row]).mean() > 0.8


def test_size_is_a_byte_for_each_of_at_most_128_directions():
    vectors = unit(np.random.default_rng(0).normal(size=(500, 384)))
    assert CompressedVectors.of(vectors).steps.shape == (500, DIRECTIONS)
    assert CompressedVectors.of(vectors[:, :20]).steps.shape == (500, 20)


@settings(max_examples=50)
@given(st.integers(1, 6), st.integers(1, 40), st.integers(0, 99), st.booleans())
def test_few_or_equal_vectors_give_finite_cosines(n, dim, seed, equal):
    vectors = unit(np.random.default_rng(seed).normal(size=(n, dim)))
    vectors = np.repeat(vectors[:1], n, axis=0) if equal else vectors
    cosines = CompressedVectors.of(vectors).cosines(vectors[-1])
    assert cosines.shape == (n,)
    assert np.isfinite(cosines).all()
    assert np.abs(cosines).max() <= 1 + 1e-5


def test_of_no_vectors_there_are_none():
    assert CompressedVectors.of(np.zeros((0, 8), np.float32)).steps.shape == (0, 0)
