"""Adding or hiding an item never demotes another: the others keep scores and order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coldstart import Recommender
from coldstart.schema import Context, Item, RecommendationList, UserProfile
from tests.conftest import ROOT
from tests.toy import toy_recommender

REC = toy_recommender()
KNOWN = REC.catalog.ids
TITLES = [REC.catalog[i].title for i in KNOWN]
ALL = 40  # more than there are

titles = st.one_of(
    st.sampled_from(TITLES),  # a namesake
    st.sampled_from(TITLES).map(lambda t: f"{t} Nights"),  # continues another
    st.sampled_from(TITLES).map(lambda t: t[: max(1, len(t) // 2)].strip() or t),  # begins another
    st.text("Story Wars", min_size=1, max_size=8).filter(str.strip),
)
newcomers = st.lists(
    st.builds(
        Item,
        item_id=st.integers(0, 99).map("new{}".format),
        title=titles,
        year=st.none() | st.integers(1960, 2030),
        categories=st.sampled_from([(), ("Sci-Fi",), ("Drama",), ("Musical",)]),
        description=st.sampled_from(["", "A space adventure with toys."]),
        attributes=st.sampled_from([{}, {"studio": "Acme"}]),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda item: item.item_id,
)
profiles = st.builds(
    UserProfile,
    age=st.sampled_from([None, 25]),
    gender=st.sampled_from([None, "F"]),
    liked=st.lists(st.sampled_from(KNOWN), max_size=3, unique=True),
    about=st.sampled_from(["", "space adventure", "toys that come alive"]),
)


def recommend(profile: UserProfile, strategy: str, **options: object) -> RecommendationList:
    return REC.recommend(profile, Context(), k=ALL, strategy=strategy, **options)  # type: ignore


def of_known(found: RecommendationList) -> dict[str, float]:
    """Scores of the items that the recommender was trained on, in their order."""
    return {r.item_id: r.score for r in found if r.item_id in KNOWN}


@pytest.mark.parametrize("strategy", ["prior", "catalog"])
@settings(max_examples=15)
@given(profile=profiles, added=newcomers, penalty=st.sampled_from([0.0, 0.5]))
def test_adding_items_keeps_scores_and_order_of_the_others(strategy, profile, added, penalty):
    before = of_known(recommend(profile, strategy, popularity_penalty=penalty))
    REC.catalog.add(added)
    try:
        found = recommend(profile, strategy, popularity_penalty=penalty)
    finally:
        REC.catalog.remove([item.item_id for item in added])
    assert list(of_known(found)) == list(before)
    assert of_known(found) == pytest.approx(before, abs=1e-4)
    assert recommend(profile, strategy, popularity_penalty=penalty).item_ids == list(before)


@pytest.mark.parametrize("strategy", ["prior", "catalog"])
@settings(max_examples=10)
@given(
    profile=profiles, hidden=st.lists(st.sampled_from(KNOWN), min_size=1, max_size=3, unique=True)
)
def test_hiding_items_keeps_scores_and_order_of_the_others(strategy, profile, hidden):
    before = of_known(recommend(profile, strategy))
    shown = [REC.catalog[i] for i in hidden]
    REC.catalog.update([item.model_copy(update={"available": False}) for item in shown])
    try:
        found = of_known(recommend(profile, strategy))
    finally:
        REC.catalog.update(shown)
    left = {i: score for i, score in before.items() if i not in hidden}
    assert list(found) == list(left)
    assert found == pytest.approx(left, abs=1e-4)


def test_a_namesake_without_a_year_is_no_better_than_the_film_that_was_known():
    profile = UserProfile(liked=["Alien"])
    for strategy in ("prior", "catalog"):
        before = recommend(profile, strategy)
        known = before[0]
        REC.catalog.add(Item(item_id="twin", title=known.title))
        try:
            found = recommend(profile, strategy)
            both = recommend(profile, strategy, near_duplicates=True)
        finally:
            REC.catalog.remove("twin")
        assert found.item_ids == before.item_ids
        assert ("twin", "near-duplicate") in [(d.item_id, d.filter) for d in found.dropped]
        assert "twin" in both.item_ids


@pytest.mark.parametrize("settings", [{"exact_items": 0}, {"shortlist_tokens": 3}, {"tau": 0.5}])
def test_titles_keep_their_probabilities_in_beam_search_and_short_plans(settings):
    rec = toy_recommender(shortlist=6 if "shortlist_tokens" in settings else 0, **settings)
    before = rec.recommend({"age": 25}, k=ALL, strategy="catalog")
    likeliest = rec.generate({"age": 25}, n=5, strategy="catalog")
    rec.catalog.add(
        Item(item_id=f"new{n}", title=title, categories=("Drama",))
        for n, title in enumerate([*TITLES[:6], *(f"{t} Nights" for t in TITLES[:6]), "Zorro"])
    )
    after = rec.recommend({"age": 25}, k=2 * ALL, strategy="catalog")
    assert of_known(after) == pytest.approx(of_known(before), abs=1e-4)
    assert list(of_known(after)) == list(of_known(before))
    again = [c for c in rec.generate({"age": 25}, n=ALL, strategy="catalog") if c.text in TITLES]
    assert {c.text for c in likeliest} <= {c.text for c in again[:8]}


@pytest.fixture(scope="module", params=["ml-100k", "movies"])
def real(request):
    """An artifact that the repository ships, loaded for this module alone."""
    return Recommender.from_pretrained(ROOT / "adapters" / request.param, device="cpu")


@pytest.mark.parametrize("strategy", ["prior", "catalog"])
def test_real_adapters_keep_the_order_of_the_others(real, strategy):
    profiles = [
        UserProfile(age=25, gender="F", occupation="student"),
        UserProfile(liked=["Toy Story", "Fargo"], about="something funny from the 1990s"),
    ]
    before = real.recommend(profiles, k=100, strategy=strategy)
    best = [real.catalog[found[0].item_id] for found in before]
    added = [
        Item(item_id=f"new{n}{kind}", title=title)
        for n, film in enumerate(best)
        for kind, title in enumerate((film.title, f"{film.title} Nights", film.title.split()[0]))
    ]
    real.catalog.add(added)
    try:
        after = real.recommend(profiles, k=100, strategy=strategy)
    finally:
        real.catalog.remove([item.item_id for item in added])
    for old, new in zip(before, after, strict=True):
        scores = {r.item_id: r.score for r in old}
        kept = [r for r in new if not r.item_id.startswith("new")]
        assert [r.item_id for r in kept][:5] == old.item_ids[:5]
        assert {r.item_id for r in kept} <= scores.keys()
        assert [r.score for r in kept] == pytest.approx([scores[r.item_id] for r in kept], abs=1e-3)
        assert len(kept) >= 100 - len(added)
