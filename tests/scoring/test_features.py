import re
import zlib
from datetime import datetime
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.catalog.item_store import HOPE, ItemStore
from coldstart.errors import ConfigError, ProfileError
from coldstart.interactions.interaction_stats import (
    Counts,
    attribute_groups,
    group_lift,
    popularity,
)
from coldstart.pipeline.draft import Draft
from coldstart.pipeline.explain import ExplainStage
from coldstart.pipeline.rank import RankStage
from coldstart.pipeline.request import RecommendOptions, RecommendRequest
from coldstart.profile.resolve import PickResolver, ResolvedProfile
from coldstart.ranking.filters import Categories, Known, default_filters
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import Candidate, Context, Grounding, Item, Match, UserProfile
from coldstart.scoring.language_model import model_lift
from coldstart.scoring.lm_signals import LMSignals, reached
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.stated import text_similarity
from coldstart.scoring.written import closeness
from coldstart.testing import probes
from tests.fakes import FakeEncoder

FILMS = (
    ("1", "Star Voyage", 1979, ("Sci-Fi", "Action")),
    ("2", "Star Voyage Two", 1982, ("Sci-Fi",)),
    ("3", "Moon Colony", 1990, ("Sci-Fi", "Drama")),
    ("4", "Quiet Garden", 1991, ("Drama",)),
    ("5", "Garden of Letters", 1993, ("Drama", "Romance")),
    ("6", "Paris Wedding", 1994, ("Romance", "Comedy")),
    ("7", "The Clumsy Waiter", 1995, ("Comedy",)),
    ("8", "Night Train", 1996, ("Thriller",)),
    ("9", "Desert Chase", 1997, ("Action", "Thriller")),
    ("10", "Unseen Reels", 1998, ("Drama",)),  # liked by nobody
)
PEOPLE = {
    "u1": (UserProfile(age=24, gender="M", occupation="student"), "1 2 3 9"),
    "u2": (UserProfile(age=29, gender="M", occupation="student"), "1 2 9"),
    "u3": (UserProfile(age=31, gender="F", occupation="nurse"), "4 5 6"),
    "u4": (UserProfile(age=35, gender="F", occupation="nurse"), "4 5 6 7"),
    "u5": (UserProfile(age=70, gender="F", attributes={"pet": "cat"}), "6 7 8"),
    "u6": (UserProfile(age=8, attributes={"pet": "dog"}), "1 7"),
    "u7": (UserProfile(age=15), "1 3"),
    "u8": (UserProfile(gender="M", attributes={"age": "old"}), "1 9"),
    "u9": (UserProfile(age=64), "8"),
}
NOBODY = ResolvedProfile(UserProfile(), Context())


def film(item_id, title, year=None, categories=(), **more):
    return Item(item_id=item_id, title=title, year=year, categories=categories, **more)


def make_catalog():
    return Catalog(film(*row) for row in FILMS)


def make_counts():
    users = {u: p for u, (p, _) in PEOPLE.items()}
    return Counts.fit([f[0] for f in FILMS], users, {u: x.split() for u, (_, x) in PEOPLE.items()})


def make_knowledge(catalog=None):
    item_store = ItemStore(catalog or make_catalog(), make_counts(), FakeEncoder())
    item_store.sync()
    return item_store


KNOWLEDGE = make_knowledge()  # shared by tests that do not change it


def resolved(profile=None, context=None, item_store=KNOWLEDGE, unknown="error"):
    who, now = UserProfile(**(profile or {})), Context(**(context or {}))
    return PickResolver(item_store.catalog, item_store.counts, unknown).resolve(who, now)


def features_of(user, item_store=KNOWLEDGE, **more):
    features = probes.features_of(item_store, user, [LMSignals(**more).scores()])
    return dict(zip(SIGNALS.names, features.T, strict=True))


def answer(user, item_store=KNOWLEDGE, found=None, ranker=None, **options):
    options = {"strategy": "prior", "filters": default_filters()} | options
    parts = SimpleNamespace(item_store=item_store, ranker=ranker or BlendRanker.default())
    draft = Draft(0, RecommendRequest(user, RecommendOptions(**options)), item_store)
    draft.catalog_scores = [(found or LMSignals()).scores()]
    draft.features = probes.features_of(item_store, user, draft.catalog_scores)
    return ExplainStage(parts).explain(draft, RankStage(parts).rank(draft))


ids = st.sampled_from([f[0] for f in FILMS])
titles = st.sampled_from([f[1] for f in FILMS])
profiles = st.fixed_dictionaries(
    {},
    optional={
        "age": st.integers(0, 130),
        "gender": st.sampled_from(["M", "F", "m", "other"]),
        "occupation": st.sampled_from(["nurse", "Student ", "diver"]),
        "attributes": st.dictionaries(
            st.sampled_from(["pet", "age"]), st.sampled_from(["cat", "dog", "old"])
        ),
        "interests": st.lists(
            st.sampled_from(["sci-fi", "Drama", "COMEDY", "gardens", "trains\nat night"])
        ),
        "about": st.sampled_from(["quiet garden letters", "star\nvoyage", "x" * 100, "\x00"]),
        "liked": st.lists(ids | titles, max_size=4),
        "disliked": st.lists(ids, max_size=2),
        "seen": st.lists(ids, max_size=2),
    },
)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "viewing": ids,
        "text": st.sampled_from(["paris wedding", "a desert\n chase"]),
        "occasion": st.just("night on a train"),
        "time": st.just("evening"),
    },
)


