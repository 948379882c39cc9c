"""Refusals of bodies that do not fit: what they name, and what they cost."""

from __future__ import annotations

import time

from coldstart.serve.errors import from_validation


def unknown(*loc):
    return {"type": "extra_forbidden", "loc": loc, "msg": "Extra inputs are not permitted"}


def test_thousands_of_unknown_fields_take_no_longer_than_reading_them():
    """Compared by pairs, these take half a minute, in which no other request is answered."""
    problems = [unknown("body", f"field{n}") for n in range(20_000)]
    problems.append({"type": "too_short", "loc": ("body",), "msg": "too short for its fields"})
    start = time.process_time()
    said = from_validation(problems, frozenset({"body"})).message
    assert time.process_time() - start < 5
    assert said == "body: a field that is not known here; and 19990 more"


def test_a_field_is_suggested_where_no_part_of_the_path_is_known():
    said = from_validation([unknown("profle")], frozenset({"profile"})).message
    assert said == "body: a field that is not known here: did you mean 'profile'?"
