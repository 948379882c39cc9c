"""Memory of a process that ranks, with the language model in it and with a generator elsewhere.

    python benchmarks/vllm_memory.py --url http://gpu:8000      # adapter ml-100k

Prints resident memory (VmRSS, MB) after loading, and after lists of three users; each case runs in
a process of its own. Also how large requests are, and what a request takes beside the model's work.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

PEOPLE = [{"age": 24, "liked": ["Toy Story"]}, {"about": "slow stories"}, {"liked": ["Alien"]}]
CASES = ("prior", "free, here", "free, elsewhere")


def resident() -> int:
    found = re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) // 1024


def one(case: str, url: str) -> None:
    from coldstart import Recommender
    from coldstart.generation.remote.vllm import VllmGenerator
    from coldstart.schema import DecodingConfig

    generator = None
    if case == "free, elsewhere":
        generator = VllmGenerator(url, adapter="ml-100k", timeout=600.0)
    start = time.perf_counter()
    rec = Recommender.from_pretrained("adapters/ml-100k", generator=generator)
    out = {"case": case, "seconds to load": round(time.perf_counter() - start, 1)}
    out["loaded, MB"] = resident()
    decoding = DecodingConfig(mode="sample")
    for person in PEOPLE:
        rec.recommend(person, strategy=case.split(",")[0], decoding=decoding)
    out["after three lists, MB"] = resident()
    if generator is not None:
        out["weights here"] = rec.lm.loaded
    print(json.dumps(out))


def sizes(url: str) -> None:
    """Bytes over the wire, and what a request takes beside the model."""
    from coldstart import Recommender
    from coldstart.generation.remote.vllm import VllmGenerator
    from coldstart.schema import DecodingConfig

    generator = VllmGenerator(url, adapter="ml-100k", timeout=600.0)
    rec = Recommender.from_pretrained("adapters/ml-100k", generator=generator)
    counted: list[dict[str, object]] = []
    ask = generator._server.client._once

    def counting(method: str, path: str, body: bytes | None) -> object:
        start = time.perf_counter()
        reply = ask(method, path, body)
        seconds = time.perf_counter() - start
        row = {"path": path, "sent": len(body or b""), "got": len(json.dumps(reply.data))}
        counted.append(row | {"ms": round(1000 * seconds, 1)})
        return reply

    generator._server.client._once = counting
    for decoding in (
        DecodingConfig(mode="sample", n=20),
        DecodingConfig(mode="sample", n=20, choices="shortlist"),
        DecodingConfig(n=20, max_new_tokens=3),
    ):
        rec.generate(PEOPLE[0], strategy="free", n=20, decoding=decoding)
    for row in counted:
        print(json.dumps(row))
    for _ in range(20):
        generator._server.client.get("/version")
    quick = sorted(float(str(row["ms"])) for row in counted[-20:])
    print(json.dumps({"round trip without a model, median ms": quick[10]}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--case", choices=CASES)
    args = parser.parse_args()
    if args.case:
        return one(args.case, args.url)
    for case in CASES:
        subprocess.run([sys.executable, __file__, "--url", args.url, "--case", case], check=True)
    sizes(args.url)


if __name__ == "__main__":
    main()
