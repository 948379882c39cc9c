"""Obedience of tiny systems, and the report of it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.plots.of_report import charts_of
from coldstart.evaluation.sentences.obedience import (
    ALL,
    UNCOVERED,
    about_nothing,
    about_sentence,
    encoder_alone,
    judge,
)
from coldstart.evaluation.sentences.sentence_file import Sentence
from coldstart.evaluation.sentences.sentence_report import sentence_report
from coldstart.schema import Item
from tests.fakes import FakeEncoder

FILMS = [
    Item(
        item_id=str(n),
        title=f"{'Laughing' if n % 2 else 'Screaming'} {n}",
        year=1980 + n,
        categories=("Comedy",) if n % 2 else ("Horror",),
        min_age=8 if n % 2 else 17,
    )
    for n in range(40)
]
CATALOG = Catalog(FILMS)


def sentence(text, kind="positive", covered=True, **predicate):
    return Sentence(sentence=text, kind=kind, covered=covered, predicate=predicate)


COMEDY = sentence("comedies", all_of=["Comedy"])
NO_HORROR = sentence("no horror", "negated", none_of=["Horror"])
GIGGLE = sentence("I need to giggle", "indirect", covered=False, all_of=["Comedy"])
SENTENCES = (COMEDY, NO_HORROR, GIGGLE)


class Recommender:
    """Shows comedies to those who say the word, else everything in order."""

    def __init__(self):
        self.profiles = []

    def recommend(self, profile, *, k=10):
        self.profiles.append(profile)
        wants = "comedies" in (profile.about or "")
        ids = [i.item_id for i in CATALOG if not wants or "Comedy" in i.categories]
        return SimpleNamespace(item_ids=ids[:k])


def systems(recommender):
    return {
        "ours": about_sentence(recommender),
        "nothing": about_nothing(recommender),
        "encoder": encoder_alone(CATALOG, FakeEncoder()),
    }


@pytest.fixture
def run():
    return judge(systems(Recommender()), SENTENCES, CATALOG)


def test_obedience_is_the_share_of_shown_items_that_fulfil_the_sentence(run):
    ours = {s.sentence.sentence: s for s in run.shown if s.system == "ours"}
    assert {text: s.obedience for text, s in ours.items()} == {
        "comedies": 1.0, "no horror": 0.5, "I need to giggle": 0.5
    }  # fmt: skip
    assert ours["no horror"].fulfils == (False, True) * 5
    assert run.mean("ours") == pytest.approx(2 / 3)
    assert run.mean("nothing") == 0.5
    assert run.mean("ours", "negated") == run.mean("ours", UNCOVERED) == 0.5
    assert [m.group for m in run.means if m.system == "ours"] == [
        ALL, UNCOVERED, "indirect", "negated", "positive"
    ]  # fmt: skip
    for mean in run.means:
        assert 0 <= mean.low <= mean.mean <= mean.high <= 1
    assert run.against["nothing"].mean == pytest.approx(1 / 6)


def test_the_sentence_is_all_that_is_known_of_a_person():
    recommender = Recommender()
    judge(systems(recommender), SENTENCES, CATALOG)
    empty, *given = recommender.profiles
    assert empty.is_empty()
    assert [p.about for p in given] == [s.sentence for s in SENTENCES]
    assert all(p.model_dump(exclude_defaults=True).keys() == {"about"} for p in given)


def test_empty_places_fulfil_nothing_and_more_than_k_do_not_count():
    def shows(*ids):
        return judge({"x": lambda text: ids}, (COMEDY,), CATALOG).mean("x")

    assert shows("1", "3") == 0.2
    assert shows() == 0
    assert shows(*map(str, range(1, 40, 2))) == 1
    assert shows("unknown") == 0


def test_only_places_that_can_be_filled_count():
    rare = sentence("the last two comedies", "years", first=2016, all_of=["Comedy"])

    def shows(*ids):
        return judge({"x": lambda text: ids}, (rare,), CATALOG).shown[0]

    assert shows("37", "39", "1").places == 2
    assert shows("37", "39", "1").obedience == 1
    assert shows("1", "37", "39").obedience == 0.5
    assert shows("39").obedience == 0.5


def test_encoder_alone_ranks_by_cosine_of_title_and_categories():
    shown = encoder_alone(CATALOG, FakeEncoder(), k=5)
    assert shown("Laughing 7. Comedy")[0] == "7"
    assert len(shown("x")) == 5
    texts = [f"{i.title}. {i.categories[0]}" for i in CATALOG]
    similarity = FakeEncoder().encode(texts) @ FakeEncoder().encode(["Screaming horror"])[0]
    best = [CATALOG.ids[row] for row in np.argsort(-similarity, kind="stable")[:5]]
    assert list(shown("Screaming horror")) == best


def test_equal_runs_are_equal(run):
    assert judge(systems(Recommender()), SENTENCES, CATALOG) == run


def test_what_cannot_be_judged_is_left_out_or_refused():
    rare = sentence("from 2020", "years", first=2020)
    run = judge(systems(Recommender()), (*SENTENCES, rare), CATALOG)
    assert run.left_out == (rare,)
    assert all(s.sentence in SENTENCES for s in run.shown)
    with pytest.raises(ConfigError, match="3 systems and 0 sentences.*1 sentences were left out"):
        judge(systems(Recommender()), (rare,), CATALOG)
    with pytest.raises(ConfigError, match="0 systems"):
        judge({}, SENTENCES, CATALOG)
    with pytest.raises(DataError, match="category 'Wstern'"):
        judge(systems(Recommender()), (sentence("x", all_of=["Wstern"]),), CATALOG)


def test_one_sentence_has_no_comparison():
    assert judge(systems(Recommender()), (COMEDY,), CATALOG).against == {}


def test_progress_is_told():
    told = []
    judge(systems(Recommender()), SENTENCES, CATALOG, report=lambda *x: told.append(x))
    assert told == [("sentences", n, 3) for n in (1, 2, 3)]


# -- the report ------------------------------------------------------------------------------------


def test_report_lists_the_worst_sentences_with_what_was_shown(run, tmp_path):
    report = sentence_report(run, CATALOG, source="mine", command="coldstart …", worst=2)
    text = report.markdown()
    assert "# Sentences: mine, 3 judged" in text
    assert "| all | 3 | 0.667 (" in text
    assert "## “no horror”: 0.50" in text
    assert 'negated; {"none_of":["Horror"]}' in text
    assert "| Screaming 0 (1980) | no | Horror | 17 |" in text
    assert "## “comedies”" not in text  # the best one
    paths = report.save(tmp_path / "v1.2")
    ends = ["md", "html", "json", "by-kind.svg", "by-kind.png"]
    assert [p.name for p in paths] == [f"v1.2.{end}" for end in ends]
    data = json.loads((tmp_path / "v1.2.json").read_text(encoding="utf-8"))
    first = data["shown"][0]
    assert (first["system"], first["sentence"], first["obedience"]) == ("ours", "comedies", 1.0)
    assert first["items"][0] == {"item_id": "1", "title": "Laughing 1 (1981)", "fulfils": True}
    assert data["means"][0]["mean"] == pytest.approx(2 / 3)
    assert "Obedience@10 by kind of sentence" in (tmp_path / "v1.2.html").read_text("utf-8")


def test_report_says_what_was_left_out():
    rare = [sentence(f"from {year}", "years", first=year) for year in range(2020, 2027)]
    run = judge(systems(Recommender()), (*SENTENCES, *rare), CATALOG)
    (line,) = sentence_report(run, CATALOG, source="s", command="c").warnings
    assert line.startswith("7 sentences left out, as no available item")
    assert line.endswith("'from 2024' and 2 more")


def test_the_plot_has_every_kind_with_its_number_of_sentences(run):
    made = sentence_report(run, CATALOG, source="s", command="c")
    (chart,) = charts_of(made.to_dict())
    assert chart.title.startswith("Obedience@10 by kind")
    counts = {m.group: m.sentences for m in run.means}
    assert chart.groups == [f"{group} ({n})" for group, n in counts.items()]
    assert list(chart.bars) == list(dict.fromkeys(m.system for m in run.means))
    assert {len(row) for row in chart.bars.values()} == {len(counts)}
