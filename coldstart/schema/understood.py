"""What was read in the text of a request: pieces, each with the words it came from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coldstart.schema.base import Frozen

PieceKind = Literal[
    "category",
    "years",
    "audience",
    "person",
    "attribute",
    "title",
    "tone",
    "price",
    "term",
    "type",
    "phrase",
]


class Piece(Frozen):
    """One statement read in a text.

    Args:
        kind: what it is about. ``tone`` is a mood that stands for other pieces of the same words,
            ``term`` a word that items have in title, description or attribute values, ``type`` what
            an item is: the head noun of its title, or one of its categories, ``phrase`` words that
            no item need have: a topic ("about chess"), or what is rejected ("no zombies"), of which
            encoders and recorded requests can tell.
        value: in the catalog's spelling: a category, an item id, a person or another attribute
            value, a word of tone; for ``years``, ``audience`` and ``price`` the same as text.
        words: the words it came from.
        start: their first character in the text.
        end: the character after them.
        wanted: whether it is wanted; otherwise rejected.
        strict: whether it was stated outright ("no horror", "from the 1950s", "for my son, 5"),
            and so excludes what does not fulfil it. Otherwise it was inferred ("something gentle",
            "for Halloween"): what fulfils it comes first.
        group: wanted pieces of one group are alternatives ("comedies or westerns"); an item
            fulfils a request if it fulfils one piece of every group.
        attribute: name of the catalog's attribute, for ``person`` and ``attribute``.
        first: first year, for ``years``; ``None``: open.
        last: last year, for ``years``; ``None``: open.
        age: age of the youngest person in the audience in years, for ``audience``.
        low: lowest price, in the catalog's currency, for ``price``; ``None``: open.
        high: highest price; ``None``: open. A price that is open on both sides is a low or a high
            one for its kind, as its value says: "low" or "high".
        source: what read it: the rules, or the language model, which reads whole texts.
    """

    kind: PieceKind
    value: str
    words: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    wanted: bool = True
    strict: bool = True
    group: int = 0
    attribute: str | None = None
    first: int | None = None
    last: int | None = None
    age: int | None = Field(default=None, ge=0, le=130)
    low: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    high: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    source: Literal["rules", "model"] = "rules"


class Understood(Frozen):
    """Structured reading of a request's text; may be given instead of one.

    Args:
        text: the text, cleaned.
        language: code of the language it was read in; empty if nothing was read.
        pieces: what was read, in the order of the text.
        wanted_text: the text without its rejected clauses, which is what encoders compare.
        titles: title of each item that a ``title`` piece names, by id.
        unread: characters at the end of the request that were too many to be read.
        spelled: misspelt words of the text, with the catalog's words that they were read as.
    """

    text: str = ""
    language: str = ""
    pieces: tuple[Piece, ...] = ()
    wanted_text: str = ""
    titles: dict[str, str] = Field(default_factory=dict)
    unread: int = Field(default=0, ge=0)
    spelled: dict[str, str] = Field(default_factory=dict)

    @property
    def nothing(self) -> bool:
        """True if no piece was read."""
        return not self.pieces

    def values(self, kind: PieceKind, *, wanted: bool = True) -> tuple[str, ...]:
        """Values of one kind that are wanted, or rejected, without repeats."""
        found = (p.value for p in self.pieces if p.kind == kind and p.wanted == wanted)
        return tuple(dict.fromkeys(found))

    @property
    def liked(self) -> tuple[str, ...]:
        """Ids of items named as good examples."""
        return self.values("title")

    @property
    def disliked(self) -> tuple[str, ...]:
        """Ids of items named as bad examples."""
        return self.values("title", wanted=False)
