"""Lists with more or less weight on words: what a text rejects stays out at any of them."""

import pytest

from coldstart.errors import ConfigError
from coldstart.pipeline.request import RecommendOptions
from coldstart.session import OnboardingSession
from tests.toy import toy_recommender

SAID = {"about": "science fiction", "liked": ["Fargo", "Heat"]}
REC = toy_recommender()
SHARES = (0.0, 0.2, 0.5, 0.8, 1.0)


def ids(profile, words, k=8):
    return REC.recommend(profile, k=k, strategy="prior", words=words).item_ids


def test_half_is_the_list_without_the_option():
    assert ids(SAID, 0.5) == REC.recommend(SAID, k=8, strategy="prior").item_ids


def test_nothing_is_the_list_of_the_same_profile_without_its_text():
    assert ids(SAID, 0.0) == ids({"liked": SAID["liked"]}, 0.5)


def test_the_more_words_count_the_more_of_the_list_is_what_was_asked_for():
    catalog = REC.catalog
    found = [
        sum("Sci-Fi" in catalog[i].categories for i in ids(SAID, words, 6)) for words in SHARES
    ]
    assert found == sorted(found)
    assert found[0] < found[-1] == 6


@pytest.mark.parametrize("words", SHARES)
def test_what_a_text_rejects_is_never_shown(words):
    shown = ids({"about": "no drama, like Alien", "liked": ["Fargo"]}, words)
    assert shown
    assert not [i for i in shown if "Drama" in REC.catalog[i].categories]


@pytest.mark.parametrize("words", SHARES)
def test_without_a_text_it_changes_nothing(words):
    assert ids({"liked": ["Fargo"]}, words) == ids({"liked": ["Fargo"]}, 0.5)


@pytest.mark.parametrize("words", [0.0, 0.3])
def test_the_response_tells_all_that_was_read(words):
    found = REC.recommend(SAID, strategy="prior", words=words)
    assert found.understood == REC.recommend(SAID, strategy="prior").understood
    assert not [note for note in found.notes if "the rest is the closest" in note]


def test_in_a_session_what_texts_named_counts_as_words():
    session = OnboardingSession(REC).feedback("i12", "like").say("science fiction like Alien")
    silent = OnboardingSession(REC).feedback("i12", "like")
    got = session.recommend(8, strategy="prior", words=0.0).item_ids
    assert got == silent.recommend(8, strategy="prior").item_ids


@pytest.mark.parametrize("words", [-0.1, 1.1, "much", True])
def test_a_share_out_of_range_is_refused(words):
    with pytest.raises(ConfigError, match="words is .*, expected a number from 0 to 1"):
        RecommendOptions(words=words)


def test_a_rejected_mood_stays_out_where_words_count_less(movies):
    said = {"about": "something gentle for tonight, no violence", "liked": ["Pulp Fiction"]}
    for words in (0.0, 0.1, 0.4):
        for i in movies.recommend(said, k=12, words=words).item_ids:
            kinds = {"Action", "War", "Crime", "Horror", "Thriller"}
            assert not kinds & set(movies.catalog[i].categories), movies.catalog[i]