# -- features --------------------------------------------------------------------------------


def test_nothing_said_is_popularity_only():
    found = features_of(NOBODY)
    assert probes.features_of(KNOWLEDGE, NOBODY).shape == (10, len(SIGNALS))
    assert found.pop("popularity") == pytest.approx(np.log(popularity(KNOWLEDGE.counts) + 1e-4))
    assert set(found.pop("age")) == {-1.0}
    of_the_item = {name: found.pop(name) for name in ("usual", "year", "late", "beyond")}
    assert all(np.isfinite(column).all() for column in of_the_item.values())
    np.testing.assert_array_equal(of_the_item["beyond"], of_the_item["late"])
    assert not any(column.any() for column in found.values())


def test_late_likes_count_for_first_likes_and_nobodys_picks_only():
    late = features_of(NOBODY)["late"]
    assert late.any()
    for said, expected in (
        ({"liked": ["1"], "history": True}, late),
        ({"liked": ["1"]}, 0 * late),
        ({"interests": ["drama"]}, late),
    ):
        np.testing.assert_array_equal(features_of(resolved(said))["beyond"], expected)


@given(profiles, contexts)
def test_features_are_finite_and_in_their_ranges(profile, context):
    user = resolved(profile, context)
    found = features_of(user)
    assert all(column.shape == (10,) for column in found.values())
    assert all(np.isfinite(column).all() for column in found.values())
    for name, top in (("interests", 1), ("dislikes", 1), ("picks", np.sqrt(len(user.liked)))):
        assert found[name].min() >= 0
        assert found[name].max() <= top + 1e-6
    for name in ("alike", "words"):
        assert found[name].mean() == pytest.approx(0, abs=1e-9)
    unsaid = {
        "picks": not user.liked,
        "alike": not user.liked,
        "interests": not profile.get("interests"),
        "dislikes": not profile.get("disliked"),
        "people": not profile.keys() & {"age", "gender", "occupation", "attributes"},
        "words": not (profile.keys() | context.keys()) & {"interests", "about", "text", "occasion"},
    }
    assert not any(found[name].any() for name, silent in unsaid.items() if silent)
    assert not found["model"].any()
    assert not found["written"].any()


def test_picks_and_viewing_speak_for_items_liked_together():
    for user in (resolved({"liked": ["Star Voyage"]}), resolved(None, {"viewing": "1"})):
        picks = features_of(user)["picks"]
        assert KNOWLEDGE.ids[picks.argmax()] == "9"
        assert picks[KNOWLEDGE.rows["1"]] == 0


def test_alike_standardises_similarity_and_grows_with_the_picks():
    one = features_of(resolved({"liked": ["1"]}))["alike"]
    two = features_of(resolved({"liked": ["1", "4"]}))["alike"]
    assert KNOWLEDGE.ids[one.argmax()] == "1"
    assert one.std() == pytest.approx(1 / 2)
    assert two.std() == pytest.approx(np.sqrt(2) / (1 + np.sqrt(2)))


def test_words_follow_all_that_is_said():
    user = resolved({"interests": ["gardens"], "about": "and letters"}, {"occasion": "wedding"})
    words = features_of(user)["words"]
    vector = FakeEncoder().encode(["gardens. and letters. wedding"])[0]
    similarity = (KNOWLEDGE.content @ vector).astype(float)
    assert words == pytest.approx((similarity - similarity.mean()) / similarity.std())
    assert KNOWLEDGE.ids[words.argmax()] == "5"


def test_words_that_clean_to_nothing_say_nothing():
    assert not features_of(resolved({"about": "\x00 &nbsp;"}))["words"].any()


def test_items_of_equal_content_get_no_rounding_noise():
    class Batched(FakeEncoder):
        """Real encoders give equal texts vectors that differ in the last bits."""

        def encode(self, texts):
            noise = 1 + np.arange(len(texts), dtype=np.float32)[:, None] * 1e-7
            return super().encode(texts) * noise

    catalog = Catalog(film(f"t{n}", "Twin") for n in range(20))
    item_store = ItemStore(catalog, make_counts(), Batched())
    item_store.sync()
    found = features_of(
        resolved({"about": "twins", "liked": ["t1"]}, item_store=item_store), item_store
    )
    assert not found["words"].any()
    assert not found["alike"].any()


def test_interests_are_the_share_that_names_a_category():
    user = resolved({"interests": [" sci-fi", "DRAMA", "submarines"]})
    expected = {"1": 0.5, "2": 0.5, "3": 1.0, "4": 0.5, "5": 0.5, "10": 0.5}
    found = dict(zip(KNOWLEDGE.ids, features_of(user)["interests"], strict=True))
    assert found == {i: expected.get(i, 0.0) for i in KNOWLEDGE.ids}


