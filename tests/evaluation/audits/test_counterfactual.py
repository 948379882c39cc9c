from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart import UserProfile
from coldstart.errors import DataError
from coldstart.evaluation.audits.auditor import (
    training_people,
)
from coldstart.evaluation.audits.counterfactual import (
    ANOTHER,
    ATTRIBUTES,
    Flips,
    audit_counterfactual,
    group_of,
)
from coldstart.evaluation.cases import ColdCase
from coldstart.evaluation.recommender_adapter import CachedSignals, StrategySystem
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.schema import Pick
from tests.toy import toy_dataset, toy_split

PEOPLE = {
    "a": UserProfile(age=21, gender="F", occupation="nurse"),
    "b": UserProfile(age=29, gender="M", occupation="student"),
    "c": UserProfile(age=64, gender="f", occupation="Nurse"),
}


class ByAttribute:
    """Ranks ten films for women, and the same the other way round for everyone else."""

    def __init__(self):
        self.asked = []

    def recommend(self, profile, *, k=10):
        self.asked.append(profile)
        ids = [f"i{n}" for n in range(10)]
        ids = ids if profile.gender in ("F", "f") else ids[::-1]

        class Answer:
            item_ids = ids[:k]

        return Answer()


def case(user, n_picks=0, targets=("i0",), **said):
    picks = tuple(Pick(item=f"x{n}") for n in range(n_picks))
    return ColdCase(user, n_picks, UserProfile(liked=picks, **said), frozenset(targets))


@given(
    st.integers(0, 99),
    st.builds(
        UserProfile,
        age=st.none() | st.integers(0, 99),
        gender=st.none() | st.sampled_from(["F", "M", "f", "x"]),
        occupation=st.none() | st.sampled_from(["nurse", "student", "poet"]),
    ),
    st.sampled_from(ATTRIBUTES),
)
def test_a_flip_changes_one_attribute_to_another_group_and_nothing_else(seed, profile, name):
    flips = Flips(PEOPLE, seed)
    flipped = flips.flip("u", profile, name)
    if getattr(profile, name) is None:
        assert flipped is None
        return
    assert flipped == profile.model_copy(update={name: getattr(flipped, name)})
    assert group_of(flipped, name) != group_of(profile, name)
    assert getattr(flipped, name) in {getattr(p, name) for p in PEOPLE.values()}
    assert flips.flip("u", profile, name) == flipped


def test_ages_of_one_decade_are_one_group():
    assert group_of(PEOPLE["a"], "age") == group_of(PEOPLE["b"], "age") == "20s"
    assert Flips(PEOPLE).flip("u", UserProfile(age=25), "age").age == 64


def test_values_are_drawn_as_often_as_people_have_them():
    people = {f"m{n}": UserProfile(occupation="poet" if n < 9 else "nurse") for n in range(10)}
    drawn = [
        Flips(people).flip(f"u{n}", UserProfile(occupation="clerk"), "occupation").occupation
        for n in range(200)
    ]
    assert 0.8 < drawn.count("poet") / 200 < 0.97


def test_a_system_that_looks_at_gender_only_moves_with_gender_only():
    users = [
        case(f"u{n}", gender="F" if n % 2 else "M", age=25, occupation="poet") for n in range(12)
    ]
    people = PEOPLE | {"d": UserProfile(age=40, gender="M", occupation="poet")}
    seen = []
    result = audit_counterfactual(
        {"x": ByAttribute()}, users, people, report=lambda *at: seen.append(at)
    )
    row = {r.changed: r for r in result.rows}
    assert list(row) == ["gender", "gender: f → m", "gender: m → f", "age", "occupation", ANOTHER]
    assert seen[-1] == (12, 12)
    assert row["age"].rbo.value == row["occupation"].rbo.value == 1.0
    assert row["age"].gain.mean == 0
    assert row["gender"].overlap.value == 1.0  # the same ten, the other way round
    assert row["gender"].shift.value == np.mean([abs(2 * n - 9) for n in range(10)])
    assert row["gender"].rbo.value < 0.9
    # i0 is what all of them want: first for women, last for the others.
    last = ndcg(["x"] * 9 + ["i0"], {"i0"}, 10)
    assert row["gender: f → m"].gain.mean == pytest.approx(last - 1)
    assert row["gender: m → f"].gain.mean == pytest.approx(1 - last)
    assert row["gender: m → f"].overlap.n == 6
    assert row[ANOTHER].gain is None
    assert not result.left_out


def test_what_nobody_says_is_left_out_and_said_so():
    people = {"a": UserProfile(age=20, gender="F"), "b": UserProfile(age=50, gender="f")}
    users = [case("u", gender="F", age=25), case("v", gender="F")]
    result = audit_counterfactual({"x": ByAttribute()}, users, people)
    assert {r.changed for r in result.rows} == {"age", ANOTHER}
    assert result.left_out == (
        "gender is not changed: all say the same",
        "age is not changed for 1 of 2 users: not said",
        "occupation is not changed: no training user says it",
    )
    with pytest.raises(DataError, match="no held-out user"):
        audit_counterfactual({"x": ByAttribute()}, [], people)


def test_counterfactuals_of_a_real_recommender(rec, cases):
    systems = {"prior": StrategySystem(CachedSignals(rec), "prior")}
    result = audit_counterfactual(systems, cases, training_people(toy_dataset(), toy_split()))
    row = {(r.changed, r.n_picks): r for r in result.rows}
    assert row["occupation", 0].shift.value > 0
    assert {k for _, k in row} == {0, 3}
