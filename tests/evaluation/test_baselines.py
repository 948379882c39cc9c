import inspect
import math
import sys
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, MissingExtraError
from coldstart.evaluation.baselines.als import als, fold_in, item_factors
from coldstart.evaluation.baselines.dropout_autoencoder import dropout_autoencoder
from coldstart.evaluation.baselines.ease import ease, ease_prior, ease_rows
from coldstart.evaluation.baselines.later_lift import later_lift
from coldstart.evaluation.baselines.lightfm_warp import lightfm_warp
from coldstart.evaluation.baselines.neighbours import demographic_user_knn, item_knn
from coldstart.evaluation.baselines.registry import PACKAGES, RIVALS
from coldstart.evaluation.baselines.scored import demographic_baseline, popularity_baseline
from coldstart.evaluation.baselines.simple import damped_mean, random_items
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.baselines.tuning import settings as combinations
from coldstart.evaluation.baselines.tuning import tune
from coldstart.evaluation.baselines.words import BM25, bm25, profile_text, text_retrieval
from coldstart.evaluation.harness import ColdCase, cold_users, evaluate
from coldstart.interactions.interaction_stats import Counts, ease_weights
from coldstart.protocols import Recommends
from coldstart.schema import Item, UserProfile
from coldstart.splitting.user_splits import split_users
from tests.fakes import FakeEncoder

FILMS = tuple("abcdef")
TITLES = ("Space War", "War and Peace", "Love Story", "Space Love", "Peace", "Nothing")
TOY = Catalog(
    Item(item_id=i, title=t, categories=("Sci-Fi",) if "Space" in t else ("Drama",))
    for i, t in zip(FILMS, TITLES, strict=True)
)
PEOPLE = {
    "m1": (UserProfile(gender="M", age=24), "abc"),
    "m2": (UserProfile(gender="M", age=31), "ab"),
    "m3": (UserProfile(gender="M", occupation="nurse"), "ba"),
    "f1": (UserProfile(gender="F", age=27), "ad"),
    "f2": (UserProfile(gender="F", age=38), "de"),
    "silent": (UserProfile(), ""),
}


def training(people=None, **more):
    people = people or PEOPLE
    return TrainingData(
        TOY,
        {u: p for u, (p, _) in people.items()},
        {u: tuple(x) for u, (_, x) in people.items()},
        **{"encoder": FakeEncoder()} | more,
    )


def scores(system, profile=None):
    """Score of every item that may be shown."""
    return {r.item_id: r.score for r in system.recommend(profile or UserProfile(), k=6)}


def built(name, data=None):
    pytest.importorskip(RIVALS[name].requires or "numpy")
    return RIVALS[name].build(data or training())


# -- what every rival keeps to ---------------------------------------------------------------

names = st.lists(st.sampled_from([*FILMS, "unknown"]), max_size=6)


@pytest.fixture(scope="module", params=RIVALS)
def rival(request):
    return built(request.param)


@given(liked=names, disliked=names, seen=names, k=st.integers(1, 9))
@settings(max_examples=40)
def test_what_was_named_is_never_shown(rival, liked, disliked, seen, k):
    assert isinstance(rival, Recommends)
    profile = UserProfile(gender="F", liked=liked, disliked=disliked, seen=seen)
    out = rival.recommend(profile, k=k)
    allowed = set(FILMS) - {*liked, *disliked, *seen}
    assert set(out.item_ids) <= allowed
    assert len(out) == len(set(out.item_ids)) == min(k, len(allowed))
    values = [r.score for r in out]
    assert values == sorted(values, reverse=True)
    assert all(math.isfinite(v) for v in values)


@pytest.mark.parametrize("name", RIVALS)
def test_a_second_training_gives_the_same_answers(name):
    one, two = built(name), built(name)
    for profile in (
        UserProfile(),
        UserProfile(age=24),
        UserProfile(liked="ad"),
        UserProfile(gender="F", about="peace", liked=["a", "d"]),
    ):
        assert one.recommend(profile, k=6) == one.recommend(profile, k=6)
        assert one.recommend(profile, k=6) == two.recommend(profile, k=6)


