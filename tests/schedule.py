"""Which worker runs which tests: whole files, the long ones first, some folders as one.

pytest-xdist hands out the files with the most tests first, wherever they are. What a folder shares,
such as a browser or a database server, is then started again for each of its files and by each
worker, and a long file with few tests comes last, when the other worker has nothing left to do.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/serve/page", "tests/serve/store", "tests/grounding/server_index")
"""Folders whose files share something costly: one worker runs all of each."""

LONG = (
    "tests/serve/page",
    "tests/training/test_distributed.py",
    "tests/test_notebooks.py",
    "tests/serve/test_ray_serve.py",
    "tests/test_readme.py",
    "tests/serve/store",
    "tests/export/test_export.py",
    "tests/test_shipped.py",
    "tests/grounding/server_index",
    "tests/training/test_training.py",
    "tests/pipeline/test_newcomers.py",
    "tests/test_extending.py",
    "tests/test_default_artifact.py",
    "tests/test_plugins.py",
    "tests/evaluation/audits/test_auditor.py",
    "tests/evaluation/sentences/test_shop.py",
)
"""Folders and files that take longest (``pytest --durations=100``), the longest first."""


def place_of(nodeid: str) -> str:
    """The folder or file of a test that one worker runs as a whole."""
    file = nodeid.partition("::")[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def longest_first(items: list[pytest.Item]) -> None:
    """Sort tests in place by ``LONG``; all others stay in their order behind them."""
    rank = {place: n for n, place in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(place_of(item.nodeid), len(LONG)))


class Schedule(LoadFileScheduling):
    """Hand out files and folders in the order of the collection."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return place_of(nodeid)
