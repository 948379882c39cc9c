"""Client of a vLLM server: models, completions, adapters, and its errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from coldstart.errors import ConfigError, GeneratorError, ModelError
from coldstart.generation.remote.http import HttpReply, JsonClient

T = TypeVar("T", bound=BaseModel)

MOST_LOGPROBS = 20
"""Log-probabilities per position that a server returns at most: its ``--max-logprobs``."""

LONGER = "lower prompt_tokens, or start the server with a larger --max-model-len"
_COMPARED = 60  # characters of a prompt's end
_STRUCTURED_SINCE = (0, 11)  # earlier versions: guided_choice


class Logprobs(BaseModel):
    """Log-probabilities of a completion's tokens, and of the likeliest tokens per position."""

    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None = None


class Completion(BaseModel):
    """One completion."""

    index: int
    text: str
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class _Completions(BaseModel):
    choices: list[Completion]


class _Model(BaseModel):
    id: str
    parent: str | None = None
    max_model_len: int | None = None


class _Models(BaseModel):
    data: list[_Model]


@dataclass(frozen=True)
class ServedModel:
    """Model served for requests.

    Args:
        model: name in requests: the adapter's, or the base model's.
        longest: longest sequence, prompt and title together, tokens.
        structured: whether it supports ``structured_outputs``; else ``guided_choice``.
    """

    model: str
    longest: int
    structured: bool


