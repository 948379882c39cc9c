"""Grounding of written Chinese titles: by an encoder that knows them, or not at all."""

import pytest

from coldstart.artifacts.loading import make_encoder
from coldstart.catalog.catalog import Catalog
from coldstart.encoding.ngram_encoder import NgramEncoder
from coldstart.grounding.grounder import Grounder
from coldstart.grounding.index.exact import ExactIndex
from coldstart.runtime.models import DEFAULT_ENCODER
from coldstart.schema import Item

TITLES = ("不锈钢汤锅", "女款缓震跑鞋", "帆布鞋", "棉拖鞋", "瑜伽垫")


def grounded(encoder, text):
    catalog = Catalog(Item(item_id=title, title=title) for title in TITLES)
    grounder = Grounder(encoder, ExactIndex())
    grounder.sync(catalog)
    (found,) = grounder.ground_texts([text])
    return found.method, [match.item_id for match in found.matches]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("不銹鋼湯鍋", ("exact", ["不锈钢汤锅"])),
        ("女款缓震跑步鞋", ("similarity", ["女款缓震跑鞋"])),
        ("电饭锅", ("abstained", [])),
    ],
)
def test_ngrams_ground_what_shares_characters(text, expected):
    assert grounded(NgramEncoder(), text) == expected


@pytest.mark.parametrize(
    ("text", "method"),
    [("不銹鋼湯鍋", "exact"), ("电饭锅", "abstained"), ("女款跑鞋", "abstained")],
)
def test_an_english_encoder_takes_no_part(text, method):
    """Its vectors of unknown characters are all the same, with cosines of 1."""
    assert grounded(make_encoder(DEFAULT_ENCODER), text)[0] == method
