"""``coldstart generate``."""

from __future__ import annotations

import json

import pytest

from tests.cli.helpers import fails

pytestmark = pytest.mark.usefixtures("fake")


def test_generate_shows_where_titles_landed(run, fake):
    code, out, err = run("generate", "--liked", "3", "-n", 2)
    assert (code, err) == (0, "")
    assert "Toy Story (1995)" in out
    assert "-1.50" in out
    assert "nothing like it" in out
    assert fake.calls[0]["decoding"] is None
    assert fake.calls[0]["n"] == 2


def test_generate_as_json(run):
    answer = json.loads(run("generate", "--json")[1])
    assert answer["abstained"] == 1
    assert answer["candidates"][0] == {
        "text": "Toy Story",
        "logprob": -1.5,
        "strategy": "catalog",
        "method": "exact",
        "matches": [{"item_id": "1", "similarity": 1.0, "title": "Toy Story"}],
    }


def test_decoding_options_are_for_free_titles(run, fake):
    fails(run("generate", "--top-p", 0.5), "--top-p", "--strategy free")
    run("generate", "--strategy", "free", "--mode", "beam", "--temperature", 0.5, "-n", 3)
    decoding = fake.calls[0]["decoding"]
    assert (decoding.mode, decoding.n, decoding.temperature) == ("beam", 3, 0.5)
