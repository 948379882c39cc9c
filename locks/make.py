"""Write the hash-locked requirements: ``make lock``, after any change of dependencies.

uv resolves ``pyproject.toml`` under ``constraints.txt`` for all platforms. PyTorch is a file of its
own, ``torch.txt``, with the CUDA libraries that its usual Linux wheel needs: ``torch-cpu.txt`` is
taken instead where that wheel is to be had. pip would prefer the one whose index tells a hash.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LOCKS = Path(__file__).parent
ROOT = LOCKS.parent
TORCH = re.compile(r"(torch==|nvidia-|cuda-|triton==)")
FILES = {
    "dev": ["--all-extras"],
    "serve": ["--extra=serve", "--extra=postgres", "--extra=ray", "locks/build.in"],
}


def compiled(uv: str, extras: list[str]) -> list[str]:
    """Requirements with hashes, one entry with all its lines each."""
    command = [uv, "pip", "compile", "pyproject.toml", *extras, "-c", "constraints.txt"]
    command += ["--universal", "--python-version=3.11", "--generate-hashes", "--system-certs"]
    command += ["--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{done.stderr}\nuv could not resolve the dependencies: is a package index there?")
    return re.split(r"\n(?=\S)", done.stdout.strip())


def main() -> None:
    """Write ``dev.txt``, ``serve.txt`` and ``torch.txt``."""
    torch: dict[str, None] = {}
    for name, extras in FILES.items():
        entries = compiled(sys.argv[1], extras)
        torch |= dict.fromkeys(e for e in entries if TORCH.match(e))
        kept = [e for e in entries if not TORCH.match(e)]
        (LOCKS / f"{name}.txt").write_text("\n".join(kept) + "\n", "utf-8")
    (LOCKS / "torch.txt").write_text("\n".join(torch) + "\n", "utf-8")


if __name__ == "__main__":
    main()
