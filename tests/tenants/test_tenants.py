"""Many tenants on one base model: the same lists as alone, and nothing of each other's.

First the recommenders, then the service.
"""

from __future__ import annotations

import gc
import json
import logging
import shutil
import signal
import subprocess
import sys
import threading
import weakref
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from transformers import AutoModelForCausalLM

from coldstart import Catalog, Item, Recommender, UserProfile
from coldstart.cli import main
from coldstart.errors import ArtifactError, ConfigError, ModelError
from coldstart.generation.decoding.beam import beam_logprobs
from coldstart.generation.models import cached
from coldstart.generation.models.adapted import AdaptedLM
from coldstart.generation.models.lora import LoRA
from coldstart.runtime import models
from coldstart.schema import DecodingConfig
from coldstart.serve import tenants as serving_tenants
from coldstart.serve.fair_lock import FairLock
from coldstart.serve.settings import ServeSettings
from coldstart.serve.store import Store, StoreUnavailable
from coldstart.serve.tenants import TenantServices
from coldstart.serve.tenants_app import create_tenants_app
from coldstart.serve.tenants_config import Tenant, read_tenants
from coldstart.tenants.registry import TenantRegistry
from tests.conftest import ARTIFACT
from tests.fakes_lm import TITLES, trie_of
from tests.serve.helpers import refused
from tests.serve.processes import free_port
from tests.toy import save_tiny_base, toy_catalog, toy_recommender
from tests.waiting import PATIENCE, no_error, until

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
QUICK = DecodingConfig(max_new_tokens=8)
PEOPLE = [
    UserProfile(),
    UserProfile(age=21, occupation="student"),
    UserProfile(liked=["Toy Story", "Star Wars"], about="space"),
]


class World:
    """Tiny base models on disk, and artifacts with random adapters of them."""

    def __init__(self, folder):
        self.folder = folder
        self.bases = {f: save_tiny_base(folder / f, f) for f in ("llama", "gpt2")}

    def artifact(self, name, family="llama", seed=0, catalog=None, **lora):
        """Write an artifact, once; returns its folder."""
        out = self.folder / f"{name}-{family}-{seed}"
        if out.exists():
            return out
        base = self.bases[family]
        model, tokenizer = AutoModelForCausalLM.from_pretrained(base), models.load_tokenizer(base)
        fingerprint = models.fingerprint(model, tokenizer)
        gpt2 = {"target_modules": ["c_attn", "c_fc"], "fan_in_fan_out": True}
        lora = ({"target_modules": ALL} if family == "llama" else gpt2) | lora
        config = LoraConfig(
            task_type="CAUSAL_LM",
            **{"r": 4, "lora_alpha": 8, "init_lora_weights": False} | lora,
        )
        with torch.random.fork_rng(devices=[]), models.quietly():
            torch.manual_seed(seed)
            adapted = get_peft_model(model, config)
            for key, weight in adapted.named_parameters():
                if "lora_B" in key:
                    weight.data *= 0.3
            adapted.save_pretrained(self.folder / "peft")
        files = {
            f"adapter/{n}": (self.folder / "peft" / n).read_bytes()
            for n in ("adapter_config.json", "adapter_model.safetensors")
        }
        parts = toy_recommender(catalog)
        Recommender(
            parts.catalog,
            None,
            parts.template,
            parts.counts,
            parts.encoder,
            parts.ranker,
            parts.settings,
            manifest={
                "name": name,
                "base": {"name": base, "fingerprint": fingerprint},
                "encoder": {"name": models.DEFAULT_ENCODER},
            },
            adapter=files,
        ).save_pretrained(out)
        return out


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(autouse=True, scope="module")
def kept_elsewhere(tmp_path_factory):
    """Tiny models must not push the real ones out of the user's cache."""
    folder, real = tmp_path_factory.mktemp("kept"), cached.decoder_folder
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cached, "decoder_folder", lambda *args: folder / real(*args).name)
        yield


def tenants(artifacts, **more):
    return TenantRegistry(artifacts, **({"device": "cpu", "dtype": "float32"} | more))


def alone(folder):
    return Recommender.from_pretrained(folder, device="cpu", dtype="float32")


def agree(one, other, people=PEOPLE[1:]):
    for strategy in ("catalog", "both"):
        for person in people:
            ours = one.recommend(person, k=7, strategy=strategy, decoding=QUICK)
            own = other.recommend(person, k=7, strategy=strategy, decoding=QUICK)
            assert ours.item_ids == own.item_ids
            assert [r.score for r in ours] == pytest.approx([r.score for r in own], abs=1e-4)


