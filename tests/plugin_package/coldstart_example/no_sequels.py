"""A filter."""


class NoSequels:
    """Drops items whose title ends in a number.

    Args:
        up_to: numbers above are no sequels, but years.
    """

    name = "no-sequels"

    def __init__(self, up_to=20):
        self.up_to = up_to

    def reject(self, item, profile, context):
        """Name the number."""
        last = item.title.split()[-1]
        return f"number {last}" if last.isdecimal() and 1 < int(last) <= self.up_to else None
