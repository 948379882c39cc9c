"""Random examples of property tests: by Hypothesis if it is installed, else by seeds."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from random import Random
from typing import Any

Test = Callable[..., None]


def random_examples(most: int = 100) -> Callable[[Test], Test]:
    """Run a test method with many values of its argument ``rng``, a ``random.Random``.

    Hypothesis shrinks what a failing example drew from it.

    Args:
        most: number of examples.
    """

    def decorate(test: Test) -> Test:
        try:
            from hypothesis import HealthCheck, given, settings
            from hypothesis import strategies as st
        except ImportError:
            return _by_seeds(test, most)
        # One contract is run for several classes, whose fixtures may last for all examples.
        unfit = [HealthCheck.differing_executors, HealthCheck.function_scoped_fixture]
        unfit.append(HealthCheck.too_slow)
        run = settings(max_examples=most, deadline=None, suppress_health_check=unfit)
        # Without true randomness every draw is recorded, so that it can be shrunk.
        randoms = st.randoms(note_method_calls=False, use_true_random=False)
        made: Test = run(given(rng=randoms)(test))
        return made

    return decorate


def _by_seeds(test: Test, most: int) -> Test:
    signature = inspect.signature(test)
    others = [p for p in signature.parameters.values() if p.name != "rng"]

    def run(*args: Any, **named: Any) -> None:
        for seed in range(most):
            test(*args, rng=Random(seed), **named)

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    run.__signature__ = signature.replace(parameters=others)  # type: ignore[attr-defined]
    return run
