"""Contract of ``protocols.Recommends``: recommenders, ensembles and baselines."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection
from random import Random

from coldstart.protocols import Recommends
from coldstart.schema import UserProfile
from coldstart.testing.contracts.examples import random_examples


class RecommenderContract(ABC):
    """Complete lists of distinct items, best first, none of them named by the user."""

    @abstractmethod
    def make(self) -> Recommends:
        """A trained recommender; may be the same one every time."""

    @abstractmethod
    def item_ids(self) -> Collection[str]:
        """Ids of all items that it may recommend."""

    def test_it_recommends(self) -> None:
        """It has the method."""
        assert isinstance(self.make(), Recommends)

    @random_examples(40)
    def test_lists_are_complete_and_new_to_the_user(self, rng: Random) -> None:
        """Of k items, or all that are left; no pick or named title, no seen item, no repeats."""
        profile, k = self._profile(rng), rng.randint(1, 30)
        found = self.make().recommend(profile, k=k)
        picks = (*profile.liked, *profile.disliked, *profile.seen)
        named = {*found.understood.liked, *found.understood.disliked}
        allowed = set(self.item_ids()) - {pick.item for pick in picks} - named
        assert set(found.item_ids) <= allowed
        assert len(found) == len(set(found.item_ids)) == min(k, len(allowed))

    @random_examples(20)
    def test_lines_are_ranked_by_score(self, rng: Random) -> None:
        """Ranks count from 1, and scores are finite and never rise."""
        found = self.make().recommend(self._profile(rng), k=rng.randint(1, 30))
        scores = [line.score for line in found]
        assert [line.rank for line in found] == list(range(1, len(found) + 1))
        assert all(math.isfinite(score) for score in scores)
        assert scores == sorted(scores, reverse=True)

    @random_examples(20)
    def test_the_same_profile_gives_the_same_list(self, rng: Random) -> None:
        """Requests in between leave no trace."""
        made, profile = self.make(), self._profile(rng)
        first = made.recommend(profile, k=5)
        made.recommend(self._profile(rng), k=3)
        assert made.recommend(profile, k=5) == first

    @random_examples(20)
    def test_a_shorter_list_begins_a_longer_one(self, rng: Random) -> None:
        """K does not change the order."""
        made, profile = self.make(), self._profile(rng)
        whole = made.recommend(profile, k=8)
        assert made.recommend(profile, k=3).item_ids == whole.item_ids[:3]

    def test_nothing_need_be_said(self) -> None:
        """An empty profile gets a list."""
        assert len(self.make().recommend(UserProfile(), k=2)) == min(2, len(self.item_ids()))

    def _profile(self, rng: Random) -> UserProfile:
        ids = sorted(self.item_ids())

        def some() -> list[str]:
            return [rng.choice(ids) for _ in range(rng.randint(0, 3))]

        said = {
            "age": rng.choice([None, 0, 24, 130]),
            "gender": rng.choice([None, "F", "M", "女"]),
            "occupation": rng.choice([None, "student", "a new one"]),
            "interests": rng.sample(["Sci-Fi", "Drama", "what is that?"], rng.randint(0, 2)),
            "about": rng.choice([None, "films about toys", "红高粱"]),
            "liked": some(),
            "disliked": some(),
            "seen": some(),
            "history": rng.random() < 0.5,
        }
        return UserProfile.parse(said)