@pytest.mark.parametrize("name", [n for n in RIVALS if n != "random_items"])
def test_unknown_and_repeated_picks_are_ignored(name):
    system = built(name)
    plain = system.recommend(UserProfile(gender="M", liked=["a", "e"]), k=6)
    noisy = system.recommend(UserProfile(gender="M", liked=["a", "what?", "e", "a"]), k=6)
    assert plain == noisy
    strange = UserProfile(gender="M", liked=["what?"])
    assert system.recommend(strange, k=6) == system.recommend(UserProfile(gender="M"), k=6)


@pytest.mark.parametrize("name", RIVALS)
def test_people_without_a_word_or_a_like_train_nothing_but_break_nothing(name):
    if RIVALS[name].requires:
        pytest.importorskip(RIVALS[name].requires)
    system = RIVALS[name].build(training({"u": (UserProfile(), "")}))
    assert len(system.recommend(UserProfile(gender="M", liked="b"))) == 5


@pytest.mark.parametrize("name", ["item_knn", "ease", "ease_prior", "als", "later_lift"])
def test_without_picks_it_is_demographic_popularity(name):
    data = training()
    prior = demographic_baseline(TOY, data.counts)
    for profile in (UserProfile(), UserProfile(gender="F", age=25)):
        assert scores(built(name, data), profile) == pytest.approx(scores(prior, profile))


@pytest.mark.parametrize("name", RIVALS)
def test_the_registry_says_what_moves_the_list(name):
    rival, system = RIVALS[name], built(name)
    assert rival.name == name
    assert rival.description
    base = UserProfile(gender="F")
    changes = {
        "picks": {"liked": ["f"], "seen": ["d"]},
        "attributes": {"gender": "M"},
        "text": {"about": "a war in space"},
    }
    hidden = base.model_copy(update={"seen": UserProfile(seen=["f", "d"]).seen})
    for what, change in changes.items():
        profile = UserProfile.model_validate(base.model_dump() | change)
        before = hidden if what == "picks" else base
        if what not in rival.uses and name != "random_items":
            assert scores(system, profile) == scores(system, before)


@pytest.mark.parametrize("name", RIVALS)
def test_the_shipped_setting_is_one_of_the_grid(name):
    defaults = {n: p.default for n, p in inspect.signature(RIVALS[name].build).parameters.items()}
    for setting, values in RIVALS[name].grid.items():
        assert defaults[setting] in values


# -- training data ---------------------------------------------------------------------------


def test_training_data_holds_the_named_users_only():
    from tests.toy import toy_dataset

    data = toy_dataset()
    few = TrainingData.of(data, ["u1", "u2"])
    assert list(few.users) == list(few.likes) == ["u1", "u2"]
    assert few.matrix.shape == (2, len(data.catalog))
    assert few.matrix.sum() == sum(len(data.likes[u]) for u in few.users)
    assert few.counts.n_users == 2


def test_items_outside_the_catalog_are_ignored():
    data = training({"u": (UserProfile(), ["a", "gone", "a", "c"])})
    assert data.matrix.toarray().tolist() == [[1, 0, 1, 0, 0, 0]]


# -- chance and means ------------------------------------------------------------------------


def test_random_lists_differ_between_people_and_seeds():
    people = [UserProfile(age=n) for n in range(20)]
    one, other = random_items(training()), random_items(training(), seed=1)
    lists = [tuple(one.recommend(p, k=6).item_ids) for p in people]
    assert len(set(lists)) > 15
    assert lists != [tuple(other.recommend(p, k=6).item_ids) for p in people]


def test_damped_mean_by_hand():
    people = {"u": (UserProfile(), "ab"), "v": (UserProfile(), "a")}
    data = training(people, dislikes={"u": ["c"], "v": ["b"], "stranger": ["a"]})
    found = scores(damped_mean(data, damping=2.0))
    mean = 3 / 5
    assert found["a"] == pytest.approx((2 + 2 * mean) / 4)
    assert found["b"] == pytest.approx((1 + 2 * mean) / 4)
    assert found["c"] == pytest.approx((0 + 2 * mean) / 3)
    assert found["f"] == pytest.approx(mean)


def test_damped_mean_prefers_ratings():
    people = {"u": (UserProfile(), "a"), "v": (UserProfile(), "a")}
    data = training(people, ratings={"u": {"a": 2.0, "gone": 5.0}, "v": {"b": 5.0}})
    found = scores(damped_mean(data, damping=1.0))
    assert found["b"] == pytest.approx((5 + 3.5) / 2)
    assert found["a"] == pytest.approx((2 + 3.5) / 2)