def test_dislikes_point_at_what_is_close():
    dislikes = dict(
        zip(KNOWLEDGE.ids, features_of(resolved({"disliked": ["1"]}))["dislikes"], strict=True)
    )
    assert dislikes["2"] > dislikes["4"]
    assert max(dislikes, key=dislikes.__getitem__) in ("1", "2")


def test_model_and_written_are_passed_through():
    model, written = np.arange(10.0), np.linspace(0, 1, 10)
    found = features_of(NOBODY, model=model, written=written)
    assert found["model"].tolist() == model.tolist()
    assert found["written"].tolist() == written.tolist()


# -- knowledge -------------------------------------------------------------------------------


def test_a_new_item_borrows_from_its_neighbours_and_is_reachable():
    catalog = make_catalog()
    catalog.add(film("new", "Star Voyage Three", 1985, ("Sci-Fi", "Action")))
    item_store = make_knowledge(catalog)
    row = item_store.rows["new"]
    near = item_store.near[0]
    assert len(near) == len(KNOWLEDGE.ids)  # a small catalog: all of them
    lifts = np.arange(float(len(near)))
    assert item_store.spread(lifts)[row] == pytest.approx(np.quantile(lifts[near], HOPE))
    assert 0 < item_store.share[row] <= popularity(item_store.counts).max()
    assert features_of(NOBODY, item_store)["popularity"][row] > np.log(1e-4) + 1
    fan = resolved({"liked": ["1", "2"], "interests": ["sci-fi"]}, item_store=item_store)
    assert "new" in answer(fan, item_store, k=5).item_ids


def test_an_item_that_was_counted_keeps_its_own_counts():
    assert KNOWLEDGE.share.tolist() == popularity(KNOWLEDGE.counts).tolist()
    assert KNOWLEDGE.share[KNOWLEDGE.rows["10"]] == 0


def test_without_counted_items_there_is_nothing_to_borrow():
    item_store = make_knowledge(Catalog([film("x", "Xylophone"), film("y", "Yodel")]))
    assert item_store.share.tolist() == [0, 0]
    assert len(answer(resolved(item_store=item_store), item_store)) == 2


def same(one, other):
    assert one.ids == other.ids
    assert one.rows == other.rows
    assert (one.content == other.content).all()
    assert one.near.tolist() == other.near.tolist()
    assert one.late.tolist() == other.late.tolist()
    assert one.share.tolist() == other.share.tolist()
    assert one.likes.tolist() == other.likes.tolist()
    assert one.category_column == other.category_column
    for name in ("has_category", "kinds", "usual", "met", "columns", "rows_of_columns", "year"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert np.array_equal(one.dated, other.dated, equal_nan=True)
    assert one.attributes.toarray().tolist() == other.attributes.toarray().tolist()


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["add", "update", "remove", "sync"]),
        st.sampled_from([*(f[0] for f in FILMS), "a", "b"]),
        st.sampled_from(["Moon Colony", "Star Voyage", "Zebra"]),
        st.sampled_from([(), ("Drama",), ("Western", "drama")]),
    ),
    max_size=12,
)


@given(CHANGES)
@settings(max_examples=50)
def test_sync_equals_a_fresh_start(changes):
    catalog = make_catalog()
    item_store = make_knowledge(catalog)
    for what, item_id, title, categories in changes:
        if what == "sync":
            item_store.sync()
        elif what == "remove" and item_id in catalog:
            catalog.remove(item_id)
        elif what in ("add", "update") and (item_id in catalog) == (what == "update"):
            getattr(catalog, what)(film(item_id, title, categories=categories))
    item_store.sync()
    same(item_store, make_knowledge(catalog))


class Random:
    """A random unit vector for each text: no two cosines are nearly equal."""

    def encode(self, texts):
        made = [np.random.default_rng(zlib.crc32(t.encode())).normal(size=16) for t in texts]
        vectors = np.array(made, dtype=np.float32).reshape(len(texts), 16)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


MANY = [str(n) for n in range(40)]  # the counts know the first thirty
STEPS = st.tuples(
    st.sampled_from(["add", "update", "remove", "again", "sync"]),
    st.lists(st.sampled_from(MANY), min_size=1, max_size=4, unique=True),
    st.builds(
        dict,
        title=st.text("abc ", min_size=3, max_size=5).filter(lambda t: t.strip()),
        year=st.none() | st.integers(1950, 1955),
        categories=st.lists(st.sampled_from(["Drama", "War", "drama"]), max_size=2),
        attributes=st.dictionaries(st.sampled_from("xy"), st.sampled_from("pq"), max_size=2),
    ),
)


