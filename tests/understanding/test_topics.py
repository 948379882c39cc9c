"""What a text wants films to be about, and what looks like a topic and is none."""

from __future__ import annotations

import pytest

TOPICS = {
    "films about chess": ("chess",),
    "can you suggest a movie about cooking or restaurants": ("cooking or restaurants",),
    "a comedy about two brothers, please": ("two brothers",),
    "About a lighthouse keeper": ("lighthouse keeper",),
    "something set in Nepal but not sad": ("Nepal",),
    "it takes place on a ship": ("ship",),
    "a movie starring Meryl Streep": ("Meryl Streep",),
    "something with Buster Keaton and trains": ("Buster Keaton",),
    "for my dad who loves model trains": ("model trains",),
    "any good ski movies": ("ski",),
    "a movie about a woman who leaves her husband": ("woman who leaves her husband",),
    "a movie about a boy who goes to war": ("boy",),  # and the genre
    "a movie about a boy who wants to dance": ("boy who wants to dance",),
    "we saw a movie about sharks and hated it": ("sharks",),
    "a movie about a girl and her horse": ("girl and her horse",),
    "set on a submarine in the cold war": ("submarine in the cold war",),
    "set in the cold war": ("cold war",),
    "set on a submarine in the arctic before 1990": ("submarine in the arctic",),
    "random nonsense movie": (),
    "a film about vampires": ("vampires",),  # and a guess at horror
    "boxing, or films about surfing": ("boxing", "surfing"),
    "a film about two hours long": (),
    "about 90 minutes": (),
    "how about a comedy": (),
    "I'm worried about my exam, cheer me up": (),
    "nothing about war": (),
    "no films about cancer": (),
    "a western set in the 1920s": (),
    "a decent film": (),
    "a really solid movie": (),
    "a scary movie": (),
    "a must-see film": (),
    "something with kids": (),
}


@pytest.mark.parametrize(("text", "topics"), TOPICS.items(), ids=list(TOPICS))
def test_topics(reader, text, topics):
    assert reader.read(text).values("phrase") == topics


@pytest.mark.parametrize(
    ("text", "named"), [("a comedy about vampires", True), ("a comedy with vampires", False)]
)
def test_a_topic_is_in_a_group_of_its_own(reader, text, named):
    read = reader.read(text)
    comedy, horror, topic = sorted(read.pieces, key=lambda p: (p.start, p.kind))
    assert (comedy.value, horror.value, topic.value) == ("Comedy", "Horror", "vampires")
    assert (topic.kind, topic.wanted, topic.strict) == ("phrase", True, named)
    assert len({comedy.group, horror.group, topic.group}) == 3


def test_a_title_is_no_topic(reader):
    read = reader.read("a documentary about Pulp Fiction")
    assert read.values("phrase") == ()
    assert read.liked == ("Pulp Fiction",)
