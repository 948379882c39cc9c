"""The default artifact: what a sentence shows, what it learned, and what it must not hold.

Obedience over all committed sentences is ``make obedience``, which CI runs.
"""

from __future__ import annotations

import pytest

from coldstart import Context, UserProfile
from coldstart.ranking.wording.sentences import in_language
from coldstart.training.reading.corpus import VALID_WISHES, load_wishes
from tests.conftest import MOVIES

GENTLE = "I hate violence, I want something gentle like a Jane Austen adaptation"


def shown(recommender, **profile):
    """The items of a list of ten, as the catalog has them."""
    result = recommender.recommend(UserProfile(**profile), k=10)
    assert len(result) == 10
    return [recommender.catalog[i] for i in result.item_ids]


def test_violence_is_not_shown_to_those_who_hate_it(movies):
    kinds = [set(item.categories) for item in shown(movies, about=GENTLE)]
    assert not [k for k in kinds if k & {"Horror", "War", "Action", "Crime", "Thriller"}]
    assert sum(bool(k & {"Romance", "Drama"}) for k in kinds) >= 8


def test_an_animated_film_for_a_child_is_both(movies):
    for item in shown(movies, about="an animated movie for my five year old"):
        assert "Animation" in item.categories
        assert item.min_age is None or item.min_age <= 5


def test_documentaries_about_music_are_documentaries(movies):
    found = shown(movies, about="documentaries about music")
    assert all("Documentary" in item.categories for item in found)


def test_genres_that_are_not_liked_are_not_shown(movies):
    found = shown(movies, about="I don't like science fiction and war films")
    assert not [item for item in found if {"Sci-Fi", "War"} & set(item.categories)]


@pytest.mark.parametrize("profile", [{"age": 5}, {"about": "I am five years old"}])
def test_a_child_sees_what_is_for_children(movies, profile):
    found = shown(movies, **profile)
    assert all(item.min_age is None or item.min_age <= 5 for item in found)
    assert "Star Wars" not in " ".join(item.title for item in found)


def test_a_rejected_clause_is_no_reason(movies):
    result = movies.recommend(UserProfile(about="I don't like science fiction"), k=10)
    assert not [r for r in result if "science fiction" in r.reason.casefold()]
    assert all(r.reason for r in result)


def test_a_batch_is_the_same_as_single_requests(movies):
    people = [
        UserProfile(about=GENTLE),
        UserProfile(liked=["Toy Story", "Babe"]),
        UserProfile(),
        UserProfile(about="hooves, canyons and a score to settle"),
    ]
    assert movies.recommend(people, k=10) == [movies.recommend(p, k=10) for p in people]


def test_words_change_nothing_where_there_are_none(movies):
    blank = movies.recommend(UserProfile(about="  ", liked=["Babe"]), Context(text=""), k=20)
    assert blank.item_ids == movies.recommend(UserProfile(liked=["Babe"]), k=20).item_ids
    assert not blank.understood.pieces


def test_the_model_reads_sentences_that_no_rule_covers(movies):
    """Of sentences that it was not trained on; ``prior`` leaves it out."""
    wishes = [w for w in load_wishes(VALID_WISHES) if w.wants]
    profiles = [UserProfile(about=w.text) for w in wishes[:60]]
    without = movies.recommend(profiles, k=1, strategy="prior")
    unread = [n for n, result in enumerate(without) if result.understood.nothing]
    assert len(unread) >= 5
    results = movies.recommend([profiles[n] for n in unread], k=1)
    read = [(wishes[n], r.understood) for n, r in zip(unread, results, strict=True)]
    found = [set(u.values("category")) & {*w.wants, *w.fits} for w, u in read]
    assert sum(map(bool, found)) > len(read) / 2
    assert {p.source for _, u in read for p in u.pieces} == {"model"}
    assert not [p for _, u in read for p in u.pieces if p.strict]


def test_it_names_its_sources_and_holds_none_of_their_texts(movies):
    manifest = movies.manifest
    assert (manifest["catalog"]["source"], manifest["requests"]["name"]) == ("movies", "redial")
    assert not (MOVIES / "catalog.jsonl").exists()
    files = [path for path in MOVIES.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25e6
    card = (MOVIES / "README.md").read_text(encoding="utf-8")
    for fact in ("Raymond Li", "CC BY 4.0", "ggplot2movies", "MovieLens latest-small"):
        assert fact in card


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("horror, but no zombies", {"Zombieland", "28 Days Later", "Dawn of the Dead"}),
        ("I'm bored of superheroes, give me action", {"The Avengers", "Iron Man", "Deadpool"}),
        ("a comedy but nothing with Adam Sandler", {"Happy Gilmore", "Billy Madison", "Click"}),
    ],
)
def test_rejected_things_that_no_category_names_are_not_shown(movies, text, absent):
    assert not absent & {item.title for item in shown(movies, about=text)}


def test_running_times_are_obeyed(movies):
    for item in shown(movies, about="a comedy under 90 minutes"):
        assert int(item.attributes["minutes"]) <= 90
        assert "Comedy" in item.categories


@pytest.mark.parametrize(
    ("text", "language"),
    [("a French film", "French"), ("想看韩国电影", "Korean"), ("something Japanese", "Japanese")],
)
def test_films_in_a_language_are_shown_to_those_who_ask_for_it(movies, text, language):
    found = shown(movies, about=text)
    assert [item.attributes.get("original_language") for item in found] == [language] * 10


def test_those_who_want_no_subtitles_get_none(movies):
    found = shown(movies, about="no subtitles please, a romance")
    assert not [item for item in found if "foreign" in item.attributes]


def test_notes_name_languages_in_the_language_of_the_response(movies):
    found = movies.recommend(UserProfile(about="想看韩国恐怖片"), k=10)
    assert "只有 3 件完全符合要求（韩语、" in " ".join(in_language(found, "zh").notes)
