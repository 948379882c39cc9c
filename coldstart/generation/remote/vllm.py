"""Text generator on a vLLM server, or one with its dialect of the OpenAI protocol."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coldstart.catalog.titles import clean_text
from coldstart.errors import ConfigError, GeneratorError, ModelError
from coldstart.generation.decoding.local import checked_choices
from coldstart.generation.remote.http import KEY, JsonClient, masked
from coldstart.generation.remote.vllm_server import LONGER, MOST_LOGPROBS, Completion, VllmServer
from coldstart.schema import Candidate, DecodingConfig

if TYPE_CHECKING:
    import ssl

    from coldstart.protocols import PromptTokenizer


class VllmGenerator:
    """``TextGenerator`` on a server; no weights are loaded in this process.

    >>> VllmGenerator("http://gpu:8000", adapter="ml-100k")
    VllmGenerator('http://gpu:8000', adapter='ml-100k')

    The server serves the base model of the artifact and its adapter under some name:
    ``vllm serve BASE --enable-lora --lora-modules NAME=FOLDER``. Prompts are sent as tokens, so
    that user input never becomes a control token.

    ``sample`` runs on the server. ``beam`` and ``diverse`` run on the client, one request per
    token, over the ``MOST_LOGPROBS`` likeliest next tokens of each hypothesis (``logprob_rows``).
    With ``choices``, titles are sampled in any mode, at the config's temperature, and their
    log-probabilities are those among the choices.

    Args:
        url: of the server, such as ``http://localhost:8000``.
        model: name of the served base model; ``None``: the only one.
        adapter: name of the served LoRA adapter; ``None``: none.
        adapter_path: the adapter's folder on the server's disk, to be loaded if it is not served
            (needs ``VLLM_ALLOW_RUNTIME_LORA_UPDATING=True``).
        api_key: of the server.
        timeout: seconds to wait for a response.
        retries: retries of a request while the server is busy or unreachable.
        concurrency: concurrent requests; the server batches them.
        verify: certificates to trust.

    Raises:
        ConfigError: a setting is out of range.
        MissingExtraError: ``httpx`` is not installed.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        adapter: str | None = None,
        adapter_path: str | None = None,
        api_key: str | None = None,
        timeout: float = 60.0,
        retries: int = 3,
        concurrency: int = 16,
        verify: ssl.SSLContext | bool = True,
    ) -> None:
        if concurrency < 1:
            raise ConfigError(f"concurrency is {concurrency!r}", hint="give 1 or more")
        client = JsonClient(url, api_key, timeout=timeout, retries=retries, verify=verify)
        self._server = VllmServer(client, model, adapter, adapter_path)
        self.model, self.adapter, self.concurrency = model, adapter, concurrency

    def __repr__(self) -> str:
        model = "" if self.model is None else f", {self.model!r}"
        adapter = "" if self.adapter is None else f", adapter={self.adapter!r}"
        return f"VllmGenerator({self._server.client.url!r}{model}{adapter})"

    def write(
        self,
        prompt: str,
        lines: PromptTokenizer,
        config: DecodingConfig,
        seed: int = 0,
        choices: Sequence[str] | None = None,
    ) -> Sequence[Candidate]:
        """See ``TextGenerator.write``; also raises ``GeneratorError`` for errors of the server."""
        titles = None if choices is None else checked_choices(choices)
        ids = lines.encode(prompt)
        if not ids:
            raise ModelError("the prompt has no tokens", hint="a template must print something")
        served = self._server.greet()
        self._server.compare_tokens(prompt, ids)
        room = served.longest - len(ids)
        if room < 1:
            raise ModelError(
                f"the prompt has {len(ids)} tokens; the model takes {served.longest} at "
                f"{self._server.client.url}, with a title after it",
                hint=LONGER,
            )
        steps = min(config.max_new_tokens, room)
        if titles is None and config.mode != "sample":
            return self._searched(ids, lines, config, steps)
        body = _request(ids, config, steps, _seed(prompt, seed))
        if titles is None:
            if len(lines.end) == 1:  # no empty titles
                body |= {"stop_token_ids": list(lines.end), "min_tokens": 1}
        else:
            longest = max(len(lines.line(f"{title}\n")) for title in titles)
            body |= self._only(titles) | {"max_tokens": min(2 * longest, room)}
        drawn = self._server.complete(body, config.n)
        finished = [x for x in drawn if x.finish_reason != "length"]
        best: dict[str, float] = {}
        for one in finished if titles is not None else finished or drawn:
            text, total = one.text.split("\n", 1)[0], self._total(one)
            if titles is None:
                text = clean_text(text)
            elif text not in titles:
                raise GeneratorError(
                    f"the text generator at {self._server.client.url} wrote none of the choices",
                    hint="it needs structured outputs: vLLM with xgrammar or another backend",
                )
            if text:
                best[text] = max(best.get(text, total), total)
        return [
            Candidate(text=text, logprob=min(logprob, 0.0), strategy="free")
            for text, logprob in sorted(best.items(), key=lambda pair: (-pair[1], pair[0]))
        ][: config.n]

    def load_adapter(self, name: str, path: str) -> None:
        """See ``VllmServer.load_adapter``."""
        self._server.load_adapter(name, path)

    def close(self) -> None:
        """Close the connections."""
        self._server.client.close()

    def _searched(
        self, ids: list[int], lines: PromptTokenizer, config: DecodingConfig, steps: int
    ) -> list[Candidate]:
        from coldstart.generation.decoding.free import search_titles
        from coldstart.generation.remote.logprob_rows import RemoteRows

        return search_titles(RemoteRows(self._next_tokens, lines, ids), config, steps)

    def _next_tokens(self, rows: list[list[int]]) -> list[Mapping[int, float]]:
        """Request the log-probabilities of each row's likeliest next tokens."""
        body = {
            "prompt": rows,
            "max_tokens": 1,
            "temperature": 1.0,
            "seed": 0,
            "logprobs": MOST_LOGPROBS,
            "return_tokens_as_token_ids": True,
        }
        out: list[Mapping[int, float]] = []
        for one in self._server.complete(body, len(rows)):
            places = one.logprobs and one.logprobs.top_logprobs
            try:
                named = (places or [])[0] or {}
                found = {int(name.removeprefix("token_id:")): p for name, p in named.items()}
            except (IndexError, ValueError):
                found = {}
            if not found:
                raise self._server.malformed("no log-probabilities of tokens by their ids")
            out.append(found)
        return out

    def _total(self, one: Completion) -> float:
        """Log-probability of a completion, its end included."""
        values = one.logprobs.token_logprobs if one.logprobs else []
        total = sum(value for value in values if value is not None)
        if not values or None in values or not total < 1e-3:
            raise self._server.malformed("a completion without its log-probabilities")
        return total

    def _only(self, titles: Sequence[str]) -> dict[str, Any]:
        """Constrain generation to titles with line breaks, so that none is a prefix of another."""
        choices = [f"{title}\n" for title in titles]
        if self._server.greet().structured:
            return {"structured_outputs": {"choice": choices}}
        return {"guided_choice": choices}


