"""Words of Chinese texts without a dictionary: strings that a catalog uses as words."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from coldstart.schema import Item
from coldstart.understanding.draft import Value
from coldstart.understanding.products.forms import HAN
from coldstart.understanding.products.heads import category_parts, title_heads
from coldstart.understanding.products.item_words import is_named, titles_of
from coldstart.understanding.products.lexicon import kinds, phrases, spoken_words
from coldstart.understanding.products.words_cache import words_of

_RUN = re.compile(f"[{HAN}]+")
_LONGEST = 5  # characters of a word
_READ = 10_000  # items from which words are taken
_SPLIT = re.compile(r"\s*[|,;，；、/]\s*")
_SINGLE = frozenset(
    "鞋靴书書锅鍋壶壺杯碗盘盤碟刀叉勺筷灯燈茶酒糖笔筆包帽裤褲裙衣袜襪伞傘椅桌床柜架垫墊琴球车車棋画畫花树米面油盐酱醋肉鱼鸡蛋奶表镜鏡枕被毯箱盒瓶桶篮竿绳鼓笛伞巾"
)
"""Characters that are a type of thing by themselves."""
_NEGATING = ("不含", "不需", "不用", "没有", "没", "别", "不要", "不添加", "不带", "不加", "无需")


@dataclass(frozen=True)
class ChineseVocabulary:
    """Words of one catalog's Chinese texts.

    Args:
        words: strings that stand between different neighbours, and single-character types.
        types: how many items each string at the end of titles and categories is of.
        values: attribute values by the ways in which people write them.
        categories: categories by each word in them.
        stop: words that tell nothing about an item.
        lacking: what the items are said to be free of.
        texts: all texts of the items.
    """

    words: frozenset[str]
    types: Mapping[str, int]
    values: Mapping[str, tuple[Value, ...]]
    categories: Mapping[str, tuple[str, ...]]
    stop: frozenset[str]
    lacking: str
    texts: str

    @classmethod
    def of(cls, items: Sequence[Item]) -> ChineseVocabulary:
        """Read the items; of many an even sample."""
        items = items[:: max(1, len(items) // _READ)]
        stop = frozenset(phrases("stop", language="zh"))
        left, right = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        ends: Counter[str] = Counter()
        values: dict[str, dict[Value, None]] = {}
        categories: dict[str, dict[str, None]] = {}
        for item in items:
            names = [item.title, *titles_of(item), *item.categories]
            for text in (*names, item.description, *item.attributes.values()):
                for run in _RUN.findall(text):
                    _contexts(run, left, right)
            heads = {h for t in names[: len(names) - len(item.categories)] for h in title_heads(t)}
            heads |= {part[-1] for c in item.categories for part in category_parts(c)}
            own = {h[-n:] for h in heads if _RUN.fullmatch(h[-1:]) for n in range(1, _LONGEST + 1)}
            ends.update(own)
            for category in item.categories:
                for run in _RUN.findall(category):
                    for n in range(2, len(run) + 1):
                        for at in range(len(run) - n + 1):
                            categories.setdefault(run[at : at + n], {})[category] = None
            for name, value in item.attributes.items():
                if is_named(name):
                    for part in _SPLIT.split(value):
                        if _RUN.fullmatch(part):
                            for form in _forms(part):
                                values.setdefault(form, {})[("attribute", part, name)] = None
        words = {w for w in left if len(w) > 1 and _free(left[w]) and _free(right[w])}
        parts = {p[-1] for i in items for c in i.categories for p in category_parts(c)}
        types = {
            end: n
            for end, n in ends.items()
            if end not in stop and (_is_noun(end) or end in words or end in parts)
        }
        words |= types.keys() | values.keys() | {w for w in parts if _RUN.fullmatch(w)}
        words |= {w for w in spoken_words() if _RUN.fullmatch(w)}
        words |= {f"{c}子" for c in _SINGLE & types.keys()}
        words = {w for w in words if not w.startswith(_NEGATING)}
        return cls(
            frozenset(words - stop),
            types,
            {form: tuple(found) for form, found in values.items()},
            {w: tuple(found) for w, found in categories.items() if w in words},
            stop,
            "|".join({words_of(item).lacking for item in items}),
            "\n".join(words_of(item).folded for item in items),
        )

    def is_type(self, word: str) -> bool:
        """Whether a word, or one of the same meaning, says what some item is."""
        return word in self.types or any("".join(term) in self.types for term in kinds(tuple(word)))

    def knows(self, text: str) -> bool:
        """Whether any item's text has a string, or says that it is free of it."""
        return text in self.texts or text in self.lacking

    def quality_length(self, word: str) -> int:
        """Length of the part of a rare type that says of which kind it is: 蓝牙 in 蓝牙耳机.

        0 for types of several items, which are read as a whole.
        """
        if self.types.get(word, 0) != 1:
            return 0
        return next(
            (
                n
                for n in range(2, len(word) - 1)
                if word[:n] in self.words and self.types.get(word[n:], 0) > 1
            ),
            0,
        )


def _is_noun(end: str) -> bool:
    """Whether the end of a title is a type by itself, however it is used elsewhere."""
    return end in _SINGLE or (len(end) == 2 and _RUN.fullmatch(end) is not None)


def _contexts(run: str, left: dict[str, set[str]], right: dict[str, set[str]]) -> None:
    for at in range(len(run)):
        for n in range(2, min(_LONGEST, len(run) - at) + 1):
            word = run[at : at + n]
            left[word].add(run[at - 1] if at else "^")
            right[word].add(run[at + n] if at + n < len(run) else "$")


def _free(neighbours: set[str]) -> bool:
    """Whether a string stands beside different characters, or at an end."""
    return len(neighbours) > 1 or bool(neighbours & {"^", "$"})


def _forms(value: str) -> list[str]:
    """Ways in which people write an attribute value: 红色 also 红, 木 also 木头."""
    out = [value]
    if value.endswith("色") and len(value) == 2:
        out.append(value[0])
    elif len(value) == 1:
        out += [f"{value}{end}" for end in "制头子质"]
    return out
