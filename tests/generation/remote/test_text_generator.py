"""One contract for the local model and a vLLM server.

The server is ``vllm_double.py`` around a tiny model. With ``COLDSTART_VLLM_URL`` set, the contract
is run against a real one instead, which has the default model and the shipped adapter as
``ml-100k`` (``benchmarks/vllm_check.py``).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from coldstart import Recommender
from coldstart.catalog.titles import clean_text
from coldstart.errors import ConfigError, ModelError
from coldstart.generation.decoding.local import MOST_CHOICES, LocalGenerator
from coldstart.generation.remote import vllm
from coldstart.generation.remote.vllm import VllmGenerator
from coldstart.protocols import TextGenerator
from tests.fakes_lm import tiny_llama
from tests.generation.remote.helpers import (
    BEAM,
    DIVERSE,
    MODES,
    PROMPT,
    REAL,
    SAMPLE,
    SHIPPED,
    TITLES,
    connected,
    write,
)
from tests.generation.remote.vllm_double import VllmDouble, serving
from tests.waiting import PATIENCE

# -- the contract ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return Recommender.from_pretrained(SHIPPED).pipeline.resources.model.lm


@pytest.fixture(params=["local", "real" if REAL else "remote"])
def generator(request):
    """A generator, as a function of what it is asked."""
    lm = request.getfixturevalue("shipped") if REAL else tiny_llama()
    if request.param == "local":
        made = LocalGenerator(lm)
    elif REAL:
        made = VllmGenerator(REAL, adapter="ml-100k", timeout=PATIENCE)
    else:
        made = connected(request.getfixturevalue("double"))
    assert isinstance(made, TextGenerator)
    return lambda *args, prompt=PROMPT, **more: made.write(prompt, lm.lines, *args, **more)


@MODES
@pytest.mark.parametrize("n", [1, 4])
def test_distinct_clean_titles_best_first(generator, config, n):
    found = generator(replace(config, n=n))
    texts = [c.text for c in found]
    assert 1 <= len(found) <= n
    assert len(set(texts)) == len(texts)
    assert [c.logprob for c in found] == sorted((c.logprob for c in found), reverse=True)
    assert all(c.strategy == "free" and c.item_ids == () and c.logprob < 0 for c in found)
    assert all(text == clean_text(text) != "" for text in texts)


@MODES
def test_the_same_arguments_give_the_same_titles(generator, config):
    first, again = generator(config, seed=3), generator(config, seed=3)
    assert [c.text for c in first] == [c.text for c in again]
    assert [c.logprob for c in first] == pytest.approx([c.logprob for c in again], abs=0.1)


def test_drawing_follows_its_seed_and_the_prompt(generator):
    def drawn(**options):
        return [c.text for c in generator(SAMPLE, **options)]

    assert drawn(seed=1) != drawn(seed=2)
    assert drawn(seed=1) != drawn(seed=1, prompt="Movies:\nThe Matrix\n")


@MODES
def test_choices_are_all_that_is_written(generator, config):
    found = generator(replace(config, n=4), choices=[*TITLES, "Toy"])
    assert 1 <= len(found) <= 4
    assert {c.text for c in found} <= set(TITLES)
    assert len({c.text for c in found}) == len(found)
    assert [c.logprob for c in found] == sorted((c.logprob for c in found), reverse=True)


def test_the_only_choice_is_certain(generator):
    title = 'Say "Hi" \\ there: 红高粱 – été [REC]'
    (found,) = generator(SAMPLE, choices=[title])
    assert found.text == title
    # A server lets it be spelled in other tokens, too, and tells the probability of one spelling.
    assert found.logprob == pytest.approx(0, abs=3.0 if REAL else 1e-3)


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ([], "0 choices, expected 1 to 200"),
        ([f"Title {n}" for n in range(MOST_CHOICES + 1)], "201 choices"),
        (["Alien", "Ali\nen"], "choice 'Ali"),
        (["Alien", "  "], "choice '  '"),
    ],
)
def test_choices_that_are_none(generator, choices, told):
    with pytest.raises(ConfigError, match=told):
        generator(SAMPLE, choices=choices)


def test_prompts_that_cannot_be_read(generator):
    with pytest.raises(ModelError, match="the prompt has no tokens"):
        generator(SAMPLE, prompt="")
    with pytest.raises(ModelError, match=r"the model takes \d+"):
        generator(SAMPLE, prompt="a\n" * 8192)


# -- against the local model ----------------------------------------------------------------------


@pytest.mark.parametrize("config", [BEAM, DIVERSE], ids=lambda c: c.mode)
def test_a_search_over_the_wire_finds_what_the_local_one_finds(monkeypatch, config):
    monkeypatch.setattr(vllm, "MOST_LOGPROBS", 330)  # the whole vocabulary
    config = replace(config, n=6)
    with serving(VllmDouble(tiny_llama(), most_logprobs=330)) as double:
        found = write(connected(double), config)
    expected = write(LocalGenerator(tiny_llama()), config)
    assert [c.text for c in found] == [c.text for c in expected]
    assert [c.logprob for c in found] == pytest.approx([c.logprob for c in expected], abs=1e-3)


@pytest.mark.skipif(not REAL, reason="COLDSTART_VLLM_URL names no server")
def test_a_real_server_agrees_with_the_local_model(shipped):
    prompt = "Favourite movies:\nToy Story\nAlien\n"
    found = VllmGenerator(REAL, adapter="ml-100k", timeout=PATIENCE).write(
        prompt, shipped.lines, replace(BEAM, n=6, max_new_tokens=10)
    )
    expected = LocalGenerator(shipped).write(
        prompt, shipped.lines, replace(BEAM, n=12, max_new_tokens=10)
    )
    known = {c.text: c.logprob for c in expected}
    both = [c for c in found if c.text in known]
    assert len(both) >= 5
    assert [c.logprob for c in both] == pytest.approx([known[c.text] for c in both], abs=0.25)
