"""Years and decades in English texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_YEAR = r"(?:1[89]|20)\d\d"
_DECADE = r"(?:(?:1[89]|20)\d0['’]?s|['’]?\d0['’]?s)"
_NAMES = "twenties thirties forties fifties sixties seventies eighties nineties".split()
_SLIPS = (  # spelling of the named decades, right or nearly so
    r"twen(?:t?ie|ty|tee|tei)s|th(?:i|ie|ri|ei)r?t(?:ie|y|ee|ei)s|fou?rt(?:ie|y|ee|ei)s"
    r"|fift?(?:ie|y|ee|ei)s|sixt?(?:ie|y|ee|ei)s|se[vb]ent?(?:ie|y|ee|ei|ite)s"
    r"|eigt?h?t?(?:ie|y|ee|ei)s|n(?:i|ie|ei)ne?t(?:ie|y|ee|ei|e)s"
)
_ZEROS = r"n[ao]ughties|n?[ao]ughts|noughtees|two[\s-]thousands"
_NAMED = (
    rf"(?:(?:nineteen[\s-]+)?(?:{'|'.join(_NAMES)}|{_SLIPS})|{_ZEROS}"
    r"|twenty[\s-](?:tens|teens|twenties))"
)
_PERIOD = rf"(?:{_YEAR}(?!\d|['’]?s)|{_DECADE}|{_NAMED})"
_OWN_AGE = re.compile(
    r"\b(?:my|his|her|their|our|your|in\s+(?:his|her|my))\s+(?:(?:early|mid|late)[\s-]+)?$", re.I
)
_SETTING = re.compile(
    r"\b(?:set|takes?\s+place|taking\s+place|about|happens?)\s+(?:back\s+)?(?:in\s+|during\s+)?"
    r"(?:the\s+)?$",
    re.I,
)
_RANGE = re.compile(
    rf"""(?<![\w'’])(?:(?:from|between|in)\s+)?(?:the\s+)?(?:(early|mid|late)[\s-]+)?({_PERIOD})
    \s*(?:-|–|—|to|until|till|through|thru|and)\s*(?:the\s+)?(?:(early|mid|late)[\s-]+)?
    ({_PERIOD})(?!\w)""",
    re.I | re.X,
)
_MADE = r"(?:made|released|filmed|shot|produced|from|out|come|came|anything)"
_ONE = re.compile(
    rf"""(?<![\w'’])(?:(?:{_MADE}\s+)?(?P<open>after|since|newer\s+than|later\s+than|post|before
    |until|till|up\s+to|older\s+than|earlier\s+than|pre|prior\s+to|from|in|of|by|during)[\s-]+)?
    (?:the\s+)?(?:year\s+)?(?:(?P<part>early|mid|late)[\s-]+)?(?P<period>{_PERIOD})(?!\w)
    (?P<after>\s*(?:\+|onwards?\b|on\b(?!\s+\w)|and\s+(?:up|later|after|newer|onwards?|beyond)\b
    |or\s+(?:later|newer|after|above)\b|(?:and|or)\s+(?:before|earlier|older)\b)(?!\s+(?:the\s+)?['’]?\d))?""",
    re.I | re.X,
)
_MADE_THEN = re.compile(
    r"""\b(?:shot|made|filmed|produced|released|recorded|out)\s+(?:right\s+|way\s+)?
    (?:back\s+then|back\s+in\s+the\s+day|at\s+(?:the|that)\s+time|in\s+(?:those|that)\s+(?:days|era|time)|then)\b""",
    re.I | re.X,
)
_LAST = re.compile(
    r"""\b(?:from\s+|of\s+|in\s+)?(?:the\s+)?(?:last|past)\s+
    (?:(?P<n>\d{1,2}|few|couple\s+of|two|three|five|ten|twenty|thirty)\s*)?(?P<unit>years?|decades?)\b""",
    re.I | re.X,
)
_NEW = r"21st\s+century|twenty[\s-]first\s+century|(?:current|present|new)\s+(?:century|millennium)"
_OLD = r"20th\s+century|twentieth\s+century|(?:last|previous|past)\s+(?:century|millennium)"
_CENTURY = re.compile(
    rf"""\b(?:(?P<open>from|of|in|after|since|before|post|pre)[\s-]+)?(?:the\s+|this\s+|our\s+)?
    (?:(?P<new>{_NEW}|(?<=\b(?:this|post)[\s-])(?:century|mill?enn?ium)
    |(?<=\b(?:pre|our)[\s-])(?:century|mill?enn?ium))|(?P<old>{_OLD}))\b""",
    re.I | re.X,
)
_ERAS: tuple[tuple[re.Pattern[str], int | None, int | None], ...] = tuple(
    (re.compile(rf"\b(?:(?:from|of|in|made\s+in)\s+)?(?:the\s+)?(?:{p})", re.I), first, last)
    for p, first, last in (
        (r"silent\s+(?:era|age|days)\b", None, 1929),
        (r"(?:before|pre)[\s-]+(?:the\s+)?(?:(?:arrival|coming|invention|advent)\s+of\s+(?:the\s+)?)?"
         r"(?:talkies?|sound(?:\s+films?)?)\b", None, 1929),
        (r"pre[\s-]?code\b", 1930, 1934),
        (r"(?:inter[\s-]?war|between\s+the(?:\s+(?:two|world))?\s+wars)\b", 1919, 1938),
        (r"pre[\s-]?(?:war|ww2|wwii|world\s+war\s+(?:two|2|ii))\b", None, 1938),
        (r"post[\s-]?(?:war|ww2|wwii|world\s+war\s+(?:two|2|ii))\b", 1946, 1959),
        (r"turn\s+of\s+the\s+millennium\b", 1998, 2002),
    )
)  # fmt: skip
_PLACE = re.compile(r"\s+[A-Z][a-z]")
_NUMBERS = {
    "few": 5,
    "couple of": 2,
    "two": 2,
    "three": 3,
    "five": 5,
    "ten": 10,
    "twenty": 20,
    "thirty": 30,
}
_BEGINNINGS = dict(
    zip(("tw", "th", "fo", "fi", "si", "se", "e", "n"), range(1920, 2000, 10), strict=True)
)
_PARTS = {"early": (0, 4), "mid": (3, 7), "late": (5, 9)}
_AFTER = ("after", "newer than", "later than", "post")
_BEFORE = ("before", "older than", "earlier than", "pre", "prior to")


class NamedYears(NamedTuple):
    """Years in a text: the character span, and the first and last year; ``None``: open."""

    start: int
    end: int
    first: int | None
    last: int | None


def find_years(text: str, latest: int | None) -> list[NamedYears]:
    """Years named in a text, in order, without overlaps.

    A person's own decade ("in my fifties") and the time of a story ("set in the 1920s") are not
    read.

    Args:
        text: in which titles are blanked out.
        latest: the catalog's latest year, from which "the last ten years" are counted.
    """
    found: list[NamedYears] = []
    for years in (*_ranges(text), *_ones(text), *_relative(text, latest)):
        if all(years.end <= f.start or years.start >= f.end for f in found):
            found.append(years)
    return sorted(found)


def is_period(text: str) -> bool:
    """Whether a text is years or decades and nothing else."""
    return bool(re.fullmatch(rf"(?:{_PERIOD}|{_NEW}|{_OLD})", text, re.I))


def made_then(text: str) -> bool:
    """Whether a text says that films were made in the time it names: "shot back then"."""
    return bool(_MADE_THEN.search(text))


def _ranges(text: str) -> Iterator[NamedYears]:
    for m in _RANGE.finditer(text):
        first, last = _period(m[2], m[1]), _period(m[4], m[3])
        joined = re.search(r"\band\b", m[0], re.I) and not re.match(r"between", m[0], re.I)
        if joined or _elsewhere(text, m.start(), m.start(2)):
            continue
        yield NamedYears(m.start(), m.end(), min(first[0], last[0]), max(first[1], last[1]))


def _ones(text: str) -> Iterator[NamedYears]:
    for m in _ONE.finditer(text):
        if _elsewhere(text, m.start(), m.start("period")):
            continue
        first, last = _period(m["period"], m["part"])
        opening = " ".join((m["open"] or "").casefold().split())
        after = (m["after"] or "").casefold()
        start = m.start()
        if opening in _AFTER:
            yield NamedYears(start, m.end(), last + 1, None)
        elif opening == "since" or (after and not re.search("before|earlier|older", after)):
            yield NamedYears(start, m.end(), first, None)
        elif opening in _BEFORE:
            yield NamedYears(start, m.end(), None, first - 1)
        elif opening in ("until", "till", "up to") or after:
            yield NamedYears(start, m.end(), None, last)
        else:
            yield NamedYears(start, m.end(), first, last)


def _relative(text: str, latest: int | None) -> Iterator[NamedYears]:
    for m in _CENTURY.finditer(text):
        if _elsewhere(text, m.start(), m.start("new" if m["new"] else "old")):
            continue
        opening = (m["open"] or "").casefold()
        if opening in _BEFORE:
            yield NamedYears(m.start(), m.end(), None, 1999 if m["new"] else 1900)
        elif m["new"]:
            yield NamedYears(m.start(), m.end(), 2000, None)
        elif opening in _AFTER:
            yield NamedYears(m.start(), m.end(), 2001, None)
        else:
            yield NamedYears(m.start(), m.end(), 1901, 2000)
    for era, first, last in _ERAS:
        for m in era.finditer(text):
            if not _elsewhere(text, m.start(), m.start()) and not _PLACE.match(text, m.end()):
                yield NamedYears(m.start(), m.end(), first, last)
    for m in _LAST.finditer(text):
        if latest is None or (m["n"] is None and m["unit"].casefold() == "years"):
            continue
        n = " ".join((m["n"] or "1").casefold().split())
        count = int(n) if n.isdigit() else _NUMBERS[n]
        span = count * (10 if m["unit"].casefold().startswith("decade") else 1)
        yield NamedYears(m.start(), m.end(), latest - span + 1, None)


def _elsewhere(text: str, start: int, period: int) -> bool:
    """Whether years are a person's own age, or the time in which a story is set."""
    before = text[max(0, period - 40) : period]
    if _OWN_AGE.search(before):
        return True
    return bool(_SETTING.search(before)) and not made_then(text)


def _period(text: str, part: str | None) -> tuple[int, int]:
    """First and last year: "1994", "90s" → 1990 to 1999, "late eighties" → 1985 to 1989."""
    text = text.casefold()
    text = re.sub(r"^nineteen[\s-]+", "", text)
    if re.match(r"twenty[\s-]", text):
        first = 2020 if text.endswith("twenties") else 2010
    elif re.fullmatch(_ZEROS, text):
        first = 2000
    elif text[0].isalpha():
        begin = next(name for name in _BEGINNINGS if text.startswith(name))
        first = _BEGINNINGS[begin]
    else:
        value = int(re.sub(r"\D", "", text))
        if value >= 100 and "s" not in text:
            return value, value
        first = value if value >= 100 else value + (1900 if value >= 30 else 2000)
    if first % 100 == 0 and part is None and first < 2000:
        return first, first + 99  # "the 1800s"
    low, high = {"early": (0, 4), "mid": (3, 7), "late": (5, 9)}.get(
        (part or "").casefold(), (0, 9)
    )
    return first + low, first + high
