"""Several recommenders behind one: what they agree on comes first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart import UserProfile
from coldstart.ensemble import RRF, Ensemble
from coldstart.errors import ConfigError, ProfileError
from coldstart.evaluation.baselines.scored import ScoredBaseline
from coldstart.evaluation.case_metrics import mean_by_picks
from coldstart.evaluation.cases import prefix_cases
from coldstart.interactions.interaction_stats import Counts
from coldstart.ranking.filters import Where, default_filters
from coldstart.testing.contracts.recommender import RecommenderContract
from tests.toy import toy_dataset

DATA = toy_dataset()
IDS = DATA.catalog.ids
COUNTS = Counts.fit(IDS, DATA.users, DATA.likes)
NOBODY = UserProfile()


def ranking(order):
    """A recommender that always ranks the catalog's rows in this order."""
    place = {row: n for n, row in enumerate(order)}
    scores = [float(-place.get(row, len(IDS))) for row in range(len(IDS))]
    return ScoredBaseline(DATA.catalog, COUNTS, lambda profile: scores)


class TestEnsemble(RecommenderContract):
    def make(self):
        return Ensemble([ranking([3, 1, 2]), ranking([9, 4, 3, 0])], [2.0, 1.0])

    def item_ids(self):
        return IDS


def test_alone_a_member_is_itself():
    one = ranking([3, 1, 2])
    alone = Ensemble([one])
    assert alone.recommend(NOBODY, k=7).item_ids == one.recommend(NOBODY, k=7).item_ids


def test_scores_are_the_formula_and_ranks_count_from_one():
    found = Ensemble([ranking([0, 1, 2]), ranking([1, 2, 0])], [1.5, 1.0], depth=3).recommend(
        NOBODY, k=3
    )
    assert found.item_ids == [IDS[1], IDS[0], IDS[2]]
    places = ((2, 1), (1, 3), (3, 2))
    expected = [1.5 / (RRF + a) + 1 / (RRF + b) for a, b in places]
    assert [r.score for r in found] == pytest.approx(expected)
    assert [r.rank for r in found] == [1, 2, 3]
    assert found.k == 3


@given(st.permutations(range(8)), st.permutations(range(8)), st.integers(1, 8))
def test_no_item_twice_and_what_both_prefer_is_before(one, other, k):
    found = Ensemble([ranking(one), ranking(other)]).recommend(NOBODY, k=k)
    assert len(set(found.item_ids)) == k
    rows = [IDS.index(i) for i in found.item_ids]
    for a, b in zip(rows, rows[1:], strict=False):
        assert not (one.index(b) < one.index(a) and other.index(b) < other.index(a))


def test_a_member_without_weight_says_nothing():
    found = Ensemble([ranking([0, 1, 2]), ranking([5, 4, 3])], [1, 0]).recommend(NOBODY, k=3)
    assert found.item_ids == [IDS[0], IDS[1], IDS[2]]


def test_picks_are_not_shown_and_mappings_are_profiles():
    both = Ensemble([ranking([0, 1, 2]), ranking([1, 0, 2])])
    assert IDS[0] not in both.recommend({"liked": [IDS[0]]}, k=5).item_ids
    with pytest.raises(ProfileError):
        both.recommend({"age": "old"}, k=5)


@pytest.mark.parametrize(
    ("members", "options"),
    [
        ([], {}),
        ([ranking([0])], {"weights": [1, 1]}),
        ([ranking([0])], {"weights": [-1]}),
        ([ranking([0])], {"weights": [0]}),
        ([ranking([0])], {"weights": [float("nan")]}),
        ([ranking([0])], {"depth": 0}),
    ],
)
def test_what_makes_no_ensemble_is_refused(members, options):
    with pytest.raises(ConfigError):
        Ensemble(members, **options)


def test_what_a_member_dropped_is_not_brought_in_by_another(shipped):
    plain = ScoredBaseline(shipped.catalog, shipped.counts, lambda profile: shipped.counts.likes)
    star_wars = plain.recommend(NOBODY, k=1).item_ids[0]

    class Without:
        def recommend(self, profile, *, k=10):
            hidden = [*default_filters(), Where(lambda item: item.item_id != star_wars)]
            return shipped.recommend(profile, k=k, strategy="prior", filters=hidden)

    found = Ensemble([Without(), plain]).recommend(NOBODY, k=20)
    assert star_wars not in found.item_ids
    assert star_wars in [one.item_id for one in found.dropped]


def test_members_without_weight_are_not_asked():
    class Never:
        def recommend(self, profile, *, k=10):
            raise AssertionError

    assert len(Ensemble([ranking([0]), Never()], [1, 0]).recommend(NOBODY, k=3)) == 3


@pytest.mark.parametrize("k", [0, 1001])
def test_lengths_out_of_range_are_refused(k):
    with pytest.raises(ConfigError, match="1 to 1000"):
        Ensemble([ranking([0])]).recommend(NOBODY, k=k)


def test_the_harness_measures_it():
    cases = prefix_cases(DATA, list(DATA.likes)[:3], [0])
    found = mean_by_picks(Ensemble([ranking(range(9)), ranking(range(3, 9))]), cases)
    assert 0 <= found[0] <= 1


def test_strategies_of_an_artifact_can_be_joined(shipped):
    class Prior:
        def recommend(self, profile, *, k=10):
            return shipped.recommend(profile, k=k, strategy="prior")

    found = Ensemble([shipped, Prior()]).recommend(UserProfile(liked=["50"]), k=5)
    assert len(found) == 5
    assert all(r.reason and r.provenance.contributions for r in found)
