"""Saving and loading: the same answers back, and one clear line for every kind of damage."""

from __future__ import annotations

import hashlib
import json
import shutil

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from coldstart import Item, Recommender, UserProfile
from coldstart.artifacts import format as artifacts
from coldstart.artifacts.manifest import seal
from coldstart.errors import ArtifactError
from coldstart.interactions.interaction_stats import Counts
from coldstart.training.run import train
from tests.rewritten import edit_manifest
from tests.rewritten import write as rewrite
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """An artifact trained on the toy world, and the folder of its base model."""
    where = tmp_path_factory.mktemp("saved")
    base = save_tiny_base(where / "base")
    config = toy_config(base, prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, where / "artifact", runs=where / "run")
    return where / "artifact"


@pytest.fixture
def folder(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "artifact")


PEOPLE = [
    UserProfile(),
    UserProfile(age=21, occupation="student"),
    UserProfile(liked=["Toy Story", "Star Wars"], about="space"),
]


def test_saving_and_loading_gives_the_same_answers(folder, tmp_path):
    first = Recommender.from_pretrained(folder)
    first.save_pretrained(tmp_path / "copy")
    second = Recommender.from_pretrained(tmp_path / "copy")
    for strategy in ("catalog", "free", "both", "prior"):
        for person in PEOPLE:
            ours = first.recommend(person, k=7, strategy=strategy)
            assert ours == second.recommend(person, k=7, strategy=strategy)


def test_a_changed_catalog_is_saved_with_the_artifact(folder, tmp_path):
    rec = Recommender.from_pretrained(folder)
    rec.catalog.add(Item(item_id="new", title="A Brand New Film", categories=["Sci-Fi"]))
    rec.catalog.remove("i0")
    rec.save_pretrained(tmp_path / "copy")
    again = Recommender.from_pretrained(tmp_path / "copy")
    assert again.catalog.fingerprint() == rec.catalog.fingerprint()
    assert "new" in again.catalog
    assert "i0" not in again.catalog


def test_artifacts_hold_no_pickle(folder):
    suffixes = {p.suffix for p in folder.rglob("*") if p.is_file()}
    assert suffixes <= {".safetensors", ".json", ".jsonl", ".j2", ".md"}


def test_counts_survive_the_round_trip():
    data, split = toy_dataset(), toy_split()
    counts = Counts.fit(data.catalog.ids, {u: data.users[u] for u in split.train}, data.likes)
    again = artifacts.counts_from_bytes(artifacts.counts_to_bytes(counts))
    assert again.item_ids == counts.item_ids
    assert again.group_sizes == counts.group_sizes
    np.testing.assert_array_equal(again.likes, counts.likes)
    np.testing.assert_array_equal(again.together.toarray(), counts.together.toarray())
    for group, likes in counts.group_likes.items():
        np.testing.assert_array_equal(again.group_likes[group], likes)


@pytest.mark.parametrize(
    "name",
    ["adapter/adapter_model.safetensors", "counts.safetensors", "ranker.json", "split.json"],
)
def test_truncated_and_bit_flipped_files_are_named(folder, name):
    path = folder / name
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        Recommender.from_pretrained(folder)
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ArtifactError, match=f"{name} is damaged"):
        Recommender.from_pretrained(folder)
    path.unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing"):
        Recommender.from_pretrained(folder)


def test_a_changed_prompt_is_refused_even_with_a_matching_file_hash(folder):
    path = folder / "prompt" / "template.j2"
    path.write_bytes(path.read_bytes() + b" ")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    edit_manifest(folder, lambda m: m["files"].update({"prompt/template.j2": digest}))
    with pytest.raises(ArtifactError, match="not the one the adapter was trained on"):
        Recommender.from_pretrained(folder)


def test_another_base_model_is_refused(folder, tmp_path):
    other = save_tiny_base(tmp_path / "gpt2", "gpt2")
    edit_manifest(folder, lambda m: m["base"].update(name=other))
    with pytest.raises(ArtifactError, match="trained on another base model"):
        Recommender.from_pretrained(folder)


def test_a_newer_format_is_refused(folder):
    edit_manifest(folder, lambda m: m.update(format=99))
    with pytest.raises(ArtifactError, match="artifact format 99"):
        Recommender.from_pretrained(folder)


@pytest.mark.parametrize("version", [0, -1])
def test_a_format_that_never_was_is_refused(folder, version):
    edit_manifest(folder, lambda m: m.update(format=version))
    with pytest.raises(ArtifactError, match=f"format {version} never was"):
        Recommender.from_pretrained(folder)


FIRST_FEATURES = {"popularity", "people", "picks", "model", "written", "words", "interests"}


def as_first_written(folder):
    """Take away what the first artifacts of format 1 did not have.

    They knew of no likes that follow others, had no trees, and fewer settings and features.
    """
    tensors = load_tensors((folder / "counts.safetensors").read_bytes())
    with safe_open(folder / "counts.safetensors", "np") as f:
        about = f.metadata()
    for name in ("early", "later_start", "later_item", "later_count"):
        del tensors[name]
    rewrite(folder, "counts.safetensors", save_tensors(tensors, about))
    ranker = json.loads((folder / "ranker.json").read_text())["weights"]
    weights = {
        s: {f: w for f, w in by_name.items() if f in FIRST_FEATURES}
        for s, by_name in ranker.items()
    }
    rewrite(folder, "ranker.json", json.dumps(weights).encode())
    for name in ("shortlist", "shortlist_tokens", "pool_from"):
        edit_manifest(folder, lambda m, name=name: m["settings"].pop(name))
    return weights


