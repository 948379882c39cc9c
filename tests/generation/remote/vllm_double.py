"""A vLLM server's wire format around a tiny model, in this process.

What it answers has the form of ``tests/data/vllm/recorded.json``, which a real server gave
(``benchmarks/vllm_record.py``); ``test_wire_format.py`` holds it against that.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import torch

from coldstart.generation.decoding.free import _weights
from coldstart.generation.models.causal import CausalLM
from coldstart.schema import DecodingConfig
from tests.waiting import until


@dataclass
class Fault:
    """What is answered instead, once: when ``held`` is over, and some seconds later."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    held: Callable[[], object] | None = None
    cut: bool = False


class Refused(Exception):
    """A request that the server does not take."""

    def __init__(
        self, status: int, message: str, kind: str = "BadRequestError", param: str | None = None
    ) -> None:
        self.status = status
        self.body = {
            "error": {"message": message, "type": kind, "param": param, "code": status},
        }


class VllmDouble:
    """The server's state; ``url`` is where it listens.

    Args:
        lm: what it serves.
        base: name of the base model.
        adapters: names of adapters; all are the same model.
        key: that requests must have.
        longest: its ``--max-model-len``.
        most_logprobs: its ``--max-logprobs``.
        version: what it says it is.
        may_load: whether it loads adapters while it runs.
    """

    def __init__(
        self,
        lm: CausalLM,
        base: str = "smollm2",
        adapters: Sequence[str] = ("ml-100k",),
        key: str | None = None,
        longest: int = 1024,
        most_logprobs: int = 20,
        version: str = "0.32.0",
        may_load: bool = True,
    ) -> None:
        self.lm, self.base, self.adapters, self.key = lm, base, list(adapters), key
        self.longest, self.most_logprobs = longest, most_logprobs
        self.version, self.may_load = version, may_load
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.faults: list[Fault] = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        self.url = ""

    def bodies(self, path: str = "/v1/completions") -> list[Any]:
        """What was sent to a path."""
        return [body for _, p, _, body in self.asked if p == path]

    def answer(self, method: str, path: str, headers: dict[str, str], body: Any) -> Any:
        """The answer to a request, or ``Refused``."""
        if (
            self.key
            and path.startswith("/v1")
            and headers.get("authorization") != (f"Bearer {self.key}")
        ):
            raise _plain(401, {"error": "Unauthorized"})
        routes = {
            ("GET", "/v1/models"): self._models,
            ("GET", "/version"): lambda _: {"version": self.version},
            ("POST", "/v1/completions"): self._completions,
            ("POST", "/detokenize"): self._detokenize,
        }
        if self.may_load:
            routes["POST", "/v1/load_lora_adapter"] = self._load
            routes["POST", "/v1/unload_lora_adapter"] = self._unload
        if (method, path) not in routes:
            raise _plain(404, {"detail": "Not Found"})
        return routes[method, path](body)

    # -- routes ---------------------------------------------------------------------------------

    def _models(self, _: Any) -> Any:
        now = int(time.time())
        rows = [(self.base, None, self.longest), *((a, self.base, None) for a in self.adapters)]
        permission = {
            "id": "modelperm-0",
            "object": "model_permission",
            "created": now,
            "allow_create_engine": False,
            "allow_sampling": True,
            "allow_logprobs": True,
            "allow_search_indices": False,
            "allow_view": True,
            "allow_fine_tuning": False,
            "organization": "*",
            "group": None,
            "is_blocking": False,
        }
        return {
            "object": "list",
            "data": [
                {
                    "id": name,
                    "object": "model",
                    "created": now,
                    "owned_by": "vllm",
                    "root": f"/models/{name}",
                    "parent": parent,
                    "max_model_len": longest,
                    "permission": [permission],
                }
                for name, parent, longest in rows
            ],
        }

    def _detokenize(self, body: Any) -> Any:
        self._check_ids(body["tokens"])
        return {"prompt": self.lm.tokenizer.decode(body["tokens"])}

    def _load(self, body: Any) -> str:
        name, path = body["lora_name"], body["lora_path"]
        if path.startswith("/nowhere"):
            message = f"Loading lora {name} failed: No adapter found for {path}"
            raise Refused(404, message, "NotFoundError")
        if name in self.adapters:
            message = (
                f"The lora adapter '{name}' has already been loaded. If you want to load the "
                "adapter in place, set 'load_inplace' to True."
            )
            raise Refused(400, message, "InvalidUserInput")
        self.adapters.append(name)
        return f"Success: LoRA adapter '{name}' added successfully."

    def _unload(self, body: Any) -> str:
        self.adapters.remove(body["lora_name"])
        return f"Success: LoRA adapter '{body['lora_name']}' removed successfully."

    def _completions(self, body: Any) -> Any:
        model = body["model"]
        if model not in (self.base, *self.adapters):
            message = f"The model `{model}` does not exist. Valid aliases: {self.base}."
            raise Refused(404, message, "NotFoundError", "model")
        if not isinstance(body.get("n", 1), int):
            raise Refused(400, "1 validation error", "Bad Request", "body.n")
        self._check(body)
        prompts = body["prompt"]
        if not prompts:
            raise Refused(400, "You must pass at least one prompt")
        rows = prompts if isinstance(prompts[0], list) else [prompts]
        for row in rows:
            self._check_ids(row)
            if len(row) > self.longest - 1:
                message = (
                    f"This model's maximum context length is {self.longest} tokens. However, your "
                    f"prompt contains {len(row)} input tokens, which exceeds this limit even "
                    "without any output tokens. Please reduce the length of the input prompt. "
                    f"(parameter=input_tokens, value={len(row)})"
                )
                raise Refused(400, message, param="input_tokens")
        if body.get("structured_outputs") and body.get("stop_token_ids"):
            raise Refused(500, "Internal server error", "InternalServerError")
        n = body.get("n", 1)
        made = [self._write(row, body, draw) for row in rows for draw in range(n)]
        tokens = sum(len(one["logprobs"]["tokens"]) for one in made)
        asked = sum(map(len, rows))
        return {
            "id": "cmpl-0",
            "object": "text_completion",
            "created": int(time.time()),
            "model": model,
            "choices": [{"index": index, **one} for index, one in enumerate(made)],
            "service_tier": None,
            "system_fingerprint": "vllm-0.32.0-0",
            "usage": {
                "prompt_tokens": asked,
                "total_tokens": asked + tokens,
                "completion_tokens": tokens,
                "prompt_tokens_details": None,
                "completion_tokens_details": None,
            },
            "kv_transfer_params": None,
            "ec_transfer_params": None,
            "metrics": None,
        }

    def _check(self, body: Any) -> None:
        if body["logprobs"] > self.most_logprobs:
            message = (
                f"Requested sample logprobs of {body['logprobs']}, which is greater than max "
                f"allowed: {self.most_logprobs} (parameter=logprobs, value={body['logprobs']})"
            )
            raise Refused(400, message, param="logprobs")
        if body["temperature"] < 0:
            message = f"temperature must be non-negative, got {body['temperature']}."
            raise Refused(400, message, param="temperature")

    def _check_ids(self, ids: Sequence[int]) -> None:
        size = self.lm.model.config.vocab_size
        for token in ids:
            if token >= size:
                raise Refused(400, f"Token id {token} is out of vocabulary")

    # -- writing --------------------------------------------------------------------------------

    def _write(self, prompt: list[int], body: Any, draw: int) -> dict[str, Any]:
        tokenizer = self.lm.tokenizer
        chance = torch.Generator().manual_seed((body.get("seed") or 0) + draw)
        temperature, top_k = body["temperature"], body.get("top_k") or None
        config = DecodingConfig(temperature=temperature, top_p=body.get("top_p", 1.0), top_k=top_k)
        stops, stop_ids = body.get("stop") or [], body.get("stop_token_ids") or []
        choices = (body.get("structured_outputs") or {}).get("choice") or []
        if self.version < "0.11":
            choices = body.get("guided_choice") or []
        paths = [self.lm.lines.line(text) for text in choices]
        room = min(body["max_tokens"], self.longest - len(prompt))
        ids: list[int] = []
        gained: list[float] = []
        named: list[dict[int, float]] = []
        reason, stop_reason = "length", None
        while len(ids) < room:
            logprobs = self._next(prompt + ids)
            if paths:
                here = {p[len(ids)] for p in paths if p[: len(ids)] == tuple(ids) != p}
                masked = torch.full_like(logprobs, -torch.inf)
                masked[list(here)] = logprobs[list(here)]
                logprobs = masked.log_softmax(-1)
            allowed = logprobs.clone()
            if len(ids) < body.get("min_tokens", 0):
                allowed[[*stop_ids, tokenizer.eos_token_id]] = -torch.inf
            weights = _weights(allowed[None], config)[0]
            token = int(torch.multinomial(weights, 1, generator=chance))
            ids.append(token)
            gained.append(float(logprobs[token]))
            top = logprobs.topk(body["logprobs"]).indices.tolist() if body["logprobs"] else []
            named.append({i: float(logprobs[i]) for i in dict.fromkeys([token, *top])})
            text = tokenizer.decode(ids, skip_special_tokens=True)
            if token in stop_ids or token == tokenizer.eos_token_id:
                reason, stop_reason = "stop", token if token in stop_ids else None
                text = tokenizer.decode(ids[:-1], skip_special_tokens=True)
                break
            found = next((stop for stop in stops if stop in text), None)
            if found is not None:
                reason, stop_reason, text = "stop", found, text.split(found, 1)[0]
                break
        else:
            text = tokenizer.decode(ids, skip_special_tokens=True)

        def name(token: int) -> str:
            as_id = body.get("return_tokens_as_token_ids")
            return f"token_id:{token}" if as_id else tokenizer.decode([token])

        ends = [len(tokenizer.decode(ids[:n])) for n in range(len(ids))]
        return {
            "text": text,
            "logprobs": {
                "text_offset": ends,
                "token_logprobs": gained,
                "tokens": [name(token) for token in ids],
                "top_logprobs": [{name(i): p for i, p in row.items()} for row in named],
            },
            "finish_reason": reason,
            "stop_reason": stop_reason,
            "token_ids": None,
            "prompt_logprobs": None,
            "prompt_token_ids": None,
            "routed_experts": None,
        }

    @torch.inference_mode()
    def _next(self, ids: list[int]) -> torch.Tensor:
        logits = self.lm.model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        return logits.float().log_softmax(-1)


