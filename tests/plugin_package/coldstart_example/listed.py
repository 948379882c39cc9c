"""An index: a dictionary of unit vectors."""

from coldstart.grounding.index.exact import ExactIndex


class ListedIndex(ExactIndex):
    """Compares all rows, and writes down what it was asked.

    Args:
        name: of the list.
    """

    def __init__(self, name="list"):
        super().__init__()
        self.name, self.searches = name, []

    def search(self, queries, k, allowed=None):
        """As ``ExactIndex``."""
        self.searches.append((len(queries), k))
        return super().search(queries, k, allowed)
