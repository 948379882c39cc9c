"""What a new user types on the command line: collisions, several picks, did you mean."""

import json

import pytest

from coldstart.cli.recommend import Model, read_picks
from coldstart.schema import PickReading


@pytest.fixture
def recommend(run, monkeypatch, shipped):
    monkeypatch.setattr(Model, "load", lambda model: shipped)
    return lambda *args: run("recommend", "--strategy", "prior", "-k", 2, *args)


def test_a_title_that_is_an_id_is_refused_with_both_readings(recommend):
    code, out, err = recommend("--liked", "187")
    assert (code, out) == (2, "")
    assert "'187' is the title of 187 (1997) [330] and the id of The Godfather: Part II" in err
    assert "write 'title:187' or 'id:187'" in err


def test_the_answer_says_how_picks_were_read(recommend):
    code, out, _ = recommend("--liked", "id:187", "--seen", "toy story, Fargo")
    assert code == 0
    assert "liked: The Godfather: Part II (1974), id 187" in out
    assert "seen: Toy Story (1995); Fargo (1996)" in out
    _, out, _ = recommend("--liked", "title:187", "--json")
    (pick,) = json.loads(out)["picks"]
    assert (pick["item_id"], pick["by"], pick["text"]) == ("330", "title", "title:187")


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["--liked", "E.T."], "did you mean 'E.T. the Extra-Terrestrial'?"),
        (["--disliked", "Dr Strangelove"], "did you mean 'Dr. Strangelove or: How I Learned"),
        (["--seen", "Godfather 2"], "did you mean 'The Godfather: Part II'"),
        (["--viewing", "Toy Stroy"], "did you mean 'Toy Story'"),
        (["--include-category", "romanse"], "did you mean 'Romance'?"),
        (["--filter", 'categories={"exclude": ["Dramma"]}'], "did you mean 'Drama'?"),
        (["--filter", 'attributes={"wanted": {"x": "y"}}'], "no item has an attribute 'x'"),
        (["--liked", "qqqqqq"], "leave such picks out with --ignore-unknown"),
    ],
)
def test_did_you_mean(recommend, args, hint):
    code, out, err = recommend(*args)
    assert (code, out) == (2, "")
    assert hint in err


def test_a_misspelt_interest_and_attribute_are_noted(recommend):
    code, out, _ = recommend("--interest", "romanse", "--occupation", "techician")
    assert code == 0
    assert "interest 'romanse': did you mean 'Romance'? It was read so" in out
    assert "occupation 'techician' is unknown: did you mean 'technician'?" in out


def test_lines_of_picks():
    fields = {"text": "x", "item_id": "7", "title": "Emma", "by": "title"}
    picks = (
        PickReading(field="liked", year=1996, **fields),
        PickReading(field="liked", **fields | {"by": "id", "note": "taken for this"}),
        PickReading(field="viewing", **fields),
    )
    assert read_picks(picks) == ["liked: Emma (1996); Emma, id 7, taken for this", "viewing: Emma"]
