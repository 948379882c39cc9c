"""Errors of the server, settings, and credentials that are never shown."""

from __future__ import annotations

import logging
import pickle
import socket
import threading
from dataclasses import replace

import pytest

from coldstart.errors import ConfigError, GeneratorError, MissingExtraError
from coldstart.generation.remote import http as remote_http
from coldstart.generation.remote.http import masked
from coldstart.generation.remote.vllm import GeneratorOptions, VllmGenerator
from tests.fakes_lm import tiny_llama
from tests.generation.remote.helpers import (
    BEAM,
    KEY,
    SAMPLE,
    TITLES,
    answer_of,
    answering,
    connected,
    write,
)
from tests.generation.remote.vllm_double import Fault, VllmDouble, serving

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
    wire = remote._server.client
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
    assert VllmGenerator(double.url + suffix)._server.client.url == double.url


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
        shown = [repr(good), repr(good._server.client), str(vars(good))]
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
