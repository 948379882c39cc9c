"""Co-mention with the titles that a request names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.errors import ArtifactError
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Piece, Understood, UserProfile
from coldstart.scoring import mentions
from coldstart.scoring.mentions import CoMentions, MentionScorer
from tests.ten_films import ITEM_STORE, resolved

KNOWN = ITEM_STORE.rows


def request(chosen="", mentioned="", dialogue="", **said):
    items = tuple(RequestItem(i, **said) for i in mentioned.split())
    return RecordedRequest("x", tuple(map(RequestItem, chosen.split())), items, dialogue=dialogue)


def fitted(*requests):
    scorer = MentionScorer()
    scorer.fit_requests(requests, ITEM_STORE)
    return scorer


def naming(*ids, wanted=True):
    pieces = [
        Piece(kind="title", value=i, words="x", start=0, end=1, wanted=wanted, group=n)
        for n, i in enumerate(ids)
    ]
    read = Understood(text="x", wanted_text="x", pieces=tuple(pieces))
    return ResolvedProfile(UserProfile(about="x"), Context(), understood=read)


def columns(scorer, user, store=ITEM_STORE):
    return {
        name: {i: float(v) for i, v in zip(store.ids, values, strict=True) if v}
        for name, values in scorer.columns(user, store).items()
    }


def test_values_are_damped_cosines_over_dialogues():
    scorer = fitted(
        request("2", "1", dialogue="a"),
        request("3", "1 2", dialogue="a"),  # the same dialogue: counted once
        request("2", "1"),
        request("2", "1"),
    )
    found = columns(scorer, naming("1"))
    near = 3 / np.sqrt((3 + 5) * (3 + 5))
    far = 1 / np.sqrt((3 + 5) * (1 + 5))
    assert found["mentions"] == pytest.approx({"2": near, "3": far})
    logs = {"2": np.log1p(20 * near), "3": np.log1p(20 * far)}
    assert found["mentions_log"] == pytest.approx(logs)


def test_titles_of_the_sentence_and_liked_picks_add_up_each_once():
    scorer = fitted(request("3", "1"), request("3", "2"), request("4", "2"))
    one, two = columns(scorer, naming("1")), columns(scorer, resolved({"liked": ["2"]}))
    found = columns(scorer, naming("1", "2", "1"))["mentions"]
    assert found == pytest.approx(
        {"3": one["mentions"]["3"] + two["mentions"]["3"], "4": two["mentions"]["4"]}
    )


@pytest.mark.parametrize("said", [{"liked": False}, {"by_user": False}])
def test_what_was_disliked_or_named_by_the_other_does_not_count(said):
    assert columns(fitted(request("2", "1", **said)), naming("1"))["mentions"] == {}


@pytest.mark.parametrize("user", [naming(), naming("1", wanted=False), naming("10")])
def test_no_title_named_for_or_an_unmentioned_one_is_zero(user):
    found = columns(fitted(request("2", "1")), user)
    assert found == {"mentions": {}, "mentions_log": {}}
    assert fitted(request("2", "1")).retrieve(user, ITEM_STORE, None) == []


def test_retrieved_are_the_items_mentioned_together():
    scorer = fitted(request("2 3", "1"), request("9", "8"))
    (rows,) = scorer.retrieve(naming("1"), ITEM_STORE, None)
    assert sorted(ITEM_STORE.ids[n] for n in rows) == ["2", "3"]


def test_facts_name_the_closest_title_and_count_dialogues():
    scorer = fitted(request("3", "1"), request("3", "1"), request("3", "2"))
    user, row = naming("2", "1"), KNOWN["3"]
    assert scorer.facts("mentioned", user, ITEM_STORE, row) == {"pick": "Star Voyage", "people": 2}
    assert scorer.facts("mentioned", naming("2"), ITEM_STORE, KNOWN["1"]) is None
    assert scorer.facts("mentioned", naming(), ITEM_STORE, row) is None


logs = st.lists(
    st.builds(
        request,
        st.sampled_from(["1", "2 3", "4 5 6", "7 nowhere"]),
        st.sampled_from(["", "8", "9 1", "nowhere"]),
        st.sampled_from(["", "a", "b"]),
    ),
    max_size=12,
)


@settings(max_examples=60)
@given(logs)
def test_pairs_are_symmetric_and_known(requests):
    found = CoMentions.fit(requests, KNOWN)
    dense = found.together.toarray()
    assert set(found.item_ids) <= set(KNOWN)
    np.testing.assert_array_equal(dense, dense.T)
    assert not dense.diagonal().any()
    assert (dense <= np.minimum.outer(found.dialogues, found.dialogues)).all()
    assert ((found.cosines > 0) & (found.cosines < 1)).all()


def test_only_the_closest_are_kept(monkeypatch):
    monkeypatch.setattr(mentions, "_KEPT", 2)
    scorer = fitted(*[request("2", "1")] * 3, *[request("3", "1")] * 2, request("4", "1"))
    assert set(columns(scorer, naming("1"))["mentions"]) == {"2", "3"}
    assert set(columns(scorer, naming("4"))["mentions"]) == {"1"}


def test_nothing_learned_is_nothing_saved():
    assert fitted().save() == {}
    assert MentionScorer().save() == {}


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("state.json", None, r"lacks \['state.json'\]"),
        ("state.json", b"{", "is damaged"),
        ("state.json", b"[]", "is no JSON object"),
        ("state.json", b'{"item_ids": [1]}', "'item_ids' is no list of texts"),
        ("state.json", b'{"item_ids": ["1", "1"]}', "'item_ids' has repeats"),
        ("state.json", b'{"item_ids": ["1", "2", "3"]}', "3 items and counts of 2"),
        ("state.safetensors", b"\x00" * 20, "is damaged"),
    ],
)
def test_damaged_files_are_refused(name, data, message):
    files = dict(fitted(request("2", "1")).save())
    files.pop(name) if data is None else files.update({name: data})
    with pytest.raises(ArtifactError, match=message):
        MentionScorer().load(files)
