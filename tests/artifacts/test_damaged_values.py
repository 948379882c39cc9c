"""Artifacts whose hashes are right and whose values are wrong: refused before they are used."""

from __future__ import annotations

import hashlib
import json
import os
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from coldstart.artifacts import format as artifacts
from coldstart.artifacts.adapter_check import check_adapter
from coldstart.artifacts.loading import load_parts
from coldstart.errors import ArtifactError
from tests.conftest import ROOT
from tests.rewritten import edit_manifest, write

SMALL = ROOT / "tests" / "data" / "small" / "artifact"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SMALL, tmp_path / "artifact")


def edit_json(folder, name, change):
    data = json.loads((folder / name).read_text())
    changed = change(data)
    write(folder, name, json.dumps(data if changed is None else changed).encode())


def edit_arrays(folder, name, change):
    tensors = load_tensors((folder / name).read_bytes())
    with safe_open(folder / name, "np") as f:
        about = f.metadata()
    change(tensors, about)
    write(
        folder, name, save_tensors({n: np.ascontiguousarray(a) for n, a in tensors.items()}, about)
    )


def put(name, place, value):
    """A change of one number of an array."""

    def change(tensors, about):
        tensors[name] = tensors[name].copy()
        tensors[name][place] = value

    return change


def told(**changes):
    """A change of what the counts say of themselves."""

    def change(tensors, about):
        about["about"] = json.dumps(json.loads(about["about"]) | changes)

    return change


def refused(folder, match):
    """Loading all but the language model must fail with one line."""
    with pytest.raises(ArtifactError, match=match) as e:
        load_parts(folder, None, lambda name, fingerprint, files: None)
    assert "\n" not in str(e.value)
    assert len(str(e.value)) < 700


def test_the_undamaged_artifact_is_read(folder):
    parts = load_parts(folder, None, lambda name, fingerprint, files: None)
    assert len(parts.catalog) == 24


def twice(about):
    ids = json.loads(about["about"])["item_ids"]
    return told(item_ids=[ids[0], *ids[:-1]])({}, about)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (put("pair_item", 0, 24), "pair_item has values out of range"),
        (put("pair_item", 0, 65_535), "pair_item has values out of range"),
        (put("pair_start", 3, 10**6), "pair_start does not divide pair_item into rows"),
        (put("pair_start", 0, 1), "pair_start does not divide pair_item into rows"),
        (put("pair_count", 0, 129), "pair_count has values out of range"),
        (put("pair_count", 0, 128), "pairs have more likes than their items"),
        (put("later_item", 0, 24), "later_item has values out of range"),
        (put("later_count", 0, 120), "later likes outnumber the early ones"),
        (put("likes", 0, 129), "likes has values out of range"),
        (put("likes", 0, 0), "values out of range|more likes than"),
        (put("early", 0, 128), "early has values out of range"),
        (put("group_likes", (0, 0), 128), "group_likes has values out of range"),
        (
            lambda t, a: t.update(likes=t["likes"].astype(np.float32)),
            "likes is an array of float32",
        ),
        (lambda t, a: t.update(likes=t["likes"][:-1]), "likes is an array .*, expected shape 24"),
        (lambda t, a: t.update(likes=t["likes"][:, None]), "likes is an array of uint32 of shape"),
        (lambda t, a: t.pop("pair_count"), "lacks the array pair_count"),
        (lambda t, a: t.update(early=np.full(24, np.nan, np.float32)), "not finite"),
        (told(n_users=-1), "n_users is -1"),
        (told(n_users=1.5), "n_users is 1.5"),
        (told(n_users="many"), "n_users is 'many'"),
        (told(n_users=1), "likes has values out of range"),
        (told(item_ids="abc"), "item_ids is 'abc', expected a list"),
        (told(item_ids=[[]]), "an entry of counts.safetensors: item_ids is"),
        (lambda t, a: twice(a), "item_ids has repeats"),
        (told(group_sizes=[]), "group_sizes is .*, expected a list of 9 numbers"),
        (told(group_sizes=[10**9] * 9), "a size of a group is 1000000000"),
        (told(group_sizes=[0] * 9), "group_likes has values out of range"),
        (told(groups=None), "groups is None"),
        (lambda t, a: a.update(about="[" * 50_000), "RecursionError|damaged"),
        (lambda t, a: a.clear(), "metadata of counts.safetensors"),
    ],
)
def test_counts_are_checked_against_each_other(folder, change, match):
    edit_arrays(folder, "counts.safetensors", change)
    refused(folder, match)


@pytest.mark.parametrize(
    ("tensor", "match"),
    [
        (np.frombuffer(b"not deflated", np.uint8), "counts.safetensors is damaged: error"),
        (np.zeros(3, np.float32), "deflated is an array of float32"),
    ],
)
def test_deflated_counts_are_checked(folder, tensor, match):
    write(folder, "counts.safetensors", save_tensors({"deflated": tensor}))
    refused(folder, match)