def written(rec, person=PEOPLE[1]):
    found = rec.generate(person, n=4, strategy="free", decoding=QUICK)
    return [(c.text, pytest.approx(c.logprob, abs=1e-4)) for c in found]


# -- the same as alone ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "lora"),
    [
        ("llama", {}),
        ("llama", {"target_modules": ["q_proj", "v_proj"], "r": 3}),
        ("llama", {"target_modules": ["o_proj", "gate_proj", "down_proj"], "use_rslora": True}),
        ("llama", {"layers_to_transform": [1], "lora_alpha": 5}),
        ("gpt2", {}),
    ],
    ids=["all", "some", "rslora", "one-layer", "gpt2"],
)
def test_lists_are_those_of_the_merged_model(world, request, family, lora):
    name = request.node.callspec.id
    folders = [world.artifact(name, family, seed, **lora) for seed in (1, 2)]
    two = tenants({"a": folders[0], "b": folders[1]})
    own = [alone(folder) for folder in folders]
    for tenant, other in zip("ab", own, strict=True):
        assert isinstance(two.get(tenant).lm, AdaptedLM)
        agree(two.get(tenant), other)
    for tenant, other in zip("abab", own * 2, strict=True):  # they take turns
        assert written(two.get(tenant)) == written(other)
    assert written(own[0]) != written(own[1])


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_beams_are_those_of_the_merged_model(world, family):
    folders = [world.artifact("beam", family, seed) for seed in (1, 2)]
    two, trie = tenants({"a": folders[0], "b": folders[1]}), trie_of(TITLES)
    mass, found = np.ones(len(trie)), []
    for tenant, folder in zip("ab", folders, strict=True):
        ours, own = (
            beam_logprobs(rec.lm, "A person.\nToy Story\n", trie, mass, 0.5, width=4).logprobs
            for rec in (two.get(tenant), alone(folder))
        )
        np.testing.assert_allclose(ours, own, atol=1e-4)
        found.append(ours)
    assert np.abs(found[0] - found[1]).max() > 0.1


def test_a_batch_gives_what_singles_give(world):
    rec = tenants({"a": world.artifact("all", seed=1)}).get("a")
    together = rec.recommend(PEOPLE, k=5)
    for person, made in zip(PEOPLE, together, strict=True):
        assert rec.recommend(person, k=5).item_ids == made.item_ids


def test_the_shipped_artifact(monkeypatch):
    monkeypatch.setattr(
        cached, "store_decoder", lambda *args: None
    )  # two of 540 MB, for this test only
    rec = tenants({"films": ARTIFACT}).get("films")
    own = Recommender.from_pretrained(ARTIFACT, device="cpu", dtype="float32")
    person = UserProfile(age=24, gender="M", occupation="student", liked=["Alien", "Toy Story"])
    ours, theirs = rec.recommend(person), own.recommend(person)
    assert ours.item_ids == theirs.item_ids
    assert [r.score for r in ours] == pytest.approx([r.score for r in theirs], abs=1e-4)


def test_what_is_saved_is_the_artifact(world, tmp_path):
    folder = world.artifact("all", seed=1)
    tenants({"a": folder}).get("a").save_pretrained(tmp_path / "copy")
    for name in ("adapter/adapter_model.safetensors", "counts.safetensors", "ranker.json"):
        assert (tmp_path / "copy" / name).read_bytes() == (folder / name).read_bytes()


# -- one copy -------------------------------------------------------------------------------------


def test_there_is_one_base_one_tokenizer_and_one_encoder(world):
    folders = {n: world.artifact("all", seed=s) for s, n in enumerate("abc", 1)}
    all_ = tenants(folders)
    recs = [all_.get(n) for n in folders]
    for rec in recs:
        written(rec)  # has the whole model loaded
    lms = [rec.lm for rec in recs]
    assert len({id(lm.base) for lm in lms}) == len({id(lm.lines) for lm in lms}) == 1
    assert len({id(rec.encoder) for rec in recs} | {id(r.item_store.encoder) for r in recs}) == 1
    lean = [lm.fused_decoder().weights["1.qkv"].data_ptr() for lm in lms]
    whole = [lm.model.model.layers[1].self_attn.q_proj.weight.data_ptr() for lm in lms]
    assert len({*lean, *whole}) == 1
    embedding = lms[0].model.get_input_embeddings().weight
    assert embedding.data_ptr() == lms[0].fused_decoder().weights["embedding"].data_ptr()


