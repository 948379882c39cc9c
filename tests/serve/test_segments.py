"""Sample profiles: the commonest groups of the data."""

from __future__ import annotations

from coldstart.serve.segments import segment_profiles


def test_sample_profiles_are_the_commonest_groups_of_any_data():
    sizes = {f"age={n}0s": 10 * n for n in range(1, 7)} | {"gender=f": 9, "gender=m": 20}
    sizes |= {f"occupation=o{n}": n for n in range(1, 9)}
    people = segment_profiles(sizes)
    assert len(people) == 6 * 2 * 5
    assert people[0].model_dump(exclude_defaults=True) == {
        "age": 65, "gender": "m", "occupation": "o8"
    }  # fmt: skip
    assert {p.occupation for p in people} == {f"o{n}" for n in range(4, 9)}
    assert [p.attributes for p in segment_profiles({"diet=vegan": 3, "diet=any": 4})] == [
        {"diet": "any"}, {"diet": "vegan"}
    ]  # fmt: skip
    (nobody,) = segment_profiles({})
    assert nobody.is_empty()
