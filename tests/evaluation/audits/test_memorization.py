from __future__ import annotations

import numpy as np
import pytest
import torch

from coldstart import Catalog, Item
from coldstart.errors import ConfigError, DataError
from coldstart.evaluation.audits import memorization
from coldstart.evaluation.audits.title_completion import (
    Cue,
    half_titles,
    recall,
    rows,
    whole_titles,
)
from tests.evaluation.audits.worlds import make
from tests.fakes_lm import tiny_cohere, tiny_gpt2, tiny_llama
from tests.toy import toy_catalog


def test_cues_are_cut_from_titles():
    items = [
        Item(item_id="1", title="Heat", year=1995),
        Item(item_id="2", title="The Usual Suspects"),
        Item(item_id="3", title="Toy Story", year=1995),
    ]
    assert half_titles(items) == [
        Cue("2", "Title: The Usual", " Suspects"),
        Cue("3", "Title: Toy", " Story"),
    ]
    assert whole_titles(items, "film") == [
        Cue("1", "A film from 1995:", " Heat"),
        Cue("3", "A film from 1995:", " Toy Story"),
    ]
    assert rows(items, before=2) == [
        Cue("3", "1|Heat (1995)\n2|The Usual Suspects\n3|", "Toy Story")
    ]


@pytest.mark.parametrize("lm", [tiny_llama, tiny_gpt2, tiny_cohere])
def test_recall_is_what_one_finds_token_by_token(lm):
    lm = lm()
    cues = half_titles(list(toy_catalog())) + rows(list(toy_catalog()))
    for cue, found in zip(cues, recall(lm, cues, batch=5), strict=True):
        ids = lm.lines.encode(cue.context + cue.rest)
        start = next(n for n in range(len(ids), 0, -1) if cue.context.startswith(
            lm.lines.decode(ids[:n])))  # fmt: skip
        total, greedy = 0.0, True
        for at in range(start, len(ids)):
            with torch.inference_mode():
                logits = lm.model(torch.tensor([ids[:at]])).logits[0, -1].float()
            total += float(logits.log_softmax(0)[ids[at]])
            greedy &= int(logits.argmax()) == ids[at]
            if at == start:
                assert found.rank == 1 + int((logits > logits[ids[at]]).sum())
        assert found.item_id == cue.item_id
        assert found.greedy == greedy
        assert found.logprob == pytest.approx(total / (len(ids) - start), abs=1e-3)


def test_what_a_model_writes_greedily_is_completed():
    lm, tried = tiny_llama(), 0
    for item in toy_catalog():
        context = f"Title: {item.title}"
        ids = lm.lines.encode(context)
        with torch.inference_mode():
            order = lm.model(torch.tensor([ids])).logits[0, -1].argsort(descending=True)
        best, other = (lm.lines.decode([int(order[n])]) for n in (0, 40))
        if lm.lines.encode(context + best) != [*ids, int(order[0])]:
            continue  # the tokenizer writes this text another way
        tried += 1
        assert recall(lm, [Cue("1", context, best)])[0].greedy
        assert not other or not recall(lm, [Cue("1", context, other)])[0].greedy
    assert tried > 5


def test_recall_refuses_nonsense():
    lm = tiny_llama()
    with pytest.raises(ConfigError, match="batch is 0"):
        recall(lm, [], batch=0)
    with pytest.raises(DataError, match="'1': a cue of 3 tokens, 3 of them given"):
        recall(lm, [Cue("1", "\n\n\n", "")])
    with pytest.raises(DataError, match="at most 1024 in all"):
        recall(lm, [Cue("1", "a", " b" * 2000)])
    assert recall(lm, []) == []


def test_memory_by_popularity_and_year(rec):
    told = []
    found = memorization.audit_memory(rec, tiny_gpt2(), report=lambda *x: told.append(x))
    items = len(rec.catalog)
    assert (found.items, found.years) == (items, items)
    parts = {(c.probe, c.third): c.greedy.n for c in found.completed}
    assert parts["the year", "all"] == items
    assert parts["the rows before", "all"] == items - 2
    for probe in ("half a title", "the year", "the rows before"):
        assert parts[probe, "all"] == sum(parts.get((probe, t), 0) for t in memorization.THIRDS)
    whole = next(d for d in found.dated if d.third == "all")
    assert whole.gain.n == items
    assert 1 <= whole.median_rank <= items
    assert {what for what, _, _ in told} == {
        f"memory, {x}" for x in ("half a title", "the year", "the rows before", "years")
    }


def test_the_gain_of_a_year_is_that_of_a_model_that_knows_it():
    items = [Item(item_id=f"x{n}", title=f"T{n}", year=1990 + n) for n in range(6)]
    known = np.where(np.eye(6, dtype=bool), np.log(0.5), np.log(0.1))
    (row,) = memorization._dated(
        items, range(1990, 1996), known, {"all": {i.item_id for i in items}}, 0
    )
    assert row.median_rank == 1
    assert row.gain.value == pytest.approx(np.log(0.5) - np.log((0.5 + 5 * 0.1) / 6))
    assert row.shuffled.value < row.gain.value
    blind = np.log(np.full((6, 6), 1 / 6))
    (row,) = memorization._dated(
        items, range(1990, 1996), blind, {"all": {i.item_id for i in items}}, 0
    )
    assert row.gain.value == pytest.approx(0)


def test_a_catalog_without_years_or_long_titles_is_told_so():
    catalog = Catalog.from_items(
        Item(item_id=i.item_id, title="Xq9 " * 500 if i.item_id == "i5" else i.title)
        for i in toy_catalog()
    )
    found = memorization.audit_memory(make(catalog), tiny_llama())
    assert not found.dated
    assert {c.probe for c in found.completed} == {"half a title", "the rows before"}
    text = " ".join(found.left_out)
    assert "nothing is asked with the year" in text
    assert "fewer than two years" in text
    assert "1 of 15 titles are not asked with half a title" in text
