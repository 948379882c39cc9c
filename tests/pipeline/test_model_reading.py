"""The language model reads what the rules do not: which requests, which answers, and failures."""

from __future__ import annotations

import logging

import pytest

from coldstart.errors import ModelError
from coldstart.generation.reading import AUDIENCES, NOTHING, LanguageModelReader, ReadRequest
from coldstart.pipeline import model_reading
from coldstart.schema import Item, Understood
from coldstart.session import OnboardingSession
from tests.toy import toy_catalog, toy_recommender

COSY = "qqqq zzzz"  # words of which the rules understand nothing


def answers(wanted=None, avoided=None, audience=None):
    """Answers with what is left for the one that states nothing."""

    def rest(given, other):
        return dict(given or {}) | {other: 1 - sum((given or {}).values())}

    known = {a: 0.0 for a in AUDIENCES}
    return ReadRequest(
        {"Drama": 0.0, "Sci-Fi": 0.0, "Children": 0.0, **rest(wanted, NOTHING)},
        {"Drama": 0.0, "Sci-Fi": 0.0, "Children": 0.0, **rest(avoided, NOTHING)},
        known | rest(audience, "anyone"),
    )


class FakeReader:
    """Answers alike on every text, and remembers what it was asked."""

    def __init__(self, found):
        self.found, self.batches, self.categories = found, [], []

    def read(self, texts):
        self.batches.append(list(texts))
        if any("fail" in text for text in texts):
            raise ModelError("out of order")
        return [self.found for _ in texts]


def install(monkeypatch, found):
    fake = FakeReader(found)
    monkeypatch.setattr(
        LanguageModelReader, "__init__", lambda _, lm, names: fake.categories.append(list(names))
    )
    monkeypatch.setattr(LanguageModelReader, "read", lambda _, texts: fake.read(texts))
    return fake


@pytest.fixture
def reader(monkeypatch):
    return install(monkeypatch, answers({"Sci-Fi": 0.9}))


@pytest.fixture(scope="module")
def rec():
    return toy_recommender(reads=True)


def categories(rec, found):
    return {rec.catalog[i].categories for i in found.item_ids}


def test_what_the_model_reads_is_inferred_and_comes_first(rec, reader):
    found = rec.recommend({"about": COSY}, k=5)
    (piece,) = found.understood.pieces
    assert (piece.kind, piece.value, piece.wanted, piece.strict) == (
        "category", "Sci-Fi", True, False,
    )  # fmt: skip
    assert (piece.source, piece.words) == ("model", COSY)
    assert (piece.start, piece.end) == (0, len(COSY))
    assert found.understood.text == found.understood.wanted_text == COSY
    assert categories(rec, found) == {("Sci-Fi",)}
    assert any("guessed from" in note for note in found.notes)
    assert reader.categories == [["Drama", "Sci-Fi"]]


def test_only_requests_without_pieces_are_read_and_all_in_one_pass(rec, reader):
    profiles = [{"about": COSY}, {"about": "no drama"}, {}, {"about": "like Star Wars"}]
    profiles += [
        {"interests": ["Drama"]},
        {"age": 9},
        {"about": "about chess"},
        {"about": COSY[:4]},
    ]
    found = rec.recommend(profiles, k=3)
    assert reader.batches == [[COSY, "like Star Wars", COSY[:4]]]
    assert [any(p.source == "model" for p in f.understood.pieces) for f in found] == [
        True, False, False, True, False, False, False, True,
    ]  # fmt: skip
    assert found[3].understood.liked == ("i3",)


def test_prior_is_never_read_by_the_model(rec, reader):
    assert rec.recommend({"about": COSY}, strategy="prior").understood.pieces == ()
    assert reader.batches == []


def test_nor_by_models_that_were_not_taught_to(reader):
    assert toy_recommender().recommend({"about": COSY}, k=3).understood.pieces == ()
    assert reader.batches == []


def test_a_given_reading_stays_as_it_is(rec, reader):
    read = Understood(text=COSY, wanted_text=COSY)
    for given in (read, Understood(), read.model_dump()):
        assert rec.recommend({"about": COSY}, k=3, understood=given).understood.pieces == ()
    assert reader.batches == []


