"""Generators, prompts and decoding parameters of the tests of remote generation."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from coldstart.generation.remote.vllm import VllmGenerator
from coldstart.schema import DecodingConfig
from tests.fakes_lm import tiny_llama
from tests.generation.remote.vllm_double import Fault, VllmDouble
from tests.waiting import PATIENCE

REAL = os.environ.get("COLDSTART_VLLM_URL")
SHIPPED = Path(__file__).parents[3] / "adapters" / "ml-100k"
RECORDED = Path(__file__).parents[2] / "data" / "vllm" / "recorded.json"
PROMPT = "Movies:\nToy Story\n"
TITLES = ["Toy Story", "Toy Story 2", "Toy", "Alien", "Aliens", "Fargo"]
SAMPLE = DecodingConfig(mode="sample", n=8, max_new_tokens=12)
BEAM = replace(SAMPLE, mode="beam", n=4)
DIVERSE = replace(BEAM, mode="diverse", groups=2)
KEY = "sk-canary-4711"


def connected(double: VllmDouble, **options) -> VllmGenerator:
    return VllmGenerator(double.url, **({"adapter": "ml-100k", "timeout": PATIENCE} | options))


def write(generator, config=SAMPLE, seed=0, choices=None, prompt=PROMPT):
    return generator.write(prompt, tiny_llama().lines, config, seed, choices)


def answer_of(text, logprobs=(-1.0,), reason="stop", index=0):
    return {
        "index": index,
        "text": text,
        "finish_reason": reason,
        "logprobs": {"token_logprobs": list(logprobs), "tokens": ["x"] * len(logprobs)},
    }


def answering(double: VllmDouble, *choices) -> VllmGenerator:
    """A generator that is greeted, and then given these completions."""
    remote = connected(double, retries=0)
    write(remote, replace(SAMPLE, n=1))
    double.faults.append(Fault(body={"choices": list(choices)}))
    return remote
