"""A system under test that counts its calls."""

from coldstart.evaluation.baselines.selection import all_systems
from coldstart.evaluation.benchmark import System


class Counting:
    """A system that counts how often it is made and asked."""

    def __init__(self, name="counting", inner="item_knn", **more):
        self.made = self.asked = 0
        self._make = all_systems()[inner].make
        self.system = System(name, self.make, **more)

    def make(self, training, split, data):
        self.made += 1
        inner, outer = self._make(training, split, data), self

        class Asked:
            def recommend(self, profile, *, k=10):
                outer.asked += 1
                return inner.recommend(profile, k=k)

        return Asked()
