"""Which texts of unknown words are compared by meaning all the same."""

import pytest

from coldstart.pipeline.usable_text import _is_sentence


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("typing all day hurts my wrists", True),
        ("my knees hurt going downhill", True),
        ("blorp snargle", False),
        ("asdf jkl qwer uiop", False),
        ("wrists", False),
        ("", False),
    ],
)
def test_a_sentence_has_several_words_and_function_words(text, is_one):
    assert _is_sentence(text) is is_one