def test_counts_do_not_inflate_without_end(folder):
    import zlib

    packer, parts = zlib.compressobj(9), []
    for _ in range(300):
        parts.append(packer.compress(bytes(1 << 20)))
    data = b"".join([*parts, packer.flush()])  # 300 kB
    write(folder, "counts.safetensors", save_tensors({"deflated": np.frombuffer(data, np.uint8)}))
    refused(folder, "inflates to more than 256 MB")


DEEP: list = [0.0]
for _ in range(150):
    DEEP = [0.0, 0, 0.5, [0.0], DEEP]


def tree(made, features=("lift",)):
    return lambda r: r.update(correction={"features": list(features), "trees": [made]})


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (tree(DEEP), "more than 64 leaves"),
        (tree([0.0, 1, 0.5, [0.0], [0.0]]), "feature 1 of 1"),
        (tree([0.0, True, 0.5, [0.0], [0.0]]), "feature True of 1"),
        (tree([0.0, 0, "x", [0.0], [0.0]]), "a threshold of the ranker's trees is 'x'"),
        (tree([0.0, 0, 1e300, [0.0], [0.0]]), "a threshold of the ranker's trees is 1e.300"),
        (tree([1e300]), "a value of the ranker's trees is 1e.300"),
        (tree([None]), "a value of the ranker's trees is None"),
        (tree([0.0], ["lift", "lift"]), "features has repeats"),
        (tree([0.0], ["shoe"]), "unknown feature.*shoe"),
        (lambda r: r.update(correction=3), "the correction is 3, expected a JSON object"),
        (lambda r: r.update(correction={"features": [], "trees": [[0.0]] * 10}), "of the|lists"),
        (lambda r: r["weights"].update(magic={}), "strategies is .'magic'., expected some of"),
        (lambda r: r["weights"]["prior"].update(popularity=[1e9, 0]), "weight of .*is 1000000000"),
        (lambda r: r["weights"]["prior"].update(shoe=[1, 0]), "unknown feature"),
        (lambda r: r.update(weights=[]), "weights by strategy is"),
        (lambda r: r.update(weights={}), "no weights of any strategy"),
        (lambda r: r.update(requests={"prior": {"weights": {}, "taste": [1]}}), "taste is .1."),
        (lambda r: [], "the ranker is"),
    ],
)
def test_rankers_are_checked(folder, change, match):
    edit_json(folder, "ranker.json", change)
    if match == "of the|lists":  # trees without features are constants: no harm
        load_parts(folder, None, lambda name, fingerprint, files: None)
    else:
        refused(folder, match)


def test_too_many_trees_are_refused_before_their_tables_are_made(folder):
    edit_json(folder, "ranker.json", tree([0.0, 0, 0.5, [0.0], [0.0]]))
    text = (folder / "ranker.json").read_text()
    one = "[0.0, 0, 0.5, [0.0], [0.0]]"
    write(folder, "ranker.json", text.replace(one, ", ".join([one] * 10_000)).encode())
    refused(folder, "the ranker has 10000 trees, whose tables take")


@pytest.mark.parametrize("text", ["1e400", "NaN", "[" * 5000 + "]" * 5000, '{"weights": 1e400}'])
@pytest.mark.parametrize("name", ["ranker.json", "adapter/adapter_config.json"])
def test_json_of_an_artifact_is_finite_and_flat(folder, name, text):
    write(folder, name, text.encode())
    refused(folder, "is damaged")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda c: c.update(r=0), "r is 0"),
        (lambda c: c.update(r=10**9), "r is 1000000000"),
        (lambda c: c.update(r="4"), "r is '4'"),
        (lambda c: c.update(lora_alpha=1e9), "lora_alpha is 1000000000.0"),
        (lambda c: c.update(peft_type="PROMPT_TUNING"), "peft_type is 'PROMPT_TUNING'"),
        (lambda c: c.update(megatron_config={"a": 1}), "sets ..megatron_config.., expected"),
        (lambda c: c.update(layer_replication=[[0, 9]]), "sets ..layer_replication.., expected"),
        (lambda c: c.update(auto_mapping={"parent_library": "os"}), "sets ..auto_mapping.."),
        (lambda c: c.update(target_modules="(a+)+b"), "target_modules is .*plain name"),
        (lambda c: c.update(rank_pattern={"(a+)+b": 4}), "rank_pattern is .*plain name"),
        (lambda c: [], "expected a JSON object"),
    ],
)
def test_adapters_are_plain_lora(folder, change, match):
    edit_json(folder, "adapter/adapter_config.json", change)
    refused(folder, match)


