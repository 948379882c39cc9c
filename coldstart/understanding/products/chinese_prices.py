"""Prices in Chinese texts: limits, spans, amounts of about, and budgets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coldstart.understanding.products.prices import LARGEST, NamedPrice

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2, "兩": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "萬": 10_000}
_SPOKEN = r"[一二三四五六七八九两兩十百千万萬][零〇一二三四五六七八九两兩十百千万萬]{0,12}"
_NUMBER = rf"(?:-?\d[\d,，]*(?:\.\d+)?\s*[万千百]?|{_SPOKEN})"
_UNIT = (
    r"(?:元钱|元|块钱|塊錢|块|塊|圆|人民币|人民幣|rmb|cny"
    r"|美元|美金|欧元|歐元|英镑|英鎊|日元|港币|刀)"
)
_SIGN = r"(?:[¥￥$€£]\s*)"
_AMOUNT = rf"{_SIGN}?{_NUMBER}\s*{_UNIT}?"
_OTHER = (
    r"(?!\s*(?:岁|歲|个|個|件|双|雙|本|台|克|千克|公斤|斤|升|毫升|厘米|米|寸|英寸|码|碼|号|號|年|月|天|小时|分钟|人|片|只|支|瓶|盒|瓦|度|"
    r"周|代|世|级|%|kg|g|ml|l\b|cm|mm))"
)
_TO = r"\s*(?:到|至|-|–|—|~|～|－)\s*"
_RANGE = re.compile(
    rf"(?:价格|价位|预算|在|大概|大约)*\s*(?P<a>{_AMOUNT}){_TO}(?P<b>{_AMOUNT}){_OTHER}\s*(?P<more>之间|左右|"
    rf"的价位|区间|范围)?",
    re.I,
)
_BELOW = (
    r"(?:不要超过|不能超过|不想超过|别超过|不超过|不超過|不高于|不多于|不大于|低于|低於|少于|小于|不到|最多|至多|最高|控制在|限制在|别高于|预算(?:是|为|在"
    r"|只有|大概|大约|差不多|不超过|就)*|預算|只有|上限)"
)
_ABOVE = r"(?:不低于|不少于|不小于|高于|高於|超过|超過|大于|至少|起码|最少|最低)"
_NEAR = r"(?:大概|大约|大約|约|差不多|接近)"
_SIDED = re.compile(
    rf"(?:价格|价位|售价|价钱|单价)*\s*(?:(?P<below>{_BELOW})|(?P<above>{_ABOVE})|"
    rf"(?P<near>{_NEAR}))?\s*(?P<a>{_AMOUNT}){_OTHER}\s*"
    r"(?P<after>以内|以內|之内|之內|内|以下|之下|往下|封顶|为限|以上|之上|往上|起步|起|左右|上下|多一点|出头)?(?:的预算|预算)?",
    re.I,
)
_BARE_FROM = 20  # "100到200" is a span of prices at the end of a clause, "3到6" one of ages


def find_chinese_prices(text: str, highest: float | None) -> list[NamedPrice]:
    """Prices named in a text, in order, without overlaps.

    >>> [(p.low, p.high) for p in find_chinese_prices("一百五到两百块，不超过300元", 500.0)]
    [(150.0, 200.0), (None, 300.0)]

    Args:
        text: in which other things, such as ages, are blanked out.
        highest: the catalog's highest price; ``None``: it has none. Where it has, a number without
            a currency is a price beside words of limit.
    """
    found: list[NamedPrice] = []
    for price in (*_ranges(text, highest is not None), *_sided(text, highest is not None)):
        if all(price.end <= f.start or price.start >= f.end for f in found):
            found.append(price)
    return sorted(found)


def _ranges(text: str, bare: bool) -> Iterator[NamedPrice]:
    for m in _RANGE.finditer(text):
        named = _named(m["a"]) or _named(m["b"])
        low, high = sorted((_value(m["a"]), _value(m["b"])))
        alone = low >= _BARE_FROM and not re.match(r"[^\s,，。.！!？?；;]", text[m.end() :])
        if not (named or (bare and (alone or m["more"] or re.match("价|预算", m[0])))):
            continue
        yield _span(m, low, high)


def _sided(text: str, bare: bool) -> Iterator[NamedPrice]:
    for m in _SIDED.finditer(text):
        value, after, named = _value(m["a"]), m["after"] or "", _named(m["a"])
        if not named and not (bare and (m["below"] or after)):
            continue
        if not named and after in ("内", "起", "左右", "上下") and not m["below"]:
            continue
        if re.search("以上|之上|往上|起", after) or (m["above"] and not after):
            yield _span(m, value, None)
        elif (m["near"] or re.search("左右|上下|多一点|出头", after)) and not m["below"]:
            yield _span(m, 0.75 * value, 1.25 * value)
        else:
            yield _span(m, None, value)


def _span(m: re.Match[str], low: float | None, high: float | None) -> NamedPrice:
    start = m.start() + len(m[0]) - len(m[0].lstrip())
    if high is not None and high < 0:
        return NamedPrice(start, m.end(), None, None)
    low = None if low is not None and (low <= 0 or low > LARGEST) else low
    return NamedPrice(start, m.end(), low, None if high is not None and high > LARGEST else high)


def _named(amount: str) -> bool:
    return bool(re.search(_UNIT, amount, re.I) or re.search(_SIGN, amount))


def _value(amount: str) -> float:
    """The number of an amount.

    >>> [_value(a) for a in ("300元", "一百五", "两千块", "1.5万", "二十五")]
    [300.0, 150.0, 2000.0, 15000.0, 25.0]
    """
    if digits := re.search(r"-?\d[\d,，]*(?:\.\d+)?", amount):
        value = float(re.sub("[,，]", "", digits[0])[:300])
        unit = amount[digits.end() :].strip()[:1]
        return value * _UNITS.get(unit, 1)
    spoken = re.search(_SPOKEN, amount)
    return float(spoken_number(spoken[0])) if spoken else 0.0


def spoken_number(text: str) -> int:
    """A number in Chinese characters; 一百五 is 150."""
    total = section = digit = 0
    last = 1
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
            if c in "零〇":
                last = 1
        elif c in ("万", "萬"):
            total, section, digit, last = (total + (section + digit) * 10_000), 0, 0, 10_000
        else:
            section, last = section + max(digit, 1) * _UNITS[c], _UNITS[c]
            digit = 0
    return total + section + (digit * last // 10 if last >= 100 and digit else digit)
