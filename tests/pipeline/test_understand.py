"""What a request's text demands, through the whole pipeline: obeyed, reported, explained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from coldstart.errors import ConfigError, ProfileError
from coldstart.ranking.request_blend import RequestBlend
from coldstart.schema import Item, Piece, Understood
from tests.toy import toy_catalog, toy_recommender

REC = toy_recommender()


def recommend(about, rec=REC, **options):
    return rec.recommend({"about": about}, **{"strategy": "prior", "k": 5, **options})


def categories(found, rec=REC):
    return [rec.catalog[i].categories[0] for i in found.item_ids]


@pytest.mark.parametrize("strategy", ["prior", "catalog", "free", "both"])
def test_every_strategy_obeys(strategy):
    found = recommend("no drama, from the 80s", strategy=strategy)
    assert set(categories(found)) == {"Sci-Fi"}
    assert all(1980 <= line.year < 1990 for line in found)
    assert found.understood.values("category", wanted=False) == ("Drama",)
    assert found.dropped_counts["request"] == sum(d.filter == "request" for d in found.dropped)
    assert "Drama: rejected by" in " ".join(d.detail for d in found.dropped)
    assert not any("drama" in line.reason.casefold() for line in found)


def test_what_is_wanted_comes_first_and_a_note_tells_where_it_ends():
    found = recommend("dramas please", k=20)
    wanted = categories(found).count("Drama")
    assert categories(found) == ["Drama"] * wanted + ["Sci-Fi"] * (20 - wanted)
    assert f"only {wanted} items are Drama; the rest is the closest to it" in found.notes
    assert not recommend("dramas please").notes
    assert found[0].reason.startswith("Drama")
    assert "ishes" not in found[-1].reason
    varied = recommend("dramas please", k=20, diversity=0.8)
    assert categories(varied) == categories(found)


def test_one_that_nothing_fulfils_is_told():
    found = recommend("westerns from the 1980s")
    assert all(1980 <= line.year < 1990 for line in found)
    none = recommend("films from the 1920s")
    assert len(none) == 0
    assert "only 0 of the catalog's items may be shown; 5 were asked for" in none.notes


def test_a_signal_only():
    loose = recommend("no drama, from the 80s", k=20, strict=False)
    assert set(categories(loose)) == {"Drama", "Sci-Fi"}
    assert "request" not in loose.dropped_counts
    assert loose[0].provenance.contributions.keys() >= {"unwished"}
    assert loose.understood == recommend("no drama, from the 80s").understood


@pytest.mark.parametrize("strict", [None, 1, "yes"])
def test_strict_is_true_or_false(strict):
    with pytest.raises(ConfigError, match=r"strict is .*True: the text decides"):
        recommend("no drama", strict=strict)


def test_a_reading_may_be_given_instead_of_a_sentence():
    read = recommend("no drama").understood
    for given in (read, read.model_dump()):
        found = REC.recommend({}, understood=given, strategy="prior", k=5)
        assert set(categories(found)) == {"Sci-Fi"}
        assert found.understood == read
    instead = recommend("no drama", understood=Understood(), k=20)
    assert set(categories(instead)) == {"Drama", "Sci-Fi"}


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ("no drama", "understood is a str"),
        ({"pieces": [{"kind": "colour"}]}, "understood"),
        ({"wishes": []}, "wishes"),
    ],
)
def test_a_malformed_reading_is_refused(given, match):
    with pytest.raises(ProfileError, match=match):
        recommend("no drama", understood=given)


def test_all_ways_in_read_alike():
    about, moment = {"about": "no drama"}, {"occasion": "no drama"}
    texts = [
        REC.resolve(about).understood,
        REC.resolve({}, moment).understood,
        REC.resolve({}, {"text": "no drama"}).understood,
        REC.resolve({"interests": ["no drama"]}).understood,
    ]
    assert {t.values("category", wanted=False) for t in texts} == {("Drama",)}
    assert REC.resolve({"interests": ["Drama"]}).understood == Understood()
    batch = REC.recommend([about, {}, about], strategy="prior", k=5)
    assert batch[0] == batch[2] == recommend("no drama")
    assert batch[1].understood == Understood()
    pool = REC.ground(["Toy Story", "Star Wars", "Alien", "Aliens"])
    ranked = REC.rank(about, pool)
    assert ranked.item_ids
    assert set(categories(ranked)) == {"Sci-Fi"}


def test_named_titles_are_examples_and_are_not_shown():
    found = recommend("something like Star Wars", k=24)
    named = REC.catalog.find_title("Star Wars")[0]
    assert found.understood.liked == (named,)
    assert named not in found.item_ids
    user = REC.resolve({"about": "something like Star Wars", "liked": ["Heat"]})
    assert user.liked == [*REC.catalog.find_title("Heat"), named]
    assert [p.item for p in user.profile.liked] == list(REC.catalog.find_title("Heat"))
    assert any(
        r.code == "picks" and r.arguments["named"] and not r.arguments["viewing"]
        for line in found
        for r in line.reasons
    )


def test_the_reader_follows_the_catalog():
    rec = toy_recommender(toy_catalog())
    assert recommend("no westerns", rec).understood.values("category", wanted=False) == ()
    rec.catalog.add(Item(item_id="new", title="Dust", year=1950, categories=("Western",)))
    found = recommend("no westerns", rec, k=25)
    assert found.understood.values("category", wanted=False) == ("Western",)
    assert "new" not in found.item_ids


@pytest.mark.parametrize("text", ["!!!", "🎉🎉", "qqqq zzzz"])
def test_nothing_understood_is_told(text):
    found = recommend(text)
    assert len(found) == 5
    assert found.notes[0].startswith("nothing in the text could be used")
    assert not any("atches" in line.reason for line in found)


@pytest.mark.parametrize("text", ["!!!", "qqqq zzzz", "something from the 1980s"])
def test_a_text_of_no_use_is_ranked_as_none(text):
    rec = toy_recommender()
    rec.ranker.requests = {"prior": RequestBlend({"words": (9.0, 0.0)}, taste=(0.0, 0.0))}
    found, silent = recommend(text, rec, k=20), rec.recommend({}, strategy="prior", k=20)
    assert (found.item_ids == silent.item_ids) == (text != "something from the 1980s")


def test_a_part_of_a_large_catalog_has_what_is_wanted():
    rec = toy_recommender(toy_catalog())
    rec.settings = replace(rec.settings, pool_from=10)
    rec.catalog.add(
        [Item(item_id=f"n{n}", title=f"Prairie {n}", year=1950, categories=("Western",))
         for n in range(9)]
    )  # fmt: skip
    found = recommend("westerns", rec, k=9)
    assert categories(found, rec) == ["Western"] * 9


def test_a_child_is_the_audience():
    rec = toy_recommender(toy_catalog())
    rec.catalog.add(
        [Item(item_id=f"k{n}", title=f"Bunny {n} Hops", categories=("Children's",))
         for n in range(3)]
    )  # fmt: skip
    found = rec.recommend({"age": 5}, strategy="prior", k=5)
    assert set(found.item_ids[:3]) == {"k0", "k1", "k2"}
    assert any("known to be suitable for age 5" in note for note in found.notes)
    grown = rec.recommend({"age": 30}, strategy="prior", k=5)
    assert not grown.notes


def test_an_inferred_piece_that_is_contradicted_is_told():
    def drama(**fields):
        return Piece(kind="category", value="Drama", words="w", start=0, end=1, **fields)

    read = Understood(text="w", language="en", pieces=(drama(strict=False), drama(wanted=False)))
    found = recommend("w", understood=read)
    assert "“w” was not taken as Drama: the text says otherwise" in found.notes
    guess = recommend("w", understood=Understood(text="w", pieces=(drama(strict=False),)))
    assert "guessed from “w”: Drama" in guess.notes
    assert set(categories(guess)) == {"Drama"}
