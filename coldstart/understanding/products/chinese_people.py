"""For whom, in Chinese texts: ages of children, recipients and occasions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from coldstart.understanding.chinese import chinese_number
from coldstart.understanding.products.lexicon import phrases, recipients
from coldstart.understanding.products.people import ADULT, OLD

_N = r"(?:\d{1,3}|[一二三四五六七八九两兩]?十[一二三四五六七八九]?|[一二三四五六七八九两兩])"
_TO = r"\s*[岁歲]?\s*(?:到|至|-|和|、|~|～|或)\s*"
_BEFORE = (
    r"(?:(?:送给|送|给|給|为|陪|和|跟)\s*)?"
    r"(?:我家|我们家|我的|我|他的|她的|一个|家里|朋友家)?(?:的)?"
)
_WHO = (
    "孩子|小孩|小孩子|小朋友|儿童|宝宝|寶寶|宝贝|幼儿|婴儿|儿子|兒子|女儿|女兒|孙子|孫子|孙女|外孙|侄子|侄女|外甥|外甥女|小学生|小學生|男孩|女孩|男孩子|"
    "女孩子|小男孩|小女孩|弟弟|妹妹|(?<![布洋木娃])娃(?!娃)|小宝|大宝|学生"
)
_AGED = re.compile(
    rf"{_BEFORE}(?P<n>{_N})(?:{_TO}(?P<m>{_N}))?\s*(?:周)?[岁歲](?:半)?(?:以上|以下|多|"
    rf"左右)?(?:大)?(?:的)?(?:\s*(?:{_WHO}))?"
)
_MONTHS = re.compile(rf"{_BEFORE}(?P<n>{_N})\s*个?月(?:大)?(?:的)?(?:\s*(?:{_WHO}))?")
_CHILD = re.compile(
    rf"(?:(?:送给|送|给|給|为|陪|适合)\s*)?"
    rf"(?:我家|我们家|我的|我|他的|她的|家里)?(?:的)?(?P<who>(?:{_WHO}|新生儿|刚出生的宝宝|"
    rf"学步宝宝|幼儿园|初中生|高中生|中学生|青少年|大班|中班|小班))(?:们)?"
)
_AGES = (
    ("新生|刚出生", 0), ("婴", 1), ("宝宝|寶寶|学步|小宝", 1),
    ("幼儿园|中班|小班|大班", 4), ("幼儿", 3),
    ("小学|小學", 8), ("初中|中学|青少年", 13), ("高中", 16),
)  # fmt: skip
_GRADE = re.compile(r"(?:小学)?(?P<n>[一二三四五六])年级(?:的)?(?:孩子|学生|小朋友|小学生)?")
_SCHOOL = 5  # years before the first grade
_DEFAULT = 8
_GENDERED = frozenset("男士 女士 男生 女生 男 女 成人 大人".split())


class ChinesePerson(NamedTuple):
    """Somebody for whom something is asked: the character span, and age.

    ``stated`` is false where the age is guessed; ``adult`` where it is that of an adult.
    """

    start: int
    end: int
    age: int
    stated: bool
    adult: bool
    gender: str = ""


def find_chinese_people(text: str) -> list[ChinesePerson]:
    """Children and adults for whom something is asked, in order, without overlaps."""
    out: list[ChinesePerson] = []

    def keep(
        start: int, end: int, age: int, *, stated: bool, adult: bool = False, gender: str = ""
    ) -> None:
        if all(end <= o.start or start >= o.end for o in out):
            out.append(ChinesePerson(start, end, age, stated, adult, gender))

    for m in _AGED.finditer(text):
        age = min(chinese_number(n) for n in (m["n"], m["m"]) if n)
        if age <= 110:
            keep(m.start(), m.end(), age, stated=True)
    for m in _GRADE.finditer(text):
        keep(m.start(), m.end(), _SCHOOL + chinese_number(m["n"]), stated=True)
    for m in _MONTHS.finditer(text):
        months = chinese_number(m["n"])
        if re.search(f"{_WHO}|大", m[0]) and months <= 36:
            keep(m.start(), m.end(), months // 12, stated=True)
    for m in _adults().finditer(text):
        word = m["who"]
        own = bool(re.match("送|给|給|为|我|陪|和|跟", m[0]))
        if word in _GENDERED and not own and not re.match("[穿戴用]", text[m.end() : m.end() + 1]):
            continue  # 男士跑鞋: a quality of what is asked for
        young = word in ("弟弟", "妹妹") and bool(out)
        if not young and (own or not re.match("[鞋装衣服款包]", text[m.end() : m.end() + 1])):
            age = OLD if word in recipients("old", "zh") else ADULT
            genders = ("female", "male")
            gender = next((g for g in genders if word in recipients(g, "zh")), "")
            keep(m.start(), m.end(), age, stated=False, adult=True, gender=gender)
    if not any(person.stated for person in out):
        for m in _CHILD.finditer(text):
            if (
                not re.match("[\\u4e00-\\u9fff]", text[m.end() : m.end() + 1])
                or re.match(
                    "[的玩用喜吃看学过买送穿生满在想和，怕爱总老要上下今快刚还很特都就是会能需戴骑坐睡读听写画做是非马也迷]",
                    text[m.end() : m.end() + 1],
                )
                or re.match("送|给|給|我", m[0])
            ):
                age = next((a for p, a in _AGES if re.search(p, m["who"])), _DEFAULT)
                keep(m.start(), m.end(), age, stated=re.match("新生|刚出生", m["who"]) is not None)
    return sorted(out)


def find_chinese_asides(text: str) -> Iterator[tuple[int, int]]:
    """Occasions and words for a gift."""
    for m in _asides().finditer(text):
        yield m.start(), m.end()


@cache
def _adults() -> re.Pattern[str]:
    known = {w for group in ("female", "male", "anyone") for w in recipients(group, "zh")}
    names = "|".join(sorted(known, key=len, reverse=True))
    return re.compile(rf"{_BEFORE}(?<!小)(?<!新手)(?<!宝)(?P<who>{names})")


@cache
def _asides() -> re.Pattern[str]:
    names = sorted(phrases("phrases", "occasions", "zh"), key=len, reverse=True)
    return re.compile(
        rf"(?:作为|当作|当)?(?:{'|'.join(names)})(?:的)?(?:礼物|礼品)?|(?:小|生日)?(?:礼物|礼品)"
    )
