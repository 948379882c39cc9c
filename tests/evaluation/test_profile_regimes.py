import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.data.dataset import Dataset
from coldstart.errors import ConfigError
from coldstart.evaluation.cases import support_cases
from coldstart.evaluation.profile_regimes import REGIMES, restricted
from coldstart.schema import Item, UserProfile

FILMS = tuple(f"f{n}" for n in range(30))
GENRES = ("Drama", "Comedy", "Western")
TOY = Catalog(
    Item(item_id=i, title=f"Film {i}", year=1990 + n % 9, categories=(GENRES[n % 3],))
    for n, i in enumerate(FILMS)
)


def toy(likes):
    users = {u: UserProfile(age=20 + n, gender="F") for n, u in enumerate(likes)}
    return Dataset("toy", TOY, users, {u: tuple(x) for u, x in likes.items()})


seeds = st.integers(0, 3)


DRAMAS = FILMS[0::3]  # the support
HISTORY = {"u": (*DRAMAS, *FILMS[1::3]), "v": FILMS[5:], "w": FILMS}


def test_every_regime_says_what_it_is_called():
    data = toy(HISTORY)
    cases = support_cases(data, ["u"]).cases
    said = {name: restricted(data, cases, parts) for name, parts in REGIMES.items()}
    (nothing,), (words,), (text,) = said["attributes"], said["interests"], said["text"]
    assert nothing.profile == data.users["u"]
    assert words.profile == data.users["u"].model_copy(update={"interests": ("Drama",)})
    assert text.profile.interests == text.profile.liked == ()
    assert text.profile.age == 20
    assert "drama" in text.profile.about.lower() or "Film f0" in text.profile.about
    assert said["picks"] == list(cases)
    assert {c.n_picks for c in (nothing, words, text)} == {0}


def test_parts_combine():
    data = toy(HISTORY)
    cases = support_cases(data, list(HISTORY)).cases
    alone = restricted(data, cases, ("interests",))
    assert [c.profile.demographics() for c in alone] == [{}] * 3
    assert alone[0].profile.interests == ("Drama",)
    full = restricted(data, cases, ("picks", "attributes", "text", "interests"))
    assert [(c.user, c.n_picks) for c in full] == [(c.user, c.n_picks) for c in cases]
    assert [c.profile.liked for c in full] == [c.profile.liked for c in cases]
    # The same words at every number of picks.
    assert len({(c.user, c.profile.interests, c.profile.about) for c in full}) == 3


@given(st.permutations(FILMS[10:]), seeds)
def test_words_come_from_the_support_only(rest, seed):
    """Whatever the targets are, the same is said."""
    one, two = (toy({"u": (*FILMS[:10], *tail)}) for tail in (FILMS[10:], rest[:8]))
    parts = ("attributes", "interests", "text")
    said = [
        restricted(d, support_cases(d, ["u"]).cases, parts, seed)[0].profile for d in (one, two)
    ]
    assert said[0] == said[1]


def test_what_is_said_is_seeded():
    data = toy(HISTORY)
    cases = support_cases(data, ["u"]).cases
    texts = [restricted(data, cases, ("text",), seed)[0].profile.about for seed in range(20)]
    assert texts[3] == restricted(data, cases, ("text",), 3)[0].profile.about
    assert len(set(texts)) > 2


def test_who_likes_nothing_in_particular_says_nothing():
    plain = Catalog(Item(item_id=i, title=f"Film {i}") for i in FILMS)
    data = Dataset("plain", plain, {"u": UserProfile()}, {"u": FILMS})
    (case,) = restricted(data, support_cases(data, ["u"]).cases, ("interests", "text"))
    assert case.profile.is_empty()


def test_unknown_parts_are_refused():
    with pytest.raises(ConfigError, match="no part 'mood' .known: attributes, interests"):
        restricted(toy({}), [], ("picks", "mood"))
