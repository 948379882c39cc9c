"""What a service's store gives to learn from: likes, and what was liked after a text."""

from __future__ import annotations

from coldstart.schema import UserProfile
from coldstart.serve.experiment import Experiment
from coldstart.serve.visits import read_store, shared_attributes
from tests.serve.helpers import begin, serving
from tests.toy import toy_catalog


def feed(client, at, *items, kind="like"):
    for item in items:
        assert client.post(at + "/feedback", json={"item_id": item, "kind": kind}).is_success


def read(client):
    return read_store(client.service.store, toy_catalog(), name="visits")


def everything(table):
    return [*table.log.train, *table.log.valid, *table.log.test]


def test_likes_and_texts_become_interactions_and_requests(client):
    at = begin(client, profile={"age": 30, "liked": ["i0"]})
    feed(client, at, "i3")
    client.post(at + "/text", json={"text": "films about space"})
    client.get(at + "/recommendations")
    feed(client, at, "i5", "i7")
    feed(client, at, "i9", kind="dislike")
    client.post(at + "/text", json={"text": "rather funny ones"})
    client.post(at + "/text", json={"text": "with toys"})
    feed(client, at, "i1")
    table = read(client)
    (user,) = table.data.likes
    assert table.data.likes[user] == ("i0", "i3", "i5", "i7", "i1")
    assert table.data.dislikes[user] == ("i9",)
    assert list(table.data.times[user]) == sorted(table.data.times[user])
    one, two = everything(table)
    assert one.text == "films about space"
    assert [c.item_id for c in one.chosen] == ["i5", "i7"]
    assert [m.item_id for m in one.mentioned] == ["i0", "i3"]
    assert (one.first, two.first) == (True, False)
    assert two.text == "films about space. rather funny ones. with toys"
    assert two.targets == ("i1",)
    assert {one.dialogue, two.dialogue} == {user}
    assert (table.sessions, table.texts, table.requests) == (1, 3, 2)
    assert {*table.split.train, *table.split.valid} == {user}
    assert table.sentence() == (
        "1 sessions: 1 users with 5 likes; 3 texts, 2 with a like after them"
    )


def test_a_sentence_at_the_beginning_is_a_request(client):
    at = begin(client, profile={"about": "something with robots"})
    feed(client, at, "i5")
    (request,) = everything(read(client))
    assert (request.text, request.targets) == ("something with robots", ("i5",))


def test_what_was_liked_and_then_disliked_is_no_choice(client):
    at = begin(client)
    client.post(at + "/text", json={"text": "films about space"})
    feed(client, at, "i5")
    feed(client, at, "i5", kind="dislike")
    table = read(client)
    assert not table.data.likes
    assert not everything(table)
    assert table.texts == 1


def test_answers_are_likes_but_no_choices(client):
    at = begin(client, quiz="random")
    client.post(at + "/text", json={"text": "films about space"})
    (question,) = client.get(at + "/questions").json()["questions"]
    answer = next(c["value"] for c in question["choices"] if c["value"] in ("like", "a"))
    body = {"question_id": question["question_id"], "answer": answer}
    assert client.post(at + "/answers", json=body).is_success
    feed(client, at, "i5")
    table = read(client)
    ((first, second),) = table.data.likes.values()
    (request,) = everything(table)
    assert request.targets == (second,) == ("i5",)
    assert [m.item_id for m in request.mentioned] == [first]


def test_who_was_erased_and_what_is_gone_is_left_out(client):
    kept, erased = begin(client), begin(client)
    for at in (kept, erased):
        feed(client, at, "i3")
    client.put("/v1/items/new", json={"title": "Newcomer"})
    feed(client, kept, "new")
    client.delete(erased)
    table = read(client)  # of a catalog without the new item
    assert list(table.data.likes.values()) == [("i3",)]
    assert table.unknown == 1
    assert "1 likes of items that are gone left out" in table.sentence()


def test_posted_outcomes_are_likes_of_subjects(tmp_path):
    arms = [{"name": n, "artifact": "toy"} for n in "AB"]
    test = Experiment.model_validate({"name": "e", "arms": arms})
    with serving(tmp_path, experiment=test, artifacts={"A": "toy", "B": "toy"}) as client:
        body = {"subject": "customer 7", "k": 4, "strategy": "prior"}
        shown = client.post("/v1/recommend", json=body).json()
        items = [line["item_id"] for line in shown["items"]]
        for item, kind in zip(items, ("like", "click", "dislike", "buy"), strict=True):
            outcome = {"exposure_id": shown["exposure_id"], "item_id": item, "kind": kind}
            assert client.post("/v1/outcomes", json=outcome).is_success
        table = read(client)
        assert list(table.data.likes.values()) == [(items[0], items[3])]
        assert list(table.data.dislikes.values()) == [(items[2],)]
        store = client.service.store
        more = read_store(store, toy_catalog(), name="x", like_kinds=("like", "click"))
        assert list(more.data.likes.values()) == [(items[0], items[1])]
        assert "0 sessions and 1 subjects" in more.sentence()
        assert "customer" not in repr(more.data.users)


def test_nothing_leads_back_to_a_person(client):
    at = begin(client, profile={"user_id": "anna@example.org", "occupation": "lion tamer"})
    feed(client, at, "i3")
    table = read(client)
    (user,) = table.data.likes
    assert at.rsplit("/", 1)[1] not in repr(table)
    assert table.data.users[user] == UserProfile()


def test_attributes_stay_where_enough_users_share_them():
    users = {f"u{n}": UserProfile(age=20 + n, occupation="nurse") for n in range(4)}
    users |= {f"v{n}": UserProfile(age=29, attributes={"city": f"c{n}"}) for n in range(2)}
    found = shared_attributes(users)
    assert [p.age for p in found.values()] == [20, 21, 22, 23, 29, 29]  # all in their twenties
    assert {p.occupation for p in found.values()} == {None}
    assert not any(p.attributes for p in found.values())


def test_reading_twice_gives_the_same(client):
    for n in range(3):
        at = begin(client)
        client.post(at + "/text", json={"text": f"films about space, number {n}"})
        feed(client, at, f"i{n}")
    one, two = read(client), read(client)
    assert one.data.fingerprint == two.data.fingerprint
    assert one.split == two.split
    assert everything(one) == everything(two)
