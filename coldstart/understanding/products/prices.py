"""Prices in English texts: limits, spans, amounts of about, and budgets."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from coldstart.understanding.numbers import WORDS, number_in_words

_SLANG = {"fiver": 5, "tenner": 10, "grand": 1000}
_DIGITS = r"-?\d+(?:[.,']\d{3})*(?:[.,]\d{1,2})?(?:e\d+|k\b)?(?!\d)"
NUMBER = rf"(?:{_DIGITS}|{WORDS}\b)"
"""Pattern of a number in digits or words."""
CURRENCIES = {
    "EUR": ("€", "euros?", "eur"),
    "USD": ("us\\$", "\\$", "dollars?", "usd", "bucks?"),
    "GBP": ("£", "pounds?", "gbp", "quid"),
    "CNY": ("rmb", "yuan", "cny", "kuai", "元", "块", "塊", "人民币"),
    "JPY": ("¥", "￥", "yen", "jpy", "日元"),
    "CHF": ("chf", "francs?"),
    "RUB": ("₽", "руб(?:л[а-я]+)?", "rub"),
}
"""Code → how it is written."""
_SIGN = r"(?:€|us\$|\$|£|¥|￥|eur\b|usd\b|gbp\b|chf\b|rmb\b)"
_UNIT = (
    r"(?:€|\$|£|¥|￥|(?:euros?|eur|dollars?|usd|cents?|bucks?|pounds?(?!\s+(?:of|weight))|quid|"
    r"gbp|chf"
    r"|francs?|yuan|rmb|cny|yen|jpy|kuai|руб(?:л[а-я]+)?|rub|tenners?|fivers?)\b|₽)"
)
_AMOUNT = rf"(?:{_SIGN}\s*{NUMBER}|{NUMBER}(?:\s*|-){_UNIT}|a\s+(?:fiver|tenner|grand)\b)"
_ANY = rf"(?:{_AMOUNT}|{NUMBER})"
_NO_PRICE = (  # what a bare number may count instead
    r"(?!\s*-?\s*(?:years?|yrs?|yo\b|y/o|months?|weeks?|days?|hours?|minutes?|mins?|am\b|pm\b|"
    r"kg|g\b|grams?"
    r"|mg|ml|cl|l\b|lit(?:er|re)s?|oz|lbs?|cm|mm|m\b|km|met(?:er|re)s?|inch(?:es)?|\"|ft\b|"
    r"feet|watts?|w\b"
    r"|volts?|v\b|mah|gb|tb|mb|hz|pieces?|pcs|pages?|players?|people|persons?|kids|children|items?"
    r"|things|%|percent|degrees?|°|x\b|st\b|nd\b|rd\b|th\b|stars?|calories|kcal|times|books?|"
    r"products?"
    r"|miles?|steps?|cups?|litres?|spf|pack|grade|colou?rs?|levels?|litre"
    r"|jahren?|monaten?|stück|personen|minuten|seiten|ans|mois|pièces|personnes|años|meses|piezas|"
    r"personas|minutos|páginas|anni|mesi|pezzi|persone|minuti|pagine|jaar|maanden|stuks|anos|peças|"
    r"år|лет|года?|месяцев|штук|минут|страниц)(?![\w]))"
)
_COST = (
    r"(?:that\s+)?(?:(?:costs?|costing|priced(?:\s+at)?|price(?:\s+(?:is|of))?|goes?\s+for|for"
    r"|at|is|are|be|spend(?:ing)?|pay(?:ing)?)\s+)?"
)
_BELOW_ELSEWHERE = (  # in German, French, Spanish, Italian, Dutch, Portuguese, Nordic, Russian
    r"bis(?:\s+zu)?|unter|höchstens|maximal|weniger\s+als|(?:nicht|kaum)\s+(?:mehr|teurer)\s+als|"
    r"nicht\s+über|moins\s+de|jusqu['’]à|pas\s+plus\s+de|au\s+plus|menos\s+(?:de|que)|hasta|"
    r"no\s+m[áa]s\s+de|como\s+máximo|meno\s+di|fino\s+a|non\s+(?:più\s+di|oltre)|sotto\s+i|"
    r"minder\s+dan|tot|onder(?:\s+de)?|niet\s+meer\s+dan|até|n[ãa]o\s+mais\s+(?:de|que)|"
    r"mindre\s+(?:än|end|enn)|högst|højst|høyst|inte\s+mer\s+än|ikke\s+mer(?:e)?\s+en[dn]|"
    r"до|не\s+(?:более|больше|дороже)|меньше|дешевле"
)
_ABOVE_ELSEWHERE = (
    r"über|mehr\s+als|mindestens|ab|plus\s+de|au\s+moins|m[áa]s\s+de|al\s+menos|più\s+di|almeno|"
    r"meer\s+dan|minstens|mais\s+de|pelo\s+menos|mer\s+än|mere\s+end|mer\s+enn|minst|mindst|"
    r"больше|более|дороже|от"
)
_BELOW = (
    r"(?:(?:no|not|nothing|isn'?t|don'?t\s+want\s+to\s+(?:spend|pay)|can'?t\s+(?:spend|pay)|"
    r"without\s+spending|never)\s+(?:(?:more|higher|above|over|exceeding|beyond|costing|"
    r"any)\s*)+(?:than\s+)?"
    r"|(?:under|below|beneath|less\s+than|lower\s+than|cheaper\s+than|up\s+to|"
    r"at\s+(?:the\s+)?most|max(?:imum)?(?:\s+of)?"
    r"|within|at\s+max(?:imum)?|a\s+max(?:imum)?\s+of|<=?|≤|limit(?:\s+(?:is|of))?|capped\s+at"
    r"|inside|until|smaller\s+than|fewer\s+than|undr|uner|unde|beow|"
    rf"bellow|{_BELOW_ELSEWHERE})\s+(?:a\s+budget\s+of\s+)?|<=?\s*|≤\s*)"
)
_ABOVE = (
    r"(?:(?:not|nothing|no)\s+(?:under|below|less\s+than|cheaper\s+than)|over|above|"
    r"more\s+than|at\s+least|from|starting\s+(?:at|from)"
    r"|min(?:imum)?(?:\s+of)?|upwards\s+of|exceeding|north\s+of|>=?|≥"
    rf"|(?:{_ABOVE_ELSEWHERE})\s)\s*"
)
_NEAR = (
    r"(?:about|around|roughly|approximately|approx\.?|circa|ca\.?|~|some|near(?:ly)?|almost|"
    r"close\s+to|in\s+the\s+region\s+of|or\s+so)\s*"
)
_BUDGET = (
    r"(?:(?:my\s+|a\s+|our\s+|with\s+a\s+|the\s+)?(?:budget|limit|max(?:imum)?|price)\s*(?:is|"
    r"of|:|=|would\s+be|around|about|range\s+(?:is|of))?\s*(?:about|around|of|up\s+to|max)?\s*"
    r"|i(?:\s+only|\s+just)?(?:'ve|\s+have)?(?:\s+only)?(?:\s+got|\s+have)?\s+|(?:spend|pay|"
    r"spending|paying)\s+(?:up\s+to\s+|about\s+|around\s+|max\s+)?|(?:we|i)\s+(?:can|could|"
    r"want\s+to|will)\s+(?:spend|pay)\s+)"
)
_RANGE = re.compile(
    rf"(?<![\w.]){_COST}(?:between|from|betwen)?\s*(?P<a>{_ANY})\s*(?:-|–|—|to|and|until|till|"
    rf"bis)\s*(?P<b>{_ANY}){_NO_PRICE}",
    re.I,
)
_RANGE_ELSEWHERE = re.compile(
    rf"(?<![\w.])(?:zwischen|von|entre|de|tra|fra|da|tussen|van|mellan|mellem|mellom|между|от)\s+"
    rf"(?P<a>{_ANY})\s*(?:und|bis|et|à|y|a|e|en|tot|och|og|til|till|и|до)\s*(?P<b>{_ANY}){_NO_PRICE}",
    re.I,
)
_LIMIT = re.compile(
    rf"(?<![\w]){_COST}(?P<side>(?P<below>{_BELOW})|(?P<above>{_ABOVE})|(?P<near>{_NEAR})|"
    rf"(?P<budget>{_BUDGET}))(?P<a>{_ANY})"
    rf"{_NO_PRICE}(?P<more>\s*(?:or|and)\s+(?:less|under|below|cheaper|lower|so)\b|\s*(?:or|"
    rf"and)\s+(?:more|up|above|over)\b|\s*(?:max(?:imum)?|tops|at\s+(?:the\s+)?most)\b)?",
    re.I,
)
_AFTER = re.compile(
    rf"(?<![\w.]){_COST}(?:a\s+)?(?P<a>{_ANY}){_NO_PRICE}[\s-]*(?:(?P<less>(?:or|and)\s+(?:less"
    rf"|under|below|cheaper|lower)\b|max(?:imum)?\b|tops\b|at\s+(?:the\s+)?most\b|is\s+(?:my|"
    rf"the|our)\s+(?:limit|budget|max(?:imum)?)\b|budget\b|limit\b)|(?P<up>(?:or|and)\s+(?:more"
    rf"|up|above|over)\b|\+|upwards?\b)|(?P<so>or\s+so\b|ish(?:\s+{_UNIT})?\b))",
    re.I,
)
_PLAIN = re.compile(rf"(?<![\w.]){_COST}(?:a\s+)?(?P<a>{_AMOUNT})", re.I)
_ENDS = re.compile(r"\s*(?:[,.!?;)]|$)")
_BARE_FROM = 5  # "around 50" is a price at the end of a clause, "around 3" a time
_ABOUT = 0.25  # of an amount
_YEARS = range(1900, 2100)
LARGEST = 1e12
"""Amounts from which a price is no limit."""


class NamedPrice(NamedTuple):
    """A price in a text: the character span, and the lowest and highest; ``None``: open.

    A price that no item can have ("under -5 euros") has neither.
    """

    start: int
    end: int
    low: float | None
    high: float | None

    @property
    def usable(self) -> bool:
        """Whether it limits anything."""
        return self.low is not None or self.high is not None


def find_prices(text: str, highest: float | None) -> list[NamedPrice]:
    """Prices named in a text, in order, without overlaps.

    Args:
        text: in which other things, such as ages, are blanked out.
        highest: the catalog's highest price; ``None``: it has none. Where it has, a number without
            a currency is a price after words such as "under"; one like a year only where that is
            no more than the highest price.
    """
    bare, years = highest is not None, highest is None or highest < _YEARS.start / 2
    found: list[NamedPrice] = []
    for price in (*_ranges(text, bare), *_limits(text, bare, years), *_plain(text)):
        if all(price.end <= f.start or price.start >= f.end for f in found):
            found.append(price)
    return sorted(found)


def currency_of(words: str) -> str | None:
    """Code of the currency that a text names, if it does.

    >>> currency_of("under 20 bucks"), currency_of("20 or less")
    ('USD', None)
    """
    for code, names in CURRENCIES.items():
        for name in names:
            pattern = rf"(?<![a-z]){name}(?![a-z])" if name[0].isalpha() else name
            if re.search(pattern, words, re.I):
                return code
    return None


def price_text(low: float | None, high: float | None) -> str:
    """A span of prices as text: "up to 20", "from 5", "30 to 50".

    >>> price_text(None, 20.0), price_text(30, 50)
    ('up to 20', '30 to 50')
    """
    if low is None:
        return f"up to {high:g}" if high is not None else "any price"
    return f"from {low:g}" if high is None else f"{low:g} to {high:g}"


def _ranges(text: str, bare: bool) -> Iterator[NamedPrice]:
    for m in _RANGE_ELSEWHERE.finditer(text):
        a, b = amount_of(m["a"]), amount_of(m["b"])
        if a is not None and b is not None and (bare or _named(m["a"]) or _named(m["b"])):
            yield _span(m, *sorted((a, b)))
    for m in _RANGE.finditer(text):
        a, b = amount_of(m["a"]), amount_of(m["b"])
        named = _named(m["a"]) or _named(m["b"])
        between = re.search(r"\bbetw?een\b|\bfrom\b|price|cost|budget", m[0], re.I)
        if a is None or b is None or not (named or (bare and between)):
            continue
        if re.search(r"\band\b", m[0], re.I) and not between:
            continue
        if not named and a in _YEARS and b in _YEARS:
            continue
        low, high = sorted((a, b))
        yield _span(m, low, high)


def _limits(text: str, bare: bool, years: bool) -> Iterator[NamedPrice]:
    for m in _LIMIT.finditer(text):
        value, named = amount_of(m["a"]), _named(m["a"])
        if value is None or not (named or bare):
            continue
        tail = (m["more"] or "").casefold()
        dated = value in _YEARS and (years or re.match(r"from|until|over", m["side"], re.I))
        loose = m["near"] and not (value >= _BARE_FROM and _ENDS.match(text, m.end()))
        if not named and (dated or loose):
            continue
        if (
            not named
            and m["budget"]
            and not re.search("budget|limit|max|price|spend|pay", m["budget"], re.I)
        ):
            continue
        if m["below"] or (m["budget"] and "more" not in tail):
            yield _span(m, None, value)
        elif re.search("less|under|below|cheaper|lower|max|tops|most", tail):
            yield _span(m, None, value)
        elif m["near"] or "so" in tail.split():
            yield _span(m, (1 - _ABOUT) * value, (1 + _ABOUT) * value)
        else:
            yield _span(m, value, None)
    for m in _AFTER.finditer(text):
        value, named = amount_of(m["a"]), _named(m[0])
        if value is None or not (named or (bare and m["less"])) or (not named and value in _YEARS):
            continue
        if m["less"]:
            yield _span(m, None, value)
        elif m["up"]:
            yield _span(m, value, None)
        else:
            yield _span(m, (1 - _ABOUT) * value, (1 + _ABOUT) * value)


def _plain(text: str) -> Iterator[NamedPrice]:
    """An amount alone is a budget: "a gift for 20 euros"."""
    for m in _PLAIN.finditer(text):
        value = amount_of(m["a"])
        if value is not None:
            yield _span(m, None, value)


def _span(m: re.Match[str], low: float | None, high: float | None) -> NamedPrice:
    """A price; what no item can cost, or every item can, is no limit."""
    start, end = m.start() + len(m[0]) - len(m[0].lstrip()), m.end()
    if high is not None and high < 0:
        return NamedPrice(start, end, None, None)
    low = None if low is not None and (low <= 0 or low > LARGEST) else low
    return NamedPrice(start, end, low, None if high is not None and high > LARGEST else high)


def _named(amount: str) -> bool:
    return bool(re.search(_SIGN, amount, re.I) or re.search(_UNIT, amount, re.I)) or bool(
        re.search(r"\b(?:fiver|tenner)s?\b", amount, re.I)
    )


def amount_of(amount: str) -> float | None:
    """The number of an amount; ``None`` if there is none.

    >>> [amount_of(a) for a in ("1,299.50", "€9,99", "a hundred", "twenty-five euros", "2k")]
    [1299.5, 9.99, 100.0, 25.0, 2000.0]
    """
    digits = re.search(_DIGITS, amount, re.I)
    cents = 0.01 if re.search(r"\bcents?\b", amount, re.I) else 1.0
    if digits is None:
        spoken = _spoken(amount)
        return None if spoken is None else cents * spoken
    text = digits[0].casefold().replace("'", "")
    text, _, power = text.partition("e")
    thousands = text.endswith("k")
    text = text.removesuffix("k")
    comma, point = text.rfind(","), text.rfind(".")
    if comma > point >= 0 or (point < 0 and re.fullmatch(r"-?\d+,\d{1,2}", text)):
        text = text.replace(".", "").replace(",", ".")
    elif point > 0 and re.fullmatch(r"-?\d{1,3}(?:\.\d{3})+", text):
        text = text.replace(".", "")
    value = float(text.replace(",", ""))
    if power:
        value = value * 10.0 ** min(int(power), 300) if len(power) < 4 else math.inf
    value = cents * (value * 1000 if thousands else value)
    return value if math.isfinite(value) else math.copysign(2 * LARGEST, value)


def _spoken(amount: str) -> float | None:
    slang = next((_SLANG[w] for w in _SLANG if re.search(rf"\b{w}s?\b", amount, re.I)), None)
    return number_in_words(amount) if slang is None else float(slang)
