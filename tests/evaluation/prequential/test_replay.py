from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.cli import main
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.baselines.popularity import popularity_baseline
from coldstart.evaluation.prequential.incremental import (
    IncrementalRecommender,
    RetrainedRecommender,
    train_system,
)
from coldstart.evaluation.prequential.interest_shift import ShiftPlan
from coldstart.evaluation.prequential.replay import (
    ReplayedList,
    ReplayPlan,
    arrivals,
    replay,
    stream,
)
from coldstart.evaluation.prequential.report import make_replay_report
from coldstart.evaluation.prequential.run import ReplayOptions, run
from coldstart.evaluation.prequential.summary import at_picks, gains, staleness, windows
from coldstart.interactions.interaction_stats import Counts
from coldstart.interactions.live_counts import LiveCounts
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.schema import Item, UserProfile
from coldstart.splitting.folds import user_folds
from tests.fakes import FakeEncoder
from tests.toy import toy_dataset

PLAN = ReplayPlan((0, 1, 3), k=4, soon=2, min_targets=3)


@pytest.fixture
def data():
    return toy_dataset()


@pytest.fixture
def folds(data):
    return user_folds(data.likes, 3)


def tiny(*, times=True, value=None):
    """Two people in one stream: u first, v in between."""
    ids = [f"i{n}" for n in range(8)]
    items = [Item(item_id=i, title=i, value=value) for i in ids]
    likes = {"v": ("i4", "i5", "i6", "i0"), "u": ("i0", "i1", "i2", "i3")}
    when = {"v": (2.0, 3.0, 3.0, 9.0), "u": (1.0, 3.0, 4.0, 5.0)} if times else {}
    users = {"u": UserProfile(age=24), "v": UserProfile(age=61)}
    return Dataset("tiny", Catalog.from_items(items), users, likes, {}, when)


class Recorder:
    """Popularity that remembers all it is asked and told."""

    def __init__(self, data):
        self.told, self.asked = [], []
        self._inner = popularity_baseline(data.catalog, Counts.fit(data.catalog.ids, {}, {}))

    def recommend(self, profile, *, k=10):
        self.asked.append((profile.user_id, tuple(p.item for p in profile.liked), len(self.told)))
        return self._inner.recommend(profile, k=k)

    def observe(self, profile, item_id):
        self.told.append((profile.user_id, tuple(p.item for p in profile.liked), item_id))


# -- the stream ------------------------------------------------------------------------------------


def test_likes_come_in_time_order_and_stay_in_each_users_order():
    found = stream(tiny(), ["v", "u"])
    assert [x.item + x.user for x in found] == [
        "i0u", "i4v", "i5v", "i6v", "i1u", "i2u", "i3u", "i0v",
    ]  # fmt: skip


def test_users_of_one_time_come_in_an_order_of_their_own():
    data = replace(tiny(), times={u: (3.0,) * 4 for u in ("u", "v")})
    found = stream(data, ["v", "u"])
    assert found == stream(data, ["u", "v"])
    for user in ("u", "v"):
        assert tuple(x.item for x in found if x.user == user) == data.likes[user]


def test_without_times_users_come_one_after_the_other():
    found = stream(tiny(times=False), ["u", "v"])
    assert [x.user for x in found] == ["u"] * 4 + ["v"] * 4


def test_arrivals_are_in_the_order_of_first_likes():
    plan = ReplayPlan((0, 1), min_targets=3)
    assert arrivals(tiny(), ["v", "u"], plan) == {"u": 0, "v": 1}


@pytest.mark.parametrize(
    ("users", "why"),
    [(["x"], "first 'x', have no likes"), (["u", "u"], "named twice")],
)
def test_bad_users(users, why):
    with pytest.raises(DataError, match=why):
        stream(tiny(), users)


# -- the engine ------------------------------------------------------------------------------------