# -- neighbours ------------------------------------------------------------------------------


def test_demographic_neighbours_by_hand():
    people = {
        "u": (UserProfile(gender="M", occupation="nurse"), "a"),
        "v": (UserProfile(gender="M"), "b"),
        "w": (UserProfile(gender="F"), "c"),
    }
    asker = UserProfile(gender="m", occupation="Nurse", age=99)
    gender, nurse = math.log(4 / 2), math.log(4 / 1)
    found = scores(demographic_user_knn(training(people), neighbours=2), asker)
    total = 2 * gender + nurse
    assert found["a"] == pytest.approx((gender + nurse) / total, abs=1e-6)
    assert found["b"] == pytest.approx(gender / total, abs=1e-6)
    assert found["c"] == pytest.approx(0, abs=1e-6)
    nearest = scores(demographic_user_knn(training(people), neighbours=1), asker)
    assert nearest["a"] == pytest.approx(1, abs=1e-6)
    assert nearest["b"] == pytest.approx(0, abs=1e-6)


def test_tied_neighbours_all_count():
    people = {f"u{n}": (UserProfile(gender="M"), FILMS[n]) for n in range(4)}
    found = scores(demographic_user_knn(training(people), neighbours=1), UserProfile(gender="M"))
    assert [found[i] for i in "abcd"] == pytest.approx([0.25] * 4, abs=1e-6)


def test_who_resembles_nobody_gets_popularity():
    data = training()
    system = demographic_user_knn(data)
    expected = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=6).item_ids
    assert system.recommend(UserProfile(occupation="pilot"), k=6).item_ids == expected


def test_item_knn_by_hand():
    found = scores(item_knn(training(), damping=1.0), UserProfile(liked=["a", "d"]))
    # a: 4 likes, b: 3, c: 1, d: 2, e: 1; together: ab 3, ac 1, ad 1, de 1
    assert found["b"] == pytest.approx(3 / math.sqrt(5 * 4), abs=1e-6)
    assert found["c"] == pytest.approx(1 / math.sqrt(5 * 2), abs=1e-6)
    assert found["e"] == pytest.approx(1 / math.sqrt(3 * 2), abs=1e-6)
    assert found["f"] == 0
    one = scores(item_knn(training(), damping=1.0, neighbours=1), UserProfile(liked=["a"]))
    assert one["c"] < 1e-6 < one["b"]


# -- EASE ------------------------------------------------------------------------------------


def test_ease_is_the_constrained_ridge_regression():
    rng = np.random.default_rng(0)
    x = (rng.random((30, 7)) < 0.4).astype(float)
    likes = {str(u): ["abcdefg"[i] for i in np.flatnonzero(row)] for u, row in enumerate(x)}
    weights = ease_weights(Counts.fit("abcdefg", dict.fromkeys(likes, UserProfile()), likes), 3.0)
    for item in range(7):  # each column on its own: all other items explain this one
        others = [j for j in range(7) if j != item]
        a = x[:, others]
        expected = np.linalg.solve(a.T @ a + 3.0 * np.eye(6), a.T @ x[:, item])
        assert weights[others, item] == pytest.approx(expected)
        assert weights[item, item] == 0


def test_ease_folds_picks_in():
    data = training()
    weights = ease_weights(data.counts, 2.0)
    found = scores(ease(data, l2=2.0), UserProfile(liked=["a", "d"]))
    for item in "bcef":
        column = FILMS.index(item)
        assert found[item] == pytest.approx(weights[0, column] + weights[3, column])


@pytest.mark.parametrize("users", [3, 8, 12])
def test_ease_is_the_same_by_users_as_by_items(users):
    rng = np.random.default_rng(users)
    catalog = Catalog(Item(item_id=str(i), title=f"Film {i}") for i in range(8))
    likes = {f"u{n}": tuple(map(str, rng.permutation(8)[:4])) for n in range(users)}
    data = TrainingData(catalog, dict.fromkeys(likes, UserProfile()), likes)
    picks = [5, 0, 2]
    np.testing.assert_allclose(
        ease_rows(data, 1.5)(picks), ease_weights(data.counts, 1.5)[picks], atol=1e-9
    )


