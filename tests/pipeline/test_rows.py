"""Rows: each by its rule, no item twice, nothing that the text rejects, one pass over scorers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ConfigError
from coldstart.ranking.filters import Years
from coldstart.ranking.wording.rows import CHINESE, ENGLISH, in_words_of
from coldstart.schema import ROWS
from coldstart.session import OnboardingSession
from tests.toy import toy_recommender

REC = toy_recommender()
IDS = list(REC.catalog.ids)
GENTLE = "something gentle and funny, no violence"

texts = st.sampled_from([None, "science fiction", "no drama", "drama from the 1980s", "zzz"])
picks = st.lists(st.sampled_from(IDS), max_size=3, unique=True)


@pytest.fixture(scope="module")
def shop(shop_from_nothing):
    return shop_from_nothing


@given(texts, picks, st.integers(1, 8), st.sampled_from([None, *ROWS]))
def test_rows_keep_their_promises(text, liked, k, only):
    profile = {"about": text, "liked": [{"item": i, "by": "id"} for i in liked]}
    named = None if only is None else [only]
    out = REC.rows(profile, k=k, rows=named, strategy="prior")
    assert len(set(out.item_ids)) == len(out.item_ids)
    assert not set(liked) & set(out.item_ids)
    assert [row.row for row in out] == [r for r in ROWS if r in {x.row for x in out}]
    for row in out:
        assert len(row.items) <= k
        assert row.row == "asked" or len(row.items) >= min(3, k)
        assert [line.rank for line in row.items] == list(range(1, len(row.items) + 1))
        assert row.rule.endswith(".")
        assert all(line.reason for line in row.items)
        if text == "no drama":
            assert not [i for i in row.item_ids if "Drama" in REC.catalog[i].categories]
    if only is None or only == "asked":
        assert out["asked"].items == REC.recommend(profile, k=k, strategy="prior").items


def test_a_row_of_its_own_is_what_it_would_be_first():
    out = REC.rows({"liked": ["Star Wars"]}, k=4, rows=["because"], strategy="prior")
    assert [row.row for row in out] == ["because"]
    assert out["because"].about_title == "Star Wars"


def test_filters_count_in_every_row():
    filters = [Years(1980)]
    out = REC.rows({"liked": ["Alien"]}, k=5, filters=filters, strategy="prior")
    assert len(out) > 1
    assert all(REC.catalog[i].year >= 1980 for i in out.item_ids)


def test_what_is_left_out_is_told_only_where_it_is_named():
    silent = REC.rows({}, k=4, strategy="prior")
    assert {row.row for row in silent} == {"asked", "different"}
    assert not [note for note in silent.notes if note.startswith("no row")]
    told = REC.rows({}, k=4, rows=["because", "people"], strategy="prior")
    assert told.notes == (
        "no row “because”: nothing was liked yet",
        "no row “people”: nothing was asked for",
    )
    with pytest.raises(KeyError, match="because"):
        told["because"]


@pytest.mark.parametrize(
    ("rows", "message"), [(["best"], "no row 'best'"), ("best", "no row 'best'"), ([], "rows is")]
)
def test_unknown_rows_are_refused(rows, message):
    with pytest.raises(ConfigError, match=message):
        REC.rows({}, rows=rows)


def test_a_session_has_the_rows_of_its_profile():
    session = OnboardingSession(REC).feedback("i6", "like").feedback("i8", "skip").say("drama")
    out = session.rows(4, strategy="prior")
    assert out["asked"].items == session.recommend(4, strategy="prior").items
    assert not {"i6", "i8"} & set(out.item_ids)


def test_every_wording_is_in_both_languages():
    assert ENGLISH.keys() == CHINESE.keys()
    row = REC.rows({"liked": ["Alien"]}, k=3, strategy="prior")["because"]
    assert row.title == "Because you liked Alien"
    assert in_words_of(row, "zh").title == "因为你喜欢“Alien”"


def test_of_a_trained_artifact(movies):
    calls = []
    scorers = {s.name: s for s in movies.scorers}
    memory = scorers["request_memory"]
    original = memory.score
    memory.score = lambda batch: calls.append(len(batch)) or original(batch)
    try:
        out = movies.rows({"about": GENTLE, "liked": ["Babe", "Toy Story"]}, k=6)
    finally:
        del memory.score
    assert calls == [1]  # one pass for all rows
    assert [row.row for row in out] == list(ROWS)
    for item_id in out.item_ids:
        kinds = {"Action", "War", "Crime", "Horror", "Thriller"}
        assert not kinds & set(movies.catalog[item_id].categories)
    because = [movies.catalog[i].title for i in out["because"].item_ids]
    assert "Toy Story 2" in because
    people = [line.reasons[0] for line in out["people"].items]
    assert all(r.code == "asked_alike" and r.arguments["people"] >= 1 for r in people)


def test_nothing_is_because_of_a_film_that_has_nothing_like_it_to_show(movies):
    out = movies.rows(
        {"about": "something for my son, 5", "liked": ["Alien"]}, k=6, rows=["asked", "because"]
    )
    assert [row.row for row in out] == ["asked"]
    assert "no row “because”: fewer than 3 items" in out.notes


def test_of_a_catalog_alone(shop):
    first = shop.rows({}, k=6)
    assert first["asked"].title == "A first look"
    kinds = {shop.catalog[i].categories[0] for i in first.item_ids}
    assert len(kinds) >= 8
    out = shop.rows({"about": "running shoes under 100", "liked": ["Wooden Chess Set"]}, k=5)
    assert all(shop.catalog[i].price <= 100 for i in out.item_ids)
    assert out["because"].items[0].reason.startswith("Similar to Wooden Chess Set")