def test_recommend_observe_recommend():
    data = tiny()
    system = Recorder(data)
    plan = ReplayPlan((0, 2), k=3, soon=1, min_targets=2)
    replay("x", system, data, ["v", "u"], plan)
    # (who, what they said, number of likes of everybody that had been told by then)
    assert system.asked == [
        ("u", (), 0),
        ("v", (), 1),
        ("v", ("i4", "i5"), 3),
        ("u", ("i0", "i1"), 5),
    ]
    assert [item for _, _, item in system.told] == [x.item for x in stream(data, ["v", "u"])]
    assert system.told[3] == ("v", ("i4", "i5"), "i6")


def test_figures_of_a_list():
    data = tiny(value=2.0)
    plan = ReplayPlan((0, 2), k=3, soon=1, min_targets=2)
    first = replay("x", Recorder(data), data, ["v", "u"], plan)[0]
    # Everything is equally popular: i0, i1, i2. u likes all three, i0 next; i0 and i1 are picks.
    assert first == ReplayedList(
        "x", "u", 0, 0, 0, ("i0", "i1", "i2"),
        ndcg(["i2", "i3", "i4"], {"i2", "i3"}, 3), 1.0, pytest.approx(1 / 3), 6.0,
    )  # fmt: skip
    assert first.ndcg == 1.0
    last = replay("x", Recorder(data), data, ["v", "u"], plan)[-1]
    assert (last.user, last.items) == ("u", ("i2", "i3", "i4"))
    assert (last.ctr, last.ctr_soon, last.revenue) == (
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
        4.0,
    )


def test_no_values_no_revenue():
    assert (
        replay("x", Recorder(tiny()), tiny(), ["u"], ReplayPlan((0,), min_targets=1))[0].revenue
        is None
    )


def test_short_users_are_learned_from_but_not_asked():
    data = tiny()
    data = replace(data, likes=data.likes | {"v": ("i4",)}, times={})
    system = Recorder(data)
    plan = ReplayPlan((0, 2), min_targets=2)
    assert {s.user for s in replay("x", system, data, ["v", "u"], plan)} == {"u"}
    assert system.told[0] == ("v", (), "i4")
    with pytest.raises(DataError, match="none of 1 users has 4 likes.*lower the last step"):
        replay("x", system, data, ["v"], plan)


def test_asking_can_start_later():
    data = tiny()
    plan = ReplayPlan((0, 2), min_targets=2)
    everything = replay("x", Recorder(data), data, ["v", "u"], plan)
    assert replay("x", Recorder(data), data, ["v", "u"], plan, ask_from=3) == everything[2:]


def test_a_list_with_repeats_is_refused():
    class Twice(Recorder):
        def recommend(self, profile, *, k=10):
            found = super().recommend(profile, k=k)
            return found.model_copy(update={"items": (found.items[0],) * 2})

    with pytest.raises(DataError, match="x shows an item twice"):
        replay("x", Twice(tiny()), tiny(), ["u"], ReplayPlan((0,), min_targets=1))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"steps": ()}, "steps are"),
        ({"steps": (3, 1)}, "rising"),
        ({"steps": (-1, 1)}, "steps are"),
        ({"k": 0}, "each is at least 1"),
        ({"soon": 0}, "soon 0"),
        ({"min_targets": 0}, "min_targets 0"),
    ],
)
def test_bad_plans(change, why):
    with pytest.raises(ConfigError, match=why):
        replace(PLAN, **change)


# -- learners --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["popularity", "demographic_popularity", "item_knn_prior"])
def test_a_live_system_is_what_it_would_be_on_all_likes(data, folds, name):
    split = folds[0]
    made = train_system(name, data, split, encoder=FakeEncoder())
    live = IncrementalRecommender(LiveCounts(made.counts), made.with_counts, refresh=1)
    replay(name, live, data, split.test, PLAN)
    known = {u: data.users[u] for u in (*split.train, *split.test)}
    again = made.with_counts(Counts.fit(data.catalog.ids, known, data.likes))
    for user in split.valid:
        profile = UserProfile(age=20, liked=list(data.likes[user][:2]))
        ours, theirs = (x.recommend(profile, k=12) for x in (live, again))
        assert [(r.item_id, r.score) for r in ours] == [(r.item_id, r.score) for r in theirs]