def test_each_base_is_loaded_once_and_freed_with_its_last_tenant(world, monkeypatch):
    from coldstart.artifacts import loading as assembly

    real, loads = assembly.load_base, []

    def load_base(name, *args, **more):
        loads.append(name)
        return real(name, *args, **more)

    monkeypatch.setattr(assembly, "load_base", load_base)
    folders = {
        "a": world.artifact("all", seed=1),
        "b": world.artifact("gpt2", "gpt2", 1),
        "c": world.artifact("all", seed=2),
        "d": world.artifact("gpt2", "gpt2", 2),
    }
    all_ = tenants(folders)
    bases = {n: weakref.ref(all_.get(n).lm.base) for n in folders}
    assert bases["a"]() is bases["c"]()
    assert bases["b"]() is bases["d"]()
    assert sorted(loads).count(world.bases["gpt2"]) == 1
    for name in "bd":
        all_.drop(name)
    gc.collect()
    assert bases["b"]() is None
    assert bases["a"]() is not None
    all_.get("d").recommend(PEOPLE[1], k=1)


def test_a_base_that_is_damaged_in_the_cache_is_kept_anew(world):
    folder = world.artifact("all", seed=1)
    first = tenants({"a": folder}).get("a")
    key = first.manifest["base"]["name"], first.manifest["base"]["fingerprint"]
    kept = cached.decoder_folder(*key, {}, torch.float32)
    (kept / "lean.json").write_text("{")
    again = tenants({"a": folder}).get("a")
    assert again.recommend(PEOPLE[1]) == first.recommend(PEOPLE[1])
    assert json.loads((kept / "lean.json").read_text())


# -- adapters that are more than low-rank matrices ------------------------------------------------

MORE = {
    "dora": {"use_dora": True},
    "bias": {"bias": "lora_only"},
    "rank-pattern": {"rank_pattern": {"q_proj": 2}},
    "alpha-pattern": {"alpha_pattern": {"q_proj": 2}},
    "saved-modules": {"modules_to_save": ["norm"]},
    "head": {"target_modules": ["lm_head", "q_proj"]},
    "embedding": {"target_modules": ["embed_tokens", "q_proj"]},
}


@pytest.mark.parametrize("lora", MORE.values(), ids=MORE.keys())
@pytest.mark.filterwarnings("ignore:.*(tie_word_embeddings|tied|save_embedding).*:UserWarning")
def test_such_an_adapter_gets_a_model_of_its_own(world, request, lora, caplog):
    name = request.node.callspec.id
    folder = world.artifact(name, **lora)
    two = tenants({"odd": folder, "plain": world.artifact("all", seed=1)})
    before = two.get("plain").recommend(PEOPLE[1], k=7)
    with caplog.at_level(logging.WARNING, "coldstart.tenants.registry"):
        rec = two.get("odd")
    assert not isinstance(rec.lm, AdaptedLM)
    assert "does not run beside the base model" in caplog.text
    agree(rec, alone(folder), PEOPLE[1:2])
    assert two.get("plain").recommend(PEOPLE[1], k=7) == before


@pytest.fixture
def files(world):
    folder = world.artifact("all", seed=1) / "adapter"
    return {f"adapter/{p.name}": p.read_bytes() for p in folder.iterdir()}


def read(files):
    return LoRA.read(files, torch.device("cpu"), torch.float32)


@given(data=st.data())
def test_a_damaged_adapter_is_told_whatever_the_damage(world, data):
    folder = world.artifact("all", seed=1) / "adapter"
    files = {f"adapter/{p.name}": p.read_bytes() for p in folder.iterdir()}
    name = data.draw(st.sampled_from(sorted(files)))
    cut = data.draw(st.integers(0, len(files[name]) - 1))
    with pytest.raises(ModelError, match="adapter"):
        read(files | {name: files[name][:cut]})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"peft_type": "IA3"}, "not LORA"),
        ({"r": None}, "TypeError"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights"),
        ({"something_new": 1}, "something_new"),
    ],
)
def test_settings_that_are_not_known_are_not_ignored(files, change, told):
    config = json.loads(files["adapter/adapter_config.json"]) | change
    with pytest.raises(ModelError, match=told):
        read(files | {"adapter/adapter_config.json": json.dumps(config).encode()})