class VllmServer:
    """One model or adapter of a server.

    Args:
        client: HTTP client of the server.
        model: name of the base model; ``None``: the only one.
        adapter: name of the LoRA adapter; ``None``: none.
        adapter_path: the adapter's folder on the server's disk, if the server may load it.

    Raises:
        ConfigError: ``adapter_path`` without ``adapter``.
    """

    def __init__(
        self, client: JsonClient, model: str | None, adapter: str | None, adapter_path: str | None
    ) -> None:
        if adapter_path is not None and adapter is None:
            raise ConfigError("an adapter's folder without its name", hint="give adapter=…, too")
        self.client = client
        self._model, self._adapter, self._path = model, adapter, adapter_path
        self._served: ServedModel | None = None
        self._same_tokens = False
        self._greeting = threading.Lock()

    def greet(self) -> ServedModel:
        """Look up the served model, once."""
        served = self._served
        if served is None:
            with self._greeting:
                served = self._served = self._served or self._look()
        return served

    def complete(self, body: Mapping[str, Any], expected: int) -> list[Completion]:
        """Request completions.

        Args:
            body: the request, without the model.
            expected: number of completions.

        Returns:
            All completions, by index.

        Raises:
            GeneratorError: the server is unreachable, refuses, or responds in another format.
            ModelError: the prompt is too long.
        """
        again = self._path is not None
        while True:
            served = self.greet()
            reply = self.client.post("/v1/completions", {"model": served.model, **body})
            if reply.status != 404:
                break
            self._served = None  # restarted, without the adapter loaded at run time
            if not again:
                raise self._lacks(served.model, self.client.shown(reply))
            again = False
        if reply.status != 200:
            raise self._refused(reply)
        made = self._parsed(_Completions, reply).choices
        made.sort(key=lambda one: one.index)
        if [one.index for one in made] != list(range(expected)):
            raise self.malformed(f"{len(made)} completions, {expected} were asked for")
        return made

    def compare_tokens(self, prompt: str, ids: list[int]) -> None:
        """Verify, once, that the server's model has the tokenizer that encoded a prompt.

        Raises:
            GeneratorError: it has another one.
        """
        if self._same_tokens:
            return
        body = {"model": self.greet().model, "tokens": ids}
        reply = self.client.post("/detokenize", body)
        read = reply.data.get("prompt") if isinstance(reply.data, dict) else None
        end = _solid(prompt)[-_COMPARED:]
        if reply.status == 400 or (isinstance(read, str) and not _solid(read).endswith(end)):
            raise GeneratorError(
                f"the text generator at {self.client.url} has a model with other tokens than the "
                "artifact's",
                hint="serve the base model that the model card names",
            )
        self._same_tokens = True  # or the server has no such endpoint

    def load_adapter(self, name: str, path: str) -> None:
        """Load an adapter into the running server.

        Args:
            name: to serve it under.
            path: its folder on the server's disk.

        Raises:
            GeneratorError: run-time loading is disabled, or fails.
        """
        reply = self.client.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": path})
        if reply.status == 200:
            return
        reason = self.client.shown(reply)
        if reply.status == 400 and "already been loaded" in reason:
            return  # by another client
        may_not = reply.status in (404, 405) and "Loading lora" not in reason
        raise GeneratorError(
            f"the text generator at {self.client.url} "
            + ("may not load adapters while it runs" if may_not else f"cannot load it: {reason}"),
            hint="start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora, or with "
            + _start(name, path)
            if may_not
            else f"{path} must be a folder on the server's disk; or start it with "
            + _start(name, path),
        )

    def malformed(self, what: str) -> GeneratorError:
        """Error for a response of another format."""
        return GeneratorError(
            f"the text generator at {self.client.url} gave an answer of another form: {what}",
            hint="it must speak vLLM's dialect: vllm serve, 0.11 or newer",
        )

    def _look(self) -> ServedModel:
        reply = self.client.get("/v1/models")
        if reply.status != 200:
            raise GeneratorError(
                f"{self.client.url} is no server of the OpenAI protocol: GET /v1/models gave "
                f"{reply.status}",
                hint="give the URL that vllm serve prints",
            )
        models = {one.id: one for one in self._parsed(_Models, reply).data}
        bases = [name for name, one in models.items() if one.parent is None]
        base = self._model or (bases[0] if bases else "")
        if base not in models:
            raise self._lacks(base, f"it has: {', '.join(models) or 'no model'}")
        if self._adapter is not None and self._adapter not in models:
            if self._path is None:
                raise self._lacks(self._adapter, f"it has: {', '.join(models)}")
            self.load_adapter(self._adapter, self._path)
        return ServedModel(
            self._adapter or base, models[base].max_model_len or 1 << 20, self._is_new()
        )

    def _is_new(self) -> bool:
        data = self.client.get("/version").data
        text = data.get("version") if isinstance(data, dict) else None
        found = re.match(r"(\d+)\.(\d+)", str(text))
        return found is None or (int(found[1]), int(found[2])) >= _STRUCTURED_SINCE

    def _parsed(self, kind: type[T], reply: HttpReply) -> T:
        try:
            return kind.model_validate(reply.data)
        except ValidationError as e:
            where = ".".join(map(str, e.errors()[0]["loc"])) or "the whole"
            raise self.malformed(f"{where}: {e.errors()[0]['msg']}") from None

    def _refused(self, reply: HttpReply) -> GeneratorError | ModelError:
        reason, hint = self.client.shown(reply), "see what its version of the protocol takes"
        if "context length" in reason:
            return ModelError(f"the prompt is too long for {self.client.url}: {reason}", LONGER)
        if "logprobs" in reason:
            hint = f"start the server with --max-logprobs {MOST_LOGPROBS}"
        elif "vocabulary" in reason:
            hint = "serve the base model that the model card names"
        return GeneratorError(f"the text generator at {self.client.url} refuses: {reason}", hint)

    def _lacks(self, name: str, reason: str) -> GeneratorError:
        what = "adapter" if name == self._adapter else "model"
        return GeneratorError(
            f"the text generator at {self.client.url} has no {what} {name!r}: {reason}",
            hint=f"start it with {_start(name, 'FOLDER')}; FOLDER is the artifact's adapter/"
            if what == "adapter"
            else "give the name that it serves, or start it with --served-model-name",
        )


def _start(name: str, path: str) -> str:
    return f"--enable-lora --lora-modules {name}={path} --max-lora-rank RANK"


def _solid(text: str) -> str:
    return "".join(text.split())