def test_ease_prior_adds_to_demographic_popularity():
    data = training()
    profile = UserProfile(gender="M", liked=["c", "d"])
    prior = scores(demographic_baseline(TOY, data.counts), profile)
    found = scores(ease_prior(data, l2=2.0, weight=1.5), profile)
    alone = scores(ease(data, l2=2.0), profile)
    top = max(alone.values())
    for item, value in found.items():
        expected = prior[item] + 1.5 * math.sqrt(2) * alone[item] / top
        assert value == pytest.approx(expected)


# -- ALS -------------------------------------------------------------------------------------


def test_fold_in_is_weighted_least_squares():
    rng = np.random.default_rng(0)
    items, picks, alpha, l2 = rng.normal(size=(9, 3)), [1, 4, 5], 7.0, 0.5
    wanted = np.zeros(9)
    wanted[picks] = 1.0
    root = np.sqrt(np.where(wanted > 0, alpha, 1.0))
    left = np.vstack([items * root[:, None], math.sqrt(l2) * np.eye(3)])
    right = np.concatenate([wanted * root, np.zeros(3)])
    expected = np.linalg.lstsq(left, right, rcond=None)[0]
    assert fold_in(items, picks, alpha=alpha, l2=l2) == pytest.approx(expected)


def test_fold_in_agrees_with_the_library():
    pytest.importorskip("implicit")
    from implicit.cpu.als import AlternatingLeastSquares
    from threadpoolctl import threadpool_limits

    data = training()
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=2, alpha=3.0, regularization=0.1, num_threads=1, random_state=0, use_cg=False
        )
        model.fit(sparse.csr_matrix(data.matrix, dtype=np.float32), show_progress=False)
        one = sparse.csr_matrix(([1.0, 1.0], ([0, 0], [0, 3])), shape=(1, 6), dtype=np.float32)
        expected = model.recalculate_user(0, one)
    items = item_factors(data.matrix, factors=2, alpha=3.0, l2=0.1)
    assert items == pytest.approx(model.item_factors)
    assert fold_in(items, [0, 3], alpha=3.0, l2=0.1) == pytest.approx(expected, rel=1e-3)
    found = scores(
        als(data, factors=2, alpha=3.0, l2=0.1), UserProfile(gender="M", liked=["a", "d"])
    )
    assert found["b"] == pytest.approx(float(items[1] @ expected), rel=1e-3)


def test_als_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit.cpu.als", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'coldstart-rec\[rivals\]'"):
        als(training())


# -- order -----------------------------------------------------------------------------------


def test_later_lift_by_hand():
    people = {
        "u": (UserProfile(), "ab"),
        "v": (UserProfile(), "ab"),
        "w": (UserProfile(), "cb"),
        "x": (UserProfile(), "cd"),
    }
    found = scores(
        later_lift(training(people), first=1, shrink=2.0, weight=1.0), UserProfile(liked=["a"])
    )
    base = 3 / 4  # of four first likes, b came after three
    assert found["b"] == pytest.approx(math.log((2 + 2 * base) / (2 + 2) + 1e-4))
    assert found["b"] > found["d"] > found["f"]


def test_later_lift_looks_forward_only():
    people = {f"u{n}": (UserProfile(), "ab") for n in range(50)} | {
        f"v{n}": (UserProfile(), "bc") for n in range(50)
    }
    system = later_lift(training(people))
    assert system.recommend(UserProfile(liked=["b"])).item_ids[0] == "c"  # "a" came before b


# -- autoencoder -----------------------------------------------------------------------------

TASTES = {
    f"{g}{n}": (UserProfile(gender=g), likes) for g, likes in (("M", "abc"), ("F", "def"))
    for n in range(40)
}  # fmt: skip


@pytest.mark.parametrize("order", ["first", "random"])
def test_autoencoder_learns_attributes_and_picks(order):
    system = dropout_autoencoder(training(TASTES), hidden=4, decay=0.1, epochs=200, order=order)
    assert set(system.recommend(UserProfile(gender="M"), k=3).item_ids) == set("abc")
    assert set(system.recommend(UserProfile(gender="F"), k=3).item_ids) == set("def")
    assert set(system.recommend(UserProfile(liked=["d"]), k=2).item_ids) == set("ef")


def test_untrained_autoencoder_is_popularity():
    data = training()
    found = dropout_autoencoder(data, epochs=0).recommend(UserProfile(gender="M"), k=3)
    expected = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=3)
    assert found.item_ids == expected.item_ids


