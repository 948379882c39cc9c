"""Everyday words of categories."""

import pytest

from coldstart.scoring.everyday import everyday_words


@pytest.mark.parametrize(
    ("category", "words"),
    [
        ("Animation", {"cartoon", "animated", "动画片"}),
        ("animated", {"cartoon", "动画片"}),  # another name of the same
        ("Sci-Fi", {"science", "科幻片"}),
        ("Science Fiction", {"sci-fi", "科幻片"}),
        ("Horror", {"scary", "恐怖片"}),
        ("Children's", {"kids", "儿童片"}),
        ("Knitting", set()),
    ],
)
def test_words_of_a_category_in_every_language(category, words):
    found = everyday_words(category).split()
    assert words <= set(found)
    assert len(set(found)) == len(found)
    assert bool(found) == bool(words)
