"""What was chosen by those who asked in similar words."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

from coldstart.catalog.item_store import ItemStore
from coldstart.data.requests.recorded import RecordedRequest, RequestItem
from coldstart.errors import ArtifactError
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Piece, Understood, UserProfile
from coldstart.scoring import request_memory
from coldstart.scoring.request_memory import RequestMemoryScorer
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_requests
from tests.ten_films import NOBODY

CATALOG = toy_catalog()
STORE = ItemStore(CATALOG, Counts.fit(CATALOG.ids, {}, {}), TrigramEncoder())
STORE.sync()
SIGNALS = ("asked_alike", "asked_alike_words")


def fitted(requests=None):
    scorer = RequestMemoryScorer()
    scorer.fit_requests(toy_requests() if requests is None else requests, STORE)
    return scorer


def asking(text):
    return ResolvedProfile(UserProfile(about=text), Context())


def best_of(scorer, text, name):
    return STORE.ids[int(scorer.columns(asking(text), STORE)[name].argmax())]


def chose(text, *items, named=(), dialogue=""):
    given = tuple(RequestItem(*([i] if isinstance(i, str) else i)) for i in items)
    return RecordedRequest(text, given, tuple(map(RequestItem, named)), dialogue=dialogue)


@pytest.mark.parametrize("name", SIGNALS)
@pytest.mark.parametrize(
    ("text", "expected"),
    [("aliens", {"i3", "i6", "i7"}), ("children", {"i0", "i1"}), ("drama", {"i16", "i19", "i20"})],
)
def test_it_recalls_what_was_chosen_for_similar_words(name, text, expected):
    assert best_of(fitted(), text, name) in expected


def test_likes_count_more_than_rejections_and_choices_more_than_examples():
    scorer = fitted([chose("toys", ("i0", True), ("i1", False), named=["i2"])] * 3)
    values = scorer.columns(asking("toys"), STORE)["asked_alike_words"]
    assert values[[0, 1, 2]] == pytest.approx(np.log1p(200 * np.array([1, 0.75, 0.5])))
    assert np.count_nonzero(values) == 3


def test_the_nearest_requests_vote_and_no_others(monkeypatch):
    monkeypatch.setattr(request_memory, "FEWEST", 1)
    found = fitted().columns(asking("my children like toys"), STORE)["asked_alike"]
    assert {STORE.ids[n] for n in np.flatnonzero(found)} == {"i0", "i1"}


@pytest.mark.parametrize(
    ("scorer", "user"),
    [
        (fitted(), NOBODY),
        (fitted(), ResolvedProfile(UserProfile(liked="i1"), Context())),
        (RequestMemoryScorer(), asking("toys")),
        (fitted([]), asking("toys")),
        (fitted([chose("toys", "nowhere")]), asking("toys")),
    ],
)
def test_zero_where_nothing_is_stated_or_learned(scorer, user):
    columns = scorer.columns(user, STORE)
    assert set(columns) == {*SIGNALS, "asked_unlike"}
    assert not any(values.any() for values in columns.values())
    assert all(len(rows) == 0 for rows in scorer.retrieve(user, STORE, None))
    assert scorer.facts("asked_alike", user, STORE, 0) is None


def test_words_that_no_request_had_say_nothing():
    assert not fitted().columns(asking("xyzzy"), STORE)["asked_alike_words"].any()


def test_items_that_have_left_the_catalog_are_passed_over():
    scorer, catalog = fitted(), toy_catalog()
    catalog.remove(["i6"])
    store = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), TrigramEncoder())
    store.sync()
    values = scorer.columns(asking("scary aliens in space"), store)["asked_alike"]
    assert len(values) == 23
    assert values[store.rows["i7"]] > 0
    for rows in scorer.retrieve(asking("scary aliens in space"), store, None):
        assert store.rows["i7"] in rows


def test_facts_count_people_rather_than_requests():
    requests = [
        chose("toys", "i0", dialogue="a"),
        chose("more toys", "i0", dialogue="a"),
        chose("toys", "i0"),
        chose("toys", ("i1", False), named=["i2"]),
    ]
    scorer, user = fitted(requests), asking("toys")
    assert scorer.facts("asked_alike", user, STORE, 0) == {"people": 2}
    for row in (1, 2, 3):
        assert scorer.facts("asked_alike", user, STORE, row) is None


def test_the_state_holds_no_text():
    secret = "my grandmother Philomena of Xanadu likes toys"
    files = fitted([chose(secret, "i0")] * 3 + [chose("toys", "i1")]).save()
    everything = b"".join(files.values()).lower()
    for word in secret.lower().split():
        assert len(word) < 4 or word.encode() not in everything
    assert set(load(files["state.safetensors"])) == {
        *("mean", "directions", "steps", "hashes", "person"),
        *(f"{m}_{part}" for m in ("words", "chosen") for part in ("start", "column", "value")),
    }


def test_what_is_kept_of_the_latest_request_is_not_its_text():
    scorer = fitted([chose("toys for a boy", "i0")])
    assert scorer.facts("asked_alike", asking("toys for Philomena"), STORE, 0) == {"people": 1}
    assert "Philomena" not in repr(scorer._chosen_for)


def test_a_request_takes_less_than_200_bytes():  # so 20,000 take less than 4 MB
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in rng.zipf(1.3, 12).clip(0, 5000)) for _ in range(3000)]
    items = rng.integers(0, 24, size=3000)
    scorer = fitted([chose(t, f"i{i}") for t, i in zip(texts, items, strict=True)])
    assert sum(map(len, scorer.save().values())) < 3000 * 200


def test_threads_get_what_one_gets():
    scorer, texts = RequestMemoryScorer(), ["toys", "aliens in space", "crime drama"] * 8
    scorer.load(fitted().save())

    def columns(text):
        found = scorer.columns(asking(text), STORE)
        return [found[name].tolist() for name in SIGNALS]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(columns, texts))
    assert found == [columns(text) for text in texts]


def test_nothing_learned_is_nothing_saved():
    assert RequestMemoryScorer().save() == fitted([]).save() == {}


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("steps", None, "no 2-dimensional array 'steps'"),
        ("steps", lambda a: a[:-1], "vectors of shape"),
        ("mean", lambda a: a[:-1], "vectors of shape"),
        ("chosen_column", lambda a: a + 50, "no sparse matrix 'chosen' of shape"),
        ("chosen_start", lambda a: a[::-1], "no sparse matrix 'chosen' of shape"),
        ("words_value", lambda a: a[:-1], "no sparse matrix 'words' of shape"),
        ("hashes", lambda a: a[:1], "no sparse matrix 'words' of shape"),
    ],
)
def test_damaged_state_is_refused(name, change, message):
    files = dict(fitted().save())
    tensors = load(files["state.safetensors"])
    old = tensors.pop(name)
    tensors |= {} if change is None else {name: np.ascontiguousarray(change(old))}
    scorer = RequestMemoryScorer()
    with pytest.raises(ArtifactError, match=message):
        scorer.load(files | {"state.safetensors": save(tensors)})
    assert scorer.save() == {}


# -- rejected words --------------------------------------------------------------------------------


def rejecting(phrase):
    piece = Piece(kind="phrase", value=phrase, words=phrase, start=0, end=1, wanted=False)
    return replace(asking(f"no {phrase}"), understood=Understood(pieces=(piece,)))


@pytest.mark.parametrize(
    ("phrase", "expected"), [("aliens", {"i3", "i6", "i7"}), ("toys", {"i0", "i1", "i2"})]
)
def test_what_was_chosen_for_rejected_words_is_known(monkeypatch, phrase, expected):
    monkeypatch.setattr(request_memory, "FEWEST", 2)
    found = fitted().columns(rejecting(phrase), STORE)["asked_unlike"]
    assert {STORE.ids[n] for n in np.flatnonzero(found)} <= expected | {"i17"}
    assert STORE.ids[int(found.argmax())] in expected


@pytest.mark.parametrize("phrase", ["subtitles", "qwertz", "the"])
def test_nothing_is_known_of_words_that_were_never_asked_for(phrase):
    assert not fitted().columns(rejecting(phrase), STORE)["asked_unlike"].any()


def test_words_that_are_wanted_push_nothing_down():
    assert not fitted().columns(asking("aliens"), STORE)["asked_unlike"].any()
