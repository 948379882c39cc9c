"""Titles written elsewhere: one contract for the local model and a vLLM server; wire and errors.

The server is ``vllm_double.py`` around a tiny model. With ``COLDSTART_VLLM_URL`` set, the
contract is run against a real one instead, which has the default model and the shipped adapter as
``ml-100k`` (``benchmarks/vllm_check.py``).
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import socket
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from coldstart import Recommender
from coldstart.catalog.titles import clean_text
from coldstart.cli import main
from coldstart.errors import ConfigError, GeneratorError, MissingExtraError, ModelError
from coldstart.generation.decoding.free import DecodingConfig
from coldstart.generation.decoding.local import MOST_CHOICES, LocalGenerator
from coldstart.generation.models.deferred import DeferredLM
from coldstart.generation.remote import http as remote_http
from coldstart.generation.remote import vllm
from coldstart.generation.remote.http import masked
from coldstart.generation.remote.vllm import GeneratorOptions, VllmGenerator
from coldstart.grounding.index.servers import IndexUnavailable
from coldstart.protocols import TextGenerator
from coldstart.serve.errors import from_coldstart
from coldstart.testing.probes import prompt_of
from coldstart.training.run import train
from tests.fakes_lm import tiny_llama
from tests.generation.vllm_double import Fault, VllmDouble, serving
from tests.serve.test_serve import refused
from tests.serve.test_serve import serving as serving_http
from tests.test_recommender import make
from tests.toy import save_tiny_base, toy_config, toy_dataset, toy_split
from tests.waiting import PATIENCE

REAL = os.environ.get("COLDSTART_VLLM_URL")
SHIPPED = Path(__file__).parents[2] / "adapters" / "ml-100k"
RECORDED = Path(__file__).parents[1] / "data" / "vllm" / "recorded.json"
PROMPT = "Movies:\nToy Story\n"
TITLES = ["Toy Story", "Toy Story 2", "Toy", "Alien", "Aliens", "Fargo"]
SAMPLE = DecodingConfig(mode="sample", n=8, max_new_tokens=12)
BEAM = replace(SAMPLE, mode="beam", n=4)
DIVERSE = replace(BEAM, mode="diverse", groups=2)
MODES = pytest.mark.parametrize("config", [SAMPLE, BEAM, DIVERSE], ids=lambda c: c.mode)
KEY = "sk-canary-4711"


@pytest.fixture
def double():
    with serving(VllmDouble(tiny_llama())) as found:
        yield found


@pytest.fixture
def remote(double):
    return connected(double)


def connected(double: VllmDouble, **options) -> VllmGenerator:
    return VllmGenerator(double.url, **({"adapter": "ml-100k", "timeout": PATIENCE} | options))


@pytest.fixture
def no_waits(monkeypatch):
    """The seconds that were waited for between tries."""
    waited: list[float] = []
    monkeypatch.setattr(remote_http, "time", SimpleNamespace(sleep=waited.append))
    return waited


def write(generator, config=SAMPLE, seed=0, choices=None, prompt=PROMPT):
    return generator.write(prompt, tiny_llama().lines, config, seed, choices)


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


# -- errors ---------------------------------------------------------------------------------------


def test_a_server_that_is_away(no_waits):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(GeneratorError, match=f"no text generator answers at {url}: ") as e:
            write(VllmGenerator(url, retries=2))
    assert no_waits == [0.25, 0.5]
    assert "vllm serve" in e.value.hint


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(double, remote, no_waits, status):
    write(remote)
    busy = Fault(status, {"error": {"message": "too busy"}}, {"Retry-After": "2"})
    double.faults += [busy, busy]
    assert write(remote)
    assert no_waits == [2.0, 2.0]
    double.faults += [busy] * 4
    with pytest.raises(GeneratorError, match=f"is busy: {status} too busy") as e:
        write(remote)
    assert e.value.retry_after == 2.0
    assert not double.faults


def test_a_server_that_is_busy_for_long_is_not_waited_for(double, remote, no_waits):
    write(remote)
    double.faults.append(Fault(503, "later", {"Retry-After": "600"}))
    with pytest.raises(GeneratorError, match="is busy: 503 later") as e:
        write(remote)
    assert (e.value.retry_after, no_waits) == (600.0, [])


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("nan", 0.0),
        ("1.5", 1.5),
        ("99999999999999999999", 1e20),
        ("Wed, 99 Oct", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", pytest.approx(2.5e11, rel=0.1)),
    ],
)
def test_how_long_a_server_asks_to_wait(header, seconds):
    assert remote_http._retry_after(header) == seconds


def test_a_server_that_goes_away_in_the_middle(double, remote, no_waits):
    write(remote)
    double.faults.append(Fault(cut=True))
    assert write(remote)
    assert len(no_waits) == 1


def test_a_server_that_takes_too_long(double, no_waits):
    remote, told = connected(double), threading.Event()
    write(remote, replace(SAMPLE, n=1, max_new_tokens=2))
    wire = remote._server.wire
    wire._client.timeout = wire._timeout = 0.25
    double.faults.append(Fault(held=told.is_set))
    with pytest.raises(GeneratorError, match=r"did not answer within 0\.25 s"):
        write(remote)
    told.set()
    assert no_waits == []  # it would only be asked for more


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, {"error": {"message": "Internal server error"}}, "answered 500 to POST /v1/compl"),
        (302, "elsewhere", "answered 302"),
        (403, {"error": "no"}, "refuses to answer without a key"),
        (400, {"error": {"message": "Requested sample logprobs of 20"}}, "refuses: Requested"),
        (418, "short and stout", "refuses: short and stout"),
        (200, "<html>", "another form: the whole: "),
        (200, {"choices": 5}, "another form: choices: "),
        (200, {"choices": [{"text": "Alien"}]}, r"another form: choices\.0\.index: "),
        (200, {"choices": []}, "another form: 0 completions, 1 were asked for"),
        (200, {"choices": [answer_of("A"), answer_of("B")]}, "2 completions, 1 were"),
        (200, {"choices": [answer_of("A", index=1)]}, "1 completions, 1 were asked for"),
        (200, {"choices": [answer_of("A", ())]}, "without its log-probabilities"),
        (200, {"choices": [answer_of("A", (None, -1.0))]}, "without its log-probabilities"),
        (200, {"choices": [answer_of("A", (3.0,))]}, "without its log-probabilities"),
        (200, {"choices": [{"index": 0, "text": "A"}]}, "without its log-probabilities"),
    ],
)
def test_answers_that_are_none(double, status, body, told):
    remote = connected(double, retries=0)
    config = replace(SAMPLE, n=1)
    write(remote, config)
    double.faults.append(Fault(status, body))
    with pytest.raises(GeneratorError, match=told) as e:
        write(remote, config)
    assert e.value.hint


def test_a_search_without_log_probabilities(double, remote):
    write(remote)
    double.faults.append(Fault(body={"choices": [answer_of("A")]}))
    with pytest.raises(GeneratorError, match="no log-probabilities of tokens by their ids"):
        write(remote, BEAM)


def test_a_server_that_ignores_choices(double):
    remote = answering(double, answer_of("Something else"))
    with pytest.raises(GeneratorError, match="wrote none of the choices"):
        write(remote, replace(SAMPLE, n=1), choices=TITLES)


def test_a_server_of_another_kind(double):
    for body in ("<html>hello", {"data": "none"}):
        double.faults.append(Fault(body=body))
        with pytest.raises(GeneratorError, match="an answer of another form"):
            write(connected(double))
    double.faults.append(Fault(404, "not here"))
    with pytest.raises(GeneratorError, match="no server of the OpenAI protocol"):
        write(connected(double))


# -- settings and secrets -------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_urls_with_and_without_the_version(double, suffix):
    assert VllmGenerator(double.url + suffix)._server.wire.url == double.url


@pytest.mark.parametrize(
    "url",
    ["", "gpu:8000", "ftp://gpu", "http://", "http://gpu:99999", "http://gpu:0", "http://a b",
     "http://gpu?x=1", "http://gpu#x", "http://[::1"],
)  # fmt: skip
def test_urls_of_no_server(url):
    with pytest.raises(ConfigError, match="generator URL"):
        VllmGenerator(url)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": float("inf")},
        {"retries": -1},
        {"concurrency": 0},
        {"adapter_path": "/models/x"},
        {"api_key": "ключ"},
        {"api_key": "a\nb"},
        {"api_key": ""},
    ],
)
def test_settings_that_are_none(options):
    with pytest.raises(ConfigError) as e:  # noqa: PT011 - each has its own words
        VllmGenerator("http://gpu", **options)
    assert "ключ" not in str(e.value)


def test_the_key_is_sent_and_never_shown(caplog):
    caplog.set_level(logging.DEBUG)
    with serving(VllmDouble(tiny_llama(), key=KEY)) as double:
        good = connected(double, api_key=KEY)
        assert write(good)
        assert double.asked[0][2]["authorization"] == f"Bearer {KEY}"
        shown = [repr(good), repr(good._server.wire), str(vars(good))]
        with pytest.raises(GeneratorError, match="refuses the key") as wrong:
            write(connected(double, api_key=KEY + "0"))
        with pytest.raises(GeneratorError, match="refuses to answer without a key") as none:
            write(connected(double))
        double.faults.append(Fault(400, {"error": {"message": f"what is {KEY}?"}}))
        with pytest.raises(GeneratorError, match=r"what is \*\*\*\?") as echoed:
            write(good)
    shown += [str(e.value) + repr(e.value) for e in (wrong, none, echoed)]
    assert "COLDSTART_GENERATOR_KEY" in str(wrong.value)
    assert KEY not in "".join(shown) + caplog.text


def test_a_password_in_the_url_is_sent_and_never_shown(double, caplog):
    caplog.set_level(logging.DEBUG)
    url = double.url.replace("http://", "http://me:s3cret%2F@")
    remote = VllmGenerator(url, adapter="ml-100k")
    write(remote)
    assert double.asked[0][2]["authorization"] == "Basic bWU6czNjcmV0Lw=="
    double.faults.append(Fault(400, {"error": "s3cret/ is wrong"}))
    with pytest.raises(GeneratorError, match=r"\*\*\* is wrong") as e:
        write(remote)
    options = GeneratorOptions(url, adapter="x")
    told = repr(remote) + str(e.value) + repr(options) + caplog.text
    assert "s3cret" not in told
    with pytest.raises(ConfigError, match="both a key and a password"):
        VllmGenerator(url, api_key=KEY)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://me:pw@gpu:8000/x", "http://***@gpu:8000/x"),
        ("me:pw@gpu", "***@gpu"),
        ("http://me:p/w@gpu", "http://***"),
        ("http://gpu/v1", "http://gpu/v1"),
    ],
)
def test_urls_are_masked(url, told):
    assert masked(url) == told


def test_nothing_of_the_environment_is_used(double, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    assert write(connected(double))


def test_options_travel_without_the_key(double, monkeypatch):
    monkeypatch.setenv("COLDSTART_GENERATOR_KEY", KEY)
    options = GeneratorOptions(double.url, adapter="mine=/models/mine")
    assert KEY.encode() not in pickle.dumps(options)
    made = pickle.loads(pickle.dumps(options)).open()  # noqa: S301 - our own
    write(made)
    assert double.bodies("/v1/load_lora_adapter") == [
        {"lora_name": "mine", "lora_path": "/models/mine"}
    ]
    assert double.bodies()[0]["model"] == "mine"
    assert double.asked[0][2]["authorization"] == f"Bearer {KEY}"


def test_without_httpx(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "httpx", None)
    with pytest.raises(MissingExtraError, match="needs httpx") as e:
        VllmGenerator("http://gpu")
    assert e.value.hint == "pip install 'coldstart-rec[vllm]'"


# -- the recommender ------------------------------------------------------------------------------


def never() -> None:
    raise AssertionError("the weights were loaded")


def elsewhere(double: VllmDouble, load=never, **options) -> Recommender:
    """A recommender that has the tokenizer here and the model there."""
    made = make(lm=DeferredLM(tiny_llama().lines, 1024, load))
    made.generator = connected(double, **options)
    return made


DRAWN = replace(SAMPLE, max_new_tokens=8)
PROFILE = {"age": 24, "liked": ["Alien"]}


def test_free_loads_no_weights(double):
    rec = elsewhere(double)
    result = rec.recommend(PROFILE, strategy="free", k=5, decoding=DRAWN)
    assert len(result) == 5
    assert result.generated > 0
    assert not rec.lm.loaded
    wrote = rec.generate(PROFILE, strategy="free", decoding=DRAWN)
    prompt = prompt_of(rec, rec.resolve(PROFILE))
    assert wrote == write(rec.generator, replace(DRAWN, n=10), prompt=prompt)
    assert rec.recommend(PROFILE, strategy="prior").item_ids


def test_judging_loads_the_weights_when_it_must(double):
    rec = elsewhere(double, load=tiny_llama)
    both = rec.recommend(PROFILE, strategy="both", k=5, decoding=DRAWN)
    assert rec.lm.loaded
    assert double.bodies()
    assert len(both) == 5
    judged = rec.recommend(PROFILE, strategy="catalog", k=5)
    assert judged.item_ids == make().recommend(PROFILE, strategy="catalog", k=5).item_ids


def test_the_weights_are_loaded_once(double):
    from concurrent.futures import ThreadPoolExecutor

    calls = []

    def load():
        calls.append(1)
        return tiny_llama()

    lm = DeferredLM(tiny_llama().lines, 1024, load)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(map(id, pool.map(lambda _: lm.whole, range(8))))) == 1
    assert (calls, lm.has_plain_head, lm.device.type) == ([1], True, "cpu")


def test_choices_are_the_shortlist(double):
    rec = elsewhere(double)
    result = rec.recommend(
        PROFILE, strategy="free", k=3, decoding=replace(DRAWN, choices="shortlist")
    )
    (sent,) = double.bodies()
    titles = {choice.rstrip("\n") for choice in sent["structured_outputs"]["choice"]}
    assert titles == {item.title for item in rec.catalog}  # fewer than a shortlist has
    assert result.abstained == 0
    assert all(r.provenance.generated_text in {*titles, None} for r in result)


@pytest.mark.parametrize("local", [True, False])
def test_choices_pass_the_filters_of_the_request(double, local):
    from coldstart.ranking.filters import Categories, default_filters

    rec = elsewhere(double)
    rec.settings = replace(rec.settings, shortlist=4)
    rec.generator = LocalGenerator(tiny_llama()) if local else rec.generator
    options = {
        "filters": [*default_filters(), Categories(("Drama",), ())],
        "decoding": replace(DRAWN, choices="shortlist"),
    }
    alone = rec.recommend(PROFILE, strategy="free", k=2, **options)
    assert all("Drama" in rec.catalog[i].categories for i in alone.item_ids)
    assert alone.generated > 0
    assert not alone.abstained
    assert rec.recommend([PROFILE, {}], strategy="free", k=2, **options)[0] == alone
    if not local:
        sent = [c[:-1] for c in double.bodies()[0]["structured_outputs"]["choice"]]
        drama = {i.title for i in rec.catalog if "Drama" in i.categories}
        assert len(sent) == 4
        assert set(sent) <= drama


def test_a_large_catalog_without_a_shortlist_offers_no_choices(monkeypatch, double):
    rec = elsewhere(double)
    monkeypatch.setattr("coldstart.generation.decoding.local.MOST_CHOICES", 5)
    with pytest.raises(ConfigError, match="choices from the shortlist"):
        rec.recommend(PROFILE, strategy="free", decoding=replace(DRAWN, choices="shortlist"))


def test_several_users_are_written_for_at_the_same_time(double):
    rec = elsewhere(double)
    people = [{"age": 20 + n} for n in range(6)]
    alone = [rec.recommend(p, strategy="free", k=3, decoding=DRAWN) for p in people]
    double.asked.clear()
    double.most_under_way = 0
    double.faults += [Fault(held=lambda: double.most_under_way > 1) for _ in people]
    together = rec.recommend(people, strategy="free", k=3, decoding=DRAWN)
    assert [r.item_ids for r in together] == [r.item_ids for r in alone]
    assert double.most_under_way > 1
    assert len(double.bodies()) == 6


def test_no_more_at_a_time_than_asked_for(double):
    rec = elsewhere(double, concurrency=2)
    rec.recommend([{}], strategy="free", k=3, decoding=DRAWN)
    double.most_under_way = 0
    two = Fault(held=lambda: double.most_under_way > 1, seconds=0.1)
    double.faults += [two] * 6
    rec.recommend([{"age": 20 + n} for n in range(6)], strategy="free", k=3, decoding=DRAWN)
    assert double.most_under_way == 2


def test_one_users_error_is_nobody_elses(double):

    from coldstart.pipeline.request import RecommendOptions, RecommendRequest

    rec = elsewhere(double, retries=0)
    rec.recommend([{}], strategy="free", k=3, decoding=DRAWN)
    requests = [
        RecommendRequest(rec.resolve({"age": 20 + n}), RecommendOptions(3, "free"), DRAWN)
        for n in range(3)
    ]
    double.faults.append(Fault(500, "broken"))
    made = dict(rec.pipeline.run(requests))
    kinds = sorted(type(one).__name__ for one in made.values())
    assert kinds == ["GeneratorError", "RecommendationList", "RecommendationList"]


# -- the service ----------------------------------------------------------------------------------


def test_the_service_says_503_and_lives_without_the_generator(tmp_path, double):
    double.faults += [Fault(503, "busy", {"Retry-After": "7"})] * 50  # from the start
    with serving_http(tmp_path, load=lambda _: elsewhere(double, retries=0)) as client:
        assert client.get("/readyz").status_code == 200
        asked = {"strategy": "free", "k": 3}
        got = client.post("/v1/recommend", json=asked)
        refused(got, 503, "generator")
        assert got.headers["retry-after"] == "7"
        assert client.post("/v1/recommend", json={"strategy": "prior"}).status_code == 200
        double.faults.clear()
        assert len(client.post("/v1/recommend", json=asked).json()["items"]) == 3


@pytest.mark.parametrize(
    ("error", "kind", "seconds"),
    [
        (GeneratorError("secret", "words", retry_after=3.2), "generator", "4"),
        (GeneratorError("secret", "words"), "generator", "1"),
        (IndexUnavailable("secret", "words"), "index", "1"),
    ],
)
def test_servers_that_are_away_are_503_in_fixed_words(error, kind, seconds):
    response = from_coldstart(error).response()
    assert (response.status_code, response.headers["retry-after"]) == (503, seconds)
    assert json.loads(response.body)["error"] == kind
    assert b"secret" not in response.body


# -- the command line -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    """Trained on the toy world; its language model's tokens are those of the double."""
    folder = tmp_path_factory.mktemp("toy")
    config = toy_config(save_tiny_base(folder / "base"), prompt="catalog-en", epochs=1)
    train(toy_dataset(), toy_split(), config, folder / "artifact", runs=folder / "run")
    return str(folder / "artifact")


