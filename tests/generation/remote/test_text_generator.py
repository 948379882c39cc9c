"""One contract for the local model and a vLLM server.

The server is ``vllm_double.py`` around a tiny model. With ``COLDSTART_VLLM_URL`` set, the contract
is run against a real one instead, which has the default model and the shipped adapter as
``ml-100k`` (``benchmarks/vllm_check.py``).
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from coldstart import Recommender
from coldstart.generation.decoding.local import LocalGenerator
from coldstart.generation.remote import vllm
from coldstart.generation.remote.vllm import VllmGenerator
from coldstart.testing.contracts.text_generator import TextGeneratorContract
from tests.fakes_lm import tiny_llama
from tests.generation.remote.helpers import (
    BEAM,
    DIVERSE,
    REAL,
    SHIPPED,
    connected,
    write,
)
from tests.generation.remote.vllm_double import VllmDouble, serving
from tests.waiting import PATIENCE

# -- the contract ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shipped():
    return Recommender.from_pretrained(SHIPPED).pipeline.resources.model.lm


@pytest.mark.skipif(bool(REAL), reason="COLDSTART_VLLM_URL: run against that server instead")
class TestLocalGenerator(TextGeneratorContract):
    def make(self):
        return LocalGenerator(tiny_llama())

    def lines(self):
        return tiny_llama().lines


@pytest.mark.skipif(bool(REAL), reason="COLDSTART_VLLM_URL: run against that server instead")
class TestVllmGenerator(TestLocalGenerator):
    @pytest.fixture(autouse=True)
    def _remote(self, remote):
        self.remote = remote

    def make(self):
        return self.remote


@pytest.mark.skipif(not REAL, reason="COLDSTART_VLLM_URL names no server")
class TestLocalGeneratorOfTheShippedModel(TextGeneratorContract):
    @pytest.fixture(autouse=True)
    def _shipped(self, shipped):
        self.lm = shipped

    def make(self):
        return LocalGenerator(self.lm)

    def lines(self):
        return self.lm.lines


@pytest.mark.skipif(not REAL, reason="COLDSTART_VLLM_URL names no server")
class TestRealVllmGenerator(TestLocalGeneratorOfTheShippedModel):
    # A server lets a choice be spelled in other tokens, too, and tells the probability of one.
    certain = 3.0

    def make(self):
        return VllmGenerator(REAL, adapter="ml-100k", timeout=PATIENCE)


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
