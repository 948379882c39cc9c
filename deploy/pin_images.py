"""Pin the base images of ``deploy/`` by digest: ``make image-digests``."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

DEPLOY = Path(__file__).parent
PLACES = {
    "Dockerfile": r"(?m)^(ARG BASE=)(\S+?)(@sha256:[0-9a-f]{64})?$",
    "compose.yaml": r"(?m)^( +image: )(postgres:\S+?)(@sha256:[0-9a-f]{64})?$",
}


def digest(image: str) -> str:
    """Digest of the image's index, as the registry has it now."""
    if shutil.which("docker") is None:
        sys.exit("no docker here: the registry cannot be asked; the images stay pinned by tag")
    command = [
        "docker",
        "buildx",
        "imagetools",
        "inspect",
        image,
        "--format",
        "{{.Manifest.Digest}}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = done.stdout.strip()
    if done.returncode or not re.fullmatch("sha256:[0-9a-f]{64}", found):
        sys.exit(f"{image}: the registry gives no digest; offline?\n{done.stderr.strip()}")
    return found


def main() -> None:
    """Rewrite the two files; nothing is written unless all digests are known."""
    texts = {}
    for name, pattern in PLACES.items():
        text = (DEPLOY / name).read_text("utf-8")
        texts[name] = re.sub(pattern, lambda m: f"{m[1]}{m[2]}@{digest(m[2])}", text)
    for name, text in texts.items():
        (DEPLOY / name).write_text(text, "utf-8")
        sys.stdout.write(f"deploy/{name}: pinned by digest\n")


if __name__ == "__main__":
    main()
