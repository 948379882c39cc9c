"""Ranked lists keep their promises: filters, contributions, diversity, penalties and notes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.catalog.item_store import ItemStore
from coldstart.interactions.interaction_stats import Counts
from coldstart.profile.resolve import stated_text
from coldstart.ranking.filters import Categories, Known
from coldstart.ranking.ranker import BlendRanker
from coldstart.schema import UserProfile
from coldstart.scoring.lm_signals import LMSignals
from coldstart.scoring.registry import SIGNALS
from tests.fakes import FakeEncoder
from tests.ten_films import (
    FILMS,
    ITEM_STORE,
    NOBODY,
    contexts,
    film,
    ids,
    make_catalog,
    make_item_store,
    profiles,
    recommend,
    resolved,
)


@given(profiles, contexts, st.integers(1, 12), st.sampled_from([0.0, 0.5, 1.0]))
def test_answers_keep_their_promises(profile, context, k, diversity):
    user = resolved(profile, context)
    out = recommend(user, k=k, diversity=diversity)
    known = {p.item for what in ("liked", "disliked", "seen") for p in getattr(user.profile, what)}
    assert not known & set(out.item_ids)
    assert len(set(out.item_ids)) == len(out) <= k
    assert [x.rank for x in out] == list(range(1, len(out) + 1))
    assert out.dropped_counts.keys() <= {"known", "near-duplicate"}
    assert {d.item_id for d in out.dropped}.isdisjoint(out.item_ids)
    notes = [note for note in out.notes if not note.startswith("nothing in the text could be")]
    if len(notes) < len(out.notes):
        assert stated_text(user.profile, user.context).strip()
    if len(out) < k:
        assert len(out) + sum(out.dropped_counts.values()) == 10
        assert notes == [f"only {len(out)} of the catalog's items may be shown; {k} were asked for"]
    else:
        assert notes == []
    for line in out:
        assert sum(line.provenance.contributions.values()) == pytest.approx(line.score)
        assert line.provenance.features.keys() == line.provenance.contributions.keys()
        assert line.title == ITEM_STORE.catalog[line.item_id].title
    if diversity == 0:
        scores = [x.score for x in out]
        assert scores == pytest.approx(sorted(scores, reverse=True))


@given(profiles, st.sets(ids), st.integers(1, 12))
def test_only_the_pool_is_shown(profile, pool, k):
    out = recommend(resolved(profile), k=k, only=frozenset(pool))
    assert set(out.item_ids) <= pool
    if len(out) < k:
        assert "of the grounded titles' items may be shown" in out.notes[-1]


def test_contributions_are_weight_times_feature():
    user = resolved({"age": 24, "liked": ["1"], "about": "night train"})
    weights = dict(zip(SIGNALS.names, BlendRanker.default().weights("prior", 1), strict=True))
    for line in recommend(user):
        for name, value in line.provenance.features.items():
            assert line.provenance.contributions[name] == pytest.approx(weights[name] * value)


def test_filters_are_respected_and_counted():
    out = recommend(NOBODY, filters=(Categories(include=["drama"]),), k=3)
    assert set(out.item_ids) <= {"3", "4", "5", "10"}
    assert len(out) == 3
    assert out.notes == ()
    assert {d.filter for d in out.dropped} == {"categories"}
    assert sum(out.dropped_counts.values()) == len(out.dropped)


def test_without_filters_only_duplicates_of_picks_are_held_back():
    disliked = resolved({"disliked": ["1"], "seen": ["2"]})
    assert {"1", "2"} <= set(recommend(disliked, filters=()).item_ids)
    assert not {"1", "2"} & set(recommend(disliked, filters=(Known(),)).item_ids)


def test_popularity_penalty_cancels_and_reverses_popularity():
    popularity = dict(zip(ITEM_STORE.ids, ITEM_STORE.popularity, strict=True))
    plain = {r.item_id: r.score for r in recommend(NOBODY)}
    for penalty in (1.0, 2.0):
        for r in recommend(NOBODY, popularity_penalty=penalty):
            assert r.score == pytest.approx(plain[r.item_id] - penalty * popularity[r.item_id])
    popular = max(popularity, key=lambda i: popularity[i])
    places = [
        recommend(NOBODY, popularity_penalty=p).item_ids.index(popular) for p in (0.0, 1.0, 5.0)
    ]
    assert places[0] < places[2] == len(ITEM_STORE.ids) - 2  # before the one that nobody liked


def test_a_popularity_penalty_lifts_nothing_from_far_below():
    catalog = make_catalog()
    catalog.add(film(f"junk{n}", f"Forgotten {'x' * n}", 1950, ("Drama",)) for n in range(60))
    users = {f"u{n}": UserProfile() for n in range(30)}
    likes = {user: [f[0] for f in FILMS[: 3 + n % 6]] for n, user in enumerate(users)}
    store = ItemStore(catalog, Counts.fit(catalog.ids, users, likes), FakeEncoder())
    store.sync()
    liked = {f[0] for f in FILMS[:8]}
    for penalty in (0.5, 1.0, 10.0):
        for diversity in (0.0, 0.5):
            options = {"popularity_penalty": penalty, "diversity": diversity}
            assert set(recommend(NOBODY, store, k=2, **options).item_ids) <= liked
            assert set(recommend(NOBODY, store, k=8, **options).item_ids) == liked
    plain, whole = (
        recommend(NOBODY, store, k=70, popularity_penalty=p).item_ids for p in (0.0, 1.0)
    )
    assert whole != plain
    assert whole[8:] == plain[8:]


def test_a_popularity_penalty_raises_what_the_request_speaks_for():
    romance = resolved({"interests": ["drama"], "about": "reels"})
    plain, rare = (
        recommend(romance, k=10, popularity_penalty=p).item_ids.index("10") for p in (0.0, 1.0)
    )
    assert rare < plain


def test_diversity_spreads_the_list():
    fan = resolved({"interests": ["sci-fi"], "about": "star voyage"})
    plain, spread = (recommend(fan, k=4, diversity=d).item_ids for d in (0.0, 1.0))

    def closeness(found):
        vectors = ITEM_STORE.content[[ITEM_STORE.rows[i] for i in found]]
        return (vectors @ vectors.T).sum()

    assert spread[0] == plain[0]
    assert closeness(spread) < closeness(plain)


def test_notes_pass_on_what_was_trimmed():
    out = recommend(NOBODY, found=LMSignals(prompt="the prompt", notes=("trimmed",)))
    assert out.prompt == "the prompt"
    assert out.notes == ("trimmed",)


def test_near_duplicates_are_shown_on_demand():
    catalog = make_catalog()
    catalog.add(film("twin", "Garden of Letters", 1993, ("Drama", "Romance")))
    item_store = make_item_store(catalog)
    user = resolved({"liked": ["5"]}, item_store=item_store)
    usual, all_of_them = (
        recommend(user, item_store, k=11, near_duplicates=shown).item_ids for shown in (False, True)
    )
    assert "twin" not in usual
    assert set(all_of_them) == {*usual, "twin"}
