"""What an item is and has, by the words of its title, categories, attributes and description."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from coldstart.catalog.han import simplified
from coldstart.schema import Item
from coldstart.understanding.products.flags import NO, YES, spoken
from coldstart.understanding.products.forms import HAN, stem, words
from coldstart.understanding.products.heads import category_parts, title_ending, title_heads

_TOKENS = re.compile(
    rf"[{HAN}]+|(?:(?![{HAN}])[^\W_])+(?:['’](?:(?![{HAN}])[^\W_])+)*|[.;:!?,()\n。；：！？，、（）]"
)
_NOT = frozenset(
    "no not non without zero never dont doesnt don't doesn't isnt isn't arent aren't neither nor "
    "minus free-of instead replaces replace replacing unlike avoid avoids avoiding ohne kein keine "
    "keinen keiner keinem sans aucun aucune sin senza zonder geen utan uden uten sem без".split()
)
_SCARCELY = frozenset(["hard", "difficult", "impossible"])  # "hard to break"
_PASSED = frozenset("or and any added the of need for a to".split())  # within a negation's reach
_FAKE = frozenset("faux fake imitation artificial synthetic mock".split())
_LIKE = frozenset("look like effect style imitation substitute alternative lookalike".split())
_NEEDED = frozenset(["included", "supplied", "provided", "enclosed"])
_REACH = 4  # words after a negation
_TITLES = re.compile(r"title|name$|名称|标题", re.I)
_NO_TEXT = re.compile(
    r"(?:.*[ _-])?(?:url|uri|link|href|image|img|photo|picture|ean|gtin|sku|id|currency|"
    r"date)s?$|.*日期|.*时间|货币|币种|链接|图片|条码",
    re.I,
)
_ZH_LESS = re.compile(
    r"(?:无需|無需|不需要|不需|不含|不用|没有|沒有|不带|不帶|不添加|未添加|零添加|不加|告别|拒绝|代替|替代)"
    rf"(?:任何|额外|人工)?(?P<long>[{HAN}]{{1,6}})"
    r"|(?:无|無|零|免|0)(?P<short>糖|蔗糖|谷|穀|麸质|麸|酒精|醇|香精|香|味精|硅油|硅|塑料|铅|油|盐|鹽|添加|乳糖|咖啡因|电池|皮革|荧光剂"
    r"|氟|骨|脂|卡|防腐剂|甲醛|毒)"
    r"|(?:非)(?P<not>皮革|塑料|电动|真皮|转基因)"
)


@dataclass(frozen=True)
class ProductWords:
    """Words of one item.

    Args:
        heads: stems of the nouns that say what it is: heads of its title and of its categories.
        ending: the last two stems of its title's first noun phrase, such as ("wine", "rioja").
        text: stems of all its words in order, negated ones with a tilde, between spaces.
        named: the same of title, categories and attribute values alone.
        folded: Chinese and Japanese characters of all its texts, negated ones left out.
        lacking: those characters that are negated, as in 无糖.
    """

    heads: frozenset[str]
    ending: tuple[str, ...]
    text: str
    named: str
    folded: str
    lacking: str

    @classmethod
    def of(cls, item: Item) -> ProductWords:
        """The words of an item."""
        titles = [item.title, *titles_of(item)]
        names = [*titles, *item.categories]
        features = list(_features(item))
        heads: set[str] = set()
        for title in titles:
            heads.update(title_heads(title))
        for category in item.categories:
            for part in category_parts(category):
                heads.add(part[-1])
        named = _negated("\n".join([*names, *features]))
        text = f"{named}{_negated(item.description)}"
        whole = "\n".join([*names, *features, item.description])
        folded, lacking = _han(whole)
        return cls(frozenset(heads), title_ending(item.title), text, named, folded, lacking)

    def has(self, term: tuple[str, ...]) -> bool:
        """Whether a phrase is in any text, not negated there."""
        if not term:
            return False
        if _is_han(term):
            return "".join(term) in self.folded
        return f" {' '.join(term)} " in self.text or (
            len(term) == 2 and f" {''.join(term)} " in self.text
        )

    def lacks(self, term: tuple[str, ...]) -> bool:
        """Whether a text says that a word is absent: "leather-free", "no batteries needed"."""
        if not term:
            return False
        if _is_han(term):
            return "".join(term) in self.lacking
        return f" ~{' ~'.join(term)} " in self.text

    def is_a(self, kind: tuple[str, ...], common: AbstractSet[str] | None = None) -> bool:
        """Whether it is of a type: its head noun, with the words before it anywhere.

        Args:
            kind: the type.
            common: stems of several items of the catalog. A title's last word that is none of them
                is a name: "Red Wine Rioja" is a wine.
        """
        if not kind:
            return False
        if _is_han(kind):
            return any(head.endswith("".join(kind)) for head in self.heads)
        *modifiers, head = kind
        named = common is not None and self.ending[1:] and self.ending[1] not in common
        own = head in self.heads or bool(named and head == self.ending[0])
        return own and all(self.has((m,)) for m in modifiers)


def is_named(attribute: str) -> bool:
    """Whether people name an attribute's values: no links, codes or other titles."""
    return not _TITLES.search(attribute) and not _NO_TEXT.fullmatch(attribute)