def test_an_adapter_of_another_size_does_not_fit(world, files):
    lm = tenants({"a": world.artifact("all", seed=1)}).get("a").lm
    lora = read(files)
    name, pair = next(iter(lora.pairs.items()))
    bad = LoRA({**lora.pairs, name: type(pair)(pair.down, pair.up[:-1])}, 1.0)
    with pytest.raises(ModelError, match="does not fit"):
        lm.base.with_adapter(bad)
    with pytest.raises(ModelError, match="changes model.layers.0.other"):
        lm.base.with_adapter(LoRA({"model.layers.0.other": pair}, 1.0))
    with pytest.raises(ModelError, match="has no model.layers.9"):
        lm.base.with_adapter(LoRA({"model.layers.9.self_attn.q_proj": pair}, 1.0))


# -- nothing of each other's ----------------------------------------------------------------------


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


# -- which are kept -------------------------------------------------------------------------------


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


# -- the file that names them ---------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A folder with two artifacts, as far as the file is concerned."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
    return tmp_path


GOOD = """
[films]
artifact = "one"
db = "films.db"
max_k = 7
deadline = 3
origins = ["https://films.example"]

[the-shop]
artifact = "two"
db = "postgresql+psycopg://shop:secret@db.example/shop"
secret_key_env = "SHOP_KEY"
"""


def test_the_file_says_what_each_tenant_has(folder, monkeypatch):
    monkeypatch.setenv("SHOP_KEY", "x")
    (folder / "t.toml").write_text(GOOD)
    found = read_tenants(folder / "t.toml")
    assert list(found) == ["films", "the-shop"]
    assert found["films"].artifact == str(folder / "one")
    assert found["films"].db == f"sqlite:///{folder}/films.db"
    assert found["the-shop"].db.startswith("postgresql+psycopg://shop:secret@")
    default = ServeSettings(queue=5, max_k=50)
    films = found["films"].settings(default)
    assert (films.max_k, films.queue, films.deadline) == (7, 5, 3)
    assert films.origins == ("https://films.example",)
    assert found["the-shop"].settings(default) == default


TABLE = '[a]\nartifact = "one"\ndb = "a.db"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no tenants"),
        ("[a", "not TOML"),
        (b"\xff", "not TOML"),
        ("a = 1", "'a': not a table"),
        ('[a]\ndb = "a.db"', "artifact: Field required"),
        ('[a]\nartifact = "one"', "db: Field required"),
        ('[a]\nartifact = ""\ndb = "a.db"', "artifact: String should have"),
        (TABLE + "maxk = 3", "maxk: Extra inputs"),
        (TABLE + 'max_k = "3"', "max_k: Input should be a valid integer"),
        (TABLE + "max_k = 0", "'a': max_k is 0"),
        (TABLE + "deadline = nan", "'a': deadline is nan"),
        (TABLE + 'origins = ["*"]', "origins are"),
        (TABLE + 'secret_key_env = "COLDSTART_NO_SUCH"', "has no COLDSTART_NO_SUCH"),
        ('[a]\nartifact = "three"\ndb = "a.db"', "no artifact at"),
        ('[a]\nartifact = "one"\ndb = "none/a.db"', "no folder"),
        ('[a]\nartifact = "one"\ndb = "://"', "no URL of a database"),
        (TABLE + '[b]\nartifact = "two"\ndb = "x/../a.db"', "no folder"),
        (TABLE + '[b]\nartifact = "two"\ndb = "one/../a.db"', "the database of 'a'"),
        (
            '[a]\nartifact = "one"\ndb = "postgresql://u:1@h/d"\n'
            '[b]\nartifact = "one"\ndb = "postgresql+psycopg://v:2@h/d"',
            "the database of 'a'",
        ),
        *[
            (f'["{name}"]\nartifact = "one"\ndb = "a.db"', "cannot be part of an address")
            for name in ("a/b", "", "..", ".hidden", "a b", "ü", "a%2f", "a" * 64, "a\\n")
        ],
    ],
)
def test_a_bad_file_is_told(folder, text, told):
    path = folder / "t.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError, match=told):
        read_tenants(path)


def test_two_tenants_with_one_database_by_a_link(folder):
    (folder / "a.db").write_bytes(b"")
    (folder / "b.db").symlink_to("a.db")
    (folder / "t.toml").write_text(TABLE + '[b]\nartifact = "two"\ndb = "b.db"')
    with pytest.raises(ConfigError, match="the database of 'a'"):
        read_tenants(folder / "t.toml")


