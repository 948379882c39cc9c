"""Words of a Chinese request for products: which the catalog knows, and what each is there for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from coldstart.understanding.polarity import Clause
from coldstart.understanding.products.chinese_words import ChineseVocabulary
from coldstart.understanding.products.forms import HAN
from coldstart.understanding.products.lexicon import phrases

Role = Literal["asked", "quality", "topic", "none"]
_ASKING = re.compile(
    r"想要|想买|要买|想找|想换|想给|求购|求推荐|推荐|有没有|有木有|需要(?!电)|买(?![的过了])|找(?!到)"
    r"|(?:要|来|换|带|选|挑|求)一?[个双件条台本把套款张支瓶盒只份顶部点些]|想[吃喝穿戴看玩学用]"
)
"""Verbs of asking: what stands before them tells a story."""
_ABLE = re.compile(r"(?:能|可以|可)(?:用来)?给")
BREAK = re.compile(r"[，,。.！!？?；;：:…\n\s]")
"""What separates clauses."""
PETS = frozenset("猫狗宠鱼鸟兔鼠")
"""Characters of pets."""
_JOINING = ("或", "和", "与", "跟", "及", "、", "/", "还是")
_RUN = re.compile(f"[{HAN}]+")
_OF_VALUES = frozenset({"的", "制", "质", "色", ""})  # after a value of one character
_FILLERS = frozenset("的双件条台本把套款张支瓶盒只份顶部块点些色")
_OF = re.compile(r"[用做穿吃喝装放戴制]?的")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9\-]*")
_LONGEST = 6


@dataclass(frozen=True)
class FoundWord:
    """A word of the text that the catalog knows.

    Args:
        start: its first character.
        end: the character after it.
        text: the word.
        is_type: whether things of the catalog are of this type.
        role: ``asked``, ``quality``, ``topic`` or ``none``.
        ends: whether nothing that belongs to it follows.
        after_of: whether 的 stands before it.
    """

    start: int
    end: int
    text: str
    is_type: bool
    role: Role = "none"
    ends: bool = True
    after_of: bool = False


class ChineseWordFinder:
    """Finder of the words of a text, and of their roles.

    Args:
        vocabulary: of the catalog.
    """

    def __init__(self, vocabulary: ChineseVocabulary) -> None:
        self._vocabulary = vocabulary
        self._interests = sorted(phrases("interest", language="zh"), key=len, reverse=True)
        self._known = frozenset({*vocabulary.words, *vocabulary.stop, *self._interests})

    def words(self, text: str, taken: Sequence[bool]) -> tuple[list[FoundWord], list[bool]]:
        """Known words by longest match, and the characters that no mark of rejection may use."""
        out: list[FoundWord] = []
        covering = list(taken)
        at = 0
        while at < len(text):
            if taken[at]:
                at += 1
                continue
            if latin := _LATIN.match(text, at):
                out.append(FoundWord(at, latin.end(), latin[0], False))
                at = latin.end()
                continue
            size = next(
                (
                    n
                    for n in range(min(_LONGEST, len(text) - at), 0, -1)
                    if text[at : at + n] in self._known and not any(taken[at : at + n])
                ),
                0,
            )
            word = text[at : at + size]
            if size > 1 and self._later(text, at, size):
                at += 1
                continue
            if word.startswith("怕"):
                covering[at : at + size] = [True] * size  # who is afraid rejects nothing
            if size and word not in self._vocabulary.stop and word not in self._interests:
                covering[at : at + size] = [True] * size
                cut = at + self._vocabulary.quality_length(word)
                if cut > at:
                    out.append(FoundWord(at, cut, text[at:cut], False))
                out.append(
                    FoundWord(cut, at + size, text[cut : at + size], self._vocabulary.is_type(word))
                )
            at += size or 1
        return out, covering

    def _later(self, text: str, at: int, size: int) -> bool:
        """Whether a value or type overlaps a word that is neither: 电池 in 带电池."""
        strong = (self._vocabulary.values, self._vocabulary.types)
        if any(text[at : at + size] in known for known in strong):
            return False
        starts = range(at + 1, at + size)
        ends = range(at + size + 1, min(len(text), at + size + 3) + 1)
        return any(text[a:b] in known for a in starts for b in ends for known in strong)

    def unknown(
        self,
        text: str,
        clauses: Sequence[Clause],
        words: Sequence[FoundWord],
        taken: Sequence[bool],
    ) -> Iterable[FoundWord]:
        """Strings of items' texts in rejected clauses and interests that have no known word."""
        for clause in clauses:
            inside = range(clause.start, min(clause.end, len(text)))
            told = text[clause.start : clause.end]
            interest = clause.polarity > 0 and any(cue in told for cue in self._interests)
            known = [word for word in words if word.start in inside]
            end = clause.end
            if clause.polarity < 0 and known and known[0].is_type:
                end = max(clause.start, known[0].start - 1)  # 不含咖啡因的茶
            elif known or not (interest or clause.polarity < 0):
                continue
            at = clause.start
            while at < end:
                size = next(
                    (
                        n
                        for n in range(min(_LONGEST, end - at), 1, -1)
                        if _RUN.fullmatch(text[at : at + n])
                        and not any(taken[at : at + n])
                        and text[at : at + n] not in self._vocabulary.stop
                        and self._vocabulary.knows(text[at : at + n])
                    ),
                    0,
                )
                if size:
                    yield FoundWord(at, at + size, text[at : at + size], False)
                at += size or 1

    def with_roles(
        self, text: str, words: Sequence[FoundWord], taken: Sequence[bool]
    ) -> list[FoundWord]:
        """The words with their roles.

        Args:
            text: the request.
            words: found in it, in order.
            taken: characters of prices, people and so on.
        """
        out: list[FoundWord] = []
        asking = self._asking(text, words)
        following: FoundWord | None = None
        for word in reversed(words):
            after = text[word.end : word.end + 2]
            joined = after.startswith(_JOINING)
            adjacent = following is not None and following.start == word.end
            ends = not adjacent and (
                joined
                or not after
                or (of := _OF.match(text, word.end)) is None
                or BREAK.match(text[of.end() :] or " ") is not None
            )
            if ends and len(word.text) == 1 and after and not joined:
                ends = (
                    BREAK.match(after) is not None
                    or taken[word.end]
                    or any(text[word.end : word.end + k] in self._vocabulary.stop for k in (1, 2))
                )
            asked = word.is_type and ends and not self._is_topic(text, word, words)
            role: Role = (
                "asked" if asked else "topic" if self._is_topic(text, word, words) else "quality"
            )
            if role != "topic" and word.start < asking:
                role = "none"  # a story before what is asked for
            elif role == "quality" and not self._describes(text, word, following):
                role = "none"
            after_of = text[word.start - 1 : word.start] == "的"
            following = replace(word, role=role, ends=ends, after_of=after_of)
            out.append(following)
        return _alike(text, self._with_pets(out[::-1]))

    def _with_pets(self, words: list[FoundWord]) -> list[FoundWord]:
        """Where nothing is asked for, a pet that is told of is whom it is for: 家里猫太无聊了."""
        if any(word.role != "none" for word in words):
            return words
        return [replace(w, role="topic") if w.text[0] in PETS else w for w in words]

    def _asking(self, text: str, words: Sequence[FoundWord]) -> int:
        """Where the text begins to ask: after its first verb of asking before a known word."""
        for m in _ASKING.finditer(text):
            if any(word.start >= m.end() for word in words):
                return m.end()
        return 0

    def _describes(self, text: str, word: FoundWord, following: FoundWord | None) -> bool:
        """Whether a quality is one of the next known word, or of whatever is asked for.

        Nothing but fillers stands between; what else does makes it part of something unknown:
        跑步的时候记步数的手表 asks for a watch. A single character has to be a value, or to stand
        before what it describes.
        """
        if _ABLE.search(BREAK.split(text[: word.start])[-1]) and (
            following is None or following.role != "asked"
        ):
            return False  # 能给手机充电
        at = word.end
        of_value = word.text in self._vocabulary.values and text[at : at + 1] in _OF_VALUES
        if len(word.text) == 1 and word.text not in PETS and not of_value:
            return following is not None and following.start == at and following.role == "asked"
        while at < len(text) and not BREAK.match(text[at]):
            if following is not None and at >= following.start:
                return following.role != "none"
            size = next(
                (n for n in range(4, 0, -1) if text[at : at + n] in self._vocabulary.stop), 0
            )
            if not size and text[at] in _FILLERS:
                size = 1
            if not size:
                return False
            at += size
        return True

    def _is_topic(self, text: str, word: FoundWord, words: Sequence[FoundWord]) -> bool:
        """Whether a word says what somebody likes, or what something is for."""
        before = re.split(r"[，,。.！!？?；;：:…\n的]", text[max(0, word.start - 20) : word.start])[
            -1
        ]
        return any(cue in before for cue in self._interests)


def _alike(text: str, words: list[FoundWord]) -> list[FoundWord]:
    """Alternatives are of one role: of 毛绒的或者画画的 neither is the thing that has the other."""
    out = list(words)
    for n, (a, b) in enumerate(zip(words, words[1:], strict=False)):
        linked = re.fullmatch(r"的?[，,、\s]*(?:或者?|还是|/)[，,、\s]*", text[a.end : b.start])
        if linked and a.role == "quality" and b.role == "asked":
            out[n + 1] = replace(b, role="quality")
    return out
