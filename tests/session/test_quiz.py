"""Quizzes: what every one promises, each one's formula, and how they are measured."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import Catalog, Item, UserProfile
from coldstart.catalog.item_store import ItemStore
from coldstart.errors import ConfigError
from coldstart.evaluation import onboarding as measured
from coldstart.interactions.interaction_stats import Counts, pick_lift, popularity
from coldstart.metrics.ranking_metrics import ndcg
from coldstart.session import DEFAULT_QUIZ, QUIZZES, OnboardingSession, QuizState
from coldstart.session.clusters import ClusterDiverse, cluster_order
from coldstart.session.evidence_candidates import EvidenceCandidates
from coldstart.session.information_gain import SHRINK, TASTES, InformationGain, taste_weights
from coldstart.session.item_store_cache import ItemStoreCache
from coldstart.session.popularity import PopularityEntropy, conditional_like_rate, entropy
from coldstart.session.quiz import COLD_VALUE
from coldstart.session.registry import find_quiz
from coldstart.session.thompson import Thompson
from coldstart.testing.trigrams import TrigramEncoder
from tests.fakes import FakeEncoder
from tests.toy import toy_catalog, toy_dataset, toy_recommender, toy_split

NAMES = sorted(QUIZZES)
DATA = toy_dataset()


def item_store_of(likes: dict[str, list[str]], ids: list[str], catalog=None) -> ItemStore:
    items = (Item(item_id=i, title=f"Film {i}") for i in ids)
    counts = Counts.fit(ids, {u: UserProfile() for u in likes}, likes)
    out = ItemStore(catalog or Catalog.from_items(items), counts, FakeEncoder())
    out.sync()
    return out


def toy_item_store() -> ItemStore:
    counts = Counts.fit(DATA.catalog.ids, DATA.users, DATA.likes)
    out = ItemStore(toy_catalog(), counts, FakeEncoder())
    out.sync()
    return out


TOY = toy_item_store()


def known(item_store=TOY, liked=(), disliked=(), unfamiliar=(), askable=None, asked=(), seed=0):
    n = len(item_store.ids)
    open_ = np.ones(n, dtype=bool) if askable is None else askable
    return QuizState(
        item_store, tuple(liked), tuple(disliked), tuple(unfamiliar), open_, frozenset(asked), seed
    )


worlds = st.integers(2, 7).flatmap(
    lambda n: st.lists(
        st.lists(st.integers(0, n - 1), unique=True, max_size=n), min_size=1, max_size=9
    ).map(
        lambda people: item_store_of(
            {f"u{p}": [f"i{i}" for i in mine] for p, mine in enumerate(people)},
            [f"i{i}" for i in range(n)],
        )
    )
)


# -- every quiz ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(world=worlds, data=st.data())
def test_a_quiz_asks_about_what_may_be_asked_and_the_same_again(name, world, data):
    n = len(world.ids)
    askable = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    rows = st.lists(st.integers(0, n - 1), unique=True)
    said = known(world, data.draw(rows), data.draw(rows), data.draw(rows), askable)
    quiz = QUIZZES[name]
    values = quiz.value(said)
    assert values.shape == (n,)
    assert np.isfinite(values).all()
    question = quiz.question(said)
    assert (question is None) == (not askable.any())
    if question is not None:
        assert all(askable[world.rows[i]] for i in question.items)
        assert len(set(question.items)) == len(question.items) == 1 + (question.kind == "pair")
        assert question == quiz.question(said)


@pytest.mark.parametrize("name", NAMES)
def test_a_quiz_ends_when_everything_was_asked(name):
    session = OnboardingSession(toy_recommender(), quiz=name)
    asked = []
    while question := session.next_question():
        asked.append(question.question_id)
        session = session.answer(question.question_id, question.choices[-1].value)
    assert len(asked) == len(set(asked))
    items = {
        i
        for q in asked
        for i in [*session.state.events]
        if i.kind == "asked"
        for i in i.question.items
    }
    assert items == set(toy_catalog().ids)


@pytest.mark.parametrize("name", NAMES)
def test_items_nobody_met_are_asked_about_last(name):
    catalog = Catalog.from_items(Item(item_id=i, title=f"Film {i}") for i in ("new", "a", "b"))
    world = item_store_of({"u": ["a", "b"], "v": ["a"]}, ["a", "b"], catalog)
    assert QUIZZES[name].value(known(world)).shape == (3,)
    if name != "random":
        assert QUIZZES[name].value(known(world))[0] == COLD_VALUE
        assert "new" not in QUIZZES[name].question(known(world)).items
    alone = np.array([True, False, False])
    assert QUIZZES[name].question(known(world, askable=alone)).items == ("new",)


def test_tables_follow_the_catalog():
    world = item_store_of({"u": ["a", "b"], "v": ["a"]}, ["a", "b"])
    before = InformationGain().value(known(world))
    world.catalog.add(Item(item_id="c", title="Film c"))
    world.sync()
    after = InformationGain().value(known(world))
    assert after.tolist() == [*before.tolist(), COLD_VALUE]


def test_a_quiz_of_ones_own_can_be_used():
    class Last:
        name = "last"

        def value(self, said):
            return np.arange(len(said.item_store.ids), dtype=float)

        def question(self, said):
            return QUIZZES["random"].question(said)

    assert OnboardingSession(toy_recommender(), quiz=Last()).next_question() is not None
    with pytest.raises(ConfigError, match="one of"):
        find_quiz("last")
    assert DEFAULT_QUIZ in QUIZZES


# -- popularity and entropy ---------------------------------------------------------------------


def test_entropy_is_that_of_a_coin():
    assert entropy(np.array([0.0, 0.5, 1.0, 0.25])) == pytest.approx([0, 1, 0, 0.811278], abs=1e-6)


@settings(max_examples=25)
@given(worlds)
def test_popularity_times_entropy_is_as_written(world):
    counts = world.counts
    together = counts.together.toarray()
    values = PopularityEntropy().value(known(world))
    for i, n in enumerate(counts.likes):
        near = together[i] / np.sqrt((n + 20) * (counts.likes + 20))
        audience = float(near @ counts.likes)
        q = float(near @ together[i]) / audience if audience else 0.0
        assert conditional_like_rate(counts)[i] == pytest.approx(q)
        h = -sum(x * np.log2(x) for x in (q, 1 - q) if 0 < x < 1)
        assert values[i] == pytest.approx(n / counts.n_users * h, abs=1e-9)


def test_of_two_equally_famous_items_the_divisive_one_is_asked_about():
    # Everybody who likes "core" likes "sure"; half of them like "split", as do as many strangers.
    likes = {f"c{n}": ["core", "sure", *(["split"] if n % 2 else [])] for n in range(8)}
    likes |= {f"s{n}": ["split", "far"] for n in range(4)}
    world = item_store_of(likes, ["core", "sure", "split", "far"])
    values = dict(zip(world.ids, PopularityEntropy().value(known(world)), strict=True))
    assert values["split"] > values["sure"]


# -- information --------------------------------------------------------------------------------


@settings(max_examples=25)
@given(worlds, st.data())
def test_the_gain_is_the_expected_divergence_that_bayes_gives(world, data):
    counts = world.counts
    n = len(counts.item_ids)
    rows = st.lists(st.integers(0, n - 1), unique=True, max_size=3)
    liked, not_liked = data.draw(rows), data.draw(rows)
    said = known(world, liked, not_liked)
    size, both = counts.likes, counts.together.toarray() + np.diag(counts.likes)
    share = (size + 0.5) / (counts.n_users + 1)
    p = np.clip((both + SHRINK * share) / (size[:, None] + SHRINK), 1e-6, 1 - 1e-6)
    weights = (size + 1e-9) / (size + 1e-9).sum()
    for i in liked:
        weights = weights * p[:, i]
    for i in not_liked:
        weights = weights * (1 - p[:, i])
    weights = weights / weights.sum()
    ordered = np.argsort(-size, kind="stable")
    assert taste_weights(said) == pytest.approx(weights[ordered], rel=1e-3, abs=1e-6)
    for i, value in enumerate(InformationGain().value(said)):
        gain = 0.0
        for answer in (p[:, i], 1 - p[:, i]):  # expected divergence of what is believed afterwards
            chance = weights @ answer
            after = weights * answer / chance
            moved = zip(after, weights, strict=True)
            gain += chance * sum(a * np.log(a / w) for a, w in moved if a > 0)
        assert value == pytest.approx(gain, abs=2e-4)


def test_a_like_moves_the_next_question_to_the_same_taste():
    scifi = {i.item_id for i in DATA.catalog if "Sci-Fi" in i.categories}
    weights = taste_weights(known(liked=[TOY.rows[i] for i in sorted(scifi)[:2]]))
    famous = np.argsort(-TOY.counts.likes, kind="stable")
    mass = sum(w for w, c in zip(weights, famous, strict=True) if TOY.counts.item_ids[c] in scifi)
    assert mass > 0.8


# -- clusters, bandit, pairs, categories ----------------------------------------------------------


def test_the_first_questions_of_clusters_span_the_tastes():
    likes = {
        f"{t}{n}": [f"{t}{i}" for i in range(4) if (i + n) % 5] for t in "abc" for n in range(9)
    }
    world = item_store_of(likes, [f"{t}{i}" for t in "abc" for i in range(4)])
    order = cluster_order(world)
    assert sorted(order) == list(range(12))
    first = ClusterDiverse().question(known(world)).items[0]
    assert first == world.ids[order[0]]


def test_groups_are_asked_about_in_turn(monkeypatch):
    monkeypatch.setattr("coldstart.session.clusters.GROUPS", 3)
    likes = {
        f"{t}{n}": [f"{t}{i}" for i in range(4) if (i + n) % 5] for t in "abc" for n in range(9)
    }
    world = item_store_of(likes, [f"{t}{i}" for t in "abc" for i in range(4)])
    order = [world.ids[c][0] for c in cluster_order(world)]
    assert set(order[:3]) == set(order[3:6]) == set("abc")


def test_a_like_raises_the_beliefs_about_what_is_liked_with_it():
    def belief(**said):
        draws = [Thompson().value(known(seed=s, **said)) for s in range(200)]
        return np.mean(draws, axis=0)

    scifi = [row for row, i in enumerate(DATA.catalog) if "Sci-Fi" in i.categories]
    mine, rest = scifi[0], scifi[1:]
    plain = belief()
    assert (belief(liked=[mine])[rest] > plain[rest]).mean() > 0.8
    assert (belief(disliked=[mine])[rest] < plain[rest]).mean() > 0.8
    assert belief(unfamiliar=[mine])[rest].mean() > belief(disliked=[mine])[rest].mean()


@pytest.mark.parametrize("name", ["random", "thompson"])
def test_draws_depend_on_the_seed_and_the_number_of_questions(name):
    quiz = QUIZZES[name]
    one = quiz.value(known(seed=1))
    assert (one == quiz.value(known(seed=1))).all()
    assert (one != quiz.value(known(seed=2))).any()
    assert (one != quiz.value(known(seed=1, asked=["item:i0"]))).any()


def test_a_pair_is_of_two_tastes():
    question = QUIZZES["pairs"].question(known())
    kinds = {DATA.catalog[i].categories for i in question.items}
    assert kinds == {("Sci-Fi",), ("Drama",)}


def test_a_catalog_without_categories_is_not_asked_about_them():
    world = item_store_of({"u": ["a", "b"], "v": ["a"]}, ["a", "b"])
    assert QUIZZES["categories"].question(known(world)).kind == "item"


# -- measuring ----------------------------------------------------------------------------------


def test_people_answer_from_their_ratings():
    rec = toy_recommender()
    user = "u1"
    person = measured.SimulatedUser(DATA, user, hidden=frozenset(DATA.likes[user][:1]))
    low = DATA.dislikes[user][0]
    for item, answer in (
        (DATA.likes[user][0], "unknown"),
        (DATA.likes[user][1], "like"),
        (low, "dislike"),
        (next(i for i in DATA.catalog.ids if i not in (*DATA.likes[user], low)), "unknown"),
    ):
        session = OnboardingSession(rec, quiz="random", askable=[item])
        assert person.answer(session.next_question()) == answer
    pair = OnboardingSession(rec, quiz="pairs", askable=[low, DATA.likes[user][2]])
    question = pair.next_question()
    assert question.items["ab".index(person.answer(question))] == DATA.likes[user][2]
    both = OnboardingSession(rec, quiz="pairs", askable=[low, DATA.likes[user][0]])
    assert person.answer(both.next_question()) == "unknown"
    categories = OnboardingSession(rec, quiz="categories").next_question()
    assert person.answer(categories) == ("Sci-Fi",)


def values(protocol, quizzes=("information_gain", "random"), questions=(0, 2), **options):
    users = list(toy_split().test)
    return measured.quiz_values(
        toy_recommender(), DATA, users, quizzes, questions, protocol=protocol, **options
    )


@pytest.mark.parametrize("protocol", ["halves", "rest"])
def test_without_questions_all_quizzes_are_equal_and_what_the_recommender_gives(
    protocol, monkeypatch
):
    monkeypatch.setattr(measured, "MIN_TARGETS", 2)
    found = values(protocol, NAMES)
    assert len({json.dumps(found[name, 0], sort_keys=True) for name in NAMES}) == 1
    assert set(found) == {(name, n) for name in NAMES for n in (0, 2)}
    assert found["random", 0].keys() == found["random", 2].keys() != set()
    if protocol == "rest":
        for user, value in found["random", 0].items():
            ids = toy_recommender().recommend(
                DATA.users[user], k=10, strategy="prior", filters=[], near_duplicates=True
            ).item_ids  # fmt: skip
            assert value == pytest.approx(ndcg(ids, DATA.likes[user], 10))


def test_an_item_that_was_asked_about_is_neither_shown_nor_a_target(monkeypatch):
    monkeypatch.setattr(measured, "MIN_TARGETS", 2)
    seen = []

    def spy(ranked, relevant, k):
        seen.append((set(ranked), set(relevant)))
        return 0.5

    monkeypatch.setattr(measured, "ndcg", spy)
    asked: list[str] = []
    plain = measured.SimulatedUser.answer

    def note(self, question):
        asked.extend(question.items)
        return plain(self, question)

    monkeypatch.setattr(measured.SimulatedUser, "answer", note)
    measured.quiz_values(toy_recommender(), DATA, ["u1"], ["pairs"], [2], protocol="rest")
    ((shown, wanted),) = seen
    assert len(set(asked)) == 4
    assert not set(asked) & (shown | wanted)
    assert wanted == set(DATA.likes["u1"]) - set(asked)
    seen.clear()
    asked.clear()
    measured.quiz_values(toy_recommender(), DATA, ["u1"], ["pairs"], [0, 2], protocol="halves")
    assert seen[0][1] == seen[1][1] != seen[2][1] == seen[3][1]
    assert seen[0][1] | seen[2][1] == set(DATA.likes["u1"])
    for (shown, wanted), own in zip((seen[1], seen[3]), (asked[:4], asked[4:]), strict=True):
        assert not set(own) & (shown | wanted)
        assert wanted


def test_a_summary_has_intervals_and_the_difference_to_random():
    by_user = {"a": 0.2, "b": 0.4, "c": 0.9}
    found = {("x", 3): by_user, ("random", 3): {u: v - 0.1 for u, v in by_user.items()}}
    mine, control = measured.summarise(found)
    assert (mine.mean, mine.users) == (pytest.approx(0.5), 3)
    assert mine.low <= mine.mean <= mine.high
    assert mine.gain.mean == pytest.approx(0.1)
    assert control.gain is None
    assert "| x | 0.500 ±" in measured.markdown([mine, control])
    assert json.loads(json.dumps(measured.as_json([mine])))[0]["gain"]["mean"] == mine.gain.mean


def test_nobody_to_ask_or_no_question_is_an_error():
    with pytest.raises(ConfigError, match="enough likes"):
        values("halves", questions=(0,))
    with pytest.raises(ConfigError, match="numbers from 0 on"):
        values("rest", questions=())


def test_the_fitted_ranker_is_kept_and_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("coldstart.artifacts.loading.make_encoder", lambda name: FakeEncoder())
    first = measured.fitted(DATA, toy_split(), tmp_path)
    (path,) = tmp_path.iterdir()
    assert measured.fitted(DATA, toy_split(), tmp_path).ranker.to_dict() == first.ranker.to_dict()
    told = json.loads(path.read_text())
    told["weights"]["prior"]["popularity"] = [7.0, 0.0]
    path.write_text(json.dumps(told))
    again = measured.fitted(DATA, toy_split(), tmp_path)
    assert again.ranker.table("prior")["popularity"] == (7.0, 0.0)
    assert again.counts.n_users == len(toy_split().train)


def test_tables_are_made_once_for_all_questions(monkeypatch):
    """What a question takes then is in benchmarks/steps.py."""
    once, used = ItemStoreCache.of, []

    def of(tables, item_store):
        used.append((id(tables), once(tables, item_store)))
        return used[-1][1]

    monkeypatch.setattr(ItemStoreCache, "of", of)
    world = toy_item_store()
    for n in range(3):
        for name in NAMES:
            QUIZZES[name].question(known(world, liked=[3], disliked=[5], unfamiliar=[7], seed=n))
    assert len(used) > len({which for which, _ in used}) > 0
    assert len({id(made) for _, made in used}) == len({which for which, _ in used})


def test_evidence_candidates_are_liked_by_many_and_move_much():
    likes = {f"u{n}": ["a", "b"] if n < 6 else ["a", "c"] for n in range(12)}
    likes |= {"v": ["d", "b"]}
    world = item_store_of(likes, ["a", "b", "c", "d"])
    share = popularity(world.counts)
    expected = []
    for item in world.ids:
        lift = pick_lift(world.counts, [item])
        lift[world.counts.column[item]] = 0.0
        expected.append(share[world.counts.column[item]] * float(np.sqrt(share @ lift**2)))
    assert EvidenceCandidates().value(known(world)) == pytest.approx(expected)
    # Everybody likes "a", which says nothing; who likes "b" or "c" is told apart by it.
    alike = item_store_of({f"u{n}": ["a"] for n in range(9)} | {"v": ["a", "b"]}, ["a", "b"])
    values = EvidenceCandidates().value(known(alike))
    assert values[0] == pytest.approx(0.0, abs=0.05)


def unseen_item_store(n=12) -> ItemStore:
    """Items of three kinds that nobody has liked."""
    kinds = ("oak chair", "green tea", "crime novel")
    items = [Item(item_id=str(i), title=f"{kinds[i % 3]} {'abcdef'[i // 3]}") for i in range(n)]
    catalog = Catalog.from_items(items)
    out = ItemStore(catalog, Counts.fit(catalog.ids, {}, {}), TrigramEncoder())
    out.sync()
    return out


@pytest.mark.parametrize("name", ["pairs", "information_gain", "cluster_diverse"])
def test_without_likes_questions_spread_over_contents(name):
    item_store, kinds = unseen_item_store(), []
    asked, open_ = [], np.ones(12, dtype=bool)
    for _ in range(2):
        question = find_quiz(name).question(known(item_store, unfamiliar=asked, askable=open_))
        for item in question.items:
            kinds.append(item_store.catalog[item].title[:5])
            asked.append(item_store.rows[item])
            open_[item_store.rows[item]] = False
    assert len(set(kinds[:2])) == 2
    assert len(set(kinds)) == min(3, len(kinds))


def test_without_likes_a_like_raises_the_taste_of_what_is_alike():
    item_store = unseen_item_store()
    before = taste_weights(known(item_store))
    after = taste_weights(known(item_store, liked=[0]))
    gain = {item_store.items[r].title[:5]: 0.0 for r in range(12)}
    for column, change in zip(TASTES.of(item_store).columns, after - before, strict=True):
        gain[item_store.items[column].title[:5]] += change
    assert gain["oak c"] > 0 > max(gain["green"], gain["crime"])
    assert after.sum() == pytest.approx(1.0)