def test_coldstart_goes_on_from_new_counts_with_the_ranker_it_has(data, folds, monkeypatch):
    from coldstart.artifacts import loading as assembly

    monkeypatch.setattr(assembly, "make_encoder", lambda *_: FakeEncoder())
    made = train_system("coldstart_prior", data, folds[0], encoder=FakeEncoder())
    profile = UserProfile(age=20, liked=list(data.likes["u1"][:3]))
    same = made.with_counts(made.counts)
    assert same.recommend(profile).item_ids == made.recommend(profile).item_ids
    empty = made.with_counts(Counts.fit(data.catalog.ids, {}, {}))
    assert empty.recommend(profile).item_ids != made.recommend(profile).item_ids
    moved = UserProfile(age=20, liked=["i0", "i2", "i4", "i6", "i1"])
    recent = made.with_counts(made.counts, 0.2)
    assert [r.score for r in recent.recommend(moved)] != [r.score for r in same.recommend(moved)]


def test_refresh_says_how_often_counts_are_used_anew(data):
    built = []

    def build(counts):
        built.append(counts.likes.sum())
        return popularity_baseline(data.catalog, counts)

    live = IncrementalRecommender(
        LiveCounts(Counts.fit(data.catalog.ids, {}, {})), build, refresh=3
    )
    for item in data.catalog.ids[:7]:
        live.observe(UserProfile(user_id="u"), item)
    assert built == [0, 3, 6]
    with pytest.raises(ConfigError, match="refresh is 0"):
        IncrementalRecommender(LiveCounts(Counts.fit(data.catalog.ids, {}, {})), build, refresh=0)


def test_feedback_says_whose_it_is(data):
    live = IncrementalRecommender(
        LiveCounts(Counts.fit(data.catalog.ids, {}, {})),
        lambda c: popularity_baseline(data.catalog, c),
    )
    with pytest.raises(DataError, match="no user_id"):
        live.observe(UserProfile(), "i1")


def test_training_anew_sees_what_was_observed_and_nothing_else(data, folds):
    split, half = folds[0], 20
    again = RetrainedRecommender("popularity", data, split, half, refresh=1)
    with pytest.raises(DataError, match="asked after 0 likes, trained after 20"):
        again.recommend(UserProfile())
    seen = stream(data, split.test)[:half]
    for like in seen:
        again.observe(UserProfile(user_id=like.user), like.item)
    likes = {u: list(data.likes[u]) for u in split.train}
    for like in seen:
        likes.setdefault(like.user, []).append(like.item)
    counts = Counts.fit(data.catalog.ids, {u: data.users[u] for u in likes}, likes)
    expected = popularity_baseline(data.catalog, counts).recommend(UserProfile(), k=12)
    assert again.recommend(UserProfile(), k=12).item_ids == expected.item_ids
    assert [r.score for r in again.recommend(UserProfile(), k=12)] == [r.score for r in expected]


def test_unknown_system(data, folds):
    with pytest.raises(ConfigError, match="no system 'magic'"):
        train_system("magic", data, folds[0])


# -- figures ---------------------------------------------------------------------------------------


def shown(user, picks, value, *, system="x", arrival=0, items=("i0", "i1"), revenue=None):
    return ReplayedList(system, user, arrival, picks, 0, items, value, value, value / 2, revenue)


def test_by_picks_and_gain():
    lists = [shown(u, p, 0.1 + 0.02 * p) for u in "uv" for p in (0, 10)]
    found = {(x.picks, x.metric): x for x in at_picks(lists)}
    assert found[10, "ndcg"].value == pytest.approx(0.3)
    assert found[10, "ctr_soon"].value == pytest.approx(0.15)
    assert (0, "revenue") not in found
    (gain,) = gains(lists)
    assert (gain.picks, gain.per_pick) == (10, pytest.approx(0.02))
    assert gains([shown("u", 0, 0.5)]) == []


