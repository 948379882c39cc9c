"""On top of an artifact: counts follow, and what pays is learned and kept if it ranks better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart import Recommender
from coldstart.artifacts.loading import load_pretrained, make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import DataError
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Item, UserProfile
from coldstart.splitting.user_splits import Split
from coldstart.testing.world import toy_dataset
from coldstart.training import worth
from coldstart.training.comparison import Comparison, descriptions
from coldstart.training.refresh import RefreshConfig, refresh
from coldstart.training.refreshed import told
from coldstart.training.requests.run import RequestTraining
from coldstart.training.requests.tower import TowerConfig
from coldstart.training.worth import Amount, Verdict, verdicts
from tests.conftest import ROOT
from tests.fakes import FakeEncoder
from tests.small_artifact import small_dataset
from tests.tiny_bert import save_tiny_bert

BASE = ROOT / "tests" / "data" / "small" / "artifact"
QUICK = RefreshConfig(
    everything=True,
    requests=RequestTraining(tower=TowerConfig(epochs=0, head_epochs=20, batch=4), l2=0.1),
)
WORDS = {"i8": "scary battles", "i19": "a gangster adventure", "i0": "toys that come alive"}


@pytest.fixture
def parts(monkeypatch):
    """The small artifact, with an encoder that is quick."""
    monkeypatch.chdir(ROOT)
    found = load_pretrained(BASE, device="cpu", dtype="float32", defer_lm=True)
    return replace(found, encoder=FakeEncoder())


@pytest.fixture
def bare(parts):
    """The same as if made of the catalog alone: no users, and a blend of likeness only."""
    kept = {n: v for n, v in parts.manifest.items() if n not in ("data", "split")}
    weights = {s: {"alike": (0.1, 0.0)} for s in parts.ranker.strategies}
    return replace(
        parts,
        counts=Counts.fit(parts.catalog.ids, {}, {}),
        ranker=BlendRanker(weights),
        manifest=kept,
        adapter={n: d for n, d in parts.adapter.items() if n != "split.json"},
    )


def some(data, n, valid=0.2):
    """The first users of a dataset, dealt into training and validation."""
    users = [*data.likes][:n]
    cut = round(n * (1 - valid))
    kept = replace(data, likes={u: data.likes[u] for u in users}, dislikes={}, report=None)
    return kept, Split(tuple(users[:cut]), tuple(users[cut:]), ())


def nobody(catalog):
    return Dataset("visits", catalog, {}, {}), Split((), (), ())


def loaded(folder):
    return load_pretrained(folder, device="cpu", dtype="float32", defer_lm=True)


def test_visitors_are_added_to_the_users_of_the_artifact(parts, tmp_path):
    data, split = some(toy_dataset(), 20)
    manifest = refresh(parts, data, split, tmp_path / "out")
    after = loaded(tmp_path / "out")
    assert after.counts.n_users == parts.counts.n_users + 20
    likes = Counts.fit(data.catalog.ids, {u: data.users[u] for u in data.likes}, data.likes).likes
    assert np.array_equal(after.counts.likes, parts.counts.likes + likes)
    assert after.ranker.to_dict() == parts.ranker.to_dict()
    assert manifest["data"] == parts.manifest["data"]
    assert manifest["refreshed"]["artifact"] == "artifact"
    assert "split.json" in after.adapter


def test_little_data_is_told_as_such_and_changes_no_weight(bare, tmp_path):
    data, split = some(toy_dataset(), 40)
    manifest = refresh(bare, data, split, tmp_path / "out")
    after = loaded(tmp_path / "out")
    assert after.counts.n_users == 40
    assert after.ranker.to_dict() == bare.ranker.to_dict()
    assert manifest["data"]["users"] == 40
    assert manifest["split"] == {"train": 32, "valid": 8, "test": 0}
    lines = told(manifest)
    assert lines[0].startswith("counted: 40 users with ")
    assert any(line.startswith("trees: pays from") and "more users" in line for line in lines)
    assert any(line.startswith("language model: pays from") for line in lines)
    assert Recommender.from_pretrained(tmp_path / "out").recommend({}, strategy="prior", k=3)


def test_without_any_visitor_the_artifact_stays(bare, tmp_path):
    data, split = nobody(bare.catalog)
    log = RequestLog("visits", bare.catalog, (), (), ())
    manifest = refresh(bare, data, split, tmp_path / "out", log=log)
    assert loaded(tmp_path / "out").ranker.to_dict() == bare.ranker.to_dict()
    assert "data" not in manifest
    assert told(manifest)[0] == "counted: nothing yet"
    assert any("requests: pays from" in line for line in told(manifest))


def test_trees_are_kept_where_they_rank_better(bare, tmp_path):
    data, split = some(small_dataset(), 160)
    manifest = refresh(bare, data, split, tmp_path / "out", config=QUICK)
    found = manifest["refreshed"]["comparisons"]["trees"]
    assert found["kept"] == "after"
    assert found["after"] > found["before"]
    after = loaded(tmp_path / "out")
    assert after.ranker.trees is not None
    assert after.counts.n_users == 160  # everyone, though the trees were compared without some
    assert any(line.startswith("trees: learned: NDCG@10") for line in told(manifest))


def test_what_ranks_worse_is_not_kept(bare, tmp_path, monkeypatch):
    monkeypatch.setattr(Comparison, "better", property(lambda self: False))
    data, split = some(small_dataset(), 160)
    manifest = refresh(bare, data, split, tmp_path / "out", config=QUICK)
    after = loaded(tmp_path / "out")
    assert after.ranker.to_dict() == bare.ranker.to_dict()
    assert after.counts.n_users == 160
    assert manifest["refreshed"]["comparisons"]["trees"]["kept"] == "before"
    assert any(line.startswith("trees: learned, but not kept") for line in told(manifest))


def worded(forms):
    return tuple(
        RecordedRequest(form.format(words), (RequestItem(item),), dialogue=f"{item}-{form}")
        for form in forms
        for item, words in WORDS.items()
    )


def test_requests_are_learned_and_their_own_words_win(bare, tmp_path, monkeypatch):
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))
    log = RequestLog(
        "visits",
        bare.catalog,
        worded(("a film about {}", "{} please", "I want {} tonight")),
        worded(("do you know {}?",)),
        worded(("show me {}",)),
    )
    tiny = str(save_tiny_bert(tmp_path / "tiny"))
    manifest = bare.manifest | {"encoder": {"name": tiny}}
    bare = replace(bare, manifest=manifest, encoder=make_encoder(tiny))
    data, split = nobody(bare.catalog)
    manifest = refresh(
        bare, data, split, tmp_path / "out", log=log, config=QUICK, runs=tmp_path / "runs"
    )
    found = manifest["refreshed"]["comparisons"]["requests"]
    assert found["kept"] == "after", found
    assert manifest["requests"]["train"] == 9
    rec = Recommender(**vars(loaded(tmp_path / "out")))
    for item, words in WORDS.items():
        assert rec.recommend({"about": f"show me {words}"}, strategy="prior", k=1).item_ids == [
            item
        ]
    unsaid = refresh(bare, data, split, tmp_path / "two", log=log, runs=tmp_path / "runs2")
    assert "requests" not in unsaid
    assert "requests: pays from" in " ".join(told(unsaid))


@pytest.fixture
def growing(bare):
    """An artifact that counts likes as they come in."""
    weights = {s: {"evidence_popularity": (1.0, 0.0)} for s in bare.ranker.strategies}
    return replace(bare, ranker=BlendRanker(weights))


def evidence(parts):
    counts = Recommender(**vars(parts)).evidence.counts
    return {i: int(n) for i, n in zip(counts.item_ids, counts.likes, strict=True) if n}


def test_an_artifact_that_grows_has_everyones_likes_once(growing, tmp_path):
    data, split = some(toy_dataset(), 20)
    manifest = refresh(growing, data, split, tmp_path / "out", store="abc")
    likes = [i for items in data.likes.values() for i in items]
    assert evidence(loaded(tmp_path / "out")) == {i: likes.count(i) for i in set(likes)}
    assert manifest["refreshed"]["store"] == "abc"
    assert not evidence(growing)  # which is as it was


def test_requests_do_not_double_the_likes(growing, tmp_path, monkeypatch):
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path / "cache"))
    never, always = Amount(users=10**6), Amount()
    amounts = {"trees": never, "requests": always, "language model": never}
    monkeypatch.setattr(worth, "THRESHOLDS", amounts)
    tiny = str(save_tiny_bert(tmp_path / "tiny"))
    manifest = growing.manifest | {"encoder": {"name": tiny}}
    growing = replace(growing, manifest=manifest, encoder=make_encoder(tiny))
    data, split = some(toy_dataset(), 10)
    log = RequestLog(
        "v", growing.catalog, worded(("a {}", "{}!")), worded(("{}?",)), worded(("{}",))
    )
    settings = replace(QUICK, everything=False)
    found = refresh(
        growing, data, split, tmp_path / "out", log=log, config=settings, runs=tmp_path / "runs"
    )
    assert "requests" in found["refreshed"]["comparisons"]
    assert sum(evidence(loaded(tmp_path / "out")).values()) == sum(map(len, data.likes.values()))


CHINESE = "适合跑步的轻便鞋，透气舒适，四季都可以穿着的鞋子，送给爱运动的朋友。"


def test_items_are_looked_for_by_a_sentence_of_their_description():
    items = [
        Item(item_id="a", title="A", description="Short. A rope for climbers who fall often!"),
        Item(item_id="b", title="B", description="Too short."),
        Item(
            item_id="c",
            title="C",
            description=CHINESE,
        ),
        Item(
            item_id="d",
            title="D",
            description="Nobody can have this one any more.",
            available=False,
        ),
        Item(item_id="e", title="E"),
    ]
    found = descriptions(Catalog.from_items(items))
    assert [(r.text, r.targets) for r in found] == [
        ("A rope for climbers who fall often!", ("a",)),
        (CHINESE, ("c",)),
    ]


def test_a_blend_that_finds_less_by_descriptions_is_refused():
    before, after = ({f"u{n}": value for n in range(20)} for value in (0.9, 0.7))
    assert Comparison.of(before, after).loses
    assert not Comparison.of(before, {u: 0.85 for u in before}).loses
    better = Comparison.of(after, before)
    assert better.better
    assert not replace(better, refused=True).better
    assert replace(better, refused=True).to_dict()["kept"] == "before"


def test_a_refreshed_artifact_is_no_start(bare, tmp_path):
    data, split = some(toy_dataset(), 10)
    refresh(bare, data, split, tmp_path / "out")
    with pytest.raises(DataError, match="itself trained on top of artifact") as caught:
        refresh(loaded(tmp_path / "out"), data, split, tmp_path / "again")
    assert caught.value.hint == "start from artifact again"


def test_new_items_have_counts(bare, tmp_path):
    small = Catalog.from_items([*bare.catalog][:10])
    counts = Counts.fit(small.ids, {"old": UserProfile()}, {"old": ("i3",)})
    data, split = some(toy_dataset(), 10)
    refresh(replace(bare, counts=counts), data, split, tmp_path / "out")
    after = loaded(tmp_path / "out").counts
    assert set(after.item_ids) == set(bare.catalog.ids)
    assert after.n_users == 11


def test_verdicts_say_what_is_missing():
    found = verdicts(Amount(users=40, likes=320, requests=20))
    assert not any(v.pays for v in found.values())
    needs = found["trees"].needs
    missing = f"{needs.users - 40:,} more users"
    assert missing in found["trees"].sentence
    rich = verdicts(Amount(10**6, 10**8, 10**6))
    assert all(v.pays for v in rich.values())
    assert rich["trees"].sentence == f"trees: pays from {needs.in_words()}"
    assert Verdict.from_dict(found["requests"].to_dict()) == found["requests"]


def test_what_an_artifact_has_learned_from_more_is_not_learned_from_less():
    enough = Amount(users=500, likes=30_000, requests=1000)
    assert verdicts(enough)["trees"].pays
    assert not verdicts(enough, Amount(users=943, likes=55_000))["trees"].pays
    assert verdicts(enough, Amount(users=943, likes=55_000))["requests"].pays


def test_a_difference_within_its_error_is_none():
    before = {f"u{n}": 0.3 for n in range(10)}
    noisy = {f"u{n}": 0.3 + (0.2 if n % 2 else -0.19) for n in range(10)}
    better = {f"u{n}": 0.4 for n in range(10)}
    assert not Comparison.of(before, noisy).better
    assert Comparison.of(before, better).better
    assert not Comparison.of(before, {"other": 1.0}).better
    assert not Comparison.of({"u0": 0.1}, {"u0": 0.9}).better
