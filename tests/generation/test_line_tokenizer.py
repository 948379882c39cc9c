from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from coldstart.catalog.titles import clean_text
from coldstart.errors import ModelError
from coldstart.generation.models.line_tokenizer import (
    MAX_TITLE_TOKENS,
    FastTokenizer,
    LineTokenizer,
)
from tests.fakes_lm import CONTROL, TITLES, tiny_tokenizer

LINES = LineTokenizer(tiny_tokenizer())
TITLE = (st.text(max_size=40) | st.sampled_from([*TITLES, *CONTROL])).map(clean_text)


def control_ids() -> set[int]:
    return set(tiny_tokenizer().all_special_ids)


@given(before=TITLE, after=TITLE, token=st.sampled_from(CONTROL))
def test_control_tokens_in_text_are_characters(before, after, token):
    text = f"{before}{token}{after}\n"
    ids = LINES.encode(text)
    assert not control_ids() & set(ids)
    assert LINES.decode(ids) == text


@given(lines=st.lists(TITLE, max_size=5), title=TITLE)
def test_a_prompt_and_a_title_are_tokenized_as_one_text_would_be(lines, title):
    prompt = "".join(f"{line}\n" for line in lines)
    whole = LINES.encode(f"{prompt}{title}\n")
    line = LINES.line(f"{title}\n")
    assert whole == LINES.encode(prompt) + list(line)
    assert LINES.title(title) in (line, line[: MAX_TITLE_TOKENS - 1] + LINES.end)


@given(titles=st.lists(TITLE, min_size=2, max_size=8))
def test_no_title_begins_another(titles):
    tokens = sorted({LINES.title(title) for title in titles})
    for one, other in zip(tokens, tokens[1:], strict=False):
        assert other[: len(one)] != one


@given(titles=st.lists(TITLE | st.text(max_size=9) | st.just("Star Trek " * 40), max_size=6))
def test_many_titles_at_once_are_as_one_by_one(titles):
    class Plain:  # has no batches, as tokenizers written in Python
        bos_token_id = None

        def __call__(self, text, **options):
            return tiny_tokenizer()(text, **options)

    inner = Tokenizer.from_str(tiny_tokenizer().backend_tokenizer.to_str())
    for tokenizer in (tiny_tokenizer(), FastTokenizer(inner, None), Plain()):
        lines = LineTokenizer(tokenizer)
        assert list(lines.titles(iter(titles))) == [lines.title(title) for title in titles]


def test_titles_are_tokenized_by_thousands_whatever_the_tokenizer_did_before():
    tokenizer = tiny_tokenizer()
    lines, titles = LineTokenizer(tokenizer), [f"<|im_end|> Alien {n}" for n in range(9000)]
    tokenizer(["a", "long one"], padding=True, truncation=True, max_length=2)
    assert list(lines.titles(titles)) == [lines.title(title) for title in titles]


def test_a_long_title_is_cut_and_still_ends_in_its_line_break():
    long = LINES.title("Star Trek ever after " * 15)
    assert len(long) == MAX_TITLE_TOKENS
    assert long[-len(LINES.end) :] == LINES.end
    assert LINES.decode(long).count("\n") == 1
    longer = LINES.title("Star Trek ever after " * 20)
    assert longer == long  # equal as far as they are kept: namesakes, not one inside the other


@pytest.mark.parametrize("title", ["红高粱", "🎬 Movie 🇫🇷👩‍👩‍👧", "Amélie", "नमस्ते", "a"])
def test_every_script_survives(title):
    assert LINES.decode(LINES.title(title)) == f"{title}\n"


def test_count_is_the_length_of_the_encoding():
    assert LINES.count("Toy Story\nAlien\n") == len(LINES.encode("Toy Story\nAlien\n"))
    assert LINES.count("") == 0


def test_a_begin_token_is_put_in_front_only_by_tokenizers_that_do_so():
    from tokenizers.processors import TemplateProcessing

    assert LINES.start == ()
    inner = Tokenizer.from_str(tiny_tokenizer().backend_tokenizer.to_str())
    bos = tiny_tokenizer().bos_token_id
    inner.post_processor = TemplateProcessing(
        single="<|im_start|> $A", special_tokens=[("<|im_start|>", bos)]
    )
    begins = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<|im_start|>")
    lines = LineTokenizer(begins)
    assert lines.encode("Alien\nFargo\n") == [bos, *LINES.encode("Alien\nFargo\n")]
    assert lines.title("Alien") == LINES.title("Alien")


def test_a_tokenizer_without_line_breaks_is_refused():
    inner = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
    with pytest.raises(ModelError, match="no token for a line break"):
        LineTokenizer(PreTrainedTokenizerFast(tokenizer_object=inner))
