"""Typed picks over HTTP: how they were read, and what is refused, with a hint."""

from __future__ import annotations

import pytest

from coldstart.schema import Item
from tests.serve.helpers import CANARY, refused


@pytest.fixture
def colliding(client):
    """A service with a film that is called like another's id."""
    item = Item(item_id="x9", title="i1", year=1990)
    put = client.put("/v1/items/x9", json=item.model_dump(exclude={"item_id"}))
    assert put.status_code in (200, 201), put.text
    return client


def ask(client, **profile):
    return client.post("/v1/recommend", json={"profile": profile, "k": 1, "strategy": "prior"})


def test_the_answer_says_how_picks_were_read(shared):
    (pick,) = ask(shared, liked=["Alien"]).json()["picks"]
    assert (pick["field"], pick["title"], pick["by"]) == ("liked", "Alien", "title")


def test_a_title_that_is_another_items_id_is_refused(colliding):
    body = refused(ask(colliding, liked=["i1"]), 422, "invalid")
    assert body["message"] == "a pick is the title of one item and the id of another"
    assert '"by": "id"' in body["hint"]
    (pick,) = ask(colliding, liked=["title:i1"]).json()["picks"]
    assert pick["item_id"] == "x9"
    assert ask(colliding, liked=[{"item": "i1", "by": "id"}]).json()["picks"] == []


def test_hints_name_what_the_catalog_holds_and_nothing_of_the_request(shared):
    body = refused(ask(shared, liked=["Alein"]), 422, "invalid")
    assert "did you mean 'Alien" in body["hint"]
    assert "Alein" not in str(body)
    assert CANARY not in str(refused(ask(shared, liked=[CANARY]), 422, "invalid"))