def test_autoencoder_leaves_torch_as_it_was():
    import torch

    state, threads = torch.get_rng_state(), torch.get_num_threads()
    dropout_autoencoder(training(), epochs=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads


# -- WARP ------------------------------------------------------------------------------------


def test_warp_learns_attributes_and_picks():
    pytest.importorskip("lightfm")
    system = lightfm_warp(training(TASTES), factors=4, epochs=30)
    assert set(system.recommend(UserProfile(gender="M"), k=3).item_ids) == set("abc")
    assert set(system.recommend(UserProfile(gender="F"), k=3).item_ids) == set("def")
    assert set(system.recommend(UserProfile(liked=["d"]), k=2).item_ids) == set("ef")


def test_warp_scores_a_person_by_the_sum_of_what_they_say():
    """With one feature the library predicts the same; more add up, less the biases."""
    pytest.importorskip("lightfm")
    system = lightfm_warp(training(TASTES), factors=4, epochs=5)
    nobody = system.scores(UserProfile())
    said = [system.scores(p) - nobody for p in (UserProfile(gender="M"), UserProfile(liked="ad"))]
    both = system.scores(UserProfile(gender="M", liked="ad"))
    assert both == pytest.approx(nobody + sum(said))


def test_warp_agrees_with_the_library_where_nothing_is_shown():
    lightfm = pytest.importorskip("lightfm")
    data = training(TASTES)
    model = lightfm.LightFM(3, loss="warp", learning_rate=0.1, random_state=5)
    gender = np.array([[1.0, 0.0] if u.startswith("M") else [0.0, 1.0] for u in data.users])
    features = np.hstack([gender, np.zeros((len(gender), 6))]).astype(np.float32)
    for _ in range(3):
        likes = data.matrix.tocoo()
        model.fit_partial(
            sparse.coo_matrix((likes.data.astype(np.float32), (likes.row, likes.col)), likes.shape),
            sparse.csr_matrix(features),
            num_threads=1,
        )
    found = lightfm_warp(data, factors=3, epochs=3, rate=0.1, most_picks=0, seed=5)
    items = model.item_embeddings.astype(float)
    expected = items @ model.user_embeddings[1].astype(float) + model.item_biases
    assert found.scores(UserProfile(gender="F")) == pytest.approx(expected, abs=1e-6)


def test_untrained_warp_is_popularity():
    pytest.importorskip("lightfm")
    data = training()
    found = lightfm_warp(data, epochs=0).recommend(UserProfile(gender="M"), k=6)
    expected = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=6)
    assert found.item_ids == expected.item_ids


def test_warp_without_its_library_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightfm", None)
    with pytest.raises(MissingExtraError, match=r"imported \(pip install lightfm-next\)"):
        lightfm_warp(training())


def test_what_has_another_name_in_the_package_index_is_required_by_a_rival():
    assert set(PACKAGES) <= {r.requires for r in RIVALS.values()}


# -- words -----------------------------------------------------------------------------------


def test_bm25_by_hand():
    index = BM25(["cat cat dog", "dog", "bird song at dawn"], k1=1.2, b=0.75)
    mean = 8 / 3
    cat = math.log(1 + (3 - 1 + 0.5) / 1.5) * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / mean))
    rarity = math.log(1 + (3 - 2 + 0.5) / 2.5)
    long, short = (rarity * 2.2 / (1 + 1.2 * (0.25 + 0.75 * n / mean)) for n in (3, 1))
    assert index("Cat, dog; dog!").tolist() == pytest.approx([cat + 2 * long, 2 * short, 0])
    assert index("unheard of").tolist() == [0, 0, 0]


def test_bm25_finds_words_and_leaves_the_rest_to_popularity():
    data = training()
    found = bm25(data).recommend(UserProfile(about="love in space"), k=6).item_ids
    assert found[0] == "d"
    assert set(found[1:3]) == {"a", "c"}
    popular = popularity_baseline(TOY, data.counts).recommend(UserProfile(), k=6).item_ids
    assert found[3:] == [i for i in popular if i not in found[:3]]
    assert bm25(data).recommend(UserProfile(), k=6).item_ids == popular


def test_profile_text_holds_all_that_was_said():
    profile = UserProfile(
        age=24, occupation="nurse", interests=["War"], about="slow", liked=["a", "no"]
    )
    assert profile_text(training(), profile) == "24, nurse. War. slow. Space War. Sci-Fi"


