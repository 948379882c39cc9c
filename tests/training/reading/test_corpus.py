"""The labelled wishes hold what their guide promises, and a damaged line is named."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from coldstart.errors import DataError
from coldstart.training.reading.corpus import (
    CATEGORIES,
    VALID_WISHES,
    WISHES,
    LabelledWish,
    load_wishes,
)

NEGATION = re.compile(
    r"n't\b|\b(no|not|without|never|nothing|none|nobody|hate|except|anything but|less|skip|dont|"
    r"sick of|tired of|enough|avoid|won't|nope|minus|neither|nor|instead|allergic)\b"
)


def words(text):
    """A text without case, punctuation and spacing."""
    return " ".join(re.findall(r"\w+", text.casefold())) or text


@pytest.fixture(scope="module")
def wishes():
    return load_wishes()


def test_enough_sentences_of_every_category_wanted_and_rejected(wishes):
    assert len(wishes) >= 2400
    wanted = Counter(c for w in wishes for c in w.wants)
    rejected = Counter(c for w in wishes for c in w.rejects)
    assert {c: n for c in CATEGORIES if (n := wanted[c]) < 60} == {}
    assert {c: n for c in CATEGORIES if (n := rejected[c]) < 40} == {}


def test_shares_of_negations_silence_and_named_categories(wishes):
    silent = sum(w.silent for w in wishes) / len(wishes)
    negated = sum(bool(NEGATION.search(w.text.lower())) for w in wishes) / len(wishes)
    named = sum(
        any(c.lower()[:6] in w.text.lower() for c in w.wants + w.rejects) for w in wishes
    ) / len(wishes)
    assert 0.04 <= silent <= 0.08
    assert 0.2 <= negated <= 0.35
    assert named <= 0.3


def test_young_audiences_are_never_sent_to_horror(wishes):
    young = [w for w in wishes if w.age is not None and w.age < 10]
    assert len(young) >= 60
    assert [w.text for w in young if "Children" not in w.wants + w.fits] == []
    assert [w.text for w in young if "Horror" not in w.rejects] == []


def test_no_sentence_occurs_twice_and_none_of_validation_in_training(wishes):
    valid = load_wishes(VALID_WISHES)
    assert len(valid) >= 250
    texts = [words(w.text) for w in (*wishes, *valid)]
    assert [t for t, n in Counter(texts).items() if n > 1] == []


def test_validation_has_every_category(wishes):
    valid = load_wishes(VALID_WISHES)
    assert {c for w in valid for c in w.wants} == set(CATEGORIES)
    assert {c for w in valid for c in w.rejects} == set(CATEGORIES)


def test_files_are_small_enough_to_ship():
    assert WISHES.stat().st_size + VALID_WISHES.stat().st_size < 600_000


def test_a_wish_is_read_as_written(tmp_path):
    line = {
        "text": "Gentle – before 1960",
        "wants": ["Romance"],
        "fits": [],
        "rejects": ["War"],
        "years": [None, 1960],
        "age": 5,
    }
    file = tmp_path / "wishes.jsonl"
    file.write_text(json.dumps(line) + "\n\n", encoding="utf-8")
    expected = LabelledWish(
        "Gentle – before 1960", ("Romance",), (), ("War",), years=(None, 1960), age=5
    )
    assert load_wishes(file) == (expected,)
    assert not expected.silent
    assert LabelledWish("hello").silent


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"text": "a", "wants": ["Comdy"]}', r"line 2: wants\.0: .*Input should be"),
        ('{"text": " "}', "line 2: .*text is empty"),
        ('{"text": "a", "mood": 1}', "line 2: mood: "),
        ('{"wants": []}', "line 2: text: "),
        ('{"text": "a", "wants": ["War"], "rejects": ["War"]}', "line 2: .*named twice.*War"),
        ('{"text": "a", "years": [null, null]}', "line 2: .*open at both ends"),
        ('{"text": "a", "years": [1990, 1980]}', "line 2: .*1990 to 1980"),
        ('{"text": "a", "age": 131}', "line 2: .*age 131"),
        ("[", "line 2: wish: Invalid JSON"),
        ('{"text": "FINE"}', "line 2: text occurs before: 'FINE'"),
    ],
)
def test_a_bad_line_is_named_with_its_fault(tmp_path, line, why):
    file = tmp_path / "wishes.jsonl"
    file.write_text('{"text": "fine"}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=why):
        load_wishes(file)


def test_a_missing_file_is_reported(tmp_path):
    with pytest.raises(DataError, match="cannot read labelled wishes"):
        load_wishes(tmp_path / "absent.jsonl")
