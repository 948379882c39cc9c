"""Record what a real vLLM server answers; the tests hold ``vllm_double.py`` against it.

    python benchmarks/vllm_record.py http://127.0.0.1:8123

The server has the default language model and the shipped adapter under the name ``ml-100k``; see
``benchmarks/vllm_check.py``, which starts one. Paths of the machine are not kept.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import httpx

from coldstart import Recommender
from coldstart.testing.probes import prompt_of

PERSON = {"age": 24, "gender": "M", "occupation": "technician", "liked": ["Toy Story", "Alien"]}
OUT = Path(__file__).resolve().parents[1] / "tests" / "data" / "vllm" / "recorded.json"
SAMPLE: dict[str, Any] = {
    "model": "ml-100k",
    "max_tokens": 24,
    "logprobs": 0,
    "n": 2,
    "seed": 7,
    "temperature": 1.0,
    "top_p": 1.0,
    "top_k": 0,
    "stop": ["\n"],
}
END = {"stop_token_ids": [198], "min_tokens": 1}
CHOICES = {"choice": ["Toy Story\n", "Alien\n", "Aliens\n", 'Say "Hi" \\ there\n', "Amélie\n"]}


def cases(prompt: list[int]) -> list[tuple[str, str, str, dict[str, Any] | None]]:
    """(name, method, path, body) of every request whose answer is worth knowing."""
    write = SAMPLE | {"prompt": prompt}
    step = {"model": "ml-100k", "max_tokens": 1, "temperature": 1.0}
    step |= {"prompt": [prompt, [*prompt, 504]], "logprobs": 5, "return_tokens_as_token_ids": True}
    load = {"lora_name": "second", "lora_path": "ADAPTER"}
    post = [
        ("sample", "/v1/completions", write | END),
        ("cut", "/v1/completions", write | END | {"max_tokens": 2, "n": 1, "seed": 0}),
        ("choice", "/v1/completions", write | {"structured_outputs": CHOICES, "n": 4}),
        (
            "choice_with_stop_token",
            "/v1/completions",
            write | END | {"structured_outputs": CHOICES},
        ),
        ("step", "/v1/completions", step),
        ("beam", "/v1/completions", write | {"use_beam_search": True, "max_tokens": 6}),
        ("too_many_logprobs", "/v1/completions", step | {"logprobs": 21}),
        ("too_long", "/v1/completions", write | {"prompt": [200] * 4000}),
        ("no_room", "/v1/completions", write | {"prompt": [200] * 2040}),
        ("empty", "/v1/completions", write | {"prompt": []}),
        ("unknown_token", "/v1/completions", write | {"prompt": [10**6]}),
        ("unknown_model", "/v1/completions", write | {"model": "nobody"}),
        ("bad_value", "/v1/completions", write | {"temperature": -1.0}),
        ("bad_type", "/v1/completions", write | {"n": "many"}),
        ("detokenize", "/detokenize", {"model": "ml-100k", "tokens": prompt}),
        ("load_missing", "/v1/load_lora_adapter", load | {"lora_path": "/nowhere"}),
        ("load", "/v1/load_lora_adapter", load),
        ("load_again", "/v1/load_lora_adapter", load),
        ("second", "/v1/completions", write | {"model": "second", "n": 1}),
        ("unload", "/v1/unload_lora_adapter", {"lora_name": "second"}),
    ]
    get = [("models", "/v1/models"), ("version", "/version"), ("nowhere", "/nowhere")]
    return [(n, "POST", p, b) for n, p, b in post] + [(n, "GET", p, None) for n, p in get]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--adapter", default="adapters/ml-100k/adapter")
    args = parser.parse_args()
    rec = Recommender.from_pretrained("adapters/ml-100k")
    text = prompt_of(rec, rec.resolve(PERSON))
    prompt = rec.pipeline.resources.model.lm.lines.encode(text)
    recorded = []
    with httpx.Client(base_url=args.url, timeout=300, trust_env=False) as client:
        for name, method, path, body in cases(prompt):
            sent = body
            if body and body.get("lora_path") == "ADAPTER":
                sent = body | {"lora_path": str(Path(args.adapter).resolve())}
            answer = client.request(method, path, json=sent)
            kind = answer.headers.get("content-type", "").split(";")[0]
            data = answer.json() if kind == "application/json" else answer.text
            one = {"name": name, "method": method, "path": path, "body": body}
            recorded.append(one | {"status": answer.status_code, "type": kind, "answer": data})
            print(f"{answer.status_code} {name}", flush=True)
    plain = json.dumps(recorded, ensure_ascii=False, indent=1)
    plain = re.sub(r'"/[^" ]*/(adapter|base|models/[^"/]+)"', r'"/models/\1"', plain)
    plain = re.sub(r"\[\s+(-?[\d.e-]+,\s+)+-?[\d.e-]+\s+\]", lambda m: _one_line(m[0]), plain)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(plain + "\n", encoding="utf-8")


def _one_line(numbers: str) -> str:
    return "[" + ", ".join(numbers.strip("[] \n").replace("\n", " ").split(",")) + "]"


if __name__ == "__main__":
    main()
