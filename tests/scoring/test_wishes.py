"""Signals over the pieces of a text, for rankers that learn how far to trust them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Piece, Understood
from coldstart.scoring.stated import request_text
from coldstart.scoring.wishes import WishScorer
from tests.ten_films import ITEM_STORE, NOBODY, resolved


def user_of(*pieces, **more):
    made = tuple(
        Piece(kind=kind, value=value, words=value, start=0, end=1, **fields)
        for kind, value, fields in pieces
    )
    return replace(NOBODY, understood=Understood(text="x", pieces=made, **more))


def columns(user):
    found = WishScorer().columns(user, ITEM_STORE)
    return {
        name: dict(zip(ITEM_STORE.ids, np.round(v, 6), strict=True)) for name, v in found.items()
    }


def test_shares_of_wishes_and_of_rejections():
    found = columns(
        user_of(
            ("category", "Sci-Fi", {"group": 1}),
            ("category", "Drama", {"group": 2}),
            ("category", "Romance", {"group": 2}),
            ("category", "Action", {"wanted": False}),
            ("years", "1979", {"wanted": False, "first": 1979, "last": 1979}),
        )
    )
    assert [found["wished"][i] for i in "136"] == [0.5, 1.0, 0.5]
    assert [found["unwished"][i] for i in "192"] == [1.0, 0.5, 0.0]


def test_nothing_read_gives_zeros():
    assert all(not any(values.values()) for values in columns(NOBODY).values())
    assert not any(columns(user_of(("title", "1", {})))["wished"].values())


def test_moods_are_compared_with_contents():
    assert len(set(columns(user_of(("tone", "quiet", {})))["mood"].values())) > 1


def test_popular_items_that_fulfil_a_wish_are_retrieved():
    user = user_of(("category", "Romance", {}))
    (rows,) = WishScorer().retrieve(user, ITEM_STORE, lambda vector, n: np.arange(0))
    assert sorted(ITEM_STORE.ids[r] for r in rows) == ["5", "6"]


def test_rejected_clauses_are_not_part_of_the_text():
    user = resolved({"about": "comedies but no horror", "interests": ["Drama", "horror"]})
    read = Understood(
        text="comedies but no horror",
        wanted_text="comedies",
        pieces=(Piece(kind="category", value="Horror", words="no horror", start=0, end=1,
                      wanted=False),),
    )  # fmt: skip
    assert request_text(user) == "Drama. horror. comedies but no horror"
    assert request_text(replace(user, understood=read)) == "Drama. comedies"


def test_an_artifact_trained_before_obeys_by_default_weights():
    before = BlendRanker({"prior": {"popularity": (1.0, 0.0)}}).to_dict()
    for name in ("wished", "unwished", "mood"):
        del before["weights"]["prior"][name]
    table = BlendRanker.from_dict(before).table("prior")
    assert table["wished"][0] > 0 > table["unwished"][0]
    trained = BlendRanker({"prior": {"popularity": (1.0, 0.0)}}).to_dict()
    assert BlendRanker.from_dict(trained).table("prior")["wished"] == (0.0, 0.0)
