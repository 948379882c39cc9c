"""Ten items in Japanese, Korean, Thai, Russian, Arabic and German: honest lists, or a note."""

import json
from pathlib import Path

import pytest

from coldstart import prompts
from coldstart.artifacts.language_advice import encoder_for
from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.encoding.ngram_encoder import NAME
from coldstart.interactions.interaction_stats import Counts
from coldstart.recommender import Recommender
from coldstart.schema import Item
from coldstart.starting.weights import from_nothing_ranker

SHOPS = json.loads(Path("tests/data/languages.json").read_text(encoding="utf-8"))
SENTENCES = [
    pytest.param(language, text, row, id=f"{language}-{n}")
    for language, shop in SHOPS.items()
    for n, (text, row) in enumerate(shop["sentences"])
]


@pytest.fixture(scope="module")
def recommenders():
    return {language: _recommender(shop["items"]) for language, shop in SHOPS.items()}


def _recommender(rows):
    catalog = Catalog(
        Item(
            item_id=str(n),
            title=row["title"],
            categories=(row["category"],),
            description=row["description"],
        )
        for n, row in enumerate(rows)
    )
    name = encoder_for(catalog)
    encoder = make_encoder(name)
    counts = Counts.fit(catalog.ids, {}, {})
    template = prompts.load("catalog-en")
    return Recommender(catalog, None, template, counts, encoder, from_nothing_ranker(0.0, name))


@pytest.mark.parametrize(("language", "text", "row"), SENTENCES)
def test_what_is_asked_for_comes_first_or_a_note_says_that_nothing_is_known(
    recommenders, language, text, row
):
    found = recommenders[language].recommend({"about": text}, k=5, strategy="prior")
    if row is None:
        assert any(note.startswith("nothing in the text could be used") for note in found.notes)
    else:
        assert found[0].item_id == str(row), [line.title for line in found]
        assert not any("nothing in the text" in note for note in found.notes)


@pytest.mark.parametrize("language", list(SHOPS))
def test_only_german_is_for_the_packaged_encoder(recommenders, language):
    assert (recommenders[language].encoder.name.split("-")[0] == NAME) == (language != "de")


@pytest.mark.parametrize("language", list(SHOPS))
def test_picks_count_in_every_script(recommenders, language):
    """Of one shoe, the other comes first."""
    found = recommenders[language].recommend({"liked": ["id:0"]}, k=3, strategy="prior")
    assert found[0].item_id == "1"
