"""Manifest of an artifact: its fields, checked, and the hash that seals it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from coldstart.errors import ArtifactError
from coldstart.runtime import untrusted

SEAL = "sha256"
"""Field with the hash of all other fields; artifacts of older releases have none."""
SUFFIXES = (".json", ".jsonl", ".safetensors", ".j2", ".md")
"""Of an artifact's files: data and one prompt template, nothing that runs when it is read."""

_NEEDED = ("base", "encoder", "catalog", "prompt", "settings")
_OPTIONAL = (
    *("data", "split", "training", "validation", "versions", "requests"),
    *("start", "domain"),
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MOST_FILES = 1000


def seal(manifest: Mapping[str, Any]) -> str:
    """SHA-256 (hexadecimal) of a manifest without its seal, whatever its formatting and order."""
    rest = {key: value for key, value in manifest.items() if key != SEAL}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check_seal(manifest: Mapping[str, Any], where: str) -> None:
    """Compare a manifest with its seal, if it has one.

    The seal finds damage and edits; it proves no origin, since whoever edits can seal again. For
    that, pin the commit on the hub, or the seal that ``coldstart info`` shows.

    Raises:
        ArtifactError: it differs.
    """
    given = manifest.get(SEAL)
    if given is not None and given != (found := seal(manifest)):
        raise ArtifactError(
            f"{where}: the manifest was altered (SHA-256 {found[:12]}…, expected "
            f"{untrusted.shown(given)[:14]}…)",
            hint=f"copy the artifact again; after an edit on purpose, delete its field {SEAL!r}",
        )


def table_of(manifest: Mapping[str, Any], what: str) -> dict[str, str]:
    """Hashes of the files by name.

    Raises:
        ArtifactError: a name that no file can have, or no SHA-256.
    """
    table = untrusted.mapping(manifest["files"], f"{what}: files")
    if len(table) > _MOST_FILES:
        raise ArtifactError(f"{what} lists {len(table)} files, at most {_MOST_FILES} are read")
    for name, digest in table.items():
        untrusted.text(name, f"{what}: the name of a file")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise untrusted.refuse(
                f"{what}: the SHA-256 of {untrusted.shown(name)}", digest, "64 digits"
            )
    return table


def check_kind(name: str, where: str) -> None:
    """Refuse a file that is not of data.

    Raises:
        ArtifactError: its suffix is not one of ``SUFFIXES``.
    """
    if PurePosixPath(name).suffix not in SUFFIXES:
        raise ArtifactError(
            f"{where} lists {untrusted.shown(name)}, expected files of data "
            f"({', '.join(SUFFIXES)})",
            untrusted.HINT,
        )


def check_fields(manifest: Mapping[str, Any], what: str) -> None:
    """Check the fields that recommending and the model card use.

    Raises:
        ArtifactError: one is missing, or of another type.
    """
    untrusted.mapping(dict(manifest), what, _NEEDED)
    for part in (*_NEEDED, *(p for p in _OPTIONAL if manifest.get(p) is not None)):
        untrusted.mapping(manifest[part], f"{what}: {part}")
    for part, field in (
        ("base", "name"),
        ("base", "fingerprint"),
        ("encoder", "name"),
        ("catalog", "fingerprint"),
        ("prompt", "name"),
        ("prompt", "sha256"),
        ("prompt", "language"),
        ("prompt", "domain"),
    ):
        untrusted.text(manifest[part].get(field), f"{what}: {part}.{field}", 1000)
    untrusted.names(manifest["prompt"].get("variables"), f"{what}: prompt.variables")
    description = manifest["prompt"].get("description")
    if description != "":
        untrusted.text(description, f"{what}: prompt.description", 2000)
    if "source" not in manifest["catalog"]:
        raise ArtifactError(f"{what}: catalog lacks source", untrusted.HINT)
    source = manifest["catalog"]["source"]
    if source is not None:
        untrusted.text(source, f"{what}: catalog.source")
    for part in ("catalog", "data", "split", "requests"):
        for field, value in (manifest.get(part) or {}).items():
            if field in ("items", "users", "likes", "train", "valid", "test", "blend_cases"):
                untrusted.whole(value, f"{what}: {part}.{field}")
    for part, field in (("data", "name"), ("data", "fingerprint"), ("requests", "name")):
        if manifest.get(part):
            untrusted.text(manifest[part].get(field), f"{what}: {part}.{field}")
    if manifest.get("domain"):
        field = f"{what}: domain.categories"
        for name, share in untrusted.mapping(manifest["domain"].get("categories"), field).items():
            untrusted.number(share, f"{field}: {untrusted.shown(name)}", 0.0, 1.0)
    if "name" in manifest:
        untrusted.text(manifest["name"], f"{what}: name")
