"""One signal of the ranker: a named number per request and item, and all that is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from coldstart.errors import ConfigError

Group = Literal[
    "popularity", "people", "liked", "alike", "words", "disliked", "years", "model", "other"
]
"""Explanation groups: signals of the same kind, summed up in an explanation."""
Reads = Literal["encoder", "content", "model"]
"""What a signal reads through a model: the request's text by the encoder, the items' contents by
the encoder, or both by the language model."""


@dataclass(frozen=True)
class Signal:
    """Declaration of a signal; weights, checks, explanations and the service derive from it.

    Args:
        name: column of the ranker's input; artifacts refer to it.
        meaning: one line.
        unit: such as ``nats``, ``cosine`` or ``share``.
        low: smallest value, ``None`` if unbounded.
        high: largest value, ``None`` if unbounded.
        weight: linear weight before anything was fitted: (without picks, change by 10 picks).
        direction: whether the tree correction may only rise (1) or only fall (−1) with it, or is
            free (0). 1 and −1 are for what users state: nothing learned may turn a wish around.
        in_trees: whether the tree correction may use it.
        states_taste: whether a value other than 0 means that the request says more than
            attributes.
        of_words: whether it comes from the text of the request, so that it is zero without one.
        reads: what it reads through a model, if anything: where the model does not know the script
            of that text, the signal is zero.
        group: explanation group.
        reason: code of the reason it is behind, see ``ranking.explanations``; ``None``: of none.
        always: whether its default weight also counts for artifacts trained before it existed.
        fixed: whether its default weight is that of requests in words, too, and never fitted:
            people in recorded dialogues change their mind, so that what they reject looks chosen.
        wording: that reason by language code, where ``ranking.wording`` does not know it.

    Raises:
        ConfigError: an invalid name, direction or group, or an empty wording.
    """

    name: str
    meaning: str
    unit: str
    low: float | None = None
    high: float | None = None
    weight: tuple[float, float] = (0.0, 0.0)
    direction: Literal[-1, 0, 1] = 0
    in_trees: bool = True
    states_taste: bool = False
    of_words: bool = False
    reads: Reads | None = None
    group: Group = "other"
    reason: str | None = None
    always: bool = False
    fixed: bool = False
    wording: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ConfigError(
                f"a signal is named {self.name!r}", hint="letters, digits and underscores"
            )
        if self.direction not in (-1, 0, 1):
            raise ConfigError(f"direction of {self.name!r} is {self.direction!r}: -1, 0 or 1")
        if self.group not in get_args(Group):
            raise ConfigError(
                f"group of {self.name!r} is {self.group!r}", f"one of {', '.join(get_args(Group))}"
            )
        for language, text in self.wording.items():
            if not text.strip():
                raise ConfigError(f"wording of {self.name!r} in {language!r} is empty")
