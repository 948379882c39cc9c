"""Cards: one line of description, whatever a catalog holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.serve.cards import LONGEST_LINE, first_sentence


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("A quiet film.", "A quiet film."),
        ("Mr. Holland teaches music. He wanted to compose.", "Mr. Holland teaches music."),
        ("<p>Warm &amp; dry.</p><p>Machine washable, of course. More.</p>",
         "Warm & dry. Machine washable, of course."),
        ("一位母亲寻找她的孩子。她走了很远。", "一位母亲寻找她的孩子。"),
        ("It costs 3.50 in every shop of the town! Buy it.",
         "It costs 3.50 in every shop of the town!"),
    ],
)  # fmt: skip
def test_the_first_sentence(text, line):
    assert first_sentence(text) == line


def test_a_long_one_ends_at_a_word():
    line = first_sentence("word " * 100)
    assert line == "word " * 31 + "word…"
    assert first_sentence("长" * 300) == "长" * (LONGEST_LINE - 1) + "…"


@given(st.text(max_size=600))
def test_it_is_short_and_on_one_line(text):
    line = first_sentence(text)
    assert len(line) <= LONGEST_LINE
    assert line == " ".join(line.split())
