"""Sentences: counted by people, anonymised, and what somebody took back is not there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from coldstart.schema import UserProfile
from coldstart.serve.reports.sentences import (
    Reading,
    WrittenSentence,
    sentence_report,
    shared_words,
    written_in,
)
from coldstart.serve.session_record import SessionRecord
from coldstart.serve.store import Session
from coldstart.session.state import ProfileGiven, SessionState, TextGiven

NOW = datetime(2026, 11, 27, 12, 34, tzinfo=UTC)


def session(name, *events, at=NOW):
    state = SessionRecord("x", 0.0, SessionState(events=events)).to_json()
    return Session(name, state, "toy", None, None, 1, at, at, at)


def said(text, **more):
    return TextGiven(text=text, **more)


def report(written, readings=None, **more):
    readings = readings or {}
    spans = {w.text: readings.get(w.text, Reading((), (), ((0, len(w.text)),))) for w in written}
    shared = shared_words(written, more.pop("titles", ()))
    return sentence_report(written, spans, shared, sessions=len(written), unreadable=0, **more)


def writing(person, text, at=NOW):
    return WrittenSentence(person, text, at)


def test_what_was_replaced_or_taken_back_is_not_read():
    about = ProfileGiven(profile=UserProfile(about="old wish"))
    found, n, unreadable = written_in(
        [
            session("a", about, said("more")),
            session("b", about, said("first"), said("all new, no war", replaces=True)),
            session("c", said("gentle, no war", without=((6, 14),))),
            session("d", said("gone"), said("", replaces=True)),
            Session("e", "{}", "toy", None, None, 1, NOW, NOW, NOW),
        ]
    )
    assert [(w.person, w.text) for w in found] == [
        ("a", "old wish"),
        ("a", "more"),
        ("b", "all new, no war"),
        ("c", "gentle"),
    ]
    assert (n, unreadable) == (5, 1)


def test_the_newest_come_first_to_the_hour():
    found, _, _ = written_in(
        [session("a", said("x"), at=NOW - timedelta(1)), session("b", said("y"))]
    )
    assert [w.text for w in found] == ["y", "x"]
    assert report(found).newest[0].at == NOW.replace(minute=0)


def test_what_was_not_understood_counts_people_and_shows_an_example():
    written = [
        writing("a", "left-handed scissors"),
        writing("b", "Left-Handed Scissors"),
        writing("b", "left-handed scissors"),
        writing("c", "tents for axolotls, ask Zanzibarina"),
    ]
    readings = {written[3].text: Reading(((0, 5),), (), ((10, 18), (24, 35)))}
    found = report(written, readings)
    assert [(p.part, p.people, p.times) for p in found.parts] == [
        ("left-handed scissors", 2, 3),
        ("axolotls", 1, 1),
    ]
    assert found.parts[1].example == "tents for axolotls, ask [name]"
    assert (found.understood, found.partly, found.nothing) == (0, 1, 3)
    assert (found.sentences, found.people, found.people_understood.value) == (4, 3, 1 / 3)
    assert found.newest[3].understood == ["tents"]
    assert found.newest[3].not_understood == ["axolotls"]
    assert [p.part for p in report(written, readings, fewest=2).parts] == ["left-handed scissors"]


def test_a_name_is_shown_once_three_people_wrote_it_or_three_items_have_it():
    text = "boots of Zanzibar"
    two = [writing("a", text), writing("b", text)]
    assert report(two).newest[0].text == "boots of [name]"
    assert report([*two, writing("b", text)]).newest[0].text == "boots of [name]"
    assert report([*two, writing("c", text)]).newest[0].text == text
    titles = ["Zanzibar Boots", "Zanzibar Hat"]
    assert report(two, titles=titles).newest[0].text == "boots of [name]"
    assert report(two, titles=[*titles, "Tea of Zanzibar"]).newest[0].text == text


def test_understood_titles_keep_their_names():
    text = "like Amélie for Zanzibarina"
    titled = {text: Reading(((5, 11),), ((5, 11),), ())}
    assert report([writing("a", text)], titled).newest[0].text == "like Amélie for [name]"


def test_no_sentence_is_an_empty_report():
    found = report([])
    assert (found.sentences, found.parts, found.people_understood.value) == (0, [], None)
