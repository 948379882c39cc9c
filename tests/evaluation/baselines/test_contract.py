"""What every baseline keeps to."""

import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.errors import ConfigError
from coldstart.evaluation.baselines.demographic_popularity import demographic_baseline
from coldstart.evaluation.baselines.demographic_user_knn import demographic_user_knn
from coldstart.evaluation.baselines.dropout_autoencoder import dropout_autoencoder
from coldstart.evaluation.baselines.ease import ease
from coldstart.evaluation.baselines.item_knn import item_knn
from coldstart.evaluation.baselines.later_lift import later_lift
from coldstart.evaluation.baselines.lightfm_warp import lightfm_warp
from coldstart.evaluation.baselines.random_items import random_items
from coldstart.evaluation.baselines.training_data import TrainingData
from coldstart.evaluation.case_metrics import mean_by_picks
from coldstart.evaluation.cases import prefix_cases
from coldstart.schema import UserProfile
from coldstart.splitting.user_splits import split_users
from coldstart.testing.contracts.recommender import RecommenderContract
from tests.evaluation.baselines.six_films import FILMS, TOY, TRAINED, built, scores, training
from tests.fakes import FakeEncoder

names = st.lists(st.sampled_from([*FILMS, "unknown"]), max_size=6)


@pytest.fixture(scope="module", params=TRAINED)
def rival(request):
    return built(request.param)


class TestBaseline(RecommenderContract):
    @pytest.fixture(autouse=True)
    def _rival(self, rival):
        self.rival = rival

    def make(self):
        return self.rival

    def item_ids(self):
        return FILMS


@given(liked=names, disliked=names, seen=names, k=st.integers(1, 9))
@settings(max_examples=40)
def test_unknown_picks_change_nothing_about_what_may_be_shown(rival, liked, disliked, seen, k):
    profile = UserProfile(gender="F", liked=liked, disliked=disliked, seen=seen)
    out = rival.recommend(profile, k=k)
    allowed = set(FILMS) - {*liked, *disliked, *seen}
    assert set(out.item_ids) <= allowed
    assert len(out) == min(k, len(allowed))


@pytest.mark.parametrize("name", TRAINED)
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


KNOWN_ONLY = [n for n in TRAINED if n not in ("random_items", "item_knn_prior")]
"""Lists of the first differ between any two profiles; √k of the second counts every pick named."""


@pytest.mark.parametrize("name", KNOWN_ONLY)
def test_unknown_and_repeated_picks_are_ignored(name):
    system = built(name)
    plain = system.recommend(UserProfile(gender="M", liked=["a", "e"]), k=6)
    noisy = system.recommend(UserProfile(gender="M", liked=["a", "what?", "e", "a"]), k=6)
    assert plain == noisy
    strange = UserProfile(gender="M", liked=["what?"])
    assert system.recommend(strange, k=6) == system.recommend(UserProfile(gender="M"), k=6)


@pytest.mark.parametrize("name", TRAINED)
def test_people_without_a_word_or_a_like_train_nothing_but_break_nothing(name):
    if TRAINED[name].requires:
        pytest.importorskip(TRAINED[name].requires)
    system = TRAINED[name].build(training({"u": (UserProfile(), "")}))
    assert len(system.recommend(UserProfile(gender="M", liked="b"))) == 5


@pytest.mark.parametrize("name", ["item_knn", "ease", "ease_prior", "als", "later_lift"])
def test_without_picks_it_is_demographic_popularity(name):
    data = training()
    prior = demographic_baseline(TOY, data.counts)
    for profile in (UserProfile(), UserProfile(gender="F", age=25)):
        assert scores(built(name, data), profile) == pytest.approx(scores(prior, profile))


@pytest.mark.parametrize("name", TRAINED)
def test_the_registry_says_what_moves_the_list(name):
    rival, system = TRAINED[name], built(name)
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


@pytest.mark.parametrize("name", TRAINED)
def test_the_shipped_setting_is_one_of_the_grid(name):
    defaults = {n: p.default for n, p in inspect.signature(TRAINED[name].build).parameters.items()}
    for setting, values in TRAINED[name].grid.items():
        assert defaults[setting] in values


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


@pytest.fixture(scope="module")
def films(movielens):
    split = split_users(list(movielens.likes), seed=0)
    chance = TrainingData.of(movielens, split.train, encoder=FakeEncoder())
    cases = prefix_cases(movielens, split.valid[:40], (10,))
    return chance, cases, mean_by_picks(random_items(chance), cases)[10]


@pytest.mark.parametrize("name", [n for n, r in TRAINED.items() if "picks" in r.uses])
def test_with_ten_picks_on_movielens_it_beats_chance(films, name):
    data, cases, chance = films
    words_only = "text" in TRAINED[name].uses  # and with a fake encoder
    assert mean_by_picks(built(name, data), cases)[10] > (chance if words_only else chance + 0.2)
