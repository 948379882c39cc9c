"""Labelled wishes: sentences with the categories, years and age that a reader shall find in them.

The sentences lie beside this module as JSON Lines; ``README.md`` there is their label guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError

from coldstart.errors import DataError

Category = Literal[
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
]
CATEGORIES: tuple[str, ...] = get_args(Category)
"""Categories that a label may name: MovieLens' genres."""
WISHES = Path(__file__).with_name("wishes.jsonl")
"""Sentences to train on."""
VALID_WISHES = Path(__file__).with_name("wishes-valid.jsonl")
"""Sentences for early stopping, in wordings of their own."""


@dataclass(frozen=True)
class LabelledWish:
    """A sentence and what a careful reader finds in it.

    Args:
        text: what a person wrote.
        wants: categories that a fulfilling item has, all of them.
        fits: categories that would suit as well; alternatives ("comedies or westerns") are here.
        rejects: categories that the person would be annoyed by.
        years: first and last year, ``None`` for an open end; ``None`` if no years are named.
        age: age of the youngest person in the audience in years, in [0, 130]; ``None``: unknown.

    Raises:
        ValueError: no text, a category in two lists or twice in one, or years or age out of range.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    text: str
    wants: tuple[Category, ...] = ()
    fits: tuple[Category, ...] = ()
    rejects: tuple[Category, ...] = ()
    years: tuple[int | None, int | None] | None = None
    age: int | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("text is empty")
        named = (*self.wants, *self.fits, *self.rejects)
        if twice := sorted({c for c in named if named.count(c) > 1}):
            raise ValueError(f"named twice in wants, fits and rejects: {', '.join(twice)}")
        if self.years is not None:
            first, last = self.years
            if first is None and last is None:
                raise ValueError("years are open at both ends: write null instead")
            if first is not None and last is not None and first > last:
                raise ValueError(f"years end before they begin: {first} to {last}")
        if self.age is not None and not 0 <= self.age <= 130:
            raise ValueError(f"age {self.age} is not in [0, 130]")

    @property
    def silent(self) -> bool:
        """True if nothing can be read in the sentence ("surprise me")."""
        return not (self.wants or self.fits or self.rejects or self.years) and self.age is None


_WISH = TypeAdapter(LabelledWish)


def load_wishes(path: Path | str | None = None) -> tuple[LabelledWish, ...]:
    """Read labelled wishes, one JSON object a line.

    Args:
        path: file to read; ``None``: the packaged sentences to train on.

    Returns:
        The wishes in the order of the file; empty lines are skipped.

    Raises:
        DataError: the file cannot be read, a line is no valid wish, or two wishes have one text.
    """
    file = WISHES if path is None else Path(path)
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"cannot read labelled wishes: {e}", hint="expected: JSON Lines") from None
    found: dict[str, LabelledWish] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{file.name}, line {number}"
        try:
            wish = _WISH.validate_json(line)
        except ValidationError as e:
            wrong = "; ".join(
                f"{'.'.join(map(str, x['loc'])) or 'wish'}: {x['msg']}" for x in e.errors()
            )
            raise DataError(f"{where}: {wrong}", hint=_FORM) from None
        if found.setdefault(wish.text.casefold(), wish) is not wish:
            raise DataError(f"{where}: text occurs before: {wish.text!r}", hint="remove one")
    return tuple(found.values())


_FORM = (
    'expected: {"text": "…", "wants": [], "fits": [], "rejects": [], '
    '"years": [1980, null] or null, "age": 5 or null}, categories: ' + ", ".join(CATEGORIES)
)
