"""Several readings as one: the newest decides, spans follow the joined text."""

from __future__ import annotations

from coldstart.schema import Piece, Understood
from coldstart.understanding.merging import merged


def reading(text, *pieces, wanted=None, titles=None):
    made = tuple(
        Piece(kind=kind, value=value, words=value, start=0, end=len(value), **more)
        for kind, value, more in pieces
    )
    return Understood(
        text=text, language="en", pieces=made, wanted_text=wanted or "", titles=titles or {}
    )


def test_one_reading_stays_as_it_is():
    one = reading("no war", ("category", "War", {"wanted": False}))
    assert merged([Understood(), one]) is one
    assert merged([]) == Understood()


def test_a_later_piece_replaces_what_it_contradicts():
    first = ("years", "1950", {"first": 1950, "last": 1950})
    out = merged(
        [
            reading("no war, from 1950", ("category", "War", {"wanted": False}), first),
            reading("war", ("category", "War", {}), ("years", "1960", {"first": 1960})),
        ]
    )
    assert [(p.kind, p.value, p.wanted) for p in out.pieces] == [
        ("category", "War", True),
        ("years", "1960", True),
    ]


def test_what_does_not_contradict_adds_up():
    out = merged(
        [
            reading("comedy", ("category", "Comedy", {}), wanted="comedy"),
            reading("War", ("category", "War", {"group": 3}), wanted="War", titles={"1": "A"}),
            reading("comedy", wanted="comedy"),
        ]
    )
    assert out.text == "comedy. War. comedy"
    assert out.wanted_text == "comedy. War"
    assert len({p.group for p in out.pieces}) == 2
    assert [out.text[p.start : p.end] for p in out.pieces] == ["comedy", "War"]
    assert out.titles == {"1": "A"}


def test_another_thing_replaces_the_first_one_and_a_price_another_price():
    def read(text, *pieces):
        made = [
            Piece(kind=kind, value=value, words=text, start=0, end=len(text), **more)
            for kind, value, more in pieces
        ]
        return Understood(text=text, pieces=tuple(made))

    first = read(
        "red shoes, no leather",
        ("type", "shoes", {}),
        ("term", "red", {}),
        ("term", "leather", {"wanted": False}),
        ("price", "up to 50", {"high": 50.0}),
    )
    then = read("a tent under 90", ("type", "tent", {}), ("price", "up to 90", {"high": 90.0}))
    joined = merged([first, then])
    assert [p.value for p in joined.pieces] == ["leather", "tent", "up to 90"]
    more = merged([first, read("in blue", ("term", "blue", {}))])
    assert more.values("type") == ("shoes",)