def test_a_password_is_not_told(folder):
    (folder / "t.toml").write_text('[a]\nartifact = "one"\ndb = "://u:hunter2@h/d"')
    with pytest.raises(ConfigError, match="no URL of a database") as told:
        read_tenants(folder / "t.toml")
    assert "hunter2" not in str(told.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--tenants", "none.toml"], "No such file"),
        (["--tenants", "t.toml", "--artifact", "one"], "--artifact beside --tenants"),
        (["--tenants", "t.toml", "--db", "x.db"], "--db beside --tenants"),
        (["--tenants", "t.toml", "--experiment", "ab.toml"], "--experiment beside --tenants"),
        (["--tenants", "t.toml", "--revision", "main"], "--revision beside --tenants"),
        (["--tenants", "t.toml", "--open", "--host", "0.0.0.0"], "--open on 0.0.0.0"),
    ],
)
def test_the_command_says_what_is_wrong(folder, monkeypatch, capsys, options, told):
    monkeypatch.chdir(folder)
    (folder / "t.toml").write_text(TABLE)
    assert main(["serve", *options]) == 2
    assert told in capsys.readouterr().err


# -- the service ----------------------------------------------------------------------------------

OPEN = {"open": True, "hosts": ("testserver",), "deadline": PATIENCE, "drain": 0.0}
CATALOGS = {name: list(toy_catalog())[n:] for n, name in enumerate(("a", "b", "c"))}


def load(name):
    return toy_recommender(Catalog.from_items(CATALOGS[name]))


@contextmanager
def serving(folder, load=load, most=8, own=None, **settings):
    """A client of a running process; ``client.services`` is what it talks to."""
    own = own or {}
    tenants = {
        name: Tenant(artifact="toy", db=f"sqlite:///{folder}/{name}.db", **own.get(name, {}))
        for name in CATALOGS
    }
    services = TenantServices(tenants, load, ServeSettings(**(OPEN | settings)), most=most)
    with TestClient(create_tenants_app(services)) as client:
        client.services = services
        yield client


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """For tests that change nothing others look at."""
    with serving(tmp_path_factory.mktemp("shared")) as client:
        yield client


def ids(response):
    assert response.status_code == 200, response.text
    return [line["item_id"] for line in response.json()["items"]]


ASKED = {"profile": {"age": 24, "liked": ["Fargo"]}, "k": 5}


