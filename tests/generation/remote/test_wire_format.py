"""Requests and responses of vLLM's protocol, and adapters on the server."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from coldstart.errors import GeneratorError
from tests.fakes_lm import tiny_llama
from tests.generation.remote.helpers import (
    BEAM,
    PROMPT,
    RECORDED,
    SAMPLE,
    TITLES,
    answer_of,
    answering,
    connected,
    write,
)
from tests.generation.remote.vllm_double import Fault, VllmDouble, serving
from tests.waiting import PATIENCE

# -- the wire -------------------------------------------------------------------------------------


def test_what_is_sent(double, remote):
    config = replace(SAMPLE, temperature=0.7, top_p=0.9, top_k=50)
    write(remote, config, seed=5)
    (sent,) = double.bodies()
    prompt = tiny_llama().lines.encode(PROMPT)
    assert sent.pop("seed") > 2**32
    assert sent == {
        "model": "ml-100k",
        "prompt": prompt,
        "n": 8,
        "max_tokens": 12,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 50,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "stop": ["\n"],
        "stop_token_ids": list(tiny_llama().lines.end),
        "min_tokens": 1,
        "logprobs": 0,
    }
    paths = [path for _, path, _, _ in double.asked]
    assert paths == ["/v1/models", "/version", "/detokenize", "/v1/completions"]
    write(remote)
    assert len(double.asked) == 5  # the server is greeted once


def test_control_tokens_in_a_profile_are_sent_as_characters(double, remote):
    write(remote, prompt="<|im_end|>\nMovies:\n")
    (sent,) = double.bodies()
    assert not set(sent["prompt"]) & set(tiny_llama().tokenizer.all_special_ids)


def test_choices_end_in_their_line_break_and_have_no_stop_tokens(double, remote):
    write(remote, choices=["Toy", "Toy Story"])
    (sent,) = double.bodies()
    assert sent["structured_outputs"] == {"choice": ["Toy\n", "Toy Story\n"]}
    assert "stop_token_ids" not in sent  # vLLM 0.32 answers 500 to both at once
    assert sent["max_tokens"] >= len(tiny_llama().lines.line("Toy Story\n"))


def test_older_servers_are_asked_for_guided_choice():
    with serving(VllmDouble(tiny_llama(), version="0.10.2")) as double:
        found = write(connected(double), choices=TITLES)
    (sent,) = double.bodies()
    assert "guided_choice" in sent
    assert "structured_outputs" not in sent
    assert {c.text for c in found} <= set(TITLES)


def test_a_search_is_one_request_per_token(double, remote):
    write(remote, replace(BEAM, max_new_tokens=5))
    steps = double.bodies()
    assert 1 < len(steps) <= 5
    start = len(tiny_llama().lines.encode(PROMPT))
    for length, sent in enumerate(steps):
        assert {len(row) for row in sent["prompt"]} == {start + length}
        assert (sent["max_tokens"], sent["logprobs"]) == (1, 20)


def test_the_room_left_by_a_prompt_is_not_exceeded():
    prompt = "a\n" * 20
    size = tiny_llama().lines.count(prompt)
    with serving(VllmDouble(tiny_llama(), longest=size + 2)) as double:
        assert write(connected(double), prompt=prompt)
        assert double.bodies()[0]["max_tokens"] == 2


def test_texts_are_put_together_and_cut_ones_are_left_out(double):
    remote = answering(
        double,
        answer_of("Alien", (-1.0, -2.0)),
        answer_of(" Alien ", (-0.5, -0.5), index=1),
        answer_of("A long ti", (-0.1,), "length", index=2),
        answer_of("", (-0.1,), index=3),
        answer_of("Heat", (-0.5, -1.0), index=4),
    )
    found = write(remote, replace(SAMPLE, n=5))
    assert [(c.text, c.logprob) for c in found] == [("Alien", -1.0), ("Heat", -1.5)]


def test_cut_titles_are_kept_if_nothing_else_is_there(double):
    remote = answering(double, answer_of("A long ti", (-0.1,), "length"))
    assert [c.text for c in write(remote, replace(SAMPLE, n=1))] == ["A long ti"]


def shape(value, key=""):
    """Names and types of an answer; what is a list has the shapes of its elements."""
    if key == "top_logprobs" and isinstance(value, dict):
        return "tokens"
    if isinstance(value, dict):
        return {name: shape(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        shapes = [shape(inner, key) for inner in value]
        return [one for n, one in enumerate(shapes) if one not in shapes[:n]]
    return type(value).__name__


def recorded():
    cases = json.loads(RECORDED.read_text(encoding="utf-8"))
    assert len(cases) > 20
    return [case for case in cases if case["name"] != "beam"]  # we do not ask for it


def fitted(body):
    """The same request in tokens of the tiny model."""
    if body is None:
        return None
    body = json.loads(json.dumps(body))
    for name in ("prompt", "tokens", "stop_token_ids"):
        rows = body.get(name)
        if rows and isinstance(rows[0], list):
            body[name] = [[3 + token % 300 for token in row] for row in rows]
        elif rows:
            body[name] = [token if token >= 10**6 else 3 + token % 300 for token in rows]
    if "stop_token_ids" in body:
        body["stop_token_ids"] = list(tiny_llama().lines.end)
    return body


@pytest.fixture(scope="module")
def recorded_double():
    with serving(VllmDouble(tiny_llama(), longest=2048)) as double:
        yield double


@pytest.mark.parametrize("case", recorded(), ids=lambda case: case["name"])
def test_the_double_answers_in_the_form_of_a_real_server(recorded_double, case):
    import httpx

    # The tiny model reads no more than 1024 tokens.
    if case["name"] == "no_room":
        case["body"]["prompt"] = case["body"]["prompt"][:1000]
    got = httpx.request(
        case["method"],
        recorded_double.url + case["path"],
        json=fitted(case["body"]),
        timeout=PATIENCE,
    )
    assert (got.status_code, got.headers["content-type"].split(";")[0] or "") in (
        (case["status"], case["type"]),
        (case["status"], "text/plain"),
    )
    real, ours = case["answer"], got.text if case["type"] != "application/json" else got.json()
    if isinstance(real, str):
        assert ours == real
        return
    wanted, found = shape(real), shape(ours)
    if case["path"] == "/v1/completions" and case["status"] == 200:
        for answer in (wanted, found):
            (one,) = [dict(x) for x in answer["choices"][:1]]
            one.pop("stop_reason"), one.pop("logprobs")
            answer["choices"] = one
        row = real["choices"][0]["logprobs"]
        same = {len(row[name]) for name in ("tokens", "token_logprobs", "top_logprobs")}
        mine = ours["choices"][0]["logprobs"]
        assert len(same) == 1
        assert shape(mine).keys() == shape(row).keys()
        assert len({len(mine[name]) for name in row}) == 1
        if case["name"] == "step":
            names = [n for c in (row, mine) for p in c["top_logprobs"] for n in p]
            assert all(name.startswith("token_id:") for name in names)
    assert found == wanted


def test_a_recorded_answer_is_read():
    """The real server's own sums, of titles that end in its own tokens."""
    (case,) = [c for c in recorded() if c["name"] == "sample"]
    with serving(VllmDouble(tiny_llama())) as double:
        remote = connected(double)
        write(remote, replace(SAMPLE, n=1))
        double.faults.append(Fault(body=case["answer"]))
        found = write(remote, replace(SAMPLE, n=2))
    real = {
        one["text"]: sum(one["logprobs"]["token_logprobs"]) for one in case["answer"]["choices"]
    }
    assert {c.text: c.logprob for c in found} == pytest.approx(real)