@dataclass(frozen=True)
class GeneratorOptions:
    """Serializable options of a ``VllmGenerator``, without the key.

    The key is read from each process's environment.

    Args:
        url: of the server.
        model: name of the served base model; ``None``: the only one.
        adapter: name of the served adapter; with ``NAME=FOLDER`` the server loads it if necessary.
    """

    url: str
    model: str | None = None
    adapter: str | None = None

    @property
    def name(self) -> str:
        """Name of model and adapter, without the server."""
        return f"{self.model or 'its model'} + {(self.adapter or 'no adapter').partition('=')[0]}"

    def open(self) -> VllmGenerator:
        """Connect, with the key from ``COLDSTART_GENERATOR_KEY``."""
        name, _, path = (self.adapter or "").partition("=")
        return VllmGenerator(
            self.url,
            self.model,
            adapter=name or None,
            adapter_path=path or None,
            api_key=os.environ.get(KEY) or None,
        )

    def __repr__(self) -> str:
        return f"GeneratorOptions({masked(self.url)!r}, {self.model!r}, {self.adapter!r})"


def _request(ids: list[int], config: DecodingConfig, steps: int, seed: int) -> dict[str, Any]:
    """All sampling parameters: servers take missing ones from the model's folder."""
    return {
        "prompt": ids,
        "n": config.n,
        "max_tokens": steps,
        "temperature": config.temperature,
        "top_p": config.top_p,
        "top_k": config.top_k or 0,
        "min_p": 0.0,
        "repetition_penalty": 1.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "seed": seed,
        "stop": ["\n"],
        "logprobs": 0,
    }


def _seed(prompt: str, seed: int) -> int:
    """Seed of a prompt; servers sample title i with the seed plus i."""
    return int.from_bytes(hashlib.sha256(f"{seed}\n{prompt}".encode()).digest()[:7], "big")
