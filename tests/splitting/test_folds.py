import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coldstart.errors import ConfigError, DataError
from coldstart.splitting.folds import folds_fingerprint, load_folds, save_folds, user_folds
from coldstart.splitting.user_splits import Split, split_users

people = st.lists(
    st.integers(0, 300).map(str) | st.text("ab0١", min_size=1, max_size=4),
    unique=True,
    min_size=5,
    max_size=60,
)


@given(people, st.integers(2, 5), st.integers(0, 5), st.floats(0, 0.45))
def test_everyone_is_tested_exactly_once(users, folds, seed, valid):
    largest = -(-len(users) // folds)
    assume(int(valid * len(users)) < len(users) - largest)  # somebody is left to train on
    splits = user_folds(users, folds, seed, valid)
    assert len(splits) == folds
    assert sorted(u for s in splits for u in s.test) == sorted(users)
    sizes = [len(s.test) for s in splits]
    assert max(sizes) - min(sizes) <= 1
    for split in splits:  # Split itself refuses parts that overlap
        assert sorted([*split.train, *split.valid, *split.test]) == sorted(users)
        assert len(split.valid) == int(valid * len(users))
        assert split.train


@given(people, st.randoms(use_true_random=False))
def test_folds_do_not_depend_on_the_order_given(users, random):
    mixed = list(users)
    random.shuffle(mixed)
    assert user_folds(mixed) == user_folds(users)


@given(people, st.integers(0, 5))
def test_the_first_of_five_folds_is_the_single_split(users, seed):
    assert user_folds(users, seed=seed)[0] == split_users(users, seed=seed)


def test_folds_are_seeded():
    users = [str(n) for n in range(50)]
    assert user_folds(users, seed=3) == user_folds(users, seed=3)
    assert user_folds(users, seed=3) != user_folds(users, seed=4)


def test_folds_of_movielens(movielens):
    splits = user_folds(movielens.likes)
    sizes = [(len(s.train), len(s.valid), len(s.test)) for s in splits]
    assert sizes == [(660, 94, 188)] * 2 + [(659, 94, 189)] + [(660, 94, 188), (659, 94, 189)]


@pytest.mark.parametrize(
    ("count", "settings", "why"),
    [
        (4, {}, "4 users make no 5 folds .2 to as many as users"),
        (4, {"folds": 1}, "4 users make no 1 folds"),
        (0, {}, "0 users make no 5 folds"),
        (10, {"valid": 0.8}, "valid is 0.8: 8 of 8 training users .*below 0.8"),
        (10, {"valid": -0.1}, "valid is -0.1"),
    ],
)
def test_folds_that_cannot_be_made(count, settings, why):
    with pytest.raises(ConfigError, match=why):
        user_folds([str(n) for n in range(count)], **settings)


def test_a_user_named_twice_is_refused():
    with pytest.raises(DataError, match="a user is in more than one part"):
        user_folds([*"abcdef", "a"])


# -- files -----------------------------------------------------------------------------------------


@given(people)
def test_folds_survive_saving(tmp_path_factory, users):
    path = tmp_path_factory.mktemp("folds") / "folds.json"
    splits = user_folds(users)
    save_folds(path, splits)
    assert load_folds(path) == splits
    assert json.loads(path.read_text())["fingerprint"] == folds_fingerprint(splits)


def test_the_fingerprint_is_of_every_list_and_its_order():
    splits = user_folds([str(n) for n in range(20)])
    first, *rest = splits
    variants = [
        Split(first.train[::-1], first.valid, first.test),
        Split(first.train, (), (*first.valid, *first.test)),
        Split(first.train[1:], first.valid, first.test),
    ]
    found = {folds_fingerprint(s) for s in (splits, splits[::-1], *([v, *rest] for v in variants))}
    assert len(found) == 5


def test_a_changed_file_is_refused(tmp_path):
    path = tmp_path / "folds.json"
    save_folds(path, user_folds([str(n) for n in range(20)]))
    data = json.loads(path.read_text())
    train, test = data["folds"][0]["train"], data["folds"][0]["test"]
    train[0], test[0] = test[0], train[0]
    path.write_text(json.dumps(data))
    with pytest.raises(DataError, match="was changed: its fingerprint is .* .make the folds again"):
        load_folds(path)


def test_folds_that_test_someone_never_or_twice_are_refused(tmp_path):
    splits = user_folds([str(n) for n in range(20)])
    for some in (splits[1:], (*splits, splits[0])):
        with pytest.raises(DataError, match="do not test everyone exactly once"):
            save_folds(tmp_path / "folds.json", some)
        assert not (tmp_path / "folds.json").exists()
        lists = [{p: getattr(s, p) for p in ("train", "valid", "test")} for s in some]
        forged = {"fingerprint": folds_fingerprint(some), "folds": lists}
        (tmp_path / "forged.json").write_text(json.dumps(forged))
        with pytest.raises(DataError, match="do not test everyone exactly once"):
            load_folds(tmp_path / "forged.json")


@pytest.mark.parametrize(
    "text",
    ["", "3", "[]", "{}", '{"folds": 3}', '{"folds": [3]}', '{"folds": [{"train": 3}]}',
     '{"folds": [{"train": [], "valid": []}], "fingerprint": ""}', '{"folds": []}'],
)  # fmt: skip
def test_malformed_files_are_data_errors(tmp_path, text):
    (tmp_path / "folds.json").write_text(text)
    with pytest.raises(DataError, match="is no file of folds: .*expected what save_folds writes"):
        load_folds(tmp_path / "folds.json")


def test_a_missing_file_is_a_data_error(tmp_path):
    with pytest.raises(DataError, match="is no file of folds: .*No such file"):
        load_folds(tmp_path / "folds.json")