def _plain(status: int, body: Any) -> Refused:
    refused = Refused(status, "")
    refused.body = body
    return refused


@contextmanager
def serving(double: VllmDouble) -> Iterator[VllmDouble]:
    """Listen on a free port for the time of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
            body = json.loads(data) if data else None
            headers = {name.lower(): value for name, value in self.headers.items()}
            with double.lock:
                double.asked.append((self.command, self.path, headers, body))
                double.under_way += 1
                double.most_under_way = max(double.most_under_way, double.under_way)
                fault = double.faults.pop(0) if double.faults else None
            try:
                self._answer(headers, body, fault)
            finally:
                with double.lock:
                    double.under_way -= 1

        do_GET = do_POST = _handle

        def _answer(self, headers: dict[str, str], body: Any, fault: Fault | None) -> None:
            if fault is not None and fault.held:
                until(fault.held, "what the answer is held for")
            if fault is not None and fault.seconds:
                time.sleep(fault.seconds)
            if fault is not None and fault.cut:
                self.close_connection = True
                return
            if fault is not None and fault.body is not None:
                return self._send(fault.status, fault.body, fault.headers)
            try:
                self._send(200, double.answer(self.command, self.path, headers, body), {})
            except Refused as e:
                self._send(e.status, e.body, {})

        def _send(self, status: int, answer: Any, headers: dict[str, str]) -> None:
            text = isinstance(answer, str)
            data = (answer if text else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if text else "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # the client did not wait

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