@given(first=st.sets(st.sampled_from(MANY)), steps=st.lists(STEPS, max_size=8))
@settings(max_examples=200, deadline=None)
def test_following_many_items_equals_a_fresh_start(first, steps):
    catalog = Catalog(film(i, f"Film {i}", 1950) for i in sorted(first, key=int))
    likes = {f"u{n}": [MANY[n], MANY[(7 * n) % 30], MANY[(3 * n) % 30]] for n in range(30)}
    counts = Counts.fit(MANY[:30], {u: UserProfile() for u in likes}, likes)
    item_store = ItemStore(catalog, counts, Random())
    for what, ids, about in steps:
        there = [i for i in ids if i in catalog]
        if what == "sync":
            item_store.sync()
        elif what == "add":
            catalog.add([film(i, **about) for i in ids if i not in catalog])
        elif what == "update":
            catalog.update([film(i, **about) for i in there])
        else:
            catalog.remove(there)
            catalog.add([film(i, **about) for i in there if what == "again"])
    item_store.sync()
    fresh = ItemStore(catalog, counts, Random())
    fresh.sync()
    same(item_store, fresh)


def test_additions_copy_no_content_and_leave_earlier_views_alone():
    catalog, counts = Catalog(film(i, f"Film {i}") for i in MANY), make_counts()
    item_store = ItemStore(catalog, counts, Random())
    item_store.sync()
    before, kept = item_store.content, item_store.content.copy()
    catalog.add([film("second", "Second"), film("third", "Third")])
    item_store.sync()
    assert np.shares_memory(item_store.content, before)
    assert np.array_equal(before, kept)
    catalog.update(film("second", "Another"))
    item_store.sync()
    assert not np.shares_memory(item_store.content, before)
    catalog.remove("3")
    catalog.add(film(str(n), f"Film {n}") for n in range(50, 70))
    item_store.sync()
    assert np.array_equal(before, kept)
    fresh = ItemStore(catalog, counts, Random())
    fresh.sync()
    same(item_store, fresh)


