"""A trained recommender takes part under each strategy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coldstart.catalog.catalog import Catalog
from coldstart.data.requests.recorded import RecordedRequest, RequestItem, RequestLog
from coldstart.errors import DataError
from coldstart.evaluation.requests.ranks import Entrant, rank_targets
from coldstart.evaluation.requests.registry import RequestSystems
from coldstart.evaluation.requests.trained import (
    SILENCED,
    TrainedRecommender,
    TrainedSystem,
    profile_of,
)
from coldstart.ranking.filters import Known
from coldstart.schema import Item, UserProfile
from coldstart.scoring.registry import SIGNALS
from tests.fakes import FakeEncoder
from tests.toy import toy_recommender


@pytest.fixture(scope="module")
def trained():
    return TrainedRecommender(toy_recommender)


@pytest.fixture(scope="module")
def log(trained):
    ids = trained.recommender.catalog.ids
    asked = RecordedRequest(
        "something like it",
        (RequestItem(ids[0]),),
        (RequestItem(ids[3]), RequestItem(ids[4], by_user=False)),
    )
    return RequestLog("toy", trained.recommender.catalog, (asked,), (asked,), (asked,))


def test_profiles_have_what_was_known():
    request = RecordedRequest(
        " more of this ",
        (RequestItem("9"),),
        (RequestItem("1"), RequestItem("2", by_user=False), RequestItem("3", liked=False)),
        profile=UserProfile(age=30, about="not used"),
    )
    made = profile_of(request)
    assert made.age == 30
    assert made.about.strip() == "more of this"
    assert [pick.item for pick in made.liked] == ["1", "2", "3"]  # opinions are not known yet
    assert not made.seen
    assert not made.disliked
    assert len(profile_of(RecordedRequest("x" * 100_000, ())).about) == 20_000


def test_ranks_are_those_of_the_list(trained, log):
    system = TrainedSystem(trained, "prior")
    found = rank_targets(log, log.test, [Entrant(system)])["trained:prior"]
    profile = profile_of(log.test[0])
    whole = trained.recommender.recommend(
        profile, k=1000, strategy="prior", filters=[Known()], near_duplicates=True
    )
    assert list(found.top[0]) == whole.item_ids[:10]
    assert found.rank.tolist() == [whole.item_ids.index(log.test[0].targets[0])]


def test_a_batch_equals_its_requests(trained, log):
    system = TrainedSystem(trained, "prior")
    system.fit(log)
    asked = [*log.test, RecordedRequest("", ()), RecordedRequest("🎬" * 30_000, ())]
    together = system.scores(asked)
    assert np.array_equal(together, np.concatenate([system.scores([one]) for one in asked]))


def test_names(trained):
    systems = RequestSystems(FakeEncoder, trained=trained)
    labels = {e.label for e in systems.entrants()}
    assert {"trained:prior", "trained:catalog"} <= labels
    assert "trained:free" not in labels
    assert [e.label for e in systems.entrants(("trained:both:no-text",))] == [
        "trained:both:no-text"
    ]
    assert "trained:prior:shuffled-text" in {e.label for e in systems.entrants(("ablations",))}
    assert "trained:prior" not in {e.label for e in RequestSystems(FakeEncoder).entrants()}


def test_a_silent_scorer_has_no_part_in_the_scores(trained, log):
    whole, silent = (
        TrainedSystem(trained, "prior"),
        TrainedSystem(trained, "prior", silent="stated"),
    )
    assert silent.name == "trained:prior:no-stated"
    for system in (whole, silent):
        system.fit(log)
    ours, asked = trained.recommender, replace(log.test[0], text="a film about space")
    user = ours.resolve(profile_of(asked))
    features, weights = ours.features(user), ours.ranker.weights("prior", len(user.liked))
    own = [SIGNALS.index(name) for name in ("alike", "words", "interests", "dislikes")]
    features[:, own] = 0.0
    rows = [ours.catalog.rows[i] for i in log.catalog.ids]
    expected = ours.ranker.scores(features, weights, "prior")[rows]
    assert np.allclose(silent.scores([asked])[0], expected)
    assert not np.allclose(whole.scores([asked])[0], expected)


def test_every_scorer_that_can_be_silenced_exists():
    assert set(SILENCED) <= {scorer.name for scorer in SIGNALS.make_scorers()}


def test_a_recommender_of_another_catalog_is_refused(trained):
    other = RequestLog("films", Catalog([Item(item_id="zz", title="Z")]), (), (), ())
    with pytest.raises(DataError, match="lacks 1 items of films, first 'zz'"):
        TrainedSystem(trained, "prior").fit(other)
