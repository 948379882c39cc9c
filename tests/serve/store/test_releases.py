"""Which artifacts are served, and which were before: one row that all services share."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.fernet import Fernet

from coldstart.serve.store import Conflict, ReleaseArm, Store, StoreError
from tests.serve.store.helpers import BAD_TEXTS, contents


def arm(name, artifact="/srv/x", weight=1.0):
    return ReleaseArm(name, artifact, weight)


def names(release):
    return [a.name for a in release.arms]


def test_a_release_is_followed_by_what_was_before_it(store):
    assert store.release() is None
    one = store.new_release([arm("shop-2")])
    two = store.new_release([arm("shop-2", weight=0.9), arm("shop-3", weight=0.1)])
    assert (one.seq, two.seq) == (1, 2)
    assert store.release() == two
    back = store.roll_back()
    assert (back.seq, names(back)) == (3, ["shop-2"])
    first = store.roll_back()
    assert (first.seq, names(first)) == (4, [])  # what each service was started with
    with pytest.raises(Conflict, match="nothing was served before"):
        store.roll_back()
    assert store.release() == first


def test_the_artifact_of_the_start_has_no_folder(store):
    made = store.new_release([arm("shop", None, 0.8), arm("shop-2", "/srv/shop-2", 0.2)])
    assert store.release() == made
    assert made.arms[0].artifact is None


def test_only_the_latest_releases_are_kept(store):
    for n in range(30):
        store.new_release([arm(f"shop-{n}")])
    found = store.release()
    assert found.seq == 30
    assert [arms[0].name for arms in found.before] == [f"shop-{n}" for n in range(9, 29)]


def test_a_release_of_somebody_else_is_not_overwritten(store):
    store.new_release([arm("shop-2")], after=0)
    for change in (
        lambda: store.new_release([arm("x")], after=0),
        lambda: store.roll_back(after=2),
    ):
        with pytest.raises(Conflict, match="release 1 was made meanwhile"):
            change()
    assert names(store.release()) == ["shop-2"]
    assert names(store.roll_back(after=1)) == []


def test_every_release_of_many_at_once_has_its_number(store):
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: store.new_release([arm(f"a{n}")]), range(12)))
    assert sorted(r.seq for r in made) == list(range(1, 13))


@pytest.mark.parametrize("bad", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_arms_that_do_not_fit_are_refused(store, bad):
    for arms in ([arm(bad)], [arm("a", bad if bad != "x" * 201 else "x" * 4097)]):
        with pytest.raises(StoreError, match="expected|holds"):
            store.new_release(arms)
    assert store.release() is None


def test_arms_are_one_or_more_and_have_names_and_weights(store):
    for arms in ([], [arm("a"), arm("a")]):
        with pytest.raises(StoreError, match="one or more, of different names"):
            store.new_release(arms)
    for weight in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(StoreError, match="weight: expected more than 0"):
            store.new_release([arm("a", weight=weight)])


def test_the_row_outlives_a_change_of_the_key(tmp_path):
    one, two = (Fernet.generate_key().decode() for _ in range(2))
    url = f"sqlite:///{tmp_path}/people.db"
    with Store.open(url, secret_key=one) as store:
        store.new_release([arm("shop-2", "/srv/secret-place")])
        assert b"secret-place" not in contents(tmp_path)
    with Store.open(url, secret_key=f"{two},{one}") as store:
        store.reencrypt()
    with Store.open(url, secret_key=two) as store:
        assert names(store.release()) == ["shop-2"]
