"""The registry: tenants apart from each other, loaded once, the least recently used evicted."""

from __future__ import annotations

import gc
import shutil
import threading
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart import Catalog, Item, UserProfile
from coldstart.errors import ArtifactError, ConfigError
from coldstart.tenants.registry import TenantRegistry
from tests.fakes_lm import TITLES
from tests.tenants.worlds import PEOPLE, alone, tenants, written
from tests.toy import toy_catalog
from tests.waiting import PATIENCE


def test_a_change_of_one_never_shows_in_another(world):
    folder = world.artifact("all", seed=1)
    two = tenants({"a": folder, "b": folder})
    a, b = two.get("a"), two.get("b")
    before = {s: b.recommend(PEOPLE[2], k=30, strategy=s) for s in ("catalog", "prior")}
    gone = a.recommend(PEOPLE[2], k=1).item_ids[0]
    a.catalog.remove(gone)
    a.catalog.add(Item(item_id="new", title="Toy Story 9", categories=("Drama",)))
    a.counts.likes[:] = a.counts.likes[::-1].copy()
    for weight in a.lm.lora.pairs.values():
        weight.up.mul_(-3)
    listed = a.recommend(PEOPLE[2], k=30).item_ids
    assert "new" in listed
    assert gone not in listed
    for strategy, made in before.items():
        assert b.recommend(PEOPLE[2], k=30, strategy=strategy) == made
    assert two.get("a") is a
    two.drop("a")
    assert two.get("a").recommend(PEOPLE[2], k=30) == before["catalog"]


def test_a_tenant_that_fails_harms_nobody(world, tmp_path):
    good, bad = world.artifact("all", seed=1), tmp_path / "bad"
    two = tenants({"good": good, "bad": bad})
    before = two.get("good").recommend(PEOPLE[1])
    for _ in range(2):
        with pytest.raises(ArtifactError, match="no artifact at"):
            two.get("bad")
    assert two.loaded == ("good",)
    assert two.get("good").recommend(PEOPLE[1]) == before
    shutil.copytree(world.artifact("all", seed=2), bad)  # somebody has repaired it
    assert two.get("bad").recommend(PEOPLE[1], k=1)


def test_an_evicted_recommender_goes_on_for_whoever_has_it(world):
    two = tenants({n: world.artifact("all", seed=s) for s, n in enumerate("ab", 1)}, most=1)
    a = two.get("a")
    before = a.recommend(PEOPLE[1])
    b = two.get("b")
    assert two.loaded == ("b",)
    assert a.recommend(PEOPLE[1]) == before
    assert a.lm.base is b.lm.base
    gone = weakref.ref(a)
    del a
    gc.collect()
    assert gone() is None


def test_what_is_not_there_is_told(world):
    folder = world.artifact("all", seed=1)
    with pytest.raises(ConfigError, match="no tenant 'c'.*there are a, b"):
        tenants({"b": folder, "a": folder}).get("c")
    with pytest.raises(ConfigError, match="no tenant 'c'"):
        tenants({"a": folder}).drop("c")
    with pytest.raises(ConfigError, match="no tenants"):
        tenants({})
    with pytest.raises(ConfigError, match="most is 0"):
        tenants({"a": folder}, most=0)


class Counted(TenantRegistry):
    """Loads plain objects, and notes when."""

    def load(self, name):
        self._check(name)
        self.loads = [*getattr(self, "loads", []), name]
        return SimpleNamespace(name=name)


@given(
    most=st.integers(1, 4),
    steps=st.lists(st.tuples(st.sampled_from(["get", "drop"]), st.sampled_from("abcdef"))),
)
def test_the_least_recently_asked_for_goes_first(most, steps):
    ours, model, loads = Counted(dict.fromkeys("abcdef", "x"), most=most), OrderedDict(), []
    for step, name in steps:
        if step == "drop":
            ours.drop(name)
            model.pop(name, None)
        else:
            found = ours.get(name)
            assert found.name == name
            if name not in model:
                loads.append(name)
                assert all(found is not other for other in model.values())
            model[name] = found
            model.move_to_end(name)
            while len(model) > most:
                model.popitem(last=False)
            assert ours.get(name) is found
        assert ours.loaded == tuple(model)
    assert getattr(ours, "loads", []) == loads


def test_many_who_ask_for_one_load_it_once_and_others_do_not_wait():
    started, release = threading.Event(), threading.Event()

    class Slow(Counted):
        def load(self, name):
            if name == "slow":
                started.set()
                assert release.wait(PATIENCE)
            return super().load(name)

    some = Slow({"slow": "x", "quick": "x"})
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(some.get, "slow") for _ in range(5)]
        assert started.wait(PATIENCE)
        assert pool.submit(some.get, "quick").result(PATIENCE).name == "quick"
        release.set()
        found = {id(a.result(PATIENCE)) for a in asked}
    assert len(found) == 1
    assert sorted(some.loads) == ["quick", "slow"]


def test_threads_that_alternate_get_their_own_answers(world):
    names = "abcd"
    all_ = tenants({n: world.artifact("all", seed=s) for s, n in enumerate(names, 1)}, most=2)
    expected = {}
    for s, name in enumerate(names, 1):
        own = alone(world.artifact("all", seed=s))
        expected[name] = own.recommend(PEOPLE[1], k=20), written(own)
    locks = {name: threading.Lock() for name in names}  # a recommender is for one at a time

    def visit(n):
        name = names[n % len(names)]
        with locks[name]:
            rec = all_.get(name)
            return name, rec.recommend(PEOPLE[1], k=20), written(rec)

    with ThreadPoolExecutor(4) as pool:
        for name, made, texts in pool.map(visit, range(24)):
            assert made.item_ids == expected[name][0].item_ids
            assert texts == expected[name][1]
    assert len(all_.loaded) == 2
    assert len({tuple(x.item_ids) for x, _ in expected.values()}) > 1


def test_catalogs_are_the_tenants_own(world):
    other = Catalog.from_items(list(toy_catalog())[:9])
    small = world.artifact("small", catalog=other)
    two = tenants({"small": small, "all": world.artifact("all", seed=1)})
    assert len(two.get("small").recommend(UserProfile(), k=50)) == 9
    assert len(two.get("all").recommend(UserProfile(), k=50)) == len(TITLES)
