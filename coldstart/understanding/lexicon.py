"""Lexicon of a language: what everyday words mean in the categories of a catalog.

A lexicon is a TOML file beside this module. ``[categories]`` lists the names under which catalogs
file one idea. Each ``[[sense]]`` has phrases and an expression of ideas: ``A + B`` is both,
``A | B`` either, ``A / B`` the first that the catalog has.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from coldstart.schema.understood import PieceKind

Years = tuple[int | None, int | None]

CLASSIC_UNTIL = 1969
RECENT_YEARS = 10


@dataclass(frozen=True)
class Sense:
    """What a phrase stands for, in one catalog.

    Args:
        kind: of the values in ``want``.
        want: groups of alternatives that are wanted where the phrase is.
        reject: values rejected where the phrase is wanted.
        against: values rejected where the phrase is rejected.
        instead: alternatives wanted where the phrase is rejected.
        tone: the mood that the phrase names, or empty.
        years: years that the phrase stands for, always inferred.
        not_years: years rejected where the phrase is rejected: "not too old".
        age: age for which what is wanted is fit, where the phrase is wanted: "gentle".
        age_instead: the same where it is rejected: "no nudity".
        strict: whether the phrase states its values outright.
        direct: whether it is the value's own name.
        noun: whether it is a noun; nouns in a list are alternatives, adjectives add up.
        plural: whether it is a plural.
        attribute: name of the attribute of the values.
    """

    kind: PieceKind = "category"
    want: tuple[tuple[str, ...], ...] = ()
    reject: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    tone: str = ""
    years: Years | None = None
    not_years: Years | None = None
    age: int | None = None
    age_instead: int | None = None
    strict: bool = True
    direct: bool = False
    noun: bool = True
    plural: bool = False
    attribute: str | None = None

    @property
    def is_topic(self) -> bool:
        """Whether the phrase names what a film may be about, from which its kind is a guess."""
        kinds = self.kind == "category" and bool(self.want)
        return kinds and self.noun and not self.strict and not self.tone


class Lexicon:
    """A language's lexicon, resolved to the categories of one catalog.

    Args:
        language: name of the file: ``en`` or ``zh``.
        categories: of the catalog, in its spelling.
        latest: the catalog's latest year.
    """

    def __init__(self, language: str, categories: Iterable[str], latest: int | None) -> None:
        self._raw = raw_lexicon(language)
        self._latest = latest
        own = {squeezed(name): name for name in reversed(list(categories))}
        self._ideas: dict[str, tuple[str, ...]] = {}
        names_of = self._raw.get("categories", {})
        for idea, names in raw_lexicon("en")["categories"].items():
            names = [*names, *names_of.get(idea, ())]
            forms = (form for name in (idea, *names) for form in category_forms(name))
            found = dict.fromkeys(own[form] for form in forms if form in own)
            self._ideas[idea] = tuple(found)

    def words(self, name: str) -> list[str]:
        """A list of the file, such as ``marks.reject``."""
        table: Any = self._raw
        for key in name.split("."):
            table = table.get(key, {})
        return list(table)

    def resolve(self, expression: str) -> tuple[tuple[str, ...], ...]:
        """Groups of the catalog's categories for an expression; an empty group is left out."""
        groups = (self._alternatives(part) for part in expression.split("+"))
        return tuple(group for group in groups if group)

    def senses(self) -> Iterator[tuple[str, Sense]]:
        """(phrase, sense), for each phrase that means something in this catalog."""
        for raw in self._raw.get("sense", ()):
            base = self._sense(raw)
            if not (base.want or base.reject or base.against or base.years or base.tone):
                continue
            for phrase in raw.get("adjective", ()):
                yield phrase, replace(base, noun=False)
            for phrase in raw.get("noun", ()):
                yield phrase, base
                if phrase.isascii():
                    yield plural(phrase), replace(base, plural=True)

    def category_phrases(self) -> Iterator[tuple[str, str]]:
        """(name, catalog's category) for each known name of a category that the catalog has."""
        ambiguous = self.words("words.ambiguous")
        for idea, names in self._raw.get("categories", {}).items():
            for name in (idea, *names) if self._ideas[idea] else ():
                if name.casefold() not in ambiguous:
                    yield name, self._ideas[idea][0]

    def _sense(self, raw: dict[str, Any]) -> Sense:
        want = self.resolve(raw.get("want", ""))
        strict = raw.get("strict", "tone" not in raw)
        if "against" in raw:
            against = flat(self.resolve(raw["against"]))
        else:
            against = want[0] if want and "tone" not in raw else ()
        return Sense(
            want=want,
            reject=flat(self.resolve(raw.get("reject", ""))),
            against=against,
            instead=flat(self.resolve(raw.get("instead", ""))),
            tone=raw.get("tone", ""),
            years=self._years(raw.get("years")),
            not_years=self._years(raw.get("not_years", raw.get("years"))),
            age=raw.get("age"),
            age_instead=raw.get("age_instead"),
            strict=strict,
        )

    def _years(self, raw: str | None) -> Years | None:
        if raw is None:
            return None
        if raw == "recent":
            return None if self._latest is None else (self._latest - RECENT_YEARS + 1, None)
        first, _, last = raw.partition("-")
        return (int(first) if first else None, int(last) if last else None)

    def _alternatives(self, part: str) -> tuple[str, ...]:
        out: dict[str, None] = {}
        for names in part.split("|"):
            ideas = [name.strip() for name in names.split("/")]
            out.update(
                dict.fromkeys(next((self._ideas[i][:1] for i in ideas if i and self._ideas[i]), ()))
            )
        return tuple(out)


@cache
def raw_lexicon(language: str) -> dict[str, Any]:
    """Contents of a lexicon file."""
    with (Path(__file__).parent / "lexicon" / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


def flat(groups: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """All values of some groups, each once."""
    return tuple(dict.fromkeys(value for group in groups for value in group))


def squeezed(text: str) -> str:
    """Letters and digits of a text, casefolded."""
    return "".join(c for c in text.casefold() if c.isalnum())


def category_forms(category: str) -> set[str]:
    """Squeezed spelling variants of a category: "Sci-Fi", "sci fi"; "Comedy", "comedies"."""
    one = squeezed(category)
    return {one, squeezed(plural(category)), one.removesuffix("s")} - {""}


def plural(phrase: str) -> str:
    """Regular English plural of a phrase's last word."""
    if re.search(r"[^aeiou]y$", phrase):
        return f"{phrase[:-1]}ies"
    if re.search(r"(?:s|x|z|ch|sh)$", phrase):
        return phrase if phrase.endswith("s") else f"{phrase}es"
    if re.search(r"(?:l|r)f$", phrase):
        return f"{phrase[:-1]}ves"
    return f"{phrase}s"
