import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import DataError
from coldstart.splitting.user_splits import Split, split_users

users = st.lists(
    st.integers(0, 300).map(str) | st.text("ab0١", min_size=1, max_size=4), unique=True, max_size=60
)
shares = st.floats(0, 0.5)


@given(users, st.integers(0, 5), shares, shares)
def test_split_is_disjoint_and_complete(people, seed, test, valid):
    split = split_users(people, seed=seed, test=test, valid=valid)
    assert sorted([*split.train, *split.valid, *split.test]) == sorted(people)
    assert len(split.test) == int(test * len(people))
    assert len(split.valid) == int(valid * len(people))


@given(users, st.randoms(use_true_random=False))
def test_split_does_not_depend_on_the_order_given(people, random):
    mixed = list(people)
    random.shuffle(mixed)
    assert split_users(mixed) == split_users(people)


def test_split_is_seeded():
    people = [str(n) for n in range(50)]
    assert split_users(people, seed=3) == split_users(people, seed=3)
    assert split_users(people, seed=3) != split_users(people, seed=4)


def test_split_of_many_leaves_most_to_train():
    split = split_users([str(n) for n in range(943)])
    assert [len(p) for p in (split.train, split.valid, split.test)] == [661, 94, 188]


@given(users)
def test_split_survives_saving(tmp_path_factory, people):
    path = tmp_path_factory.mktemp("split") / "split.json"
    split = split_users(people)
    split.save(path)
    assert Split.load(path) == split


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is no split file: Expecting value"),
        ("[1, 2]", "is no split file: list indices"),
        ("3", "is no split file: "),
        ('{"train": [], "valid": []}', "is no split file: 'test'"),
        ('{"train": [], "valid": [], "test": 3}', "a part is no list"),
        ('{"train": "12", "valid": [], "test": []}', "a part is no list"),
        ('{"train": [1], "valid": [1], "test": []}', "a user is in more than one part"),
    ],
)
def test_malformed_split_files_are_data_errors(tmp_path, text, why):
    (tmp_path / "split.json").write_text(text)
    with pytest.raises(DataError, match=why):
        Split.load(tmp_path / "split.json")


def test_split_file_that_is_missing_or_not_text(tmp_path):
    with pytest.raises(DataError, match=r"no split file: .*No such file.*expected lists train"):
        Split.load(tmp_path / "split.json")
    (tmp_path / "split.json").write_bytes(b"\xff")
    with pytest.raises(DataError, match="no split file: 'utf-8' codec"):
        Split.load(tmp_path / "split.json")


def test_numbers_in_a_split_file_are_read_as_ids(tmp_path):
    (tmp_path / "split.json").write_text(json.dumps({"train": [1], "valid": [2], "test": ["3"]}))
    assert Split.load(tmp_path / "split.json") == Split(("1",), ("2",), ("3",))
