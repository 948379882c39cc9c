"""Vectors of n-grams."""

import numpy as np
import pytest

from coldstart.encoding.ngram_encoder import NgramEncoder, ngrams
from coldstart.testing.contracts.encoder import EncoderContract


class TestNgramEncoder(EncoderContract):
    def make(self):
        return NgramEncoder()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("跑鞋", ["跑鞋", "跑", "鞋"]),
        ("a tea", ["a", "tea"]),
        ("Кеды", ["кеды", "кеды"]),
        ("USB线", ["usb", "线"]),
        ("러닝화", ["러닝", "닝화", "러", "닝", "화"]),
        ("!", ["!"]),
    ],
)
def test_ngrams(text, expected):
    assert list(ngrams(text)) == expected


def test_traditional_characters_are_simplified_and_shared_words_are_near():
    rows = NgramEncoder().encode(["轻便的鞋", "輕便的鞋", "轻便雨伞", "电热水壶"])
    np.testing.assert_array_equal(rows[0], rows[1])
    assert rows[0] @ rows[2] > rows[0] @ rows[3]