def test_the_oldest_shape_of_format_1_gives_the_lists_it_gave(saved, tmp_path):
    old = shutil.copytree(saved, tmp_path / "old")
    weights = as_first_written(old)
    today = shutil.copytree(saved, tmp_path / "today")  # the same weights, written as now
    ranker = {"weights": weights, "correction": None, "favourites": None}
    rewrite(today, "ranker.json", json.dumps(ranker).encode())
    ours, theirs = Recommender.from_pretrained(old), Recommender.from_pretrained(today)
    for strategy in ("catalog", "free", "prior"):
        for person in PEOPLE:
            expected = theirs.recommend(person, k=7, strategy=strategy)
            assert ours.recommend(person, k=7, strategy=strategy) == expected
    ours.save_pretrained(tmp_path / "again")
    again = Recommender.from_pretrained(tmp_path / "again")
    assert again.recommend(PEOPLE[2], k=7) == ours.recommend(PEOPLE[2], k=7)
    assert artifacts.read_manifest(tmp_path / "again")["format"] == artifacts.FORMAT


@pytest.mark.parametrize("text", ['{"weights": {}}', "[]", "3", '{"catalog": 3}', '{"free": {}}'])
def test_a_ranker_of_no_known_shape_is_refused(folder, text):
    rewrite(folder, "ranker.json", text.encode())
    with pytest.raises(ArtifactError, match="ranker|cannot read"):
        Recommender.from_pretrained(folder)


def test_an_artifact_may_consist_of_links(saved, tmp_path):
    """As a hub's cache keeps it: names in one folder, files in another."""
    store, linked = tmp_path / "blobs", tmp_path / "snapshots" / "main"
    store.mkdir()
    for n, path in enumerate(sorted(p for p in saved.rglob("*") if p.is_file())):
        shutil.copy(path, store / str(n))
        name = linked / path.relative_to(saved)
        name.parent.mkdir(parents=True, exist_ok=True)
        name.symlink_to(store / str(n))
    person = PEOPLE[2]
    expected = Recommender.from_pretrained(saved).recommend(person)
    assert Recommender.from_pretrained(linked).recommend(person) == expected


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 1}', '{"format": 1, "files": {}}'])
def test_a_damaged_manifest_is_one_clear_error(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(ArtifactError, match="damaged manifest|cannot read|lacks"):
        Recommender.from_pretrained(folder)


def test_paths_outside_the_folder_are_refused(folder):
    edit_manifest(folder, lambda m: m["files"].update({"../../secret": "0" * 64}))
    with pytest.raises(ArtifactError, match=r"\.\./\.\./secret is missing"):
        Recommender.from_pretrained(folder)


def test_an_edited_manifest_is_noticed_and_an_older_one_is_read(folder):
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest["sha256"] == seal(manifest)
    path.write_text(json.dumps(manifest, sort_keys=True, indent=3))  # formatting does not count
    assert artifacts.read_manifest(folder) == manifest
    manifest["settings"]["tau"] = 0.9
    path.write_text(json.dumps(manifest))
    with pytest.raises(ArtifactError, match="the manifest was altered .*delete its field 'sha256'"):
        Recommender.from_pretrained(folder)
    del manifest["sha256"]  # as the hint says, and as older releases wrote it
    path.write_text(json.dumps(manifest))
    assert Recommender.from_pretrained(folder).settings.tau == 0.9


def test_an_artifact_set_aside_by_a_crash_is_put_back(folder):
    room = folder.parent / f".{folder.name}.coldstart-12345678"
    room.mkdir()
    folder.rename(room / "was")
    assert artifacts.read_manifest(folder)["format"] == 1
    assert not room.exists()


def test_no_artifact_says_how_to_get_one(tmp_path):
    with pytest.raises(ArtifactError, match="coldstart train"):
        Recommender.from_pretrained(tmp_path)


def test_saving_never_replaces_a_folder_of_other_things(folder, tmp_path):
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "novel.txt").write_text("chapter one")
    rec = Recommender.from_pretrained(folder)
    with pytest.raises(ArtifactError, match="is no artifact"):
        rec.save_pretrained(tmp_path / "documents")
    assert (tmp_path / "documents" / "novel.txt").read_text() == "chapter one"
    rec.save_pretrained(folder)  # an artifact may be replaced
    assert Recommender.from_pretrained(folder)


def test_the_model_card_says_what_is_inside(saved):
    manifest = artifacts.read_manifest(saved)
    card = (saved / "README.md").read_text(encoding="utf-8")
    for fact in (
        manifest["base"]["fingerprint"],
        manifest["prompt"]["name"],
        "36 users trained on, 12 to choose settings, 12 held out",
        "--epochs 1",
        "Not evaluated yet",
    ):
        assert fact in card
