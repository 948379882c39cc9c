"""Every statement of a reason is true."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.interactions.interaction_stats import attribute_groups, group_lift
from coldstart.ranking.explanations import Explainer
from coldstart.ranking.filters import Known
from coldstart.ranking.ranker import BlendRanker
from coldstart.scoring.language_model import model_lift
from coldstart.scoring.lm_signals import LMSignals, reached
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.stated import text_similarity
from coldstart.scoring.written import closeness
from tests.ten_films import (
    FILMS,
    ITEM_STORE,
    NOBODY,
    PEOPLE,
    contexts,
    film,
    make_catalog,
    make_item_store,
    profiles,
    reasons_of,
    recommend,
    resolved,
    wrote,
)

GROUPS = {
    "people under 10": "age=00s",
    "people aged 10 to 19": "age=10s",
    "people in their 20s": "age=20s",
    "people in their 30s": "age=30s",
    "people aged 60 or more": "age=60s",
    "people whose age is old": "age=old",
    "men": "gender=m",
    "women": "gender=f",
    "people whose occupation is nurse": "occupation=nurse",
    "people whose occupation is student": "occupation=student",
    "people whose pet is cat": "pet=cat",
    "people whose pet is dog": "pet=dog",
}


def statements(reason):
    assert "\n" not in reason
    assert reason.endswith(".")
    sentence = reason[0].lower() + reason[1:-1]
    return sentence.split(", and ")


def check(statement, item, user):
    """Hold one statement of a reason against the data."""
    by_title = {title: item_id for item_id, title, _, _ in FILMS}
    likes = [set(x.split()) for _, x in PEOPLE.values()]
    profile, context = user.profile, user.context
    if m := re.fullmatch(
        r"because you (liked|are looking at) (.*): (\d+) (people|person) liked both", statement
    ):
        how, title, n, noun = m.groups()
        pick = by_title[title]
        assert (pick in {p.item for p in profile.liked}) == (how == "liked")
        assert how == "liked" or pick == context.viewing.item
        assert int(n) == sum({pick, item} <= x for x in likes) > 0
        assert (noun == "person") == (n == "1")
    elif m := re.fullmatch("similar to (.*)", statement):
        pick = by_title[m[1]]
        assert pick in user.liked
        rows = ITEM_STORE.rows
        assert ITEM_STORE.content[rows[pick]] @ ITEM_STORE.content[rows[item]] >= 0.5
    elif m := re.fullmatch("matches your interest in (.*)", statement):
        named = m[1].casefold().replace(" and ", ", ").split(", ")
        has = {c.casefold() for c in ITEM_STORE.catalog[item].categories}
        assert len(named) == len(set(named))
        assert set(named) <= has & {i.casefold() for i in profile.interests}
    elif m := re.fullmatch("matches “(.*?)…?”", statement):
        said = [profile.about, context.text, context.occasion]
        assert any(s and " ".join(s.split()).startswith(m[1]) for s in said)
        whole = next(t for s in said if s and (t := " ".join(s.split())).startswith(m[1]))
        assert text_similarity(ITEM_STORE, whole)[ITEM_STORE.rows[item]] >= 1.5
    elif m := re.fullmatch("liked more than usual by (.*)", statement):
        for name in m[1].split(" and "):
            group = GROUPS[name]
            assert group in attribute_groups(profile)
            lift = group_lift(ITEM_STORE.counts, group)
            assert lift[ITEM_STORE.counts.column[item]] >= 0.03
    elif m := re.fullmatch("widely liked: by (.*)% of the people we know", statement):
        share = sum(item in x for x in likes) / len(likes)
        assert f"{share:.0%}" == m[1] + "%"
        assert share >= 0.1
    else:
        assert statement == "the best of what is left to recommend"


@settings(max_examples=150)
@given(profiles, contexts, st.integers(1, 10))
def test_every_statement_is_true(profile, context, k):
    user = resolved(profile, context)
    for line in recommend(user, k=k):
        for statement in statements(line.reason):
            check(statement, line.item_id, user)


def test_an_empty_profile_is_told_nothing_about_itself():
    found = reasons_of()
    assert found["1"] == "Widely liked: by 56% of the people we know."
    assert found["10"] == "The best of what is left to recommend."
    assert all(r.startswith(("Widely liked", "The best of")) for r in found.values())


def test_people_who_liked_both_are_counted_out():
    assert (
        reasons_of({"liked": ["1"]})["9"] == "Because you liked Star Voyage: 3 people liked both."
    )
    assert (
        "ecause you liked The Clumsy Waiter: 1 person liked both"
        in (reasons_of({"liked": ["7"]})["4"])
    )


def test_a_viewed_item_is_not_called_liked():
    reason = reasons_of(None, {"viewing": "1"})["9"]
    assert reason == "Because you are looking at Star Voyage: 3 people liked both."


@pytest.mark.parametrize(
    ("age", "item", "name"),
    [(22, "9", "people in their 20s"), (85, "8", "people aged 60 or more")],
)
def test_age_bands_are_named_truly(age, item, name):
    assert reasons_of({"age": age})[item] == f"Liked more than usual by {name}."


def test_what_is_quoted_is_one_line_and_short():
    found = reasons_of({"about": "star\nvoyage " + "two star voyage " * 10})
    assert any("“star voyage two star voyage" in r and "…”" in r for r in found.values())
    assert not any("\n" in r for r in found.values())


def test_a_new_item_claims_no_likes():
    catalog = make_catalog()
    catalog.add(film("new", "Garden of Letters Two", 1999, ("Drama", "Romance")))
    item_store = make_item_store(catalog)
    nurse = {"gender": "F", "occupation": "nurse"}
    assert "iked more than usual" in reasons_of(nurse)["5"]
    reason = reasons_of(nurse, item_store=item_store, k=11)["new"]
    assert reason == "New in the catalog, close to items that people like."
    reason = reasons_of({"liked": ["5"], **nurse}, item_store=item_store, k=11)["new"]
    assert reason == "Similar to Garden of Letters."


def test_a_category_given_twice_is_named_once():
    catalog = make_catalog()
    catalog.update(film("4", "Quiet Garden", 1991, ("Drama", "DRAMA")))
    reason = reasons_of({"interests": ["drama"]}, item_store=make_item_store(catalog))["4"]
    assert "atches your interest in drama" in reason
    assert "drama and" not in reason


def test_the_model_is_credited_only_where_it_helped():
    logprobs = np.full(10, -3.0)
    logprobs[ITEM_STORE.rows["10"]] = -0.1
    found = LMSignals(
        logprobs=logprobs, model=model_lift(ITEM_STORE, logprobs, np.log(np.full(10, 0.1)))
    )
    lines = {x.item_id: x for x in recommend(NOBODY, found=found, strategy="catalog")}
    model = "The language model favours it for this profile beyond its popularity."
    assert [i for i, x in lines.items() if x.reason == model] == ["10"]
    assert lines["10"].provenance.matched_by == "trie"
    assert lines["10"].provenance.logprob == -0.1


def test_a_written_title_is_quoted_where_it_led():
    groundings = (wrote("Unseen Reel", -1.0, ("10", 0.9)), wrote("Nothing", -2.0))
    found = LMSignals(
        written=closeness(ITEM_STORE, groundings),
        found=reached(groundings),
        groundings=groundings,
    )
    out = recommend(NOBODY, found=found, strategy="free")
    line = next(x for x in out if x.item_id == "10")
    assert line.reason == "The language model wrote “Unseen Reel” for this profile."
    assert line.provenance.generated_text == "Unseen Reel"
    assert line.provenance.matched_by == "similarity"
    assert line.provenance.similarity == 0.9
    assert (out.generated, out.abstained) == (2, 1)
    others = [x for x in out if x.item_id != "10"]
    assert all(x.provenance.generated_text is None for x in others)
    assert not any("wrote" in x.reason for x in others)


KINDLY = BlendRanker({"prior": {"kinds": (1.0, 0.0), "popularity": (0.01, 0.0)}})


@pytest.mark.parametrize(
    ("liked", "expected"),
    [
        (["2"], "Sci-Fi like Star Voyage Two."),
        (["4", "5"], "Drama like much of what you liked."),
    ],
)
def test_shared_categories_are_named(liked, expected):
    lines = recommend(resolved({"liked": liked}), ranker=KINDLY, k=1, filters=(Known(),))
    assert expected.split(" ")[0] in ITEM_STORE.catalog[lines[0].item_id].categories
    assert lines[0].reason == expected


def test_similar_requests_are_named_once(monkeypatch):
    signals = [s for s in SIGNALS if s.reason in ("request", "asked_alike")]
    explainer = Explainer(ITEM_STORE, resolved({"about": "ten words or so"}))
    monkeypatch.setattr(explainer, "_facts", lambda code, row: {"people": 2, "text": "t"})
    both = explainer.explain(0, {s.name: 1.0 for s in signals})
    assert [r.code for r in both if r.code in ("request", "asked_alike")] == ["asked_alike"]
    alone = explainer.explain(0, {s.name: 1.0 for s in signals if s.reason == "request"})
    assert "request" in [r.code for r in alone]
