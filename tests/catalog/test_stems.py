"""Terms of words in their language."""

import pytest

from coldstart.catalog.stems import latin_language, term


@pytest.mark.parametrize(
    ("words", "language", "expected"),
    [
        (["Westerns", "western"], "en", {"western"}),
        (["Pfannen", "Pfanne"], "de", {"pfann"}),
        (["игрушка", "игрушки"], "en", {"игрушк"}),
        (["для", "the", "什么", "的"], "en", {""}),
        (["für", "die", "the"], "de", {""}),
        (["die"], "en", {"die"}),
        (["a" * 60], "en", {"a" * 60}),
        (["7"], "de", {"7"}),
    ],
)
def test_forms_of_a_word_are_one_term(words, language, expected):
    assert {term(word, language) for word in words} == expected


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Atmungsaktiv, für den täglichen Lauf und das Büro", "de"),
        ("Des chaussures légères pour la course et la marche", "fr"),
        ("A pair of shoes for the daily run", "en"),
        ("Alien. Die Hard. La La Land. Das Boot", "en"),
        ("轻便跑鞋，适合跑步", "en"),
        ("", "en"),
    ],
)
def test_a_language_has_its_stop_words(text, language):
    assert latin_language([text]) == language
