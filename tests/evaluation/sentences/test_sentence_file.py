"""Files of sentences: their errors, and the two that this repository judges by."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data import movies
from coldstart.errors import DataError
from coldstart.evaluation.sentences.sentence_file import (
    MOVIES,
    check_categories,
    fulfilling,
    judgeable,
    read_sentences,
)
from coldstart.schema import Item

UNSEEN = Path(__file__).parents[2] / "data" / "sentences-unseen.jsonl"
GOOD = {"sentence": "westerns please", "kind": "positive", "predicate": {"all_of": ["Western"]}}


def written(path, *rows):
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_sentence_and_its_defaults(tmp_path):
    (read,) = read_sentences(written(tmp_path / "s.jsonl", "\ufeff", "", GOOD, " "))
    assert (read.sentence, read.kind, read.covered) == ("westerns please", "positive", True)
    assert read.predicate.all_of == ("Western",)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("{", "line 3: no JSON"),
        ("[" * 100_000, "line 3: no JSON"),
        ("[]", "invalid .*line 3"),
        (GOOD | {"sentence": " "}, "line 3: sentence: .*at least 1 character"),
        (GOOD | {"kind": 3}, "line 3: kind: .*valid string"),
        (GOOD | {"predicate": {}}, "line 3: predicate: .*empty: every item"),
        (GOOD | {"predicate": {"years": 1}}, "line 3: predicate.years: .*not permitted"),
        ({"sentence": "x"}, "line 3: kind: .*predicate: "),
        (GOOD, "line 3: 'westerns please' is also in line 1"),
    ],
)
def test_errors_name_the_line(tmp_path, row, says):
    path = written(tmp_path / "s.jsonl", GOOD, "", row)
    with pytest.raises(DataError, match=says):
        read_sentences(path)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="cannot read the sentences in .*none.jsonl"):
        read_sentences(tmp_path / "none.jsonl")
    (tmp_path / "latin").write_bytes(b"\xe9\xff")
    with pytest.raises(DataError, match="cannot read the sentences in .*latin: .*codec"):
        read_sentences(tmp_path / "latin")
    with pytest.raises(DataError, match="holds no sentence"):
        read_sentences(written(tmp_path / "empty.jsonl", "", " "))


def test_categories_that_no_item_has_are_refused(tmp_path):
    catalog = Catalog([Item(item_id="1", title="Unforgiven", categories=("Western", "Drama"))])
    check_categories(read_sentences(written(tmp_path / "a", GOOD)), catalog)
    wrong = GOOD | {"predicate": {"unless": {"any_of": ["Westerns"]}}}
    with pytest.raises(DataError, match="no item has .*'Westerns' of 'westerns please'.*'Western'"):
        check_categories(read_sentences(written(tmp_path / "b", wrong)), catalog)
    wrong["predicate"] = {"none_of": ["Zzz"]}
    with pytest.raises(DataError, match="'Zzz'.*Western, Drama"):
        check_categories(read_sentences(written(tmp_path / "c", wrong)), catalog)


def test_sentences_that_no_available_item_fulfils_are_not_judged(tmp_path):
    film = Item(item_id="1", title="Unforgiven", categories=("Western",))
    gone = film.model_copy(update={"item_id": "2", "available": False})
    sentences = read_sentences(written(tmp_path / "s", GOOD))
    assert judgeable(sentences, Catalog([film, gone])) == (sentences, ())
    assert fulfilling(sentences[0], Catalog([film, gone])) == {"1"}
    assert judgeable(sentences, Catalog([gone])) == ((), sentences)


# -- the files of this repository ------------------------------------------------------------------


@pytest.fixture(scope="module")
def data():
    return movies.load()


@pytest.mark.parametrize("path", [MOVIES, UNSEEN])
def test_enough_films_that_people_like_fulfil_every_sentence(path, data):
    sentences = read_sentences(path)
    check_categories(sentences, data.catalog)
    likes = Counter(i for liked in data.likes.values() for i in liked)
    few = {}
    for sentence in sentences:
        good = fulfilling(sentence, data.catalog)
        assert len(good) >= 30, sentence.sentence
        if (popular := sum(likes[i] >= 4 for i in good)) < 10:
            few[sentence.sentence] = popular
    assert few == {}


def test_the_committed_sentences_are_of_many_kinds():
    sentences = read_sentences(MOVIES)
    kinds = Counter(s.kind for s in sentences)
    assert len(sentences) >= 100
    assert {"positive", "negated", "mixed", "years", "audience", "indirect", "everyday", "typos",
            "long", "title", "chinese"} == set(kinds)  # fmt: skip
    assert all(n >= 4 for n in kinds.values())
    assert sum("\u4e00" <= s.sentence[0] <= "\u9fff" or s.kind == "chinese" for s in sentences) >= 8


def test_the_unseen_sentences_are_others_and_half_of_them_indirect():
    sentences = read_sentences(UNSEEN)
    assert len(sentences) >= 120
    assert sum(not s.covered for s in sentences) >= 60
    plain = {s.sentence.casefold() for s in read_sentences(MOVIES)}
    assert not plain & {s.sentence.casefold() for s in sentences}
