from __future__ import annotations

from dataclasses import replace

import pytest

from coldstart import Recommender, UserProfile, prompts
from coldstart.errors import ArtifactError, ConfigError, DataError
from coldstart.evaluation.audits import prompt_sensitivity
from coldstart.evaluation.audits.prompt_sensitivity import (
    OWN,
    audit_wordings,
    rewordings,
    with_template,
)
from tests.evaluation.audits.worlds import make


@pytest.mark.parametrize("name", prompts.available())
def test_rewordings_say_the_same_in_other_words(name):
    own = prompts.load(name)
    variants, left_out = rewordings(own)
    assert len(variants) == (5 if own.language == "en" else 1)  # Chinese has no capitals
    assert bool(left_out) == (own.language != "en")
    assert len({v.sha256 for v in (own, *variants)}) == 1 + len(variants)
    profile = UserProfile(
        age=29,
        gender="F",
        occupation="librarian",
        location="Utrecht",
        language="Dutch",
        interests=("Horror",),
        about="slow stories",
        attributes={"pet": "cat"},
        liked=("Alien", "Heat"),
        disliked=("Fargo",),
    )
    for variant in variants:
        assert variant.lint() == []
        text = variant.render(profile).text
        for said in ("29", "librarian", "Utrecht", "Dutch", "Horror", "slow stories", "cat"):
            assert said in text
        assert "Fargo" in text
        assert text.endswith("\nAlien\nHeat\n")
        assert "THINGS" not in text


def test_letters_around_the_values_change_and_nothing_else():
    own = replace(
        prompts.load("movies-en"), source="{{ {'a: b': 'c'}['a: b'] }} Says: {{ about }}\n"
    )
    capitals, dashes = rewordings(own)[0][:2]
    assert capitals.source == "{{ {'a: b': 'c'}['a: b'] }} SAYS: {{ about }}\n"
    assert dashes.render(UserProfile(about="x: y")).text == "c Says - x: y\n"


def test_what_a_template_does_not_say_its_rewordings_do_not_say_either():
    source = "{{ age }}\n{% for title in liked %}\n{{ title }}\n{% endfor %}\n"
    own = replace(prompts.load("movies-en"), source=source, variables=frozenset({"age", "liked"}))
    profile = UserProfile(age=29, gender="F", interests=("Horror",), attributes={"pet": "cat"})
    for variant in rewordings(own)[0]:
        assert not variant.lint()
        text = variant.render(profile).text
        assert "29" in text
        assert not any(x in text for x in ("Horror", "cat", "woman", "female", "Gender"))


def test_another_wording_is_another_prompt_and_the_recommender_keeps_its_own(rec, cases):
    before = rec.template.sha256
    result = audit_wordings(rec, cases)
    assert rec.template.sha256 == before
    names = [OWN, "capitals", "dashes", "labels", "sentence", "task"]
    assert list(result.prompts) == names
    assert len(set(result.prompts.values())) == len(names)
    alone = [r for r in result.rows if r.system == prompt_sensitivity.ALONE]
    assert [(r.wording, r.n_picks) for r in alone] == [(n, k) for k in (0, 3) for n in names]
    for row in result.rows:
        if row.wording == OWN:
            assert (row.rbo.value, row.shift.value, row.gain) == (pytest.approx(1), 0, None)
    # A random model follows the words.
    assert all(r.rbo.value < 1 for r in alone if r.wording != OWN)
    own = next(r for r in alone if r.wording == OWN)
    task = next(r for r in alone if r.wording == "task")
    assert task.gain.mean == pytest.approx(task.ndcg.value - own.ndcg.value)


def test_wordings_of_ones_own_must_say_the_same(rec, cases):
    given = replace(rec.template, name="mine", source=rec.template.source.replace("e", "e"))
    result = audit_wordings(rec, cases[:2], more=[given])
    mine = [r for r in result.rows if r.wording == "mine"]
    assert mine
    assert all(r.rbo.value == pytest.approx(1) for r in mine)
    with pytest.raises(ConfigError, match="two wordings are named 'labels'"):
        audit_wordings(rec, cases, more=[replace(given, name="labels")])
    fewer = replace(given, variables=given.variables - {"gender"})
    with pytest.raises(ConfigError, match="differ in gender"):
        audit_wordings(rec, cases, more=[fewer])
    with pytest.raises(DataError, match="no held-out user"):
        audit_wordings(rec, [])


def test_an_artifact_still_refuses_another_template(tmp_path):
    base = {"name": "tiny", "fingerprint": "x"}
    made = make(name="toy", base=base, encoder={"name": "fake"})
    made._adapter = {"adapter/x.md": b""}
    with_template(made, rewordings(made.template)[0][0])
    made.save_pretrained(tmp_path / "a")
    template = tmp_path / "a" / "prompt" / "template.j2"
    template.write_text(template.read_text() + " ")
    with pytest.raises(ArtifactError, match=r"template\.j2 is damaged"):
        Recommender.from_pretrained(tmp_path / "a")
