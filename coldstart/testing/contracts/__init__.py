"""Contract tests: what every implementation of a protocol must do, one class per protocol.

Subclass, say how to make one, and run pytest:

    from coldstart.testing.contracts.index import IndexContract

    class TestMyIndex(IndexContract):
        def make(self):
            return MyIndex()

They need pytest and numpy. With Hypothesis installed, properties are checked on more examples, and
failing ones are shrunk.
"""