@pytest.fixture
def served(double):
    return ["--generator", double.url, "--generator-adapter", "ml-100k"]


def test_recommend_on_the_command_line(artifact, double, served, capsys):
    asked = ["recommend", "--liked", "Alien", "--artifact", artifact, "-k", "3", "--json"]
    args = [*asked, "--strategy", "free", *served]
    assert main([*args, "--choices", "shortlist"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert len(made["items"]) == 3
    assert made["abstained"] == 0
    assert [body["model"] for body in double.bodies()] == ["ml-100k"]
    assert main([*asked, "--choices", "shortlist"]) == 2
    assert "--choices has no meaning for catalog" in capsys.readouterr().err


def test_generate_on_the_command_line(artifact, double, served, capsys, monkeypatch):
    monkeypatch.setenv("COLDSTART_GENERATOR_KEY", KEY)
    double.key = KEY
    args = ["generate", "--strategy", "free", "--artifact", artifact, "--json", *served]
    assert main([*args, "-n", "4", "--mode", "sample"]) == 0
    made = json.loads(capsys.readouterr().out)["candidates"]
    assert made
    assert main([*args, "-n", "2", "--choices", "shortlist"]) == 0
    rows = json.loads(capsys.readouterr().out)["candidates"]
    assert all(row["method"] == "exact" for row in rows)
    monkeypatch.setenv("COLDSTART_GENERATOR_KEY", "wrong")
    assert main(args) == 2
    shown = capsys.readouterr()
    assert "refuses the key" in shown.err
    assert "wrong" not in shown.err + shown.out


def test_a_loaded_artifact_has_the_tokenizer_of_its_base(artifact, double, monkeypatch, tmp_path):
    """The first time it is taken from the base model, then from the cache."""
    monkeypatch.setenv("COLDSTART_CACHE", str(tmp_path))
    for _ in range(2):
        rec = Recommender.from_pretrained(artifact, generator=connected(double))
        text = "Toy Story <|im_end|> 红高粱\n"
        assert rec.lm.lines.encode(text) == tiny_llama().lines.encode(text)
        assert rec.lm.max_tokens == tiny_llama().max_tokens
        assert not rec.lm.loaded
    (kept,) = (tmp_path / "tokenizers").iterdir()
    (kept / "tokenizer.json").write_text("{")  # damaged: made anew
    rec = Recommender.from_pretrained(artifact, generator=connected(double))
    assert rec.lm.lines.encode("Alien\n") == tiny_llama().lines.encode("Alien\n")
    assert json.loads((kept / "tokenizer.json").read_text())["model"]
    assert rec.recommend(PROFILE, strategy="catalog", k=2).item_ids
    assert rec.lm.loaded


def test_a_batch_stops_when_the_generator_does_and_goes_on_later(
    artifact, double, served, capsys, tmp_path, no_waits
):
    users = tmp_path / "users.parquet"
    pl.DataFrame({"user_id": ["a", "b", "c"], "age": [20, 30, 40]}).write_parquet(users)
    args = ["batch", "--users", str(users), "--out", str(tmp_path / "out"), "--artifact", artifact]
    args += ["--strategy", "free", "-k", "2", "--size", "2", *served]
    double.faults += [Fault(503, "busy")] * 8
    assert main(args) == 2
    assert "is busy: 503" in capsys.readouterr().err
    double.faults.clear()
    assert main(args) == 0
    made = pl.read_parquet(tmp_path / "out" / "*.parquet").sort("user_id")
    assert made["user_id"].to_list() == ["a", "b", "c"]
    assert made["error"].to_list() == [None] * 3
    assert {len(items) for items in made["items"]} == {2}


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["recommend", "--generator-adapter", "x"], "no --generator URL"),
        (["recommend", "--generator-model", "x"], "no --generator URL"),
        (["recommend", "--generator", "gpu:8000"], "generator URL 'gpu:8000'"),
        (["recommend", "--generator", "http://u:s3cret@"], "generator URL"),
        (["serve", "--generator", "http://gpu", "--experiment", "ab.toml"], "one artifact"),
        (["serve", "--generator", "http://gpu", "--tenants", "all.toml"], "one artifact"),
    ],
)
def test_command_lines_that_make_no_sense(args, told, capsys):
    assert main(args) == 2
    error = capsys.readouterr().err
    assert told in error
    assert "s3cret" not in error