def term_of(text: str) -> tuple[str, ...]:
    """A term or type as ``ProductWords`` compares it."""
    return tuple(words(simplified(text)))


def _is_han(term: tuple[str, ...]) -> bool:
    return any("\u3040" <= part[0] <= "\u9fff" for part in term if part)


def titles_of(item: Item) -> Iterator[str]:
    """Titles in other languages, among the attributes."""
    for name, value in item.attributes.items():
        if _TITLES.search(name) and value != item.title:
            yield value


def _features(item: Item) -> Iterator[str]:
    """Attribute values; of yes and no the attribute's name."""
    for name, value in item.attributes.items():
        folded = value.strip().casefold()
        if folded in YES:
            yield spoken(name)
        elif folded in NO:
            yield f"no {spoken(name)}"
        elif is_named(name):
            yield value.replace("|", ", ")


def _negated(text: str) -> str:
    """Stems of a text between spaces, with a tilde before those that it says are absent."""
    tokens = [m[0] for m in _TOKENS.finditer(unicodedata.normalize("NFKC", text))]
    out: list[str] = []
    absent: list[int] = []  # places of the words that the open negation reaches
    left = 0
    for n, token in enumerate(tokens):
        folded = token.casefold()
        if not token[0].isalnum():
            if not (token == "," and left and _listed(tokens, n)):
                left, absent = 0, []
            out.append("")
            continue
        if folded in ("free", "proof") or folded in _LIKE:
            following = tokens[n + 1].casefold() if n + 1 < len(tokens) else ""
            if folded == "free" and following in ("of", "from"):
                left, absent = _REACH + 1, []
            elif (
                folded != "proof"
                and out
                and out[-1]
                and (folded != "free" or following != "shipping")
            ):
                if folded == "free" or out[-1] in ("leather", "wood", "fur", "marbl", "metal"):
                    out[-1] = f"~{out[-1].lstrip('~')}"
            out.append(stem(token))
            continue
        if folded in _FAKE or (
            folded == "vegan"
            and n + 1 < len(tokens)
            and tokens[n + 1].casefold() in ("leather", "suede", "fur", "wool", "silk")
        ):
            left, absent = 1, []
            out.append(stem(token))
            continue
        if folded in _NOT or (folded in _SCARCELY and tokens[n + 1 : n + 2] == ["to"]):
            left, absent = _REACH, []
            out.append(folded)
            continue
        if folded in _NEEDED or folded == "but":
            for place in absent if folded != "but" else ():
                out[place] = out[place].lstrip("~")
            left, absent = 0, []
        elif left:
            absent.append(len(out))
            out.append(f"~{stem(token)}")
            left -= folded not in _PASSED
            continue
        out.append(stem(token))
    return f" {' '.join(word or '|' for word in out)} "


def _listed(tokens: list[str], at: int) -> bool:
    """Whether a comma goes on a list that ends with "or" or "and" soon."""
    following = [t.casefold() for t in tokens[at + 1 : at + 5]]
    return bool({"or", "and", "nor"} & set(following[1:])) or following[:1] == ["or"]


def _han(text: str) -> tuple[str, str]:
    """Characters that are there, and those that are said to be absent."""
    if not re.search(f"[{HAN}]", text):
        return "", ""
    plain = simplified(unicodedata.normalize("NFKC", text)).casefold()
    found = _ZH_LESS.finditer(plain)
    lacking = "|".join(m["long"] or m["short"] or m["not"] for m in found)
    return _ZH_LESS.sub("|", plain), lacking


def any_has(item: ProductWords, terms: Iterable[tuple[str, ...]]) -> bool:
    """Whether an item has one of some terms."""
    return any(item.has(term) for term in terms)