def test_texts_of_a_session_are_read(rec, reader):
    found = OnboardingSession(rec).say(COSY).recommend(3, strategy="catalog")
    assert [p.source for p in found.understood.pieces] == ["model"]
    assert reader.batches == [[COSY]]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (answers(), []),
        (answers({"Drama": model_reading.WANTED_FROM - 0.01}), []),
        (answers({"Drama": model_reading.WANTED_FROM}), [("Drama", True)]),
        (answers({"Sci-Fi": model_reading.SUPPORTED_FROM - 0.01}), []),
        (answers({"Sci-Fi": model_reading.SUPPORTED_FROM}), [("Sci-Fi", True)]),
        (answers({"Drama": 0.3, "Sci-Fi": 0.4}), [("Sci-Fi", True)]),
        (answers({"Drama": 0.4, "Sci-Fi": 0.3}), [("Drama", True), ("Sci-Fi", True)]),
        (answers({"Drama": 0.4, "Sci-Fi": 0.25, "Children": 0.3}), [("Drama", True)]),
        (answers(avoided={"Drama": model_reading.AVOIDED_FROM - 0.01}), []),
        (answers(avoided={"Drama": model_reading.AVOIDED_FROM}), [("Drama", False)]),
        (answers({"Drama": 0.5}, {"Drama": 0.5}), [("Drama", True)]),
        (answers(audience={"teenagers": 0.9}), []),
        (answers(audience={"children": 0.3, "small children": 0.3}), [("Children", True)]),
        (
            answers(avoided={"Children": 0.5}, audience={"children": 0.9}),
            [("Children", True)],
        ),
    ],
)
def test_answers_count_from_a_probability(rec, monkeypatch, found, expected):
    install(monkeypatch, found)
    support = {"Drama": 1.0, "Sci-Fi": model_reading.SUPPORT, "Children": 1.0}
    monkeypatch.setattr(model_reading.ModelReadingStage, "_support", lambda *_: support)
    pieces = rec.recommend({"about": COSY}, k=3).understood.pieces
    assert [(p.value, p.wanted) for p in pieces] == expected
    wanted = [p.group for p in pieces if p.wanted]
    assert len(set(wanted)) == len(wanted)  # each is wanted, none instead of another


def test_items_close_to_a_text_support_what_most_of_them_are(rec):
    (user,) = (rec.resolve({"about": "qqqq Drama"}),)
    rec.recommend({"about": COSY}, k=1, strategy="prior")
    support = rec.pipeline.model_reading._support(user)
    assert set(support) == {"Drama", "Sci-Fi"}
    usual = rec.item_store.has_category.mean(axis=0)
    closest = min(model_reading._CLOSEST, len(rec.catalog))
    shares = [support[c] * usual[rec.item_store.category_column[c.casefold()]] for c in support]
    assert sum(shares) == pytest.approx(1)
    assert closest >= 1


def test_children_get_whatever_the_catalog_has_for_them(monkeypatch):
    alone = ReadRequest(
        {"Animation": 0.0, "Children's": 0.0, NOTHING: 1.0}, {NOTHING: 1.0}, {"children": 1.0}
    )
    install(monkeypatch, alone)
    pieces = toy_recommender(reads=True).recommend({"about": COSY}, k=3).understood.pieces
    assert [p.value for p in pieces] == ["Animation", "Children's"]
    assert len({p.group for p in pieces}) == 1  # one of them is enough


def test_a_failing_model_leaves_the_reading_of_the_rules(rec, reader, caplog):
    with caplog.at_level(logging.WARNING):
        good, bad, other = rec.recommend(
            [{"about": COSY}, {"about": "fail"}, {"about": "no drama"}], k=3
        )
    assert [p.source for p in good.understood.pieces] == ["model"]
    assert bad.understood.pieces == ()
    assert len(bad) == 3
    assert other.understood.values("category", wanted=False) == ("Drama",)
    (warning,) = (r.getMessage() for r in caplog.records if "could not read" in r.getMessage())
    assert warning == "the language model could not read a request (out of order); the rules did"


def test_the_reader_follows_the_catalog(reader):
    rec = toy_recommender(toy_catalog(), reads=True)
    for _ in range(2):
        rec.recommend({"about": COSY}, k=3)
    assert reader.categories == [["Drama", "Sci-Fi"]]
    rec.catalog.add(Item(item_id="new", title="Dust", categories=("Western",)))
    rec.recommend({"about": COSY}, k=3)
    assert reader.categories[1:] == [["Drama", "Sci-Fi", "Western"]]


def test_of_many_categories_the_most_frequent_are_asked_about(reader):
    rec = toy_recommender(toy_catalog(), reads=True)
    rec.catalog.add(
        Item(item_id=f"n{n}", title=f"Thing {n}", categories=(f"Shelf {n}",)) for n in range(100)
    )
    rec.recommend({"about": COSY}, k=3)
    assert len(reader.categories[0]) == model_reading.MOST_CATEGORIES
    assert reader.categories[0][:2] == ["Drama", "Sci-Fi"]


def test_a_real_model_reads(rec):
    found = rec.recommend([{"about": COSY}, {"about": COSY}, {}], k=3)
    assert found[0].understood == found[1].understood
    assert all(p.source == "model" and not p.strict for p in found[0].understood.pieces)


@pytest.mark.parametrize("text", ["怖くない映画が見たい", "ฉันอยากดูหนังผี", "!!! 🎃 12", "hm"])
def test_other_scripts_and_too_few_letters_are_not_read(rec, reader, text):
    rec.recommend({"about": text}, k=3)
    assert reader.batches == []


def test_beside_a_title_only_its_categories_are_guessed(rec, monkeypatch):
    install(monkeypatch, answers({"Drama": 0.9}))
    found = rec.recommend({"about": "like Star Wars"}, k=3)
    assert rec.catalog["i3"].categories == ("Sci-Fi",)
    assert {p.kind for p in found.understood.pieces} == {"title"}
