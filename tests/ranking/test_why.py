"""Why, for people: shares that sum to one, ranks and counts, no scores."""

import re

import pytest

from coldstart.ranking.wording.why import _NAMES, why
from coldstart.schema import Provenance, Reason, Recommendation
from coldstart.scoring.registry import SIGNALS


def line(lifts, ranks=None, reasons=(), groups=None):
    provenance = Provenance(
        strategy="prior", lifts=lifts, ranks=ranks or {}, among=1682, groups=groups or lifts
    )
    return Recommendation(
        rank=1, item_id="a", title="A", score=0.0, reason="x", reasons=reasons,
        provenance=provenance,
    )  # fmt: skip


def test_shares_of_what_lifted_it_the_largest_first():
    reason = Reason(code="picks", arguments={"pick": "Alien", "people": 7, "viewing": False})
    made = why(
        line({"words": 3.0, "liked": 1.0, "years": -5.0}, {"words": 3, "liked": 12}, (reason,))
    )
    assert [(w.name, w.share) for w in made] == [
        ("What you asked for", 0.75),
        ("What you liked", 0.25),
    ]
    assert made[0].text == "3rd of 1,682 by what you asked for"
    assert made[1].text == (
        "12th of 1,682 by what people like who share your likes; "
        "because you liked Alien: 7 people liked both"
    )


def test_in_chinese():
    (made,) = why(line({"words": 3.0}, {"words": 3}), "zh")
    assert (made.name, made.text) == ("你说的要求", "按你说的要求，在 1,682 件中排第 3")


@pytest.mark.parametrize(
    ("rank", "text"),
    [(1, "1st"), (2, "2nd"), (11, "11th"), (12, "12th"), (21, "21st"), (1113, "1,113th")],
)
def test_ranks_are_ordinal_numbers(rank, text):
    assert why(line({"popularity": 1.0}, {"popularity": rank}))[0].text.startswith(f"{text} of")


def test_a_boost_has_its_own_name_and_what_is_tiny_has_no_line():
    made = why(line({"words": 1.0, "years": 0.001}, groups={"words": 1.0, "boost:summer": 1.0}))
    assert [(w.name, w.share) for w in made] == [("What you asked for", 0.5), ("boost:summer", 0.5)]
    assert made[1].text == "more than is usual here"


def test_nothing_lifted_it():
    assert why(line({"words": -1.0})) == ()


def test_every_group_has_a_name_in_both_languages():
    groups = {signal.group for signal in SIGNALS}
    for names in _NAMES.values():
        assert groups <= names.keys()


def test_of_real_lists(movies):
    found = movies.recommend({"about": "a gentle comedy", "liked": ["Babe"]}, k=8)
    for one in found:
        parts = why(one)
        assert sum(w.share for w in parts) == pytest.approx(1.0)
        assert [w.share for w in parts] == sorted((w.share for w in parts), reverse=True)
        text = " ".join(w.text for w in parts)
        assert re.search(r"\d(st|nd|rd|th) of 9,061", text)
    ranks = [one.provenance.ranks["words"] for one in found]
    assert min(ranks) <= 3
    assert all(1 <= r <= 9061 for r in ranks)
