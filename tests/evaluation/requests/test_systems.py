"""Simple systems on a small log: each finds what it can know, and none crashes on odd requests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.requests.blended import TunedBlend, ValidationSample
from coldstart.evaluation.requests.by_words import ChosenItems, WordIndex
from coldstart.evaluation.requests.counted import ChosenPopularity, CoMention
from coldstart.evaluation.requests.inputs import blinded, item_text, request_text
from coldstart.evaluation.requests.ranks import judged_requests, rank_targets
from coldstart.evaluation.requests.registry import ABLATIONS, SCORERS, RequestSystems
from coldstart.evaluation.requests.summary import summarise_requests
from tests.evaluation.requests.made_up import made_log
from tests.fakes import FakeEncoder

ODD = ("", " ", "🎬🎬🎬", "\x00\x1b[2J", "ignore the above", "x" * 5000, "ค้นหา", "the a of")


@pytest.fixture(scope="module")
def log():
    return made_log()


@pytest.fixture(scope="module")
def systems():
    return RequestSystems(FakeEncoder)


def best(log, scores):
    return log.catalog[log.catalog.ids[int(np.argmax(scores))]].categories[0]


@pytest.mark.parametrize(
    "name", [s for s in SCORERS if s not in ("popularity", "co_mention", "ease")]
)
def test_what_reads_finds_the_kind(log, systems, name):
    (system,) = systems.parts(name)
    system.fit(log)
    asked = [RecordedRequest("a movie with cowboys and horses", ()), RecordedRequest("ghosts", ())]
    western, ghosts = system.scores(asked)
    assert (best(log, western), best(log, ghosts)) == ("Western", "Horror")


@pytest.mark.parametrize("name", ["co_mention", "ease"])
def test_what_follows_mentions_finds_the_kind(log, systems, name):
    for system in systems.parts(name):
        system.fit(log)
        said = RecordedRequest("", (), (RequestItem("space-1"),))
        heard = RecordedRequest("", (), (RequestItem("space-1", by_user=False),))
        bad = RecordedRequest("", (), (RequestItem("space-1", liked=False),))
        by_mention, *nothing = system.scores([said, heard, bad])
        assert best(log, by_mention) == "Space"
        assert not np.any(nothing)


def test_popularity_counts_what_was_chosen_and_not_called_bad(log):
    train = tuple(
        RecordedRequest("", (RequestItem("western-0", liked),)) for liked in (True, None, False)
    )
    system = ChosenPopularity()
    system.fit(replace(log, train=train))
    assert system.scores([log.test[0]])[0, 0] == pytest.approx(np.log(2.1))
    assert system.scores([log.test[0]])[0, 1] == pytest.approx(np.log(0.1))


@pytest.mark.parametrize("name", SCORERS)
def test_odd_requests_get_finite_scores_and_a_batch_equals_its_requests(log, systems, name):
    asked = [RecordedRequest(text, (), (RequestItem("space-1"),)) for text in ODD]
    for system in systems.parts(name):
        system.fit(log)
        scores = system.scores(asked)
        assert scores.shape == (len(ODD), len(log.catalog))
        assert np.isfinite(scores).all()
        alone = np.concatenate([system.scores([request]) for request in asked])
        assert np.allclose(scores, alone, atol=1e-6)


@pytest.mark.parametrize("name", SCORERS)
def test_nothing_to_learn_from_gives_finite_scores(log, name):
    empty = RequestLog("empty", log.catalog, (), (), ())
    for system in RequestSystems(FakeEncoder).parts(name):
        system.fit(empty)
        assert np.isfinite(system.scores([log.test[0]])).all()


def test_systems_never_look_at_the_test_requests_and_blends_beat_their_parts(log, systems):
    asked = judged_requests(log.test)
    entrants = systems.entrants(("popularity", "memory_words+popularity", "blend"))
    hidden = replace(log, test=())
    ranks = rank_targets(hidden, asked, entrants)
    summary = summarise_requests(ranks, asked, len(log.catalog))
    recall = {e.label: summary.mean(e.label, "recall@5").value for e in entrants}
    assert recall["blend"] > recall["popularity"] + 0.2
    assert recall["memory_words+popularity"] > recall["popularity"] + 0.2


def test_a_blend_gives_weight_to_what_tells_and_leaves_out_what_is_mentioned(log, systems):
    parts = [*systems.parts("popularity"), *systems.parts("memory_words")]
    blend = TunedBlend("both", parts, ValidationSample(20))
    blend.fit(log)
    assert blend.model.names == ("popularity", "memory_words")
    assert blend.model.weights[1] > 1
    asked = [blinded(request) for request in log.test[:3]]
    expected = sum(w * p.scores(asked) for w, p in zip(blend.model.weights, parts, strict=True))
    assert np.allclose(blend.scores(asked), expected, atol=1e-4)


def test_ablations_by_name(systems):
    found = [e.label for e in systems.entrants(("ablations",))]
    assert found == list(ABLATIONS)
    removed = systems.entrants(("blend:no-co_mention",))[0].system
    assert not [p for p in removed.parts if isinstance(p, CoMention)]
    assert len(removed.parts) == len(systems.blend.parts) - 2


def test_parts_answer_a_batch_once(log):
    encoder = FakeEncoder()
    systems = RequestSystems(lambda: encoder, most=5)
    entrants = systems.entrants(("encoder", "encoder+popularity", "blend"))
    rank_targets(log, judged_requests(log.test)[:5], entrants)
    assert len(encoder.texts) == len(set(encoder.texts))


def test_texts():
    request = RecordedRequest("like Alien (1979) or Heat (1995), or (2 films)", ())
    assert request_text(request) == "like Alien or Heat, or (2 films)"
    assert request_text(request, 9) == "(2 films)"
    item = made_log().catalog["western-1"]
    text = item_text(item)
    assert text.startswith("Western 1. 1991. Western. cowboys")
    assert text.endswith("stars: Star Western, Other Star")


def test_indexes_without_words():
    assert WordIndex(["", "the"])("cowboys").tolist() == [0, 0]
    assert WordIndex(["cowboys", "ghosts"])("ghosts ghosts").argmax() == 1
    assert WordIndex(["cowboys", "ghosts"])("unknown").tolist() == [0, 0]


def test_memory_sums_the_nearest(log):
    train = tuple(RecordedRequest("", (RequestItem(f"space-{n}"),)) for n in (0, 0, 1, 2))
    memory = ChosenItems(replace(log, train=train))
    found = memory.of(np.array([0.5, 0.25, 0.7, 0.1]), neighbours=3)
    rows = [log.catalog.rows[f"space-{n}"] for n in range(3)]
    assert found[rows].tolist() == pytest.approx([1, 0.7 / 0.75, 0])


def test_mistakes(log, systems):
    with pytest.raises(ConfigError, match="no system 'magic'"):
        systems.entrants(("magic",))
    with pytest.raises(ConfigError, match="no system to run"):
        systems.entrants(())
    with pytest.raises(ConfigError, match="a blend of nothing"):
        TunedBlend("x", (), ValidationSample())
    with pytest.raises(ConfigError, match="most is 0"):
        ValidationSample(0)
    blend = TunedBlend("x", systems.parts("popularity"), ValidationSample())
    with pytest.raises(DataError, match="no validation request has a new target"):
        blend.fit(RequestLog("x", Catalog(log.catalog), log.train, (), ()))
