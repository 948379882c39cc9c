"""For whom: ages of children and other companions in English texts."""

from __future__ import annotations

import re
from typing import NamedTuple

from coldstart.understanding.numbers import BELOW_100, number_in_words

CHILD = 13
"""Age from which an audience is no child."""
MILD = "mild"
"""Value of a piece for what fits an age, whoever watches it: something gentle."""
DEFAULT_CHILD = 8
"""Age of "my kids" whose age is not named."""

_N = rf"(?:\d{{1,2}}|{BELOW_100})"
_UNIT = r"(?:[\s-]*(?:years?|yrs?\.?)[\s-]*ol[ds]+|[\s-]*y[\s./-]?o(?:['’]?s)?\b)"
_RELATIVES = r"""(?:(?:grand|god|step)?(?:sons?|daughters?|child(?:ren)?|kids?|kiddos?)|kiddies?
    |nieces?|nephews?|boys?|girls?|twins|youngest|eldest|oldest|toddlers?|bab(?:y|ies)|infants?|pupils
    |little\s+(?:ones?|boys?|girls?|brothers?|sisters?|cousins?|guys?|man|lady|kids?|siblings?)
    |young(?:er)?\s+(?:ones?|brothers?|sisters?|cousins?|siblings?|viewers?)
    |kindergart(?:e?ners?|en)|pre-?schoolers?|tweens?|pre-?teens?|adolescents?
    |(?:first|second|third|fourth|fifth|1st|2nd|3rd|4th|5th)[\s-]graders?
    |teens?|teenagers?|teenaged?\s+(?:kids?|sons?|daughters?|boys?|girls?))"""
_WHOSE = r"(?:my|our|his|her|their|your|the|a|an|some|these|those|two|three|four|both)"
_ADJ = r"""(?:(?:very|little|young|younger|older|small|wee|eldest|oldest|youngest|own|teenage|teen
    |twin|sweet)\s+)*"""
_OLDER = r"(?:cousins?|brothers?|sisters?)"
_IS = r"""(?:who\s+(?:is|are|just\s+turned|(?:is\s+)?about\s+to\s+turn)
    |who['’]s(?:\s+just\s+turned)?
    |(?:s?he|they)\s+(?:is|are|just\s+turned|turned)
    |(?:s?he|they)['’](?:s|re|ve)(?:\s+(?:just\s+turned|turned|about\s+to\s+(?:turn|be)))?
    |is|are|turning|(?:just\s+)?turn(?:s|ed)|(?:between\s+|of\s+)?(?:the\s+)?age[sd]?(?:\s+of)?
    |between|under|up\s+to)"""
_AND = r"\s*(?:-|–|,|and|or|to|&)+\s*"
_ABOUT = r"(?:(?:only|just|about|almost|nearly)\s+)?"


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.I | re.X)


