"""Two-tower model of requests: scores as learned, over whole catalogs, parts and new items."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load, save

from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ArtifactError
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import ResolvedProfile
from coldstart.schema import Context, Item, Piece, Understood, UserProfile
from coldstart.scoring import request_encoder
from coldstart.scoring.likeness import likeness
from coldstart.scoring.request_encoder import RequestEncoderScorer
from coldstart.scoring.request_tower import RequestTower, query_text
from coldstart.scoring.resources import ItemResources
from coldstart.scoring.scorer import ScoreRequest
from coldstart.scoring.stated import text_similarity
from coldstart.testing.contracts.scorer import ScorerContract
from coldstart.testing.trigrams import TrigramEncoder
from coldstart.testing.world import toy_catalog, toy_dataset
from tests.ten_films import NOBODY
from tests.tiny_bert import SIZE, save_tiny_bert

DIM = 256  # of the items' content
TRAINED = ("i0", "i6", "i7", "gone")


def tower_files(encoder, **changes):
    """A tower of four trained items, one of which has left the catalog."""
    rng = np.random.default_rng(3)
    arrays = {
        "query": rng.normal(size=(DIM, SIZE)).astype(np.float16),
        "offset": np.zeros(DIM, dtype=np.float16),
        "item": np.eye(DIM, dtype=np.float16),
        "mention": (0.1 * np.eye(DIM)).astype(np.float16),
        "bias": np.arange(4, dtype=np.float32),
    }
    for name in ("rows", "mentions"):
        arrays[name] = rng.integers(-127, 128, size=(4, DIM)).astype(np.int8)
        arrays[f"{name}_step"] = np.full(4, 1e-3, dtype=np.float32)
    about = {"encoder": str(encoder), "scale": 2.0, "popularity": [1.0, 0.5], "items": TRAINED}
    about |= {name: value for name, value in changes.items() if name in about}
    arrays |= {name: value for name, value in changes.items() if name in arrays}
    arrays = {name: value for name, value in arrays.items() if value is not None}
    return {"tower.json": json.dumps(about).encode(), "tower.safetensors": save(arrays)}


def adapter(**changes):
    """Files of an adapter of one matrix."""
    pair = {"down": np.ones((2, 4), np.float32), "up": np.ones((3, 2), np.float32)} | changes
    names = {"down": "layer.lora_A.weight", "up": "layer.lora_B.weight"}
    arrays = {names[n]: values for n, values in pair.items() if values is not None}
    return {
        "adapter.safetensors": save(arrays),
        "adapter_config.json": b'{"r": 2, "lora_alpha": 4}',
    }


ADAPTER = adapter()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return save_tiny_bert(tmp_path_factory.mktemp("bert") / "tiny")


@pytest.fixture
def scorer(encoder):
    made = RequestEncoderScorer()
    made.load(tower_files(encoder))
    return made


def store(catalog=None):
    data = toy_dataset()
    counts = Counts.fit(data.catalog.ids, data.users, data.likes)
    out = ItemStore(catalog or toy_catalog(), counts, TrigramEncoder())
    out.sync()
    return out


STORE = store()


def asking(text, **profile):
    return ResolvedProfile(UserProfile(about=text, **profile), Context())


def values(scorer, user, items=STORE):
    (found,) = scorer.score([ScoreRequest(user, items)])
    return found.columns["request"]


class TestLoadedRequestEncoder(ScorerContract):
    tolerance = 1e-4  # nats, of float32 vectors

    @pytest.fixture(autouse=True)
    def _encoder(self, encoder):
        self.files = tower_files(encoder)

    def make(self):
        scorer = RequestEncoderScorer()
        scorer.load(self.files)
        return scorer


def test_scores_are_log_probabilities(scorer):
    found = values(scorer, asking("aliens in space"))
    assert np.exp(found).sum() == pytest.approx(1)
    assert not np.allclose(found, values(scorer, asking("a gangster drama")))


def test_scores_are_those_of_the_formula(scorer, encoder):
    arrays = load(tower_files(encoder)["tower.safetensors"])
    tower = scorer.tower
    query = tower.encoder.encode(["toys"])[0] @ arrays["query"].astype(np.float32).T
    mention = arrays["mentions"].astype(np.float32) * 1e-3
    named = mention[1] + 0.1 * STORE.content[STORE.rows["i1"]]
    query = query + named / np.sqrt(2)
    rows = STORE.content.copy()
    bias = 1.0 + 0.5 * STORE.popularity
    for n, item in enumerate(TRAINED[:3]):
        rows[STORE.rows[item]] = arrays["rows"][n] * 1e-3
        bias[STORE.rows[item]] = n
    logits = 2.0 * rows @ query + bias
    expected = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
    found = values(scorer, asking("toys", liked=("i6", "i1")))
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(
    "user", [NOBODY, ResolvedProfile(UserProfile(liked="i1"), Context()), asking(" \n ")]
)
def test_zero_without_a_text(scorer, user):
    assert not values(scorer, user).any()
    assert list(scorer.retrieve(user, STORE, None)) == []
    assert scorer.facts("request", user, STORE, 0) is None


def test_zero_before_anything_was_learned():
    scorer = RequestEncoderScorer()
    scorer.sync(ItemResources(STORE))
    assert scorer.tower is None
    assert scorer.save() == {}
    assert not values(scorer, asking("toys")).any()
    assert list(scorer.retrieve(asking("toys"), STORE, None)) == []


def test_a_part_is_scored_as_the_whole_but_for_the_sum(scorer):
    scorer.sync(ItemResources(STORE))
    user, rows = asking("aliens in space", liked=("i3",)), np.array([2, 6, 7, 20])
    whole = values(scorer, user)[rows]
    part = values(scorer, user, STORE.part(rows, ["i3"]))
    np.testing.assert_allclose(part - whole, (part - whole)[0], atol=1e-5)
    assert np.exp(part).sum() == pytest.approx(1)
    assert values(scorer, user, STORE.part(rows[:0], [])).shape == (0,)


def test_items_outside_training_are_scored_by_content_and_popularity(scorer):
    catalog = toy_catalog()
    catalog.add(Item(item_id="new", title="Solaris", year=1972, categories=("Sci-Fi",)))
    grown = store(catalog)
    vectors, row = scorer.tower.vectors(grown), grown.rows["new"]
    np.testing.assert_allclose(vectors.rows[row], 2.0 * grown.content[row], rtol=1e-3)
    assert vectors.bias[row] == pytest.approx(1.0 + 0.5 * grown.popularity[row])
    assert np.isfinite(values(scorer, asking("a film by Tarkovsky"), grown)).all()


def test_the_vectors_are_made_once_a_version(scorer, monkeypatch):
    made, vectors = [], RequestTower.vectors
    monkeypatch.setattr(RequestTower, "vectors", lambda s, i: made.append(i) or vectors(s, i))
    own = store()
    for _ in range(2):
        scorer.sync(ItemResources(own))
        values(scorer, asking("toys"), own)
    assert len(made) == 1
    own.catalog.remove(["i0"])
    own.sync()
    assert len(values(scorer, asking("toys"), own)) == 23
    assert len(made) == 2


def test_what_is_kept_of_the_latest_requests_is_not_their_text(scorer):
    values(scorer, asking("toys for Philomena"))
    scorer.closeness("films about Philomena", STORE)
    assert scorer._last is not None
    assert scorer._closest is not None
    assert "Philomena" not in repr((scorer._last[0][1:], *scorer._closest[1]))


def test_the_likeliest_are_retrieved(scorer, monkeypatch):
    monkeypatch.setattr("coldstart.scoring.retrieval.BY_SIGNAL", 3)
    (rows,) = scorer.retrieve(asking("toys"), STORE, None)
    assert set(rows.tolist()) == set(np.argsort(-values(scorer, asking("toys")))[:3].tolist())


def test_facts_quote_the_request_in_short_where_an_item_stands_out(scorer):
    def stated(text):
        found = [scorer.facts("request", asking(text), STORE, row) for row in range(len(STORE.ids))]
        return [facts for facts in found if facts is not None]

    assert stated("  toys\n") == [{"text": "toys"}]
    (long,) = stated("word " * 50)
    assert len(long["text"]) <= 60
    assert long["text"].endswith("word…")
    assert RequestEncoderScorer().facts("request", asking("toys"), STORE, 0) is None


def test_the_end_of_a_request_counts_and_years_of_titles_do_not():
    assert query_text("like Alien (1979) or Heat (1995)") == "like Alien or Heat"
    assert query_text("x" * 500 + "end") == "x" * 397 + "end"


def test_saved_as_loaded_and_nothing_else(scorer, encoder):
    files = tower_files(encoder)
    again = RequestEncoderScorer()
    again.load(files | {"readme.md": b"?"})
    assert again.save() == scorer.save() == files


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": ["i0"]}, "arrays differ in size"),
        ({"popularity": 3}, "the request encoder is damaged"),
        ({"scale": "wide"}, "the request encoder is damaged"),
        ({"bias": np.zeros(3, dtype=np.float32)}, "arrays differ in size"),
        ({"bias": None}, "the request encoder is damaged: 'bias'"),
        ({"rows_step": None}, "the request encoder is damaged: 'rows_step'"),
        ({"rows": np.zeros((4, 8), dtype=np.int8)}, "arrays differ in size"),
        ({"query": np.zeros((8, SIZE), dtype=np.float16)}, "arrays differ in size"),
        ({"mention": np.zeros((DIM, 8), dtype=np.float16)}, "arrays differ in size"),
        ({"offset": np.zeros(8, dtype=np.float16)}, "arrays differ in size"),
    ],
)
def test_damaged_files_are_refused(changes, message):
    scorer = RequestEncoderScorer()
    with pytest.raises(ArtifactError, match=message):
        scorer.load(tower_files("encoder", **changes))
    assert scorer.tower is None


@pytest.mark.parametrize("name", ["tower.json", "tower.safetensors"])
@pytest.mark.parametrize("data", [None, b"", b"[]", b"\x00" * 64])
def test_missing_and_unreadable_files_are_refused(name, data):
    files = {**tower_files("encoder"), name: data}
    with pytest.raises(ArtifactError, match="the request encoder is damaged"):
        RequestEncoderScorer().load({n: d for n, d in files.items() if d is not None})


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"adapter.safetensors": b"x"}, r"malformed adapter_config\.json"),
        (
            ADAPTER | {"adapter_config.json": b'{"r": 0, "lora_alpha": 1}'},
            "r is 0, expected a whole",
        ),
        (ADAPTER | {"adapter.safetensors": b"x"}, "the encoder's adapter is damaged"),
        (adapter(down=np.full((2, 4), np.nan, np.float32)), "numbers that are not finite"),
        (adapter(down=np.full((2, 4), 1e5, np.float32)), "values out of range"),
        (adapter(up=None), "do not go in pairs"),
        (adapter(down=None), "do not go in pairs"),
        (adapter(down=np.zeros(4, np.float32)), "shape any × any"),
    ],
)
def test_a_damaged_adapter_is_refused_when_it_is_loaded(encoder, more, message):
    scorer = RequestEncoderScorer()
    with pytest.raises(ArtifactError, match=message):
        scorer.load({**tower_files(encoder), **more})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": 1e9}, "scale is 1000000000.0, expected a number from"),
        ({"items": [*TRAINED[:-1], TRAINED[0]]}, "items has repeats"),
        ({"items": [*TRAINED[:-1], 7]}, "an entry of items is 7"),
        ({"popularity": [1.0]}, "popularity is .*, expected two numbers"),
        (
            {"bias": np.array([0, 1, np.inf, 3], np.float32)},
            "'bias' has numbers that are not finite",
        ),
        ({"bias": np.array([0, 1, 1e30, 3], np.float32)}, "bias has values out of range"),
        ({"rows": np.zeros((4, DIM), np.float32)}, "rows is an array of float32"),
        ({"rows_step": np.zeros(3, np.float32)}, "arrays differ in size"),
        ({"query": np.zeros(DIM, np.float16)}, "query is an array of float16 of shape"),
    ],
)
def test_values_are_checked(changes, message):
    with pytest.raises(ArtifactError, match=message):
        RequestEncoderScorer().load(tower_files("encoder", **changes))


def test_an_encoder_of_another_size_is_refused_at_first_use(encoder):
    scorer = RequestEncoderScorer()
    wide = np.zeros((DIM, SIZE + 1), dtype=np.float16)
    scorer.load(tower_files(encoder, query=wide))
    with pytest.raises(ArtifactError, match=f"length {SIZE + 1}, its encoder's have {SIZE}"):
        scorer.score([ScoreRequest(asking("toys"), STORE)])


def test_a_reading_decides_which_words_count(scorer):
    user = asking("toys, no aliens")
    read = user.understood.model_copy(update={"text": "toys, no aliens", "wanted_text": "toys"})
    np.testing.assert_allclose(
        values(scorer, replace(user, understood=read)), values(scorer, asking("toys"))
    )


def about(scorer, user, items=STORE):
    (found,) = scorer.score([ScoreRequest(user, items)])
    return found.columns["about"], found.columns["not_about"]


def topic(text, *, wanted=True):
    piece = Piece(kind="phrase", value=text, words=text, start=0, end=len(text), wanted=wanted)
    read = Understood(text=text, pieces=(piece,), wanted_text=text)
    return replace(asking(text), understood=read)


def test_what_is_closest_to_a_topic_is_raised_and_to_rejected_words_lowered(scorer, monkeypatch):
    monkeypatch.setattr(request_encoder, "TOPIC_FROM", 1.0)
    wanted, none = about(scorer, topic("toys"))
    assert not none.any()
    near = scorer.closeness("a movie about toys", STORE)
    np.testing.assert_allclose(wanted, np.clip(near, 1.0, 6.0) - 1.0)
    none, rejected = about(scorer, topic("toys", wanted=False))
    assert not none.any()
    np.testing.assert_array_equal(rejected, wanted)
    part = STORE.part(np.array([2, 5]), ())
    np.testing.assert_allclose(about(scorer, topic("toys"), part)[0], wanted[[2, 5]])
    (likeliest, closest) = scorer.retrieve(topic("toys"), STORE, None)
    assert int(wanted.argmax()) in closest
    assert len(likeliest)


def test_without_a_tower_topics_are_compared_by_content(monkeypatch):
    monkeypatch.setattr(request_encoder, "TOPIC_FROM", 1.0)
    found, _ = about(RequestEncoderScorer(), topic("Toy Story"))
    np.testing.assert_allclose(found, np.clip(text_similarity(STORE, "Toy Story"), 1, 6) - 1)
    assert found.any()


def test_a_reason_names_the_topic_that_an_item_is_closest_to(scorer, monkeypatch):
    monkeypatch.setattr(request_encoder, "TOPIC_FROM", 1.0)
    user = topic("toys")
    near = scorer.closeness("a movie about toys", STORE)
    top, far = int(near.argmax()), int(near.argmin())
    assert scorer.facts("meaning", user, STORE, top) == {"text": "toys"}
    assert scorer.facts("meaning", user, STORE, far) is None
    assert scorer.facts("meaning", asking("toys"), STORE, top) is None


def test_the_closeness_of_a_text_is_computed_once(scorer, monkeypatch):
    first = scorer.closeness("toys", STORE)
    monkeypatch.setattr(RequestTower, "query", lambda *_: pytest.fail("encoded again"))
    np.testing.assert_array_equal(scorer.closeness("toys", STORE), first)


def test_items_like_the_titles_that_a_text_names_are_raised(scorer, monkeypatch):
    monkeypatch.setattr(request_encoder, "LIKE_FROM", 0.2)
    read = Understood(
        text="like i1", pieces=(Piece(kind="title", value="i1", words="i1", start=5, end=7),)
    )
    user = replace(asking("like i1"), understood=read)
    (found,) = scorer.score([ScoreRequest(user, STORE)])
    units = scorer._follow(scorer.tower, STORE).units
    near = likeness(STORE, [STORE.rows["i1"]], units)
    expected = np.maximum(near - 0.2, 0)
    np.testing.assert_allclose(found.columns["like_named"], expected)
    assert expected.any()
    part = STORE.part(np.array([2, 5]), ())
    (found,) = scorer.score([ScoreRequest(user, part)])
    np.testing.assert_allclose(found.columns["like_named"], expected[[2, 5]])


@pytest.mark.parametrize("user", [asking("toys", liked="i1"), topic("toys")])
def test_picks_and_topics_are_no_named_titles(scorer, user):
    (found,) = scorer.score([ScoreRequest(user, STORE)])
    assert not found.columns["like_named"].any()