def test_text_retrieval_is_the_cosine():
    encoder = FakeEncoder()
    data = training(encoder=encoder)
    profile = UserProfile(about="war and peace")
    found = scores(text_retrieval(data), profile)
    query = encoder.encode(["war and peace"])[0]
    for item in TOY:
        cosine = float(encoder.encode([item.content_text()])[0] @ query)
        assert found[item.item_id] == pytest.approx(cosine, abs=1e-6)
    assert max(found, key=found.get) == "b"


# -- tuning ----------------------------------------------------------------------------------


def test_tuning_averages_over_numbers_of_picks():
    # "a" is right for three users without picks, "b" for the only one with one.
    cases = [ColdCase(str(n), 0, UserProfile(), frozenset("a")) for n in range(3)]
    cases.append(ColdCase("x", 1, UserProfile(liked="f"), frozenset("b")))

    def build(first, rest):
        order = [first, rest, *sorted(set(FILMS) - {first, rest})]
        return training().ranking(lambda p: np.array([-float(order.index(i)) for i in FILMS]))

    tuned = tune(build, {"first": ["c", "a", "b"], "rest": ["d", "e"]}, cases)
    assert tuned.setting == {"first": "a", "rest": "d"}  # the first of equals
    assert [s for s, _ in tuned.tried] == combinations({"first": "cab", "rest": "de"})
    assert tuned.value == max(value for _, value in tuned.tried) == 0.75
    worth = {s["first"]: value for s, value in tuned.tried if s["rest"] == "d"}
    assert worth["b"] == worth["a"]  # right for one of two numbers of picks, not of four cases


def test_tuning_a_rival():
    cases = [ColdCase("u", 1, UserProfile(liked="a"), frozenset("bc"))]
    tuned = tune(partial(ease, training()), {"l2": [1.0, 10.0]}, cases, "recall@10")
    assert tuned.setting == {"l2": 1.0}
    assert tuned.value == 1.0


@pytest.mark.parametrize(
    ("grid", "cases", "metric", "why"),
    [
        ({"l2": [1.0]}, 1, "ndcg@3", "unknown metric 'ndcg@3'"),
        ({"l2": []}, 1, "ndcg@10", "nothing to tune"),
        ({"l2": [1.0]}, 0, "ndcg@10", "nothing to tune"),
    ],
)
def test_what_cannot_be_tuned(grid, cases, metric, why):
    one = [ColdCase("u", 1, UserProfile(liked="a"), frozenset("b"))]
    with pytest.raises(ConfigError, match=why):
        tune(partial(ease, training()), grid, one * cases, metric)


# -- settings out of range -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "setting"),
    [
        (ease, {"l2": 0.0}),
        (item_knn, {"neighbours": 0}),
        (demographic_user_knn, {"neighbours": 0}),
        (later_lift, {"first": 0}),
        (later_lift, {"shrink": 0.0}),
        (dropout_autoencoder, {"hidden": 0}),
        (dropout_autoencoder, {"drop": 1.0}),
        (dropout_autoencoder, {"order": "last"}),
        (lightfm_warp, {"factors": 0}),
        (lightfm_warp, {"rate": 0.0}),
    ],
)
def test_settings_out_of_range(build, setting):
    with pytest.raises(
        ConfigError, match=f"{next(iter(setting))}.* {next(iter(setting.values()))!r}.*expected"
    ):
        build(training(), **setting)


# -- MovieLens-100K --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def films(movielens):
    split = split_users(list(movielens.likes), seed=0)
    chance = TrainingData.of(movielens, split.train, encoder=FakeEncoder())
    cases = cold_users(movielens, split.valid[:40], (10,))
    (row,) = evaluate({"random": random_items(chance)}, cases)
    return chance, cases, row.values["ndcg@10"]


@pytest.mark.parametrize("name", [n for n, r in RIVALS.items() if "picks" in r.uses])
def test_with_ten_picks_on_movielens_it_beats_chance(films, name):
    data, cases, chance = films
    (row,) = evaluate({name: built(name, data)}, cases)
    words_only = "text" in RIVALS[name].uses  # and with a fake encoder
    assert row.values["ndcg@10"] > (chance if words_only else chance + 0.2)