def test_windows_of_arrivals():
    lists = [
        shown("u", 0, 0.2, arrival=0, revenue=3.0),
        shown("v", 0, 0.4, arrival=1, items=("i1", "i2"), revenue=1.0),
        shown("w", 0, 0.8, arrival=2, revenue=5.0),
    ]
    first, last = windows(lists, 2, 10)
    assert (first.first, first.last, first.lists) == (0, 1, 2)
    assert (first.ndcg, first.coverage, first.revenue) == (pytest.approx(0.3), 0.3, 2.0)
    assert (last.first, last.last, last.ndcg) == (2, 2, 0.8)
    with pytest.raises(ConfigError, match="window of 0"):
        windows(lists, 0, 10)


def test_staleness_compares_the_lists_both_were_asked_for():
    users = [f"u{n}" for n in range(20)]
    wobble = {u: 0.01 * (n % 3) for n, u in enumerate(users)}
    frozen = [shown(u, p, 0.2) for u in users for p in (0, 5)]
    live = [shown(u, p, 0.3 + wobble[u]) for u in users for p in (0, 5)]
    late = [shown(u, 5, 0.3 + wobble[u]) for u in users[10:]]
    found = staleness({("x", "frozen"): frozen, ("x", "live"): live, ("x", "retrained"): late})
    first, second = found
    assert (first.newer, first.older, first.users, first.pays) == ("live", "frozen", 20, True)
    assert first.difference.mean == pytest.approx(0.1 + sum(wobble.values()) / 20)
    assert (second.newer, second.older, second.users, second.pays) == (
        "retrained",
        "live",
        10,
        False,
    )
    assert second.difference.mean == pytest.approx(0)
    with pytest.raises(DataError, match="1 users were asked"):
        staleness({("x", "frozen"): frozen[:2], ("x", "live"): live})


# -- the whole -------------------------------------------------------------------------------------


OPTIONS = ReplayOptions(PLAN, None, refresh=10, retrain=True)


def test_run_and_report(data, folds, tmp_path):
    notes = []
    names = ["popularity", "item_knn_prior", "ease"]
    found = run(data, folds[:2], names, OPTIONS, note=notes.append)
    assert {v for _, v in found.shown} == {"frozen", "live", "retrained"}
    assert notes == ["ease knows no way to go on from new counts: replayed frozen only"] * 2
    assert len(found.shown["ease", "frozen"]) == 3 * 40
    assert 0 < len(found.shown["popularity", "retrained"]) < 3 * 40
    made = make_replay_report(found, OPTIONS, data, "coldstart replay", window=10)
    paths = made.save(tmp_path / "v1.2")
    assert [p.name for p in paths[:3]] == ["v1.2.md", "v1.2.html", "v1.2.json"]
    assert {p.name.split(".")[2] for p in paths[3:]} == {"ndcg-by-picks", "ctr-over-time"}
    text, page = paths[0].read_text(), paths[1].read_text()
    assert "# Replay: toy, 60 users" in text
    assert "What old knowledge costs" in text
    assert "data:image/svg+xml" in page
    again = json.loads(paths[2].read_text())
    assert {"picks", "gains", "windows", "staleness"} <= again.keys()
    for part in ("picks", "windows"):  # asked about other users than the rest
        assert not [x for x in again[part] if "retrained" in x["system"]]
    again = make_replay_report(found, OPTIONS, data, "coldstart replay", window=10)
    assert again.to_dict() == made.to_dict()
    assert again.page() == made.page()


def test_run_with_a_shift(folds, data):
    everyone = replace(data, likes={u: data.catalog.ids for u in data.likes}, times={})
    groups = frozenset({"Sci-Fi"}), frozenset({"Drama"})
    shift = ShiftPlan(2, 2, (0, 1, 2), min_targets=1)
    options = ReplayOptions(PLAN, shift, (2.0,), groups, refresh=50)
    found = run(everyone, folds[:1], ["popularity", "item_knn_prior"], options)
    assert found.cases == 40
    systems = {a.system for a in found.shifted}
    assert systems == {"popularity", "item_knn_prior", "item_knn_prior, half-life 2"}
    made = make_replay_report(found, options, everyone, "x")
    assert made.recoveries["popularity"].users == 20
    assert made.against["item_knn_prior, half-life 2"] == "item_knn_prior"
    assert "Recovery" in made.markdown()