def test_each_tenant_has_the_whole_api(shared):
    for name in CATALOGS:
        got = shared.post(f"/t/{name}/v1/recommend", json=ASKED)
        assert ids(got) == load(name).recommend(ASKED["profile"], k=5).item_ids
        at = shared.post(f"/t/{name}/v1/sessions", json={}).json()["session_id"]
        assert shared.get(f"/t/{name}/v1/sessions/{at}").status_code == 200
        assert "/v1/recommend" in shared.get(f"/t/{name}/openapi.json").json()["paths"]
        assert "page/app.js" in shared.get(f"/t/{name}/").text
        assert shared.get(f"/t/{name}/page/app.js").headers["content-type"].startswith("text/java")
        assert shared.get(f"/t/{name}/readyz").json() == {"status": "ready"}
    sent = shared.get("/t/a", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (308, "a/")


@pytest.mark.parametrize(
    "path",
    ["/", "/t", "/t/", "/t/x", "/t/x/v1/recommend", "/v1/recommend", "/t/A/", "/openapi.json"]
    + ["/t/a/none", "/t/a/v1/recommend/", "/t/a/t/b/healthz", "/t/a//healthz", "/docs", "/t//"],
)
def test_what_is_not_there_is_404_in_our_form(shared, path):
    response = shared.get(path)
    refused(response, 404, "not_found")
    assert response.headers["x-content-type-options"] == "nosniff"
    for name in CATALOGS:
        assert f"/{name}" not in response.text


def test_the_process_has_health_and_numbers(shared):
    shared.post("/t/a/v1/recommend", json=ASKED)
    shared.post("/t/b/v1/recommend", json=ASKED)
    assert shared.get("/healthz").json() == {"status": "ok"}
    assert shared.get("/readyz").json() == {"status": "ready"}
    families = {f.name: f for f in text_string_to_metric_families(shared.get("/metrics").text)}
    by_tenant = {s.labels["tenant"]: s.value for s in families["coldstart_items"].samples}
    assert by_tenant["a"] == len(CATALOGS["a"])
    assert by_tenant["b"] == len(CATALOGS["b"])
    answered = [
        s
        for s in families["coldstart_requests"].samples
        if s.labels.get("route") == "/v1/recommend" and s.labels["status"] == "200"
    ]
    assert {s.labels["tenant"] for s in answered} >= {"a", "b"}
    refused(shared.post("/healthz"), 405, "method_not_allowed")


def test_another_host_is_refused_everywhere(shared):
    for path in ("/healthz", "/t/a/", "/t/a/v1/items", "/t/x/"):
        refused(shared.get(path, headers={"host": "evil.example"}), 421, "wrong_host")


def test_limits_are_the_tenants_own(tmp_path):
    with serving(tmp_path, own={"a": {"max_k": 2}}) as client:
        refused(client.post("/t/a/v1/recommend", json=ASKED), 422, "invalid")
        assert len(ids(client.post("/t/b/v1/recommend", json=ASKED))) == 5


def test_a_key_is_worth_nothing_at_another_tenant_and_strangers_load_nothing(tmp_path):
    keys = {}
    for name in "ab":
        with Store.open(f"sqlite:///{tmp_path}/{name}.db") as store:
            keys[name] = store.create_key("someone", rate_limit=None, admin=True).secret
    with serving(tmp_path, open=False) as client:

        def ask(tenant, key, path="/v1/recommend"):
            headers = {"authorization": f"Bearer {keys[key]}"} if key else {}
            return client.post(f"/t/{tenant}{path}", json=ASKED, headers=headers)

        for key in (None, "b"):
            refused(ask("a", key), 401, "unauthorized")
            refused(ask("a", key, "/openapi.json"), 401, "unauthorized")
        assert client.get("/t/a/").status_code == client.get("/t/a/page/app.js").status_code == 200
        assert client.get("/t/a/readyz").status_code == client.get("/t/a/healthz").status_code
        refused(client.get("/t/a/page/none"), 404, "not_found")
        assert client.services.loaded == ()
        assert ids(ask("a", "a"))
        assert ids(ask("b", "b"))
        for tenant, key in (("a", "b"), ("b", "a"), ("a", None), ("c", "a")):
            refused(ask(tenant, key), 401, "unauthorized")
        # A path that repeats the prefix must not pass behind the gate's back.
        for path in ("/t/a/v1/recommend", "/t/b/v1/recommend", "//v1/recommend"):
            refused(ask("a", None, path), 404, "not_found")
        assert set(client.services.loaded) == {"a", "b"}


def test_a_store_that_does_not_answer_is_told(tmp_path, monkeypatch):
    with serving(tmp_path, open=False) as client:

        def away(tenant):
            raise StoreUnavailable("the server at db.example is away")

        monkeypatch.setattr(Tenant, "open", away)
        response = client.get("/t/a/v1/items", headers={"x-api-key": "k"})
        assert "db.example" not in str(refused(response, 503, "store"))


def test_monitors_keep_nobody_in_memory(tmp_path):
    with serving(tmp_path, most=2) as client:
        for name in "ab":
            client.get(f"/t/{name}/v1/items")
        client.get("/t/a/healthz")
        client.get("/t/c/healthz")
        client.get("/t/c/v1/items")
        assert client.services.loaded == ("b", "c")


def test_changes_and_sessions_are_the_tenants_own_and_outlive_their_leaving(tmp_path):
    with serving(tmp_path, most=1) as client:
        at = client.post("/t/a/v1/sessions", json={}).json()["session_id"]
        assert client.put("/t/a/v1/items/new", json={"title": "Newcomer"}).status_code < 300
        assert client.delete("/t/a/v1/items/i5").status_code < 300
        refused(client.get("/t/b/v1/items/new"), 404, "not_found")
        refused(client.get(f"/t/b/v1/sessions/{at}"), 404, "not_found")
        assert client.get("/t/b/v1/items/i5").status_code == 200
        assert client.services.loaded == ("b",)
        assert client.get("/t/a/v1/items/new").json()["title"] == "Newcomer"
        refused(client.get("/t/a/v1/items/i5"), 404, "not_found")
        assert client.get(f"/t/a/v1/sessions/{at}").status_code == 200
        assert client.services.loaded == ("a",)


def test_who_leaves_stops_and_is_freed(tmp_path):
    made = []

    def noted(name):
        rec = load(name)
        made.append(weakref.ref(rec))
        return rec

    before = set(threading.enumerate())

    def workers():
        return [t for t in set(threading.enumerate()) - before if t.name == "recommender"]

    with serving(tmp_path, noted, most=1) as client:
        client.post("/t/a/v1/recommend", json=ASKED)
        running = client.services._running["a"]
        client.post("/t/b/v1/recommend", json=ASKED)
        assert not running.service.worker.alive
        assert not running.service.worker._thread.is_alive()
        del running
        gc.collect()
        assert made[0]() is None
        assert made[1]() is not None
        assert len(workers()) == 1
    assert not workers()


def test_who_is_busy_stays_and_is_answered(tmp_path):
    started, release = threading.Event(), threading.Event()

    def slow(name):
        rec = load(name)
        if name == "a":
            real = rec.resolve

            def resolve(*args, **more):
                if threading.current_thread().name == "recommender":
                    started.set()
                    assert release.wait(PATIENCE)
                return real(*args, **more)

            rec.resolve = resolve
        return rec

    with serving(tmp_path, slow, most=1) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.post, "/t/a/v1/recommend", json=ASKED)
        assert started.wait(PATIENCE)
        assert client.get("/t/b/healthz").status_code == 200  # the turn is a's; b need not work
        second = pool.submit(client.post, "/t/b/v1/recommend", json=ASKED)
        until(lambda: in_line(client.services._turns) == 2, "b behind a")
        assert "a" in client.services.loaded
        release.set()
        assert ids(first.result(PATIENCE)) == load("a").recommend(ASKED["profile"], k=5).item_ids
        assert ids(second.result(PATIENCE)) == load("b").recommend(ASKED["profile"], k=5).item_ids
        assert client.get("/t/b/v1/items").status_code == 200
        assert client.services.loaded == ("b",)


