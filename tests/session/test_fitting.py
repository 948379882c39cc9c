"""Questions follow what was said: suitable for a child, near the wishes, nothing rejected."""

from coldstart.schema import Item
from coldstart.session import OnboardingSession
from tests.session.sessions import REC

QUIZ = "information_gain"


def start():
    return OnboardingSession(REC, quiz=QUIZ)


def asked(session, n=8):
    """Titles of the items of the next questions, each answered with "don't know"."""
    out = []
    for _ in range(n):
        question = session.next_question()
        if question is None:
            break
        out += question.items
        session = session.answer(question.question_id, "unknown")
    return out


def kinds(session, n=8):
    catalog = session._recommender.catalog
    return [catalog[i].categories[0] for i in asked(session, n)]


def test_what_is_rejected_is_not_asked_about():
    assert "Drama" in kinds(start())
    assert set(kinds(start().say("no drama"))) == {"Sci-Fi"}


def test_what_was_said_is_asked_about_first():
    assert set(kinds(start().say("science fiction"), 1)) == {"Sci-Fi"}
    assert set(kinds(start().say("science fiction"), 24)) == {"Sci-Fi", "Drama"}


def test_all_are_asked_about_where_too_few_fit():
    assert len(asked(start().say("like Alien, from 1971"), 3)) == 3


def test_an_open_question_that_is_ruled_out_is_passed_over_and_comes_back():
    session = start().ask()
    first = session.next_question()
    (item,) = first.items
    kind = REC.catalog[item].categories[0]
    name = {"Sci-Fi": "science fiction", "Drama": "drama"}[kind]
    said = session.say(f"no {name}", replaces=True)
    assert said.next_question() != first
    assert said.ask().next_question() == said.next_question()
    assert said.say("", replaces=True).next_question() == first


def test_a_child_is_not_asked_about_pulp_fiction(movies):
    catalog, children = movies.catalog, {"Children", "Animation"}
    for session in (
        OnboardingSession(movies, quiz=QUIZ).with_profile({"age": 6}),
        OnboardingSession(movies, quiz=QUIZ).say("something for my daughter, 7"),
    ):
        found = [catalog[i] for i in asked(session, 6)]
        assert all(children & set(item.categories) for item in found)
    adult = [
        catalog[i] for i in asked(OnboardingSession(movies, quiz=QUIZ).with_profile({"age": 40}), 6)
    ]
    assert not all(children & set(item.categories) for item in adult)


def test_without_text_or_age_nothing_changes():
    assert asked(start()) == asked(start().with_profile({"age": 40}))


def test_an_item_without_any_category_does_not_hinder():
    from tests.toy import toy_recommender

    rec = toy_recommender()
    rec.catalog.add(Item(item_id="new", title="Nameless"))
    assert asked(OnboardingSession(rec, quiz=QUIZ).say("science fiction"), 3)
