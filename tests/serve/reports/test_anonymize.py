"""Masks: what is personal does not come through, what was asked for does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.serve.reports.anonymize import Anonymizer, given_names

CASES = [
    ("mail me at jo.b+x@mail.example.org please", "mail me at [e-mail] please"),
    ("see https://me.example/x?y=1 or www.me.example", "see [link] or [link]"),
    ("I am @jo_99 there", "I am [handle] there"),
    ("call +44 20 7946 0958, or (030) 1234567", "call [number], or [number]"),
    ("card 4006-1234-5678-9012, born 12/05/1987", "card [number], born [number]"),
    ("at 12 Baker Street, 2nd floor", "at [address], 2nd floor"),
    ("Bergstraße 12 in Ulm", "[address] in [name]"),
    ("送到朝阳路12号", "[address]"),
    ("My name is john smith and I like hats", "My name is [name] and I like hats"),
    ("my son Tim and our little dog Rex", "my son [name] and our little dog [name]"),
    ("我的电话13812345678找我", "我的电话[number]找我"),
    ("born 1987-05-12, 1987年5月12日", "born [number], [number]"),
    ("我的微博@xiaoming", "我的微博[handle]"),
    ("我叫王小明五岁", "我叫[name]五岁"),
    ("for Mr. Obama", "for Mr. [name]"),
    ("我叫李小龙，想看武打片", "我叫[name]，想看武打片"),
    ("a gift for tim who loves Emma's cat", "a gift for [name] who loves [name]'s cat"),
    ("a coat like Zendaya wears", "a coat like [name] wears"),
    ("SOMETHING FOR EMMA, QUICK", "SOMETHING FOR [name], QUICK"),
    ("Emma Watson", "[name]"),
]
KEPT = [
    "Looking for a coat. Mark of quality",
    "films of 1990-1999, 2010-15 or the 1980s",
    "under 20000 yuan or $12000, 12345 euros",
    "a TV with LED and USB, I'd say by Friday or at Christmas",
    "roses for my mother, a will, amber and jade",
    "没有暴力的温和电影",
    "1990-1999年的电影，预算20000元",
    "5 kg, 20-30 euros, for ages 3-5, size 42",
]


@pytest.mark.parametrize(("text", "want"), CASES)
def test_personal_data_is_masked(text, want):
    assert Anonymizer(()).mask(text) == want


@pytest.mark.parametrize("text", KEPT)
def test_wishes_are_not(text):
    assert Anonymizer(()).mask(text) == text


def test_words_that_several_people_write_and_titles_that_were_understood_are_shown():
    text = "shoes by Nike, and Emma"
    assert Anonymizer({"nike"}).mask(text) == "shoes by Nike, and [name]"
    at = text.index("Emma")
    assert Anonymizer(()).mask(text, keep=[(at, at + 4)]) == "shoes by [name], and Emma"
    mine = "my daughter Emma"
    assert Anonymizer({"emma"}).mask(mine, keep=[(12, 16)]) == "my daughter [name]"


def test_a_part_is_masked_as_in_the_whole():
    text = "mail me at jo@example.org about hats"
    assert Anonymizer(()).mask(text, part=(11, 13)) == "[e-mail]"
    assert Anonymizer(()).mask(text, part=(14, 20)) == "[e-mail]"
    assert Anonymizer(()).mask(text, part=(26, 36)) == "about hats"


@given(st.text(), st.text())
def test_no_text_breaks_it_and_contacts_never_come_through(before, after):
    contact = "zanzibarina@mail.example"
    masked = Anonymizer(()).mask(f"{before} {contact} {after}")
    assert contact not in masked
    assert Anonymizer(()).mask(masked).count("[") >= 1


def test_the_list_of_names_has_names_and_no_comments():
    assert {"emma", "tim", "noah"} <= given_names()
    assert all(name.isalpha() and name.islower() for name in given_names())
