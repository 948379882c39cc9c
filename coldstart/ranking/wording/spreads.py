"""Attributes that are the two ends of one spread, in words: "for 2 to 5 players"."""

from __future__ import annotations

from collections.abc import Iterable

from coldstart.understanding.products.amounts import side_of

Named = tuple[str, str]


def spreads_of(attributes: Iterable[Named]) -> tuple[list[Named], list[tuple[str, str, str]]]:
    """Split attributes into single ones and spreads: (name, least, most), an end may be empty.

    >>> spreads_of([("theme", "cats"), ("max players", "5"), ("min players", "2")])
    ([('theme', 'cats')], [('players', '2', '5')])

    Args:
        attributes: (name, value), in order.
    """
    single: list[Named] = []
    ends: dict[str, dict[str, str]] = {}
    for name, value in attributes:
        side = side_of(name)
        if side is None:
            single.append((name, value))
        else:
            ends.setdefault(side[1], {})[side[0]] = value
    spreads = [(n.lower(), found.get("min", ""), found.get("max", "")) for n, found in ends.items()]
    return single, spreads
