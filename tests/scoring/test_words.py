"""Terms of texts in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.scoring.words import ending, shared_words, terms

texts = st.text(max_size=80)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I'd like to watch funny Westerns, please!", ["funni", "western"]),
        ("Amélie and AMELIE's", ["ameli", "ameli"]),
        ("rom-com 1995", ["rom", "com", "1995"]),
        ("ﬁnal Ｆｕｌｌ", ["final", "full"]),
        ("恐怖电影", ["恐怖", "怖电", "电影"]),
        ("龍 red龍虎", ["龙", "red", "龙虎"]),
        ("한국영화", ["한국", "국영", "영화"]),
        ("トトロ", ["トト", "トロ"]),
        ("हिन्दी Война", ["हिन्द", "войн"]),
        ("the movie, 什么", []),
        ("我想要適合跑步的輕便鞋", ["要适", "合跑", "跑步", "步的", "的轻", "轻便", "便鞋"]),
        ("5 kg rice, 500ML, a 10-inch pan", ["5kg", "rice", "500ml", "10in", "pan"]),
        ("大米５公斤", ["大米", "5kg"]),
        ("1,5 l 或 1.5升", ["1.5l", "1.5l"]),
        ("42碼 运动鞋", ["42码", "42", "运动", "动鞋"]),
        ("m16 v8 5 in", ["m16", "v8", "5"]),
        ("🎬 … _ \x00", []),
    ],
)
def test_terms(text, expected):
    assert terms(text) == expected


def test_chinese_characters_may_be_terms_by_themselves():
    found = terms("轻便的鞋, トトロ red", characters=True)
    assert found == ["轻便", "便的", "的鞋", "轻", "便", "鞋", "トト", "トロ", "red"]
    assert terms("鞋", characters=True) == ["鞋"]


@given(texts)
def test_any_text_has_terms_without_spaces(text):
    assert all(term and not any(c.isspace() for c in term) for term in terms(text))


@given(st.lists(st.sampled_from("Alien scary 恐怖片 toys Amélie 1995".split()), max_size=6))
def test_terms_of_joined_texts_are_those_of_the_parts(parts):
    assert terms(" ".join(parts)) == [term for part in parts for term in terms(part)]


@pytest.mark.parametrize(
    ("asked", "text", "known", "expected"),
    [
        ("Westerns, a western", "The western", "", ["Westerns"]),
        ("funny Westerns", "A funny western", "Western", ["funny"]),
        ("適合跑步的輕便鞋", "轻便的鞋，每天跑步", "", ["跑步", "輕便"]),
        ("推理小説がほしい", "推理小説「霧の島」", "", ["推理小説"]),
        ("お茶", "緑茶", "", ["茶"]),
        ("跑步鞋", "女款跑步鞋", "跑步鞋", []),
        ("5 kg 米", "东北大米5公斤", "", ["5kg", "米"]),
        ("我想要什么", "什么都有，想要的", "", []),
        ("อยากได้รองเท้าวิ่ง", "รองเท้าวิ่งน้ำหนักเบา", "รองเท้า", ["รองเท้าวิ่ง"]),
        ("", "鞋", "", []),
    ],
)
def test_shared_words_are_written_as_they_were_asked_for(asked, text, known, expected):
    assert shared_words(asked, text, known) == expected


@given(texts, texts)
def test_shared_words_are_of_both_texts(asked, text):
    assert shared_words(asked, text, text) == []
    assert len(shared_words(asked, text, "")) <= len(terms(asked, characters=True))


@given(texts, st.integers(1, 40))
def test_an_ending_is_short_and_ends_the_text(text, size):
    found = ending(text, size)
    assert len(found) <= size
    assert text == found or text.rstrip().endswith(found)


def test_an_ending_starts_at_a_word():
    assert ending("I want something gentle", 16) == "something gentle"
    assert ending("I want something gentle", 12) == "gentle"
    assert ending("a" * 30, 10) == "a" * 10
