"""Masks for personal data in what people write: contacts, numbers, addresses and names.

The rule, in two parts. Masked in any case: e-mail and web addresses, handles, telephone and other
long numbers, street addresses, and the name after "my name is", "my son", 我叫 and the like. Masked
unless several people wrote the word, many items have it in their titles, or it was understood as
part of the catalog: words with a capital inside a sentence, and common English given names. Other
names in lower case, and Chinese names without such an introduction, are not recognised.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib.resources import files

Span = tuple[int, int]

_ALWAYS = (
    ("e-mail", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("link", re.compile(r"(?:https?://|www\.)[^\s，。]+", re.IGNORECASE)),
    ("handle", re.compile(r"(?<![A-Za-z0-9_@])@\w{2,}")),
    (
        "address",
        re.compile(
            r"\b\d{1,5}[a-z]?,?\s+(?:[A-Z][\w'’]*\.?\s+){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln"
            r"|Drive|Dr|Boulevard|Blvd|Way|Court|Ct|Square|Sq|Place|Pl|Terrace|Close|Crescent)\b\.?"
            r"|\b[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|platz|gasse|allee)\s+\d{1,4}(?:\s?[a-z])?"
            r"\b|[\u4e00-\u9fff]{2,8}(?:路|街|巷|弄|大道|胡同)\s?\d+\s?[号號弄](?:\s?\d+\s?[室楼号])?"
        ),
    ),
    (
        "number",
        re.compile(
            # Between spaces or Chinese, which has none; years from one to another are left.
            r"(?<![\dA-Za-z_€$£¥.])"
            r"(?!(?:1[5-9]|20)\d\d\s?[-–/]\s?(?:1[5-9]|20)?\d\d(?!\d|[-–/]\d))"
            r"(?:\+|00|\()?\d(?:[\s()./-]{0,2}\d){4,}"
            r"(?![\dA-Za-z_]|\s?(?:€|\$|£|¥|euros?\b|dollars?\b|pounds?\b|yuan\b|rmb\b|元|块|円))"
            r"|\d{2,4}年\d{1,2}月\d{1,2}[日号號]"
        ),
    ),
)
_RELATIVES = (
    "son|daughter|child|kid|baby|boy|girl|brother|sister|wife|husband|partner|boyfriend|girlfriend"
    "|friend|mate|colleague|boss|teacher|neighbou?r|mother|mom|mum|father|dad|grandma|grandpa"
    "|grandmother|grandfather|grandson|granddaughter|uncle|aunt|cousin|niece|nephew|fianc[eé]e?|dog"
    "|cat"
)
_NO_NAMES = "and|but|or|i|im|i'm|i’m|looking|want|need|from|in|with|please|who|he|she|so|is"
_INTRODUCED = (
    re.compile(
        r"\b(?i:my (?:first |last |full )?name(?: is|'s|’s)|named|nicknamed)\s+"
        rf"(?P<name>[^\W\d_][\w'’-]*(?:\s+(?!(?:{_NO_NAMES})\b)[^\W\d_][\w'’-]*)?)"
    ),
    re.compile(
        r"\b(?i:call me|mr|mrs|ms|miss|dr|prof(?:essor)?)\b\.?\s+"
        r"(?P<name>[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]+)*)"
    ),
    re.compile(
        rf"\b(?i:my|our|his|her|their)\s+(?:[a-z]+\s+){{0,2}}(?i:{_RELATIVES}),?\s+"
        r"(?:(?i:is\s+)?(?i:called)\s+)?(?P<name>[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]+)*)"
    ),
    re.compile(
        r"(?:我叫|名叫|名字叫|名字是|叫做)(?P<name>[\u4e00-\u9fff]{2,4}?"
        r"(?=$|[^\u4e00-\u9fff]|今年|喜欢|喜歡|想|的|是|和|跟)|[\u4e00-\u9fff]{2,3})"
    ),
)
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_OPENS = re.compile(r"(?:^|[.!?…。！？:;]|\n)[\s\"'“”‘’(\[-]*$")
_PLAIN = frozenset(
    """i i'm i'd i've i'll i’m i’d i’ve i’ll monday tuesday wednesday thursday friday saturday
    sunday
    january february march april may june july august september october november december english
    chinese french german spanish italian japanese american british european christmas halloween
    easter thanksgiving hanukkah diwali xmas tv dvd usb led ok mr mrs ms miss dr prof""".split()
)
"""Words with a capital that name nobody."""
_EVERYDAY = frozenset(
    """amber angel april autumn bill brandy carol chase christian crystal daisy dale dawn dean
    destiny diamond don drew earl ebony faith frank gene georgia glen grace grant guy hazel heather
    holly hunter jack jade jasmine jasmin jay jean joy june lance lee mark mason max melody misty
    norman parker penny perry ray raven robin rose rosemary ruby sandy savannah sierra sue summer
    tanner victoria virginia""".split()
)
"""Given names that are words as well: in lower case, or at the start, they are not masked."""
_SHORT_CAPITALS = 4  # letters of an abbreviation


class Anonymizer:
    """Masks texts by the rule of this module.

    Args:
        shared: words in lower case that are shown although they may be names: those that several
            people wrote, or many items have in their titles.

    >>> Anonymizer(()).mask("For my son Tim, mail me at tim@example.org, under 20000 yuan")
    'For my son [name], mail me at [e-mail], under 20000 yuan'
    """

    def __init__(self, shared: Collection[str]) -> None:
        self._shared = shared

    def mask(self, text: str, keep: Sequence[Span] = (), part: Span | None = None) -> str:
        """Mask a text.

        Args:
            text: what somebody wrote.
            keep: spans that were understood as part of the catalog, such as titles and people of
                films; they keep their words, unless these are introduced as a name.
            part: the part of the text to return; ``None``: all of it.

        Returns:
            The text with ``[name]``, ``[number]`` and so on in place of what is masked.
        """
        return self.mask_parts(text, [part or (0, len(text))], keep)[0]

    def mask_parts(self, text: str, parts: Iterable[Span], keep: Sequence[Span] = ()) -> list[str]:
        """Mask several parts of a text, which is searched once.

        Args:
            text: as for ``mask``.
            parts: parts of the text.
            keep: as for ``mask``.

        Returns:
            Each part, masked.
        """
        spans = self._spans(text, keep)
        return [_masked(text, spans, part) for part in parts]

    def _spans(self, text: str, keep: Sequence[Span]) -> list[tuple[int, int, str]]:
        """What is masked, in order, without overlaps; names side by side are one."""
        found = [(*m.span(), label) for label, form in _ALWAYS for m in form.finditer(text)]
        found += [(*m.span("name"), "name") for form in _INTRODUCED for m in form.finditer(text)]
        found += [(*span, "name") for span in self._names(text, keep)]
        out: list[tuple[int, int, str]] = []
        for start, end, label in sorted(found, key=lambda x: (x[0], -x[1])):
            if out and start < out[-1][1]:
                out[-1] = (out[-1][0], max(end, out[-1][1]), out[-1][2])
            elif out and label == out[-1][2] == "name" and not text[out[-1][1] : start].strip():
                out[-1] = (out[-1][0], end, label)
            else:
                out.append((start, end, label))
        return out

    def _names(self, text: str, keep: Sequence[Span]) -> list[Span]:
        """Words that may be names: with a capital inside a sentence, or common given names."""
        shouted = text.isupper()
        out = []
        for match in _WORD.finditer(text):
            start, end = match.span()
            if any(a < end and start < b for a, b in keep):
                continue
            word = match[0]
            bare = re.sub(r"['’]s$", "", word).lower()
            if bare in self._shared or bare in _PLAIN:
                continue
            capital = word[0].isupper() and not shouted
            inside = capital and not _OPENS.search(text[:start])
            short = word.isupper() and len(word) <= _SHORT_CAPITALS
            given = bare in given_names() and (inside or bare not in _EVERYDAY)
            if given or (inside and not short):
                out.append((start, start + len(bare)))
        return out


def _masked(text: str, spans: Sequence[tuple[int, int, str]], part: Span) -> str:
    at, end = part
    out = []
    for first, last, label in spans:
        if first < end and at < last:
            out += [text[at:first], f"[{label}]"]
            at = min(last, end)
    return "".join([*out, text[at:end]])


@cache
def given_names() -> frozenset[str]:
    """Common English given names in lower case."""
    text = files("coldstart.serve.reports").joinpath("given_names.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))
