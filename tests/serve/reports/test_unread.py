"""What was not understood: content words between the pieces, in both languages."""

from __future__ import annotations

import pytest

from coldstart.schema import Piece, Understood
from coldstart.serve.reports.unread import key_of, unread_spans


def reading(text, *words, source="rules"):
    pieces = [
        Piece(
            kind="term", value=w, words=w, start=text.index(w), end=text.index(w) + len(w),
            source=source,
        )
        for w in words
    ]  # fmt: skip
    return Understood(text=text, pieces=tuple(pieces))


@pytest.mark.parametrize(
    ("text", "understood", "want"),
    [
        ("something for my wrists hurting from typing", [], ["wrists hurting", "typing"]),
        (
            "a waterproof jacket for axolotls, in 3 days",
            ["waterproof jacket"],
            ["axolotls", "days"],
        ),
        ("I would like a gift, please", [], []),
        ("a jacket", ["jacket"], []),
        ("I'd love shoes that don't squeak, we've got twins", [], ["shoes", "squeak", "twins"]),
        ("left-handed scissors", [], ["left-handed scissors"]),
        ("我想要左手用的剪刀，谢谢", ["剪刀"], ["左手"]),
        ("给我女儿买雨鞋", ["雨鞋"], ["女儿"]),
        ("", [], []),
    ],
)
def test_content_words_outside_of_pieces_remain(text, understood, want):
    read = reading(text, *understood)
    assert [text[a:b] for a, b in unread_spans(read)] == want


def test_long_runs_are_cut_and_what_only_the_model_read_counts_as_not_understood():
    text = "alpha bravo charlie delta echo foxtrot golf"
    assert [text[a:b] for a, b in unread_spans(reading(text))] == [
        "alpha bravo charlie delta echo",
        "foxtrot golf",
    ]
    assert unread_spans(reading("axolotls", "axolotls", source="model")) == [(0, 8)]


def test_parts_that_differ_in_form_only_are_one():
    assert key_of("Left-handed  Scissors") == key_of("left-handed scissor")
    assert key_of("左手") == key_of("左手")
    assert key_of("tents") != key_of("tins")