def test_while_one_loads_others_are_answered_and_all_who_wait_get_the_same_one(tmp_path):
    started, release, loads = threading.Event(), threading.Event(), []

    def slow(name):
        loads.append(name)
        if name == "a":
            started.set()
            assert release.wait(PATIENCE)
        return load(name)

    with serving(tmp_path, slow, queue=3) as client, ThreadPoolExecutor(4) as pool:
        client.post("/t/b/v1/recommend", json=ASKED)
        waiting = [pool.submit(client.post, "/t/a/v1/recommend", json=ASKED) for _ in range(3)]
        assert started.wait(PATIENCE)
        assert ids(client.post("/t/b/v1/recommend", json=ASKED))
        until(lambda: client.services._waiting["a"] == 3, "three who wait for a")
        full = client.post("/t/a/v1/recommend", json=ASKED)
        refused(full, 503, "not_loaded")
        assert full.headers["retry-after"] == "1"
        release.set()
        assert all(ids(w.result(PATIENCE)) for w in waiting)
    assert loads == ["b", "a"]


def test_one_that_fails_to_load_is_refused_and_tried_again_later(tmp_path, monkeypatch):
    broken, loads, now = {"a"}, [], [0.0]
    monkeypatch.setattr(serving_tenants, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def fragile(name):
        loads.append(name)
        if name in broken:
            raise ArtifactError("ranker.json is damaged")
        return load(name)

    with serving(tmp_path, fragile) as client:
        for _ in range(2):
            response = client.post("/t/a/v1/recommend", json=ASKED)
            told = refused(response, 503, "not_loaded")
            assert "ranker" not in str(told)
            assert 1 <= int(response.headers["retry-after"]) <= 10
        assert loads == ["a"]
        assert ids(client.post("/t/b/v1/recommend", json=ASKED))
        broken.clear()
        now[0] = serving_tenants._RETRY_SECONDS
        assert ids(client.post("/t/a/v1/recommend", json=ASKED))


def test_a_reload_is_of_all_and_one_that_fails_stays(tmp_path):
    broken = set()

    def fragile(name):
        if name in broken:
            raise ArtifactError("damaged")
        return load(name)

    with serving(tmp_path, fragile) as client:
        before = [
            ids(client.post(f"/t/{n}/v1/recommend", json=ASKED)) and n for n in ("a", "b", "c")
        ]
        recs = {n: client.services._running[n].service.worker._arms[""] for n in before}
        broken.add("b")
        client.portal.call(client.services.reload)
        now = {n: client.services._running[n].service.worker._arms[""] for n in before}
        assert [n for n in before if now[n] is recs[n]] == ["b"]
        assert refused(client.post("/t/b/v1/admin/reload"), 500, "reload_failed")
        assert ids(client.post("/t/b/v1/recommend", json=ASKED))
        client.services.draining = True
        refused(client.get("/readyz"), 503, "not_ready")
        refused(client.get("/t/a/readyz"), 503, "not_ready")


# -- turns ----------------------------------------------------------------------------------------


def in_line(turns):
    """How many have a turn or wait for one."""
    return turns._tickets.__reduce__()[1][0] - turns._served


def test_turns_are_given_in_the_order_of_asking():
    turns, order = FairLock(), []

    def take(n):
        with turns:
            order.append(n)

    with turns:
        threads = []
        for n in range(20):
            threads.append(threading.Thread(target=take, args=(n,)))
            threads[-1].start()
            until(lambda n=n: in_line(turns) == n + 2, f"thread {n} to stand in line")
    for thread in threads:
        thread.join(PATIENCE)
    assert order == list(range(20))


def test_a_turn_ends_with_an_error_too():
    turns = FairLock()
    with pytest.raises(KeyError, match="x"), turns:
        raise KeyError("x")
    with turns:
        pass


def test_tenants_work_one_at_a_time_and_a_busy_one_starves_nobody(tmp_path):
    at_work, most_at_work, order = [], [], []
    begun, go = threading.Event(), threading.Event()
    go.set()

    def watched(name):
        rec = load(name)
        real = rec.resolve

        def resolve(*args, **more):
            at_work.append(name)
            most_at_work.append(len(at_work))
            order.append(name)
            begun.set()
            assert name == "b" or go.wait(PATIENCE)
            at_work.remove(name)
            return real(*args, **more)

        rec.resolve = resolve
        return rec

    with serving(tmp_path, watched, batch=2) as client, ThreadPoolExecutor(24) as pool:
        for name in "ab":
            assert ids(client.post(f"/t/{name}/v1/recommend", json=ASKED))
        order.clear()
        begun.clear()
        go.clear()
        busy = [pool.submit(client.post, "/t/a/v1/recommend", json=ASKED) for _ in range(20)]
        assert begun.wait(PATIENCE)
        worker = client.services._running["a"].service.worker
        until(lambda: worker.waiting() >= 18, "all of a but those at work")
        other = pool.submit(client.post, "/t/b/v1/recommend", json=ASKED)
        until(lambda: in_line(client.services._turns) == 2, "b behind a")
        go.set()
        assert ids(other.result(PATIENCE))
        assert all(ids(one.result(PATIENCE)) for one in busy)
    assert max(most_at_work) == 1
    assert order.count("a") == 20
    assert order.index("b") <= 2  # behind one batch, before all others of a


# -- the process ----------------------------------------------------------------------------------


def test_the_command_serves_them_until_it_is_told_to_stop(world, tmp_path):
    lines = [
        f'[{name}]\nartifact = "{world.artifact("all", seed=seed)}"\ndb = "{name}.db"'
        for seed, name in enumerate(("films", "shop"), 1)
    ]
    (tmp_path / "t.toml").write_text("\n".join(lines))
    secret = {}
    for name in ("films", "shop"):
        with Store.open(f"sqlite:///{tmp_path}/{name}.db") as store:
            secret[name] = store.create_key("x", rate_limit=None, admin=False).secret
    port, log = free_port(), tmp_path / "log"
    command = [sys.executable, "-m", "coldstart", "serve", "--tenants", str(tmp_path / "t.toml")]
    command += ["--port", str(port), "--drain", "0", "--dtype", "float32", "--device", "cpu"]
    command += ["--deadline", str(PATIENCE)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            listens = no_error(lambda: client.get("/readyz"), httpx.TransportError)
            until(lambda: process.poll() is not None or listens(), "the service to listen")
            assert process.poll() is None, log.read_text()
            assert client.get("/readyz").status_code == 200
            for seed, name in enumerate(("films", "shop"), 1):
                asked = {"profile": {"age": 21, "occupation": "student"}, "k": 7}
                got = client.post(
                    f"/t/{name}/v1/recommend",
                    json=asked,
                    headers={"authorization": f"Bearer {secret[name]}"},
                )
                own = alone(world.artifact("all", seed=seed)).recommend(asked["profile"], k=7)
                assert ids(got) == own.item_ids
            other = {"authorization": f"Bearer {secret['films']}"}
            refused(client.get("/t/shop/v1/items", headers=other), 401, "unauthorized")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    events = [json.loads(x) for x in log.read_text().splitlines() if x.startswith("{")]
    assert [e["tenant"] for e in events if e["event"] == "loaded"] == ["films", "shop"]
    assert sorted(e["tenant"] for e in events if e["event"] == "closed") == ["films", "shop"]
