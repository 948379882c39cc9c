"""A language model reads requests: exact probabilities of answers, the same in training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from coldstart.generation.reading import (
    AUDIENCES,
    MOST_TOKENS,
    NOTHING,
    LanguageModelReader,
    question_tree,
    reading_prompt,
)
from tests.fakes_lm import tiny_gpt2, tiny_llama

CATEGORIES = ("Comedy", "Crime", "Sci-Fi", "Western", "Children's")
TEXTS = ("something for the whole family", "", "🎬 红高粱", "a dark crime drama " * 60)
LINES = tiny_llama().lines
CUES = {"wanted": "Wants:\n", "avoided": "Avoids:\n", "audience": "For:\n"}


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2])
def test_answers_of_each_question_sum_to_one(make):
    for found in LanguageModelReader(make(), CATEGORIES).read(TEXTS):
        assert set(found.wanted) == set(found.avoided) == {*CATEGORIES, NOTHING}
        assert set(found.audience) == set(AUDIENCES)
        for answers in (found.wanted, found.avoided, found.audience):
            assert sum(answers.values()) == pytest.approx(1, abs=1e-6)
            assert min(answers.values()) > 0


def test_a_batch_equals_the_singles():
    reader = LanguageModelReader(tiny_llama(), CATEGORIES)
    for found, text in zip(reader.read(TEXTS), TEXTS, strict=True):
        (alone,) = reader.read([text])
        for name in CUES:
            assert getattr(found, name) == pytest.approx(getattr(alone, name), abs=1e-5)


def test_probabilities_are_those_of_writing_the_answer():
    """Next-token probabilities of each answer's line after its cue, over what continues a line."""
    lm, (text, *_) = tiny_llama(), TEXTS
    (found,) = LanguageModelReader(lm, CATEGORIES).read([text])
    for name, cue in CUES.items():
        answers = tuple(AUDIENCES) if name == "audience" else (*CATEGORIES, NOTHING)
        lines = {a: tuple(lm.lines.title(a)) for a in answers}
        start = [*reading_prompt(lm.lines, text), *lm.lines.line(cue)]
        for answer, tokens in lines.items():
            total = 0.0
            for n, token in enumerate(tokens):
                following = sorted({t[n] for t in lines.values() if t[:n] == tokens[:n] and t[n:]})
                if len(following) == 1:
                    continue
                ids = torch.tensor([[*start, *tokens[:n]]])
                with torch.inference_mode():
                    logits = lm.model(input_ids=ids).logits[0, -1, following].double()
                total += torch.log_softmax(logits, dim=0)[following.index(token)].item()
            assert getattr(found, name)[answer] == pytest.approx(np.exp(total), abs=1e-4), answer


def test_a_catalog_without_categories_can_still_be_read():
    (found,) = LanguageModelReader(tiny_llama(), ()).read(["toys"])
    assert found.wanted == pytest.approx({NOTHING: 1.0})


def test_long_requests_are_cut_at_the_front():
    cue = len(LINES.encode("Request:\n"))
    prompt = reading_prompt(LINES, "long " * 5000 + "the end")
    assert len(prompt) == cue + MOST_TOKENS
    assert tuple(prompt[-5:]) == LINES.line("the end\n")[-5:]
    assert reading_prompt(LINES, " toys\n") == reading_prompt(LINES, "toys")


def test_a_parent_comes_before_its_children():
    tree = question_tree(LINES, CATEGORIES)
    assert (tree.parents < np.arange(len(tree.tokens))).all()
    assert (tree.parents < 0).sum() == len(CUES)
    for name, plan in tree.plans.items():
        assert tree.places[name].shape == plan.edge_position.shape
        assert 0 <= tree.places[name].min() <= tree.places[name].max() < len(tree.tokens)
