"""A vLLM server as a client sees it: which models it has, completions, adapters, and its errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from coldstart.errors import ConfigError, GeneratorError, ModelError
from coldstart.generation.remote.http import Reply, Wire

T = TypeVar("T", bound=BaseModel)

MOST_LOGPROBS = 20
"""Tokens that a server tells the log-probabilities of, per place: its ``--max-logprobs``."""

LONGER = "lower prompt_tokens, or start the server with a larger --max-model-len"
_COMPARED = 60  # characters of a prompt's end
_STRUCTURED_SINCE = (0, 11)  # before, the field was guided_choice


class Logprobs(BaseModel):
    """Of the tokens of a text: each one's, and those of the likeliest at its place."""

    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None = None


class Text(BaseModel):
    """One completion."""

    index: int
    text: str
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class _Completion(BaseModel):
    choices: list[Text]


class _Model(BaseModel):
    id: str
    parent: str | None = None
    max_model_len: int | None = None


class _Models(BaseModel):
    data: list[_Model]


@dataclass(frozen=True)
class Served:
    """What a server has.

    Args:
        model: name that requests are sent to: the adapter's, or the base model's.
        longest: tokens of prompt and title together, at most.
        structured: whether it knows ``structured_outputs``; else ``guided_choice``.
    """

    model: str
    longest: int
    structured: bool


class VllmServer:
    """One model, or one adapter, of a server.

    Args:
        wire: the connection.
        model: name of the base model; ``None``: the one it has.
        adapter: name of the LoRA adapter; ``None``: none.
        adapter_path: where the server finds the adapter, if it is to load it.

    Raises:
        ConfigError: a folder without a name.
    """

    def __init__(
        self, wire: Wire, model: str | None, adapter: str | None, adapter_path: str | None
    ) -> None:
        if adapter_path is not None and adapter is None:
            raise ConfigError("an adapter's folder without its name", hint="give adapter=…, too")
        self.wire = wire
        self._model, self._adapter, self._path = model, adapter, adapter_path
        self._served: Served | None = None
        self._same_tokens = False
        self._greeting = threading.Lock()

    def greet(self) -> Served:
        """Ask what the server has, once."""
        served = self._served
        if served is None:
            with self._greeting:
                served = self._served = self._served or self._look()
        return served

    def complete(self, body: Mapping[str, Any], expected: int) -> list[Text]:
        """Ask for completions.

        Args:
            body: the request, without the model.
            expected: how many.

        Returns:
            All of them, in the order asked for.

        Raises:
            GeneratorError: the server is away, refuses, or answers in another form.
            ModelError: the prompt is too long.
        """
        again = self._path is not None
        while True:
            served = self.greet()
            reply = self.wire.post("/v1/completions", {"model": served.model, **body})
            if reply.status != 404:
                break
            self._served = None  # it was started anew, without what was loaded
            if not again:
                raise self._lacks(served.model, self.wire.shown(reply))
            again = False
        if reply.status != 200:
            raise self._refused(reply)
        made = self._parsed(_Completion, reply).choices
        made.sort(key=lambda one: one.index)
        if [one.index for one in made] != list(range(expected)):
            raise self.malformed(f"{len(made)} completions, {expected} were asked for")
        return made

    def compare_tokens(self, prompt: str, ids: list[int]) -> None:
        """Make sure, once, that the server's model has the tokens that a prompt was made of.

        Raises:
            GeneratorError: it has others.
        """
        if self._same_tokens:
            return
        body = {"model": self.greet().model, "tokens": ids}
        reply = self.wire.post("/detokenize", body)
        read = reply.data.get("prompt") if isinstance(reply.data, dict) else None
        end = _solid(prompt)[-_COMPARED:]
        if reply.status == 400 or (isinstance(read, str) and not _solid(read).endswith(end)):
            raise GeneratorError(
                f"the text generator at {self.wire.url} has a model with other tokens than the "
                "artifact's",
                hint="serve the base model that the model card names",
            )
        self._same_tokens = True  # or the server cannot tell

    def load_adapter(self, name: str, path: str) -> None:
        """Have the server load an adapter while it runs.

        Args:
            name: to serve it under.
            path: its folder on the server's disk.

        Raises:
            GeneratorError: it may not, or cannot.
        """
        reply = self.wire.post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": path})
        if reply.status == 200:
            return
        reason = self.wire.shown(reply)
        if reply.status == 400 and "already been loaded" in reason:
            return  # somebody else was faster
        may_not = reply.status in (404, 405) and "Loading lora" not in reason
        raise GeneratorError(
            f"the text generator at {self.wire.url} "
            + ("may not load adapters while it runs" if may_not else f"cannot load it: {reason}"),
            hint="start it with VLLM_ALLOW_RUNTIME_LORA_UPDATING=True and --enable-lora, or with "
            + _start(name, path)
            if may_not
            else f"{path} must be a folder on the server's disk; or start it with "
            + _start(name, path),
        )

    def malformed(self, what: str) -> GeneratorError:
        """Say that an answer has another form."""
        return GeneratorError(
            f"the text generator at {self.wire.url} gave an answer of another form: {what}",
            hint="it must speak vLLM's dialect: vllm serve, 0.11 or newer",
        )

    def _look(self) -> Served:
        reply = self.wire.get("/v1/models")
        if reply.status != 200:
            raise GeneratorError(
                f"{self.wire.url} is no server of the OpenAI protocol: GET /v1/models gave "
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
        return Served(self._adapter or base, models[base].max_model_len or 1 << 20, self._is_new())

    def _is_new(self) -> bool:
        data = self.wire.get("/version").data
        text = data.get("version") if isinstance(data, dict) else None
        found = re.match(r"(\d+)\.(\d+)", str(text))
        return found is None or (int(found[1]), int(found[2])) >= _STRUCTURED_SINCE

    def _parsed(self, kind: type[T], reply: Reply) -> T:
        try:
            return kind.model_validate(reply.data)
        except ValidationError as e:
            where = ".".join(map(str, e.errors()[0]["loc"])) or "the whole"
            raise self.malformed(f"{where}: {e.errors()[0]['msg']}") from None

    def _refused(self, reply: Reply) -> GeneratorError | ModelError:
        reason, hint = self.wire.shown(reply), "see what its version of the protocol takes"
        if "context length" in reason:
            return ModelError(f"the prompt is too long for {self.wire.url}: {reason}", LONGER)
        if "logprobs" in reason:
            hint = f"start the server with --max-logprobs {MOST_LOGPROBS}"
        elif "vocabulary" in reason:
            hint = "serve the base model that the model card names"
        return GeneratorError(f"the text generator at {self.wire.url} refuses: {reason}", hint)

    def _lacks(self, name: str, reason: str) -> GeneratorError:
        what = "adapter" if name == self._adapter else "model"
        return GeneratorError(
            f"the text generator at {self.wire.url} has no {what} {name!r}: {reason}",
            hint=f"start it with {_start(name, 'FOLDER')}; FOLDER is the artifact's adapter/"
            if what == "adapter"
            else "give the name that it serves, or start it with --served-model-name",
        )


def _start(name: str, path: str) -> str:
    return f"--enable-lora --lora-modules {name}={path} --max-lora-rank RANK"


def _solid(text: str) -> str:
    return "".join(text.split())