def test_an_order_that_is_mostly_ties_is_not_learned_from(folds, data):
    tied = {u: (0.0,) * len(data.catalog) for u in data.likes}
    everyone = replace(data, likes={u: data.catalog.ids for u in data.likes}, times=tied)
    groups = frozenset({"Sci-Fi"}), frozenset({"Drama"})
    shift = ShiftPlan(2, 2, (0, 1, 2), min_targets=1)
    options = ReplayOptions(PLAN, shift, (2.0,), groups, refresh=50)
    notes = []
    found = run(everyone, folds[:1], ["popularity", "item_knn_prior"], options, note=notes.append)
    assert {a.system for a in found.shifted} == {"popularity", "item_knn_prior"}
    (note,) = notes
    assert note.startswith("item_knn_prior is shown no half-life: 100% of consecutive likes")
    made = make_replay_report(found, options, everyone, "x")
    assert made.about["times"].startswith("100% of consecutive likes have equal times, more than")


@pytest.mark.parametrize("change", [{"refresh": 0}, {"half_lives": (0.0,)}])
def test_bad_options(change):
    with pytest.raises(ConfigError, match="refresh"):
        replace(OPTIONS, **change)


def test_nothing_to_run(data, folds):
    with pytest.raises(ConfigError, match="0 folds and 1 systems"):
        run(data, [], ["popularity"], OPTIONS)


@pytest.fixture
def call(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("COLDSTART_DEBUG", raising=False)

    def call(*args):
        code = main(["replay", *map(str, args)])
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ([], ["no data"]),
        (["--data", "ml-100k", "--systems", "magic"], ["no system 'magic'"]),
        (["--data", "ml-100k", "--systems", ","], ["no system to run"]),
        (["--data", "ml-100k", "--steps", "a"], ["--steps 'a'", "whole numbers"]),
        (["--data", "ml-100k", "--only", "7"], ["no fold 7", "folds are 0 to 4"]),
        (["--data", "ml-100k", "--before", 20], ["20 likes before and 15 after"]),
        (["--data", "ml-100k", "--half-life", "x"], ["--half-life 'x'"]),
        (["--data", "ml-100k", "--half-life", "0"], ["half-lives (0.0,)"]),
        (["--data", "ml-100k", "--share", "2"], ["--share 2"]),
        (["--data", "ml-100k", "--groups", "Action"], ["--groups 'Action'", "two groups"]),
        (["--data", "ml-100k", "--groups", "Action/Cheese"], ["no two groups", "Cheese"]),
        (["--data", "ml-100k", "--steps", "0,5000"], ["has 5005 likes", "lower the last step"]),
    ],
)
def test_mistakes_get_one_line_with_a_hint(call, args, parts):
    if "--systems" not in args:
        args = [*args, "--systems", "popularity"]
    code, out, err = call(*args)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "(hint: " in err
    assert all(part in err for part in parts), err


def test_help_has_examples(call):
    code, out, _ = call("--help")
    assert code == 0
    assert "coldstart replay --data ml-100k --systems popularity,item_knn_prior" in out


def test_a_slice_of_movielens(call, tmp_path):
    args = ["--data", "ml-100k", "--systems", "popularity", "--sample", 60, "--steps", "0,10",
            "--before", 5, "--after", 5, "--out", tmp_path / "r", "--json"]  # fmt: skip
    code, out, err = call(*args)
    assert code == 0, err
    found = json.loads(out)
    assert found == json.loads((tmp_path / "r.json").read_text())
    assert found["about"]["command"].startswith("coldstart replay --data ml-100k --systems pop")
    assert "--sample 60" in found["about"]["command"]
    value = {(x["system"], x["picks"]): x["value"] for x in found["picks"] if x["metric"] == "ndcg"}
    # Popularity does not look at picks, so that frozen knowledge gives the same at every step.
    assert value["popularity, frozen", 0] == pytest.approx(value["popularity, frozen", 10])
    assert value["popularity, live", 0] != value["popularity, frozen", 0]
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")