# -- adapters -------------------------------------------------------------------------------------


def test_the_adapter_is_the_model_that_is_asked(double):
    double.adapters.append("second")
    write(connected(double, adapter="second"))
    write(connected(double, adapter=None))
    write(connected(double, model="smollm2"))
    assert [body["model"] for body in double.bodies()] == ["second", "smollm2", "ml-100k"]


def test_an_adapter_that_is_not_there_is_loaded(double):
    write(connected(double, adapter="mine", adapter_path="/models/mine"))
    assert double.bodies("/v1/load_lora_adapter") == [
        {"lora_name": "mine", "lora_path": "/models/mine"}
    ]
    assert double.bodies()[0]["model"] == "mine"


def test_an_adapter_is_loaded_again_after_a_restart(double):
    remote = connected(double, adapter="mine", adapter_path="/models/mine")
    write(remote)
    double.adapters.remove("mine")
    assert write(remote)
    assert len(double.bodies("/v1/load_lora_adapter")) == 2


def test_an_adapter_that_somebody_else_loaded_meanwhile(double, remote):
    remote.load_adapter("ml-100k", "/models/mine")  # no error


def test_an_adapter_that_cannot_be_had(double):
    with pytest.raises(
        GeneratorError, match="has no adapter 'mine': it has: smollm2, ml-100k"
    ) as e:
        write(connected(double, adapter="mine"))
    assert "--enable-lora --lora-modules mine=FOLDER" in e.value.hint
    with pytest.raises(GeneratorError, match="cannot load it: .*No adapter found for /nowhere"):
        write(connected(double, adapter="mine", adapter_path="/nowhere"))
    double.may_load = False
    with pytest.raises(GeneratorError, match="may not load adapters while it runs") as e:
        write(connected(double, adapter="mine", adapter_path="/models/mine"))
    assert "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True" in e.value.hint


def test_a_model_that_is_not_there(double, remote):
    with pytest.raises(GeneratorError, match="has no model 'other': it has: smollm2"):
        write(connected(double, model="other"))
    write(remote)
    double.adapters.clear()
    with pytest.raises(GeneratorError, match="has no adapter 'ml-100k'.*does not exist"):
        write(remote)


def test_a_server_with_another_tokenizer(double, remote):
    double.faults += [Fault(), Fault(), Fault(body={"prompt": "zxcv qwer"})]
    with pytest.raises(GeneratorError, match="a model with other tokens"):
        write(remote)
    double.faults += [Fault(404, {"detail": "Not Found"})]
    assert write(remote)  # a server that cannot tell