def test_whoever_is_interrupted_starts_afresh(monkeypatch):
    catalog, encoder = make_catalog(), FakeEncoder()
    item_store = ItemStore(catalog, make_counts(), encoder)
    item_store.sync()
    catalog.remove("1")
    catalog.add([film("a", "Zebra", 1950, ("War",)), film("1", "Moon", 1960)])
    with monkeypatch.context() as patch:
        patch.setattr(ItemStore, "spread", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            item_store.sync()
    catalog.update(film("2", "Star", 1961))
    item_store.sync()
    same(item_store, make_knowledge(catalog))
    assert encoder.texts[10:] == ["Zebra. War", "Moon", "Star"]


def test_only_new_and_changed_items_are_encoded():
    catalog, encoder = make_catalog(), FakeEncoder()
    item_store = ItemStore(catalog, make_counts(), encoder)
    item_store.sync()
    item_store.sync()
    assert len(encoder.texts) == 10
    catalog.add(film("a", "Zebra"))
    catalog.update(film("1", "Star Voyage", 1979, ("Sci-Fi", "Action"), price=3))  # same content
    catalog.update(film("2", "Star Voyage II"))
    catalog.remove("3")
    item_store.sync()
    assert encoder.texts[10:] == ["Star Voyage II", "Zebra"]


def test_the_catalog_may_become_empty():
    catalog = make_catalog()
    item_store = make_knowledge(catalog)
    catalog.remove(list(catalog.ids))
    item_store.sync()
    assert probes.features_of(item_store, resolved({"about": "x"})).shape == (0, len(SIGNALS))


# -- evidence --------------------------------------------------------------------------------


def wrote(title, logprob, *matches):
    return Grounding(
        candidate=Candidate(text=title, logprob=logprob, strategy="free"),
        matches=tuple(Match(item_id=i, similarity=s) for i, s in matches),
        method="similarity" if matches else "abstained",
    )


def test_written_is_the_chance_that_one_title_meant_the_item():
    found = [
        wrote("A", -1.0, ("1", 1.0), ("2", 0.8)),
        wrote("B", -3.0, ("2", 0.9), ("gone", 1.0)),
        wrote("C", -2.0),
    ]
    written = dict(zip(KNOWLEDGE.ids, closeness(KNOWLEDGE, found), strict=True))
    second = 0.9 * np.sqrt(np.exp(-3.0) / np.exp(-1.0))
    assert written["1"] == pytest.approx(0.9)
    assert written["2"] == pytest.approx(1 - (1 - 0.9 * 0.8) * (1 - second * 0.9))
    assert sum(v > 0 for v in written.values()) == 2


matches = st.lists(st.tuples(ids, st.floats(-1, 1)), max_size=3)


@given(st.lists(st.tuples(st.floats(-50, 0), matches), max_size=6))
def test_written_stays_between_0_and_1(drawn):
    found = [wrote("x", logprob, *m) for logprob, m in drawn]
    written = closeness(KNOWLEDGE, found)
    assert written.min() >= 0
    assert written.max() <= 1
    met = {i for _, m in drawn for i, s in m if s > 0}
    assert {i for i, w in zip(KNOWLEDGE.ids, written, strict=True) if w > 0} <= met


def test_reached_keeps_the_best_way():
    a, b = wrote("A", -1.0, ("1", 0.7)), wrote("B", -2.0, ("1", 0.9), ("2", 0.5))
    found = reached([a, b])
    assert {i: (f.grounding, f.similarity) for i, f in found.items()} == {
        "1": (b, 0.9),
        "2": (b, 0.5),
    }
    assert reached([wrote("C", -1.0)]) == {}


def small_world(new=False):
    """Three liked films and, if ``new``, two that nobody has met."""
    films = [Item(item_id=i, title=f"Film {i}") for i in "abc"]
    counts = Counts.fit(list("abc"), {"u": UserProfile()}, {"u": list("abc")})
    extra = [Item(item_id=i, title=f"New {i}") for i in "xy"] if new else []
    item_store = ItemStore(Catalog.from_items([*films, *extra]), counts, FakeEncoder())
    item_store.sync()
    return item_store


def test_model_lift_is_zero_where_the_model_repeats_the_prior():
    prior, world = np.log([1 / 8, 3 / 8, 4 / 8]), small_world()
    assert model_lift(world, prior, prior) == pytest.approx(np.zeros(3))
    found = model_lift(world, np.log([0.5, 0.25, 0.25]), prior)
    assert found[0] == pytest.approx(np.log(4))


def test_what_nobody_has_met_is_judged_by_its_better_neighbours_or_better():
    world, prior = small_world(new=True), np.log(np.full(5, 1 / 5))
    probs = np.array([0.1, 0.1, 0.3, 0.01, 0.49])
    found = model_lift(world, np.log(probs), prior)
    lift = np.log(probs * 5)
    hoped = max(np.quantile(lift[:3], 0.9), 0.0)
    assert found == pytest.approx([*lift[:3], hoped, lift[4]])
    gloomy = model_lift(world, np.log([0.01, 0.01, 0.01, 0.01, 0.96]), prior)
    assert gloomy[3] == 0.0


# -- picks -----------------------------------------------------------------------------------


def test_picks_take_ids_and_titles():
    user = resolved({"liked": ["2", "star voyage (1979)"], "seen": 5}, {"viewing": "Night Train"})
    assert user.liked == ["2", "1", "8"]
    assert [p.item for p in user.profile.seen] == ["5"]
    assert user.unknown == ()


def test_an_item_named_twice_is_one_pick():
    user = resolved(
        {"liked": ["1", {"item": "Star Voyage", "at": "2024-01-01"}, "2"]}, {"viewing": "1"}
    )
    assert [(p.item, p.at) for p in user.profile.liked] == [("1", None), ("2", None)]
    assert user.liked == ["1", "2"]


def test_picks_keep_their_times():
    user = resolved({"liked": {"item": "Star Voyage", "at": "2024-01-01"}})
    assert user.profile.liked[0].at == datetime(2024, 1, 1)


def test_of_namesakes_the_more_liked_is_meant():
    catalog = make_catalog()
    catalog.add([film("0", "Paris Wedding", 1950), film("99", "Unseen Reels", 1950)])
    item_store = make_knowledge(catalog)
    user = resolved({"liked": ["Paris Wedding", "Unseen Reels"]}, item_store=item_store)
    assert user.liked == ["6", "10"]


@pytest.mark.parametrize("field", ["liked", "disliked", "seen"])
def test_unknown_pick_names_the_nearest_title(field):
    with pytest.raises(ProfileError, match=f"^{field}: 'Star Voyag' is neither .*'Star Voyage'"):
        resolved({field: ["1", "Star Voyag"]})


def test_unknown_pick_without_a_near_title_says_what_to_do():
    with pytest.raises(ProfileError, match="^viewing: 'qqqq' is neither.*unknown_picks='ignore'"):
        resolved(None, {"viewing": "qqqq"})


def test_unknown_picks_can_be_left_out():
    user = resolved({"liked": ["1", "x1"], "seen": ["x2"]}, {"viewing": "x3"}, unknown="ignore")
    assert user.liked == ["1"]
    assert user.context.viewing is None
    assert user.unknown == ("x1", "x2", "x3")
    notes = answer(user).notes
    assert "not in the catalog, left out: 'x1'" in notes


def test_unknown_may_be_error_or_ignore():
    with pytest.raises(ConfigError, match="unknown_picks is 'maybe'.*error or ignore"):
        resolved(unknown="maybe")


# -- reasons ---------------------------------------------------------------------------------


GROUPS = {
    "people under 10": "age=00s",
    "people aged 10 to 19": "age=10s",
    "people in their 20s": "age=20s",
    "people in their 30s": "age=30s",
    "people aged 60 or more": "age=60s",
    "people whose age is old": "age=old",
    "men": "gender=m",
    "women": "gender=f",
    "people whose occupation is nurse": "occupation=nurse",
    "people whose occupation is student": "occupation=student",
    "people whose pet is cat": "pet=cat",
    "people whose pet is dog": "pet=dog",
}


def statements(reason):
    assert "\n" not in reason
    assert reason.endswith(".")
    sentence = reason[0].lower() + reason[1:-1]
    return sentence.split(", and ")


def check(statement, item, user):
    """Hold one statement of a reason against the data."""
    by_title = {title: item_id for item_id, title, _, _ in FILMS}
    likes = [set(x.split()) for _, x in PEOPLE.values()]
    profile, context = user.profile, user.context
    if m := re.fullmatch(
        r"because you (liked|are looking at) (.*): (\d+) (people|person) liked both", statement
    ):
        how, title, n, noun = m.groups()
        pick = by_title[title]
        assert (pick in {p.item for p in profile.liked}) == (how == "liked")
        assert how == "liked" or pick == context.viewing.item
        assert int(n) == sum({pick, item} <= x for x in likes) > 0
        assert (noun == "person") == (n == "1")
    elif m := re.fullmatch("similar to (.*)", statement):
        pick = by_title[m[1]]
        assert pick in user.liked
        rows = KNOWLEDGE.rows
        assert KNOWLEDGE.content[rows[pick]] @ KNOWLEDGE.content[rows[item]] >= 0.5
    elif m := re.fullmatch("matches your interest in (.*)", statement):
        named = m[1].casefold().replace(" and ", ", ").split(", ")
        has = {c.casefold() for c in KNOWLEDGE.catalog[item].categories}
        assert len(named) == len(set(named))
        assert set(named) <= has & {i.casefold() for i in profile.interests}
    elif m := re.fullmatch("matches “(.*?)…?”", statement):
        said = [profile.about, context.text, context.occasion]
        assert any(s and " ".join(s.split()).startswith(m[1]) for s in said)
        whole = next(t for s in said if s and (t := " ".join(s.split())).startswith(m[1]))
        assert text_similarity(KNOWLEDGE, whole)[KNOWLEDGE.rows[item]] >= 1.5
    elif m := re.fullmatch("liked more than usual by (.*)", statement):
        for name in m[1].split(" and "):
            group = GROUPS[name]
            assert group in attribute_groups(profile)
            lift = group_lift(KNOWLEDGE.counts, group)
            assert lift[KNOWLEDGE.counts.column[item]] >= 0.03
    elif m := re.fullmatch("widely liked: by (.*)% of the people we know", statement):
        share = sum(item in x for x in likes) / len(likes)
        assert f"{share:.0%}" == m[1] + "%"
        assert share >= 0.1
    else:
        assert statement == "the best of what is left to recommend"


@settings(max_examples=150)
@given(profiles, contexts, st.integers(1, 10))
def test_every_statement_is_true(profile, context, k):
    user = resolved(profile, context)
    for line in answer(user, k=k):
        for statement in statements(line.reason):
            check(statement, line.item_id, user)


def reasons_of(profile=None, context=None, item_store=KNOWLEDGE, **options):
    user = resolved(profile, context, item_store)
    return {line.item_id: line.reason for line in answer(user, item_store, **options)}


def test_an_empty_profile_is_told_nothing_about_itself():
    found = reasons_of()
    assert found["1"] == "Widely liked: by 56% of the people we know."
    assert found["10"] == "The best of what is left to recommend."
    assert all(r.startswith(("Widely liked", "The best of")) for r in found.values())


def test_people_who_liked_both_are_counted_out():
    assert (
        reasons_of({"liked": ["1"]})["9"] == "Because you liked Star Voyage: 3 people liked both."
    )
    assert (
        "ecause you liked The Clumsy Waiter: 1 person liked both"
        in (reasons_of({"liked": ["7"]})["4"])
    )


def test_a_viewed_item_is_not_called_liked():
    reason = reasons_of(None, {"viewing": "1"})["9"]
    assert reason == "Because you are looking at Star Voyage: 3 people liked both."


@pytest.mark.parametrize(
    ("age", "item", "name"),
    [(22, "9", "people in their 20s"), (85, "8", "people aged 60 or more")],
)
def test_age_bands_are_named_truly(age, item, name):
    assert reasons_of({"age": age})[item] == f"Liked more than usual by {name}."


def test_what_is_quoted_is_one_line_and_short():
    found = reasons_of({"about": "star\nvoyage " + "very far away " * 10})
    assert any("“star voyage very far away" in r and "…”" in r for r in found.values())
    assert not any("\n" in r for r in found.values())


def test_a_new_item_claims_no_likes():
    catalog = make_catalog()
    catalog.add(film("new", "Garden of Letters Two", 1999, ("Drama", "Romance")))
    item_store = make_knowledge(catalog)
    nurse = {"gender": "F", "occupation": "nurse"}
    assert "iked more than usual" in reasons_of(nurse)["5"]
    reason = reasons_of(nurse, item_store=item_store, k=11)["new"]
    assert reason == "New in the catalog, close to items that people like."
    reason = reasons_of({"liked": ["5"], **nurse}, item_store=item_store, k=11)["new"]
    assert reason == "Similar to Garden of Letters."


def test_a_category_given_twice_is_named_once():
    catalog = make_catalog()
    catalog.update(film("4", "Quiet Garden", 1991, ("Drama", "DRAMA")))
    reason = reasons_of({"interests": ["drama"]}, item_store=make_knowledge(catalog))["4"]
    assert "atches your interest in drama" in reason
    assert "drama and" not in reason


def test_the_model_is_credited_only_where_it_helped():
    logprobs = np.full(10, -3.0)
    logprobs[KNOWLEDGE.rows["10"]] = -0.1
    found = LMSignals(
        logprobs=logprobs, model=model_lift(KNOWLEDGE, logprobs, np.log(np.full(10, 0.1)))
    )
    lines = {x.item_id: x for x in answer(NOBODY, found=found, strategy="catalog")}
    model = "The language model favours it for this profile beyond its popularity."
    assert [i for i, x in lines.items() if x.reason == model] == ["10"]
    assert lines["10"].provenance.matched_by == "trie"
    assert lines["10"].provenance.logprob == -0.1


def test_a_written_title_is_quoted_where_it_led():
    groundings = (wrote("Unseen Reel", -1.0, ("10", 0.9)), wrote("Nothing", -2.0))
    found = LMSignals(
        written=closeness(KNOWLEDGE, groundings),
        found=reached(groundings),
        groundings=groundings,
    )
    out = answer(NOBODY, found=found, strategy="free")
    line = next(x for x in out if x.item_id == "10")
    assert line.reason == "The language model wrote “Unseen Reel” for this profile."
    assert line.provenance.generated_text == "Unseen Reel"
    assert line.provenance.matched_by == "similarity"
    assert line.provenance.similarity == 0.9
    assert (out.generated, out.abstained) == (2, 1)
    others = [x for x in out if x.item_id != "10"]
    assert all(x.provenance.generated_text is None for x in others)
    assert not any("wrote" in x.reason for x in others)


# -- answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [0, -1, 1001, True, 2.0, "3", None])
def test_k_is_a_whole_number_from_1_to_1000(k):
    with pytest.raises(ConfigError, match="k is .*expected a whole number from 1 to 1000"):
        RecommendOptions(k=k)


@pytest.mark.parametrize("name", ["diversity", "popularity_penalty"])
@pytest.mark.parametrize("value", [-0.1, 11, float("nan"), float("inf"), "1", None, True])
def test_knobs_are_numbers_in_range(name, value):
    with pytest.raises(ConfigError, match=f"{name} is .*, expected a number from 0 to 1"):
        RecommendOptions(**{name: value})


def test_diversity_ends_at_one():
    assert RecommendOptions(diversity=1).diversity == 1
    assert RecommendOptions(popularity_penalty=np.float32(10)).popularity_penalty == 10
    with pytest.raises(ConfigError, match="diversity is 2, expected"):
        RecommendOptions(diversity=2)


def test_strategy_is_one_of_four():
    with pytest.raises(ConfigError, match="'magic'.*one of catalog, free, both, prior"):
        RecommendOptions(strategy="magic")


@given(profiles, contexts, st.integers(1, 12), st.sampled_from([0.0, 0.5, 1.0]))
def test_answers_keep_their_promises(profile, context, k, diversity):
    user = resolved(profile, context)
    out = answer(user, k=k, diversity=diversity)
    known = {p.item for what in ("liked", "disliked", "seen") for p in getattr(user.profile, what)}
    assert not known & set(out.item_ids)
    assert len(set(out.item_ids)) == len(out) <= k
    assert [x.rank for x in out] == list(range(1, len(out) + 1))
    assert out.dropped_counts.keys() <= {"known", "near-duplicate"}
    assert {d.item_id for d in out.dropped}.isdisjoint(out.item_ids)
    if len(out) < k:
        assert len(out) + sum(out.dropped_counts.values()) == 10
        assert out.notes == (
            f"only {len(out)} of the catalog's items may be shown; {k} were asked for",
        )
    else:
        assert out.notes == ()
    for line in out:
        assert sum(line.provenance.contributions.values()) == pytest.approx(line.score)
        assert line.provenance.features.keys() == line.provenance.contributions.keys()
        assert line.title == KNOWLEDGE.catalog[line.item_id].title
    if diversity == 0:
        scores = [x.score for x in out]
        assert scores == pytest.approx(sorted(scores, reverse=True))


@given(profiles, st.sets(ids), st.integers(1, 12))
def test_only_the_pool_is_shown(profile, pool, k):
    out = answer(resolved(profile), k=k, only=frozenset(pool))
    assert set(out.item_ids) <= pool
    if len(out) < k:
        assert "of the grounded titles' items may be shown" in out.notes[-1]


def test_contributions_are_weight_times_feature():
    user = resolved({"age": 24, "liked": ["1"], "about": "night train"})
    weights = dict(zip(SIGNALS.names, BlendRanker.default().weights("prior", 1), strict=True))
    for line in answer(user):
        for name, value in line.provenance.features.items():
            assert line.provenance.contributions[name] == pytest.approx(weights[name] * value)


def test_filters_are_respected_and_counted():
    out = answer(NOBODY, filters=(Categories(include=["drama"]),), k=3)
    assert set(out.item_ids) <= {"3", "4", "5", "10"}
    assert len(out) == 3
    assert out.notes == ()
    assert {d.filter for d in out.dropped} == {"categories"}
    assert sum(out.dropped_counts.values()) == len(out.dropped)


def test_without_filters_only_duplicates_of_picks_are_held_back():
    disliked = resolved({"disliked": ["1"], "seen": ["2"]})
    assert {"1", "2"} <= set(answer(disliked, filters=()).item_ids)
    assert not {"1", "2"} & set(answer(disliked, filters=(Known(),)).item_ids)


def test_popularity_penalty_cancels_and_reverses_popularity():
    popularity = dict(zip(KNOWLEDGE.ids, KNOWLEDGE.popularity, strict=True))
    plain = {r.item_id: r.score for r in answer(NOBODY)}
    for penalty in (1.0, 2.0):
        for r in answer(NOBODY, popularity_penalty=penalty):
            assert r.score == pytest.approx(plain[r.item_id] - penalty * popularity[r.item_id])
    popular = max(popularity, key=lambda i: popularity[i])
    places = [answer(NOBODY, popularity_penalty=p).item_ids.index(popular) for p in (0.0, 1.0, 5.0)]
    assert places[0] < places[2] == len(KNOWLEDGE.ids) - 1


def test_diversity_spreads_the_list():
    fan = resolved({"interests": ["sci-fi"], "about": "star voyage"})
    plain, spread = (answer(fan, k=4, diversity=d).item_ids for d in (0.0, 1.0))

    def closeness(found):
        vectors = KNOWLEDGE.content[[KNOWLEDGE.rows[i] for i in found]]
        return (vectors @ vectors.T).sum()

    assert spread[0] == plain[0]
    assert closeness(spread) < closeness(plain)


def test_notes_pass_on_what_was_trimmed():
    out = answer(NOBODY, found=LMSignals(prompt="the prompt", notes=("trimmed",)))
    assert out.prompt == "the prompt"
    assert out.notes == ("trimmed",)


# -- kinds, years, mainstream -------------------------------------------------------------------

KINDLY = BlendRanker({"prior": {"kinds": (1.0, 0.0), "popularity": (0.01, 0.0)}})


@pytest.mark.parametrize(
    ("liked", "expected"),
    [
        (["2"], "Sci-Fi like Star Voyage Two."),
        (["4", "5"], "Drama like much of what you liked."),
    ],
)
def test_shared_categories_are_named(liked, expected):
    lines = answer(resolved({"liked": liked}), ranker=KINDLY, k=1, filters=(Known(),))
    assert expected.split(" ")[0] in KNOWLEDGE.catalog[lines[0].item_id].categories
    assert lines[0].reason == expected


@given(st.lists(ids, min_size=1, max_size=4, unique=True))
def test_kinds_follow_the_categories_of_the_picks(liked):
    found = features_of(resolved({"liked": liked}))
    kinds = {i: KNOWLEDGE.kinds[KNOWLEDGE.rows[i]] for i in KNOWLEDGE.ids}
    taste = np.mean([kinds[i] for i in liked], axis=0) - KNOWLEDGE.usual_kinds
    expected = [kinds[i] @ taste * len(liked) ** 0.5 for i in KNOWLEDGE.ids]
    assert found["kinds"] == pytest.approx(expected)
    years = np.array([KNOWLEDGE.catalog[i].year for i in KNOWLEDGE.ids])
    mean = np.mean([KNOWLEDGE.catalog[i].year for i in liked])
    assert found["year_gap"] == pytest.approx(np.abs(years - mean))
    popular = dict(zip(KNOWLEDGE.ids, found["popularity"], strict=True))
    gap = found["popularity"] - np.mean([popular[i] for i in liked])
    assert found["mainstream"] == pytest.approx(gap)
    assert set(found["shots"]) == {len(liked)}


def test_usual_kinds_are_those_of_what_people_like():
    likes = [i for _, x in PEOPLE.values() for i in x.split()]
    expected = np.mean([KNOWLEDGE.kinds[KNOWLEDGE.rows[i]] for i in likes], axis=0)
    np.testing.assert_allclose(KNOWLEDGE.usual_kinds, expected)
    np.testing.assert_allclose((KNOWLEDGE.kinds**2).sum(axis=1), 1.0)


def test_an_undated_item_counts_as_of_the_median_year():
    catalog = Catalog.from_items(
        [
            Item(item_id=str(n), title=f"t{n}", year=year)
            for n, year in enumerate((1950, 1990, 1998))
        ]
        + [Item(item_id="x", title="undated")]
    )
    item_store = ItemStore(catalog, Counts.fit([], {}, {}), FakeEncoder())
    item_store.sync()
    assert item_store.year.tolist() == [1950, 1990, 1998, 1990]


def test_near_duplicates_are_shown_on_demand():
    catalog = make_catalog()
    catalog.add(film("twin", "Garden of Letters", 1993, ("Drama", "Romance")))
    item_store = make_knowledge(catalog)
    user = resolved({"liked": ["5"]}, item_store=item_store)
    usual, all_of_them = (
        answer(user, item_store, k=11, near_duplicates=shown).item_ids for shown in (False, True)
    )
    assert "twin" not in usual
    assert set(all_of_them) == {*usual, "twin"}
