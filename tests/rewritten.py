"""Artifacts that were changed after saving, with hashes made right: as strangers can make them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coldstart.artifacts.manifest import seal


def write(folder: Path, name: str, data: bytes) -> None:
    """Replace a file, its hash, and the seal of the manifest."""
    (folder / name).write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    edit_manifest(folder, lambda manifest: manifest["files"].update({name: digest}))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest in place, and seal it again."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    manifest["sha256"] = seal(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
