"""Reasons in English."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coldstart.ranking.wording.amounts import amount
from coldstart.ranking.wording.readings import years
from coldstart.ranking.wording.spreads import spreads_of
from coldstart.understanding.products.amounts import is_time

_AGES = {
    "00s": "people under 10",
    "10s": "people aged 10 to 19",
    **{f"{tens}0s": f"people in their {tens}0s" for tens in range(2, 6)},
    "60s": "people aged 60 or more",
}

_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def clause(code: str, arguments: Mapping[str, Any]) -> str | None:
    """A reason as part of a sentence, ``None`` for an unknown code."""
    make = _CLAUSES.get(code)
    return None if make is None else make(arguments)


def sentence(clauses: Sequence[str]) -> str:
    """Clauses as one sentence."""
    text = ", and ".join(clauses)
    return text[0].upper() + text[1:] + "."


def points(text: str, amount: float) -> str:
    """A clause with what it adds to the score."""
    return f"{text} ({amount:+.2f} points)"


def adjustments(clauses: Sequence[str]) -> str:
    """Clauses with points as one sentence."""
    return sentence(["; ".join(clauses)])


def paragraph(sentences: Sequence[str]) -> str:
    """Sentences one after another."""
    return " ".join(sentences)


def _picks(a: Mapping[str, Any]) -> str:
    who = "1 person" if a["people"] == 1 else f"{a['people']} people"
    why = "because you are looking at" if a["viewing"] else "because you liked"
    why = "because you named" if a.get("named") else why
    return f"{why} {a['pick']}: {who} liked both"


def _kinds(a: Mapping[str, Any]) -> str:
    return f"{_list(a['categories'])} like {a['pick'] or 'much of what you liked'}"


_COUNTED = frozenset(
    "minutes hours seconds calories kcal pages pieces players litres watts".split()
)
"""Names of attributes that are the unit of their numbers."""


def _wishes(a: Mapping[str, Any]) -> str:
    """Such as "Animation for a five-year-old", "shoes with “running” at €89.90"."""
    parts = [_list([*a.get("types", ()), *a["categories"]])] if "categories" in a else []
    parts = parts or [_list(a["types"])] if "types" in a else parts
    if "terms" in a:
        parts.append(f"with {_list([f'“{term}”' for term in a['terms']])}")
    parts += [years(*span) for span in a.get("years", ())]
    if "ages" in a:
        start = "" if parts else "suitable "
        parts.append(f"{start}for {_child(min(a['ages']))}")
    if "people" in a:
        parts.append(f"with {_list(a['people'])}")
    attributes, counts = spreads_of(a.get("attributes", ()))
    for name, value in attributes:
        counted = name in _COUNTED and value.replace(".", "").isdigit()
        of = "of " if parts else ""
        if name in ("original language", "foreign"):
            parts.append(f"in {'a ' if name == 'foreign' else ''}{value}")
        else:
            unit = "minutes" if is_time(name) and value.isdigit() else name if counted else ""
            parts.append(f"{of}{value} {unit}" if unit else f"{name} {value}")
    for name, low, high in counts:
        least = "up to " if not low else "" if low == high else f"{low} to "
        parts.append(f"for {least}{high} {name}" if high else f"for {low} {name} or more")
    parts += a.get("values", ())
    parts += [f"at {amount(*price)}" for price in a.get("prices", ())]
    return " ".join(parts)


def _child(age: int) -> str:
    if age == 0:
        return "a baby"
    article = "an" if age in (8, 11, 18) or 80 <= age < 90 else "a"
    return f"{article} {_NUMBERS[age] if age < len(_NUMBERS) else age}-year-old"


def _boosted(a: Mapping[str, Any]) -> str:
    return f"{'promoted' if a['points'] > 0 else 'held back'} by {a['name']!r}"


def _asked_alike(a: Mapping[str, Any]) -> str:
    who = "1 person" if a["people"] == 1 else f"{a['people']} people"
    return f"chosen by {who} who asked for something similar"


def _mentioned(a: Mapping[str, Any]) -> str:
    who = "1 person" if a["people"] == 1 else f"{a['people']} people"
    return f"mentioned together with {a['pick']} by {who}"


def _of_likers(a: Mapping[str, Any]) -> str:
    return f"{_people(a)} who liked {a['pick']} liked this"


def _people(a: Mapping[str, Any]) -> str:
    """Such as "3 of 5 people"."""
    return f"{a['people']} of {a['of']} people"


def _group(group: str) -> str:
    name, value = group.split("=", 1)
    if name == "age" and value in _AGES:
        return _AGES[value]
    if name == "gender":
        return {"m": "men", "f": "women"}.get(value, f"people of gender {value}")
    if name == "occupation":
        return f"people whose occupation is {value}"
    return f"people whose {name} is {value}"


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


_CLAUSES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "request": lambda a: f"people who asked for things like “{a['text']}” chose items like it",
    "picks": _picks,
    "alike": lambda a: f"similar to {a['pick']}",
    "shares": lambda a: f"same {a['attribute']} as {a['pick']}: {a['value']}",
    "kinds": _kinds,
    "wishes": _wishes,
    "interests": lambda a: f"matches your interest in {_list(a['interests'])}",
    "words": lambda a: f"matches “{a['text']}”",
    "meaning": lambda a: f"close in meaning to “{a['text']}”",
    "near": lambda a: f"in {a['category']}, like what you asked for",
    "mentions_words": lambda a: f"mentions {_list([f'“{word}”' for word in a['words']])}",
    "asked_alike": _asked_alike,
    "mentioned": _mentioned,
    "of_likers": _of_likers,
    "liked_here": lambda a: f"liked by {_people(a)} with likes here",
    "people": lambda a: f"liked more than usual by {_list([_group(g) for g in a['groups']])}",
    "written": lambda a: f"the language model wrote “{a['title']}” for this profile",
    "model": lambda a: "the language model favours it for this profile beyond its popularity",
    "popular": lambda a: f"widely liked: by {a['share']:.0%} of the people we know",
    "cold": lambda a: "new in the catalog, close to items that people like",
    "remaining": lambda a: "the best of what is left to recommend",
    "opening": lambda a: f"a first look at {a.get('category') or 'what there is'}",
    "sought": lambda a: "among the most popular here",
    "boosted": _boosted,
    "exploration": lambda a: "shown to learn your taste: what you think of it tells much",
}