_AGED = _compiled(  # "my five-year-old", "a 6 or 7 year old girl"
    rf"""(?:\b(?:for|with|by|to)\s+)?(?:\b{_WHOSE}\s+)?{_ADJ}\b(?P<n>{_N})(?:{_AND}(?P<m>{_N}))?
    {_UNIT}(?:\s+{_ADJ}(?:{_RELATIVES}|{_OLDER})\b)?"""
)
_THEN_AGED = _compiled(  # "my son, 5", "kids aged 6 and 8", "my niece, she is six"
    rf"""(?:\b(?:for|with)\s+)?(?:\b{_WHOSE}\s+)?{_ADJ}\b(?:{_RELATIVES}|{_OLDER})\s*,?\s*\(?\s*
    (?:{_IS}\s+)?{_ABOUT}(?P<n>{_N})\b(?!\s*(?:minutes|hours|movies|films|stars|out|or\s+so))
    (?:{_AND}(?P<m>{_N})\b)?(?:{_AND}(?P<o>{_N})\b)?(?:{_UNIT})?\s*\)?"""
)
_AGES = _compiled(  # "ages 6 to 9"
    rf"""\b(?:for\s+)?(?:ages?|aged)(?:\s+of)?\s+(?P<n>{_N})\b(?:\s*(?:-|–|to|and|,|or)\s*
    (?P<m>{_N})\b)?(?:\s*(?:\+|and\s+up))?"""
)
_I_AM = _compiled(
    rf"""\b(?:i\s+am|i['’]?m)\s+{_ABOUT}(?P<n>{_N})\b(?:{_UNIT})?(?!\s*(?:%|minutes|hours|movies))"""
)
_OWN = re.compile(r"\bi\s*(?:am|['’]?m)\s+$", re.I)
_SHE_IS = _compiled(
    rf"""\b(?:s?he|they)(?:['’](?:s|re)|\s+(?:is|are|just\s+turned|turned|turns|will\s+be))\s+
    (?:(?:just\s+)?turn(?:ing|ed)\s+|about\s+to\s+(?:turn|be)\s+)?{_ABOUT}(?P<n>{_N})\b(?:{_UNIT})?"""
)
_TURNING = _compiled(r"\b(?P<n>\d{1,2})(?:st|nd|rd|th)\s+birthday\b")
_NAMED = _compiled(  # without an age: "for kids", "my daughter", "toddlers"
    rf"""\b(?:for|with|to|by|suit|entertain|entertains?|please|amuse|show|scare|interest|keep)\s+
    (?:{_WHOSE}\s+)?{_ADJ}(?:{_RELATIVES})\b(?!['’]?s?\s+(?:movie|film|show|comed|book))
    |\b(?:my|our|his|her|their)\s+{_ADJ}(?:{_RELATIVES})\b(?!\s+(?:movie|film))
    |\b(?:a\s+)?bedtime\s+(?:story|stories|tales?|movies?|films?|viewing)\b
    |\b(?:(?:for|at|with)\s+(?:an?\s+|the\s+|our\s+|my\s+)?|(?:an?|our|my)\s+)
    (?:kindergarten|nursery\s+school|pre-?school|day\s?care|playgroup)
    (?:\s+(?:class|group|kids|children|party))?\b(?!\s+(?:teacher|cop))
    |\b(?:i|we)\s+have\s+(?:{_WHOSE}\s+)?{_ADJ}{_RELATIVES}\b|\b(?:small\s+children|toddlers?|pre-?schoolers?|kiddos|kindergarte?ners?|teenagers?|tweens?|pre-?teens?
    |(?:grand|god)(?:kids?|child(?:ren)?|sons?|daughters?)|nieces?|nephews?)\b"""
)
_CHILD_CONTEXT = _compiled(rf"\b(?:{_RELATIVES}|{_OLDER})\b")
_STORY = _compiled(  # a child in a story is no audience
    r"""\b(?:about|starring|featuring|follows|where|when|which|named|called|story\s+of)\s+
    (?:\w+\s+){0,2}$"""
)
_RECEIVES = re.compile(r"for\s", re.I)
_THING = _compiled(r"\s+(?:movies?|films?|whisk(?:e?y)|wine|classics?|shows?|songs?|books?)\b")
_ABSENT = re.compile(  # "my kids are asleep": who watches is somebody else
    r"\s+(?:is|are|['’]s|['’]re|will\s+be|has|have)\s+(?:(?:finally|already|all|both|now)\s+)*"
    r"(?:asleep|sleeping|in\s+bed|away|out(?!\s+of)|gone|elsewhere|grown|moved\s+out|left"
    r"|at\s+(?:school|camp|(?:their|her|his)\b)|with\s+(?:their|her|his)\b)(?![\w-])",
    re.I,
)
_AGES_OF = (
    (r"toddler", 2),
    (r"bab(?:y|ies)|infant", 1),
    (r"pre-?school|nursery|playgroup", 4),
    (r"day\s?care", 3),
    (r"bedtime", 5),
    (r"kindergart", 5),
    (r"first|1st", 6),
    (r"second|2nd", 7),
    (r"third|3rd", 8),
    (r"fourth|4th", 9),
    (r"fifth|5th", 10),
    (r"tween|pre-?teen", 11),
    (r"teen|adolescent", 14),
    (r"little\s+one|small|kiddie", 5),
)


class NamedAudience(NamedTuple):
    """An audience in a text: the character span, and the age of its youngest member.

    ``stated`` is false where the age is guessed from a word such as "kids".
    """

    start: int
    end: int
    age: int
    stated: bool


def find_audience(text: str) -> list[NamedAudience]:
    """Audiences named in a text, in order, without overlaps.

    Ages of adults who speak of themselves are not read, nor those of a story's characters.
    """
    found: list[NamedAudience] = []

    def keep(start: int, end: int, age: int, stated: bool = True) -> None:
        free = all(end <= f.start or start >= f.end for f in found)
        receives = _RECEIVES.match(text, start) is not None  # "about trains for my 4 year old"
        if free and (receives or not _STORY.search(text[max(0, start - 50) : start])):
            found.append(NamedAudience(start, end, age, stated))

    child = bool(_CHILD_CONTEXT.search(text))
    for m in _THEN_AGED.finditer(text):
        under = re.search(r"\bunder\b|\bup\s+to\b", m[0], re.I)  # the youngest is not named
        keep(m.start(), m.end(), max(1, _youngest(m) * 6 // 10) if under else _youngest(m))
    for m in _AGED.finditer(text):
        own = _number(m["n"]) >= 18 and _OWN.search(text[max(0, m.start() - 12) : m.start()])
        if not own and not _THING.match(text, m.end()):
            keep(m.start(), m.end(), _youngest(m))
    for m in _AGES.finditer(text):
        if _number(m["n"]) < 18:
            keep(m.start(), m.end(), _youngest(m))
    for m in _I_AM.finditer(text):
        if _number(m["n"]) < 18:
            keep(m.start(), m.end(), _number(m["n"]))
    for m in _SHE_IS.finditer(text):
        if child and _number(m["n"]) < 18:
            keep(m.start(), m.end(), _number(m["n"]))
    for m in _TURNING.finditer(text):
        if _number(m["n"]) < 18:
            keep(m.start(), m.end(), _number(m["n"]))
    for m in _NAMED.finditer(text):
        if not _ABSENT.match(text, m.end()):
            keep(m.start(), m.end(), _age_of(m[0]), stated=False)
    stated = [audience for audience in found if audience.stated]
    return sorted(stated or found)


def _youngest(match: re.Match[str]) -> int:
    groups = match.groupdict()
    return min(_number(groups[g]) for g in ("n", "m", "o") if groups.get(g))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else int(number_in_words(text) or 0)


def _age_of(word: str) -> int:
    for pattern, age in _AGES_OF:
        if re.search(pattern, word, re.I):
            return age
    return DEFAULT_CHILD
