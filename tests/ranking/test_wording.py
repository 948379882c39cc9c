"""Reasons in words: every code in every language, titles verbatim, signals of plug-ins."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError
from coldstart.ranking.explanations import _FACTS
from coldstart.ranking.wording import zh
from coldstart.ranking.wording.sentences import LANGUAGES, in_language, sentence
from coldstart.schema import Reason
from coldstart.scoring.registry import SIGNALS
from coldstart.scoring.scorer import signal
from coldstart.scoring.signal import Signal
from coldstart.session import Boost, OnboardingSession
from tests.toy import toy_catalog, toy_recommender

PAGE = Path(__file__).parents[2] / "coldstart" / "serve" / "page"
NOW = datetime.fromisoformat("2026-01-02T03:04:05+00:00")
ENDS = {"en": ".", "zh": "。"}

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=12)
odd = st.sampled_from(
    [
        "Good, and similar to Bad",
        "“So”",
        'He said "no"',
        "O'Hara",
        "(2)",
        "“书”",
        "a; b. C",
        "{x}",
    ]
)
some = words | odd
several = st.lists(some | st.sampled_from(["Sci-Fi", "drama"]), min_size=1, max_size=4)
groups = st.tuples(st.sampled_from(["age", "gender", "occupation", "pet"]), some).map("=".join)
bands = st.sampled_from(["age=00s", "age=10s", "age=40s", "age=60s", "gender=m", "gender=f"])
amounts = st.floats(-99, 99)
ARGUMENTS = {
    "picks": {"pick": some, "people": st.integers(1, 10**7), "viewing": st.booleans()},
    "alike": {"pick": some},
    "shares": {"attribute": some, "pick": some, "value": some},
    "kinds": {"categories": several, "pick": st.none() | some},
    "interests": {"interests": several},
    "words": {"text": some},
    "meaning": {"text": some},
    "near": {"category": some},
    "request": {"text": some},
    "mentions_words": {"words": several},
    "asked_alike": {"people": st.integers(1, 10**7)},
    "mentioned": {"pick": some, "people": st.integers(1, 10**7)},
    "people": {"groups": st.lists(groups | bands, min_size=1, max_size=2)},
    "of_likers": {"pick": some, "people": st.integers(1, 99), "of": st.integers(99, 10**7)},
    "liked_here": {"people": st.integers(2, 99), "of": st.integers(99, 10**7)},
    "written": {"title": some},
    "model": {},
    "popular": {"share": st.floats(0.1, 1.0)},
    "cold": {},
    "remaining": {},
    "boosted": {"name": some, "points": amounts},
    "wishes": {
        "categories": several,
        "years": st.lists(st.tuples(st.just(1980), st.just(1989)), min_size=1, max_size=2),
        "ages": st.lists(st.integers(0, 130), min_size=1, max_size=2),
        "people": several,
        "attributes": st.lists(st.tuples(some, some), min_size=1, max_size=2),
        "values": several,
    },
    "exploration": {},
    "opening": {"category": st.none() | some},
    "sought": {},
}
"""What the explainer, and a session, give with each code."""
reasons = st.sampled_from(sorted(ARGUMENTS)).flatmap(
    lambda code: st.builds(
        Reason, code=st.just(code), arguments=st.fixed_dictionaries(ARGUMENTS[code])
    )
)


# -- every code, every language -------------------------------------------------------------------


def test_every_code_is_worded_in_every_language():
    declared = {s.reason for s in SIGNALS if s.reason is not None}
    assert declared <= set(ARGUMENTS)
    assert set(_FACTS) <= set(ARGUMENTS)
    for module in LANGUAGES.values():
        assert set(module._CLAUSES) == set(ARGUMENTS)


@settings(max_examples=300)
@given(st.lists(reasons, min_size=1, max_size=4), st.sampled_from(sorted(LANGUAGES)))
def test_any_reasons_make_a_sentence_that_quotes_their_arguments(given_reasons, language):
    text = sentence(given_reasons, language)
    assert text.endswith(ENDS[language])
    for reason in given_reasons:
        for name in ("pick", "title", "text", "value"):
            quoted = reason.arguments.get(name)
            assert quoted is None or quoted.casefold() in text.casefold()
        assert reason.code.replace("_", " ") != text.rstrip(".").casefold()


PEOPLE = [
    {},
    {"liked": ["Alien"]},
    {"liked": ["Alien", "Star Wars", "Blade Runner"], "age": 21, "gender": "M"},
    {"interests": ["Drama"], "about": "robots in space"},
    {"occupation": "student", "age": 20, "liked": ["Alien"], "interests": ["sci-fi"]},
    {"disliked": ["Alien"], "about": "a quiet story", "age": 22, "gender": "F"},
]


@pytest.mark.parametrize("strategy", ["prior", "both"])
def test_the_sentence_of_a_list_is_that_of_its_reasons_in_both_languages(strategy):
    rec, seen = toy_recommender(), set()
    for who in PEOPLE:
        found = rec.recommend(who, k=20, strategy=strategy, unknown_picks="ignore")
        chinese = in_language(found, "zh")
        assert in_language(chinese, "en").items == found.items
        worded = {"items", "notes", "dropped"}
        assert chinese.model_dump(exclude=worded) == found.model_dump(exclude=worded)
        for line, translated in zip(found, chinese, strict=True):
            seen |= {reason.code for reason in line.reasons}
            assert line.reason == sentence(line.reasons)
            assert translated.reason == sentence(line.reasons, "zh-Hans-CN")
            numbers = [re.findall(r"\d+%?", x.reason) for x in (line, translated)]
            assert numbers[0] == numbers[1]
            assert re.search("[\u4e00-\u9fff]", translated.reason)
    assert seen <= set(ARGUMENTS)
    assert len(seen) >= 5


CASES = [
    (
        {"picks": {"pick": "Alien", "people": 1, "viewing": False}},
        "Because you liked Alien: 1 person liked both.",
        "因为你喜欢“Alien”，有 1 人两者都喜欢。",
    ),
    (
        {"picks": {"pick": "Alien", "people": 12, "viewing": True}},
        "Because you are looking at Alien: 12 people liked both.",
        "因为你正在看“Alien”，有 12 人两者都喜欢。",
    ),
    (
        {"alike": {"pick": "Good, and Bad"}},
        "Similar to Good, and Bad.",
        "和“Good, and Bad”相似。",
    ),
    (
        {"alike": {"pick": "Good, and similar to Bad"}, "words": {"text": 'a "b", and c'}},
        'Similar to Good, and similar to Bad, and matches “a "b", and c”.',
        '和“Good, and similar to Bad”相似；符合“a "b", and c”。',
    ),
    (
        {"shares": {"attribute": "brand", "pick": "Hammer", "value": "Stanley"}},
        "Same brand as Hammer: Stanley.",
        "和“Hammer”的品牌相同：Stanley。",
    ),
    (
        {"kinds": {"categories": ["Sci-Fi", "Action"], "pick": None}},
        "Sci-Fi and Action like much of what you liked.",
        "和你喜欢的许多一样，属于科幻、动作。",
    ),
    (
        {"kinds": {"categories": ["Knitting"], "pick": "Wool"}},
        "Knitting like Wool.",
        "和“Wool”一样，属于Knitting。",
    ),
    (
        {"interests": {"interests": ["Drama", "War", "Tea"]}},
        "Matches your interest in Drama, War and Tea.",
        "符合你的兴趣：剧情、战争、Tea。",
    ),
    (
        {"people": {"groups": ["age=10s", "occupation=student"]}},
        "Liked more than usual by people aged 10 to 19 and people whose occupation is student.",
        "10 至 19 岁的人、学生职业的人尤其喜欢。",
    ),
    (
        {"people": {"groups": ["gender=f", "pet=cat"]}},
        "Liked more than usual by women and people whose pet is cat.",
        "女性、cat的人尤其喜欢。",
    ),
    (
        {"request": {"text": "toys"}},
        "People who asked for things like “toys” chose items like it.",
        "提出过类似“toys”的人选择了这类内容。",
    ),
    (
        {"near": {"category": "Luggage"}},
        "In Luggage, like what you asked for.",
        "与你要找的同属Luggage。",
    ),
    (
        {"meaning": {"text": "my plants die"}, "wishes": {"categories": ["Garden"]}},
        "Close in meaning to “my plants die”, and Garden.",
        "意思接近“my plants die”；符合你的要求：Garden。",
    ),
    (
        {"mentions_words": {"words": ["toys", "Dr. Who"]}, "asked_alike": {"people": 1}},
        "Mentions “toys” and “Dr. Who”, and chosen by 1 person who asked for something similar.",
        "提到“toys”、“Dr. Who”；有 1 位提出相似要求的人选了它。",
    ),
    (
        {"mentioned": {"pick": "Alien", "people": 12}, "asked_alike": {"people": 3}},
        "Mentioned together with Alien by 12 people, and chosen by 3 people who asked for "
        "something similar.",
        "有 12 人把它和“Alien”一起提到；有 3 位提出相似要求的人选了它。",
    ),
    (
        {"written": {"title": "“Red”"}},
        "The language model wrote ““Red”” for this profile.",
        "语言模型为你写下了““Red””。",
    ),
    (
        {"model": {}},
        "The language model favours it for this profile beyond its popularity.",
        "就你的情况，语言模型对它的评价超出它的名气。",
    ),
    (
        {"popular": {"share": 0.123}},
        "Widely liked: by 12% of the people we know.",
        "广受喜爱：我们认识的人中有 12% 喜欢。",
    ),
    (
        {"wishes": {"categories": ["Animation"], "ages": [5]}},
        "Animation for a five-year-old.",
        "符合你的要求：动画，适合 5 岁。",
    ),
    (
        {"wishes": {"years": [(1980, 1989)], "people": ["Bill Murray"]}},
        "From the 1980s with Bill Murray.",
        "符合你的要求：1980 年代，有Bill Murray。",
    ),
    (
        {"wishes": {"years": [(1999, 1999), (None, 1960), (1950, None), (1950, 1955)]}},
        "From 1999 up to 1960 from 1950 on from 1950 to 1955.",
        "符合你的要求：1999 年，1960 年及以前，1950 年以后，1950 至 1955 年。",
    ),
    (
        {"wishes": {"ages": [8], "attributes": [("language", "fr")], "values": ["Oscar"]}},
        "Suitable for an eight-year-old language fr Oscar.",
        "符合你的要求：适合 8 岁，语言：fr，Oscar。",
    ),
    (
        {"liked_here": {"people": 3, "of": 5}},
        "Liked by 3 of 5 people with likes here.",
        "这里 5 位有过喜好的人中，有 3 人喜欢它。",
    ),
    (
        {"of_likers": {"pick": "Kettle", "people": 2, "of": 4}, "sought": {}},
        "2 of 4 people who liked Kettle liked this, and among the most popular here.",
        "喜欢“Kettle”的 4 人中，有 2 人也喜欢它；是这里最受欢迎的之一。",
    ),
    (
        {"opening": {"category": "Toys"}},
        "A first look at Toys.",
        "先看看Toys。",
    ),
    (
        {"opening": {}},
        "A first look at what there is.",
        "先看看这里有什么。",
    ),
    (
        {"cold": {}, "exploration": {}},
        "New in the catalog, close to items that people like. "
        "Shown to learn your taste: what you think of it tells much.",
        "目录中的新品，接近人们喜欢的。推荐它是为了了解你的口味，你的看法很有参考价值。",
    ),
    (
        {
            "remaining": {},
            "boosted": {"name": "summer", "points": 2.0},
        },
        "The best of what is left to recommend. Promoted by 'summer' (+2.00 points).",
        "剩下的里面最好的。因“summer”而提前（+2.00 分）。",
    ),
    (
        {"remaining": {}, "boosted": {"name": "old stock", "points": -0.5}},
        "The best of what is left to recommend. Held back by 'old stock' (-0.50 points).",
        "剩下的里面最好的。因“old stock”而靠后（-0.50 分）。",
    ),
]


@pytest.mark.parametrize(("given_reasons", "english", "chinese"), CASES)
def test_sentences(given_reasons, english, chinese):
    made = [Reason(code=code, arguments=a) for code, a in given_reasons.items()]
    assert sentence(made) == english
    assert sentence(made, "zh") == chinese


def test_the_examples_cover_every_code():
    assert {code for codes, _, _ in CASES for code in codes} == set(ARGUMENTS)


def test_an_unknown_language_is_refused():
    with pytest.raises(ConfigError, match="no reasons in language 'fr'.*one of en, zh"):
        sentence([Reason(code="cold")], "fr")


def test_the_page_and_the_reasons_translate_values_alike():
    page = json.loads((PAGE / "words.zh.json").read_text())
    assert {k[2:]: text for k, text in page.items() if k.startswith("v.")} == zh.VALUES


# -- titles that look like a part of a sentence ---------------------------------------------------


@pytest.mark.parametrize(
    "title", ["Good, and similar to Bad", 'The "Best", and the Rest', "A: 3 people liked both."]
)
def test_titles_are_quoted_as_they_are(title):
    items = [
        i.model_copy(update={"title": title}) if i.item_id == "i1" else i for i in toy_catalog()
    ]
    found = toy_recommender(Catalog.from_items(items)).recommend(
        {"liked": ["i1"]}, k=20, strategy="prior"
    )
    about = [r for r in found if any(x.arguments.get("pick") == title for x in r.reasons)]
    assert about
    for line in about:
        assert title in line.reason
        assert f"“{title}”" in sentence(line.reasons, "zh")


# -- what a session adds --------------------------------------------------------------------------


def test_what_a_session_adds_is_worded_and_grouped():
    rec = toy_recommender()
    last = rec.recommend({}, k=len(rec.catalog), strategy="prior")[-1].item_id
    boost = Boost(name="summer", items=(last,), amount=9.0, until=NOW + timedelta(days=1))
    session = OnboardingSession(rec).boost(boost).say("from 1970 to 1999")
    found = session.recommend(20, strategy="prior", now=NOW)
    given_reasons = {reason.code: reason for line in found for reason in line.reasons}
    assert {"boosted", "wishes"} <= set(given_reasons)
    first = found[0]
    assert first.item_id == last
    assert first.provenance.groups["boost:summer"] == 9.0
    assert "因“summer”而提前（+9.00 分）" in in_language(found, "zh")[0].reason
    for line in found:
        parts, groups = line.provenance.contributions, line.provenance.groups
        assert sum(groups.values()) == pytest.approx(sum(parts.values()))
        years = sum(parts.get(name, 0.0) for name in ("year", "year_gap"))
        assert groups.get("years", 0.0) == pytest.approx(years)
        of_words = ("words", "interests", "wished", "unwished", "mood")
        said = sum(parts.get(name, 0.0) for name in of_words)
        assert groups.get("words", 0.0) == pytest.approx(said)


def test_exploration_is_a_reason():
    found = OnboardingSession(toy_recommender(), exploration=0.3).recommend(
        10, strategy="prior", now=NOW
    )
    exploring = [r for r in found if r.reasons[-1].code == "exploration"]
    assert len(exploring) == 3
    assert all(r.reason.endswith("what you think of it tells much.") for r in exploring)
    assert all("了解你的口味" in r.reason for r in in_language(found, "zh") if r.rank > 7)


# -- explanation groups ---------------------------------------------------------------------------


def test_every_part_of_a_score_is_in_the_group_of_its_signal():
    expected = {
        "popularity": {
            *("popularity", "mainstream", "late", "beyond", "usual"),
            *("catalog_popularity", "evidence_popularity"),
        },
        "people": {"people", "age"},
        "liked": {
            *("picks", "fold_in", "lift", "closest", "smoothed", "next", "shots", "history"),
            *("mentions", "mentions_log", "evidence_picks"),
        },
        "alike": {"resembles", "alike", "kinds", "shares", "evidence_content", "like_named"},
        "words": {
            *("words", "interests", "wished", "unwished", "mood", "request_words", "request"),
            *("asked_alike", "asked_alike_words", "asked_unlike", "lexical", "about", "not_about"),
        },
        "disliked": {"dislikes"},
        "years": {"year", "year_gap", "freshness", "evidence_years"},
        "model": {"model", "written"},
        "other": {"opening"},
    }
    groups: dict[str, set[str]] = {}
    for one in SIGNALS:
        groups.setdefault(one.group, set()).add(one.name)
    assert groups == expected
    for language in ("en", "zh"):
        page = json.loads((PAGE / f"words.{language}.json").read_text())
        labels = {key.removeprefix("part.") for key in page if key.startswith("part.")}
        assert labels == set(expected)


def price(user, items):
    return np.array([5.0 * (i.item_id == "i3") for i in items.items])


@pytest.fixture
def budget():
    """Two signals as another package would add them, one without a group or a reason."""
    cheap = signal(
        "cheap",
        "Whether the item is cheap.",
        "0 or 5",
        weight=(1.0, 0.0),
        in_trees=False,
        group="words",
        reason="budget",
        wording={"en": "within your budget", "zh": "在你的预算之内"},
    )(price)
    stock = signal("stock", "Items in stock.", "0 or 5", weight=(0.1, 0.0), in_trees=False)(price)
    makers = [lambda: cheap, lambda: stock]
    for maker in makers:
        SIGNALS.register(maker)
    yield
    for maker in makers:
        SIGNALS.unregister(maker)


def test_a_signal_of_a_plugin_is_worded_and_grouped(budget):
    line = toy_recommender().recommend({}, k=1, strategy="prior")[0]
    assert line.item_id == "i3"
    assert line.reasons == (Reason(code="budget"),)
    assert line.reason == "Within your budget."
    assert sentence(line.reasons, "zh") == "在你的预算之内。"
    parts, found = line.provenance.contributions, line.provenance.groups
    assert found["words"] == pytest.approx(parts["cheap"]) != 0
    assert found["other"] == pytest.approx(parts["stock"]) != 0
    assert "cheap" not in found


def test_a_plugin_that_words_one_language_is_worded_in_it_everywhere(budget):
    only = signal("only", "m", "u", reason="only", wording={"zh": "只有中文"})(price)
    SIGNALS.register(maker := lambda: only)
    try:
        assert sentence([Reason(code="only")]) == "只有中文."
        assert sentence([Reason(code="gone_by_now")], "zh") == "gone by now。"
    finally:
        SIGNALS.unregister(maker)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"group": "cost"}, "group of 'x' is 'cost'.*one of popularity, .*other"),
        ({"wording": {"en": "ok", "zh": " "}}, "wording of 'x' in 'zh' is empty"),
    ],
)
def test_a_signal_that_could_not_be_explained_is_refused(wrong, told):
    with pytest.raises(ConfigError, match=told):
        Signal("x", "m", "u", **wrong)


@pytest.mark.parametrize(("language", "says"), [("en", "At €17.90."), ("zh", "价格 €17.90")])
def test_a_price_is_told_as_shops_write_it(language, says):
    reasons = [Reason(code="wishes", arguments={"prices": [(17.9, "EUR")]})]
    assert says in sentence(reasons, language)
