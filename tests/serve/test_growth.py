"""A service that learns from its own likes."""

from __future__ import annotations

from coldstart.serve.growth import liked_by
from tests.growing import growing_recommender
from tests.serve.helpers import begin, serving
from tests.toy import toy_recommender
from tests.waiting import until


def grow(folder):
    return growing_recommender()


def counted(client):
    """Likes by item that the service's recommender knows now."""
    counts = client.service.worker._arms[""].evidence.counts
    return {i: int(n) for i, n in zip(counts.item_ids, counts.likes, strict=True) if n}


def follow(client, **options):
    client.portal.call(lambda: client.service.likes.follow(client.service.worker, **options))


def like(client, *items, kind="like"):
    """A visitor who likes items; where their session is."""
    at = begin(client)
    for item in items:
        assert client.post(at + "/feedback", json={"item_id": item, "kind": kind}).is_success
    return at


def bought(client, subject, item, kind="buy"):
    shown = client.post("/v1/recommend", json={"subject": subject, "k": 24, "strategy": "prior"})
    exposure = shown.json()["exposure_id"]
    body = {"exposure_id": exposure, "item_id": item, "kind": kind}
    assert client.post("/v1/outcomes", json=body).is_success


def top(client, **profile):
    body = {"profile": profile, "k": 3, "strategy": "prior"}
    return [item["item_id"] for item in client.post("/v1/recommend", json=body).json()["items"]]


def test_likes_of_some_visitors_change_the_lists_of_others(tmp_path):
    with serving(tmp_path, grow) as client:
        before = top(client, liked=["i1"])
        for _ in range(30):
            like(client, "i1", "i20")
        until(lambda: counted(client).get("i20") == 30, "all likes counted, unasked")
        assert top(client, liked=["i1"])[0] == "i20" != before[0]


def test_answers_and_taken_back_likes_count_as_the_session_ends(tmp_path):
    with serving(tmp_path, grow) as client:
        at = like(client, "i1", "i2")
        client.post(at + "/feedback", json={"item_id": "i2", "kind": "dislike"})
        client.post(at + "/text", json={"text": "something like Alien"})
        follow(client)
        assert counted(client) == {"i1": 1}
        like(client, "i3", kind="seen")
        begin(client, profile={"liked": ["i5"]})
        follow(client)
        assert counted(client) == {"i1": 1}
        begun = begin(client, profile={"liked": ["i5"]})
        client.post(begun + "/feedback", json={"item_id": "i6", "kind": "like"})
        follow(client)
        assert counted(client) == {"i1": 1, "i5": 1, "i6": 1}


def test_a_restart_counts_what_the_store_holds(tmp_path):
    with serving(tmp_path, grow) as client:
        like(client, "i1", "i2")
        follow(client)
        first = counted(client)
    with serving(tmp_path, grow) as client:
        assert counted(client) == first == {"i1": 1, "i2": 1}


def test_a_reload_counts_everything_once(tmp_path):
    with serving(tmp_path, grow) as client:
        like(client, "i1", "i2")
        follow(client)
        like(client, "i3")
        client.portal.call(client.service.reload)
        follow(client)
        follow(client, check=True)
        assert counted(client) == {"i1": 1, "i2": 1, "i3": 1}


def test_an_erased_visitor_counts_no_longer_at_once(tmp_path):
    with serving(tmp_path, grow) as client:
        gone, _ = like(client, "i1", "i2"), like(client, "i2")
        follow(client)
        assert counted(client) == {"i1": 1, "i2": 2}
        assert client.delete(gone).is_success
        assert counted(client) == {"i2": 1}


def test_processes_of_one_store_follow_each_other(tmp_path):
    """Likes at the next turn, erasures when rows are compared in number."""
    with serving(tmp_path, grow) as one, serving(tmp_path, grow) as other:
        at = like(one, "i1", "i2")
        follow(other)
        assert counted(other) == {"i1": 1, "i2": 1}
        one.delete(at)
        follow(other, check=True)
        assert counted(other) == counted(one) == {}


def test_purchases_count_and_clicks_do_not(tmp_path):
    """Of subjects, without an A/B test, until they are erased."""
    with serving(tmp_path, grow) as client:
        bought(client, "customer 7", "i1")
        bought(client, "customer 7", "i2")
        bought(client, "customer 8", "i2", kind="click")
        follow(client)
        assert counted(client) == {"i1": 1, "i2": 1}
        counts = client.service.worker._arms[""].evidence.counts
        assert counts.together.sum() == 2
        assert client.post("/v1/subjects/erase", json={"subject": "customer 7"}).is_success
        assert counted(client) == {}


def test_the_last_outcome_of_an_item_counts():
    assert liked_by([("like", "a"), ("buy", "b"), ("click", "c"), ("seen", "d")]) == ("a", "b")
    assert liked_by([("like", "a"), ("dislike", "a")]) == ()
    assert liked_by([("dislike", "a"), ("buy", "a"), ("like", "a")]) == ("a",)


def test_a_trained_artifact_is_left_alone(tmp_path):
    with serving(tmp_path, lambda folder: toy_recommender()) as client:
        like(client, "i1", "i2")
        follow(client, check=True)
        assert counted(client) == {}


def test_likes_of_the_training_are_counted_once(tmp_path):
    """An artifact that was trained from this store has its likes; of another store they stay."""
    trained = {}

    def load(folder):
        made = growing_recommender()
        made.observe("somebody", "i1", "i9")
        made.manifest["refreshed"] = dict(trained)
        return made

    with serving(tmp_path, load) as client:
        like(client, "i1")
        follow(client)
        assert counted(client) == {"i1": 2, "i9": 1}
        trained["store"] = client.service.store.identity
    with serving(tmp_path, load) as client:
        assert counted(client) == {"i1": 1}