@pytest.mark.parametrize(
    ("value", "match"),
    [(np.nan, "not finite"), (np.inf, "not finite"), (101, "magnitude up to 100")],
)
def test_weights_of_adapters_are_finite_and_small(folder, value, match):
    name = "adapter/adapter_model.safetensors"
    first = sorted(load_tensors((folder / name).read_bytes()))[0]
    edit_arrays(folder, name, put(first, (0, 0), value))
    refused(folder, match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda m: m["settings"].update(tau="high"), "tau is 'high'"),
        (lambda m: m["settings"].update(tau=-1), "tau is -1"),
        (lambda m: m["settings"].update(beam_width=10**9), "beam_width is 1000000000"),
        (lambda m: m["settings"].update(shortlist=1.5), "shortlist is 1.5"),
        (lambda m: m["settings"].update(reads=1), "reads is 1, expected true or false"),
        (lambda m: m["settings"].update(shoe=1), "unknown ..shoe"),
        (lambda m: m.update(settings=[]), r"settings is \[\], expected a JSON object"),
        (lambda m: m["catalog"].update(source=["movies"]), "catalog.source is"),
        (lambda m: m["catalog"].update(source="nowhere"), "'nowhere', which is unknown here"),
        (lambda m: m["catalog"].update(fingerprint=3), "catalog.fingerprint is 3"),
        (lambda m: m["catalog"].pop("source"), "catalog lacks source"),
        (lambda m: m.pop("encoder"), "lacks encoder"),
        (lambda m: m["base"].update(name=7), "base.name is 7"),
        (lambda m: m["encoder"].update(name="\0"), "encoder.name is"),
        (lambda m: m["encoder"].update(name="/no/such"), "no model folder at /no/such"),
        (lambda m: m.update(data={"name": 3}), "data.name is 3"),
        (lambda m: m["split"].update(train=-2), "split.train is -2"),
        (lambda m: m["prompt"].update(variables="age"), "prompt.variables is 'age'"),
        (lambda m: m.update(format=1.5), "format is 1.5"),
        (lambda m: m.update(files=[]), "files is"),
        (lambda m: m["files"].update({"x" * 5000: "0" * 64}), "the name of a file is"),
        (lambda m: m["files"].update({"a\0.json": "0" * 64}), "the name of a file is"),
        (lambda m: m["files"].update({"y/" * 90 + "x.json": "0" * 64}), "is missing"),
        (lambda m: m["files"].update({"split.json": 3}), "the SHA-256 of 'split.json' is 3"),
        (lambda m: m["files"].pop("ranker.json"), "lacks ranker.json"),
        (lambda m: m["files"].pop("adapter/adapter_config.json"), "lacks adapter/adapter_config"),
    ],
)
def test_manifests_are_checked(folder, change, match):
    edit_manifest(folder, change)
    refused(folder, match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"\xff", "catalog.jsonl is damaged: UnicodeDecodeError"),
        (b"{}\n", "catalog.jsonl is damaged: ValidationError"),
        (b'{"item_id": "1", "title": "a", "year": 1e400}\n', "catalog.jsonl is damaged"),
        (b'{"item_id": "1", "title": "a", "price": NaN}\n', "catalog.jsonl is damaged"),
        (b'{"item_id": "1", "title": "a"}\n' * 2, "1"),
        (b'{"item_id": "1", "title": "a"}\n', "not the one the artifact was made with"),
    ],
)
def test_catalogs_are_checked(folder, text, match):
    write(folder, "catalog.jsonl", text)
    refused(folder, match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("{% for a in range(10000000) %}x{% endfor %}", "counts to more than 1000"),
        ("{% for a in range(999) %}" * 4 + "{% endfor %}" * 4, "loops too often"),
        ("{{ 'x' * 10000000000 }}", r"\* is of numbers only"),
        ("{% set a = 'x' %}" + "{% set a = a ~ a %}" * 50 + "{{ a }}", "makes too much text"),
        ("{% include '/etc/passwd' %}", "it uses 'include', which prompt templates cannot"),
        ("{{ shoe }}", "undefined variable"),
        ("{% if", "line 1"),
        ("x" * 70_000, "70000 characters, at most 65536"),
        ("x" * 300_000, "is too large, expected at most"),
    ],
)
def test_templates_of_artifacts_are_bounded(folder, text, match):
    name = "prompt/template.j2"
    write(folder, name, text.encode())
    digest = hashlib.sha256(text.encode()).hexdigest()
    edit_manifest(folder, lambda m: m["prompt"].update(sha256=digest))
    refused(folder, match)


@pytest.mark.parametrize("name", ["manifest.json", "ranker.json", "counts.safetensors"])
def test_huge_files_are_not_read(folder, name):
    os.truncate(folder / name, 5 << 30)  # of holes: it takes no room
    refused(folder, "is too large, expected at most")


@pytest.mark.parametrize("name", ["x.py", "adapter/x.bin", "x.pkl", "x"])
def test_files_that_may_be_code_are_refused(folder, name):
    write(folder, name, b"print('hello')")
    refused(folder, f"lists '{name}', expected files of data")


def test_a_missing_adapter_is_refused():
    with pytest.raises(ArtifactError, match="the artifact lacks adapter/adapter_config.json"):
        check_adapter({})


def test_the_older_artifact_of_the_tests_has_no_seal_and_is_read():
    assert "sha256" not in artifacts.read_manifest(SMALL)
