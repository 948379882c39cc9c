from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.audits import hallucinations
from coldstart.evaluation.audits.report import histogram
from coldstart.schema import Candidate
from tests.evaluation.audits.worlds import QUICK, make


def test_the_ledger_adds_up(cases, monkeypatch):
    rec = make()
    written = ("Toy Story", "Toy Stories", "qqqq", "fargo!")
    titles = [Candidate(text=text, logprob=-1.0, strategy="free") for text in written]
    model = rec.pipeline.resources.model
    monkeypatch.setattr(model, "write", lambda prompt, n, config, seed: titles[:n])
    told = []
    found = hallucinations.audit_ledger(rec, cases, modes=QUICK, report=lambda *x: told.append(x))
    entry = found.entries[0]
    users = sum(c.n_picks == 0 for c in cases)
    assert (entry.titles, entry.distinct) == (4 * users, 4)
    assert entry.exact.value == 0.5
    assert entry.similarity.value + entry.abstained.value == 0.5
    assert entry.picked.value == 0
    toy, fargo = (
        next(i.item_id for i in rec.catalog if i.title == t) for t in ("Toy Story", "Fargo")
    )
    three = [{p.item for p in c.profile.liked} for c in cases if c.n_picks == 3]
    expected = np.mean([((toy in p) + (fargo in p)) / 4 for p in three])
    assert found.entries[1].picked.value == pytest.approx(expected)
    assert sum(found.histogram["beam"]) == 2 * len(cases)
    assert [(x.text, x.times) for x in found.invented["beam"]] == [
        ("Toy Stories", len(cases)),
        ("qqqq", len(cases)),
    ]
    stories, noise = found.invented["beam"]
    assert stories.nearest.startswith("Toy Story")
    assert noise.outcome == "abstained"
    assert noise.similarity < found.threshold
    assert (stories.outcome == "similarity") == (stories.similarity >= found.threshold)
    assert told[-1] == (len(cases), len(cases))


def test_the_ledger_of_a_random_model_and_bad_input(rec, cases):
    found = hallucinations.audit_ledger(rec, cases[:2], modes=QUICK)
    for e in found.entries:
        assert e.exact.value + e.similarity.value + e.abstained.value == pytest.approx(1)
    with pytest.raises(ConfigError, match="no way of writing"):
        hallucinations.audit_ledger(rec, cases, modes={})
    with pytest.raises(DataError, match="no held-out user"):
        hallucinations.audit_ledger(rec, [])


@given(st.lists(st.tuples(st.floats(-1, 1), st.integers(1, 9))))
def test_every_similarity_has_a_tenth(values):
    assert sum(hallucinations.tenths(values)) == sum(n for _, n in values)


def test_tenths_and_bars_by_hand():
    found = hallucinations.tenths(
        [(-0.5, 1), (0.0, 1), (0.7, 2), (0.6999999, 4), (0.699, 8), (1.0, 16)]
    )
    assert found == (2, 0, 0, 0, 0, 0, 8, 6, 0, 16)
    assert histogram([200, 1, 0, 100]) == ["█" * 40, "█", "", "█" * 20]
    assert histogram([]) == []
