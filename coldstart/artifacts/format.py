"""Artifact format: a folder of safetensors, JSON and text files with SHA-256 checksums.

What an artifact may do: give numbers, names and one prompt template, all of which are checked when
it is loaded. What it may not do: run code. It holds no pickle and no Python; its template is a
bounded subset of Jinja2 (``coldstart.prompts``); its adapter plain LoRA; and an encoder that it
names is refused if it brings code (``coldstart.encoding.foreign_code``). Whatever is wrong with it
is an ``ArtifactError`` of one line. The checksums find damage, not malice: whoever alters a file
can alter its checksum. An artifact may still recommend badly on purpose.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coldstart.artifacts.counts_file import counts_from_bytes as counts_from_bytes
from coldstart.artifacts.counts_file import counts_to_bytes as counts_to_bytes
from coldstart.artifacts.manifest import SEAL, check_fields, check_kind, check_seal, seal, table_of
from coldstart.artifacts.model_card import model_card
from coldstart.errors import ArtifactError, ColdstartError, PromptError
from coldstart.interactions.interaction_stats import Counts
from coldstart.prompts import PromptTemplate
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime import untrusted
from coldstart.runtime.cache import new_folder, restore

FORMAT = 1
"""Format version, incremented on incompatible changes only. Compatible additions keep the version;
their defaults are filled in when reading artifacts of older releases."""
MANIFEST = "manifest.json"
CARD = "README.md"
Files = dict[str, bytes]

MOST_BYTES = 4 << 30
"""Largest artifact."""
_LARGEST = {MANIFEST: 16 << 20, "prompt/template.j2": 256 << 10}
_LARGEST_BY_SUFFIX = {".json": 256 << 20}
_ALWAYS = ("prompt/template.j2", "counts.safetensors", "ranker.json")


@dataclass(frozen=True)
class Artifact:
    """Verified contents of an artifact folder, without loaded models.

    Args:
        manifest: names, hashes, settings and metrics.
        files: all other files, by path in the folder.
        template: the prompt template of the training.
        counts: interaction statistics of the training users.
        ranker: the learned blend.
    """

    manifest: dict[str, Any]
    files: Mapping[str, bytes]
    template: PromptTemplate
    counts: Counts
    ranker: BlendRanker


def save(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write an artifact atomically; the manifest records every file's SHA-256.

    Raises:
        ArtifactError: ``folder`` exists and is not an artifact.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise ArtifactError(
            f"{folder} exists and is no artifact", hint="give a new folder, or an artifact's"
        )
    table = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}
    rest = {key: value for key, value in manifest.items() if key != SEAL}
    full: dict[str, Any] = {"format": FORMAT, **rest, "files": table}
    full[SEAL] = seal(full)
    card = model_card(full)
    with new_folder(folder) as work:
        (work / CARD).write_text(card, encoding="utf-8")
        for name, data in files.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(data)
        text = json.dumps(full, indent=1, ensure_ascii=False)
        (work / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read an artifact's manifest, and verify all files.

    Raises:
        ArtifactError: no artifact, a damaged one, or one of a newer format.
    """
    return read(folder)[0]


def load(folder: Path) -> Artifact:
    """Read and parse an artifact, without loading models.

    Raises:
        ArtifactError: no artifact, a damaged one, or one of a newer format; names the file.
    """
    manifest, files = read(folder)
    if missing := [name for name in _ALWAYS if name not in files]:
        raise ArtifactError(f"{folder} lacks {', '.join(missing)}", untrusted.HINT)
    try:
        template = _template(manifest, files)
        counts = counts_from_bytes(files["counts.safetensors"])
        _check_split(files)
        data = untrusted.read_json(files["ranker.json"], "ranker.json")
        ranker = BlendRanker.from_dict(_upgraded_ranker(data))
        if not ranker.strategies:
            raise ArtifactError("ranker.json has no weights of any strategy", untrusted.HINT)
        return Artifact(manifest, files, template, counts, ranker)
    except ColdstartError as e:
        raise ArtifactError(f"{folder}: {e.message}", e.hint) from e
    except Exception as e:  # what no check foresaw
        raise ArtifactError(
            f"{folder}: cannot read the artifact: {untrusted.first_line(e)}",
            hint="it was altered after saving, or made by another version; save it again",
        ) from e


def read(folder: Path) -> tuple[dict[str, Any], Files]:
    """Read the manifest and all files it lists, verified by checksum.

    Raises:
        ArtifactError: no artifact, a damaged one, or one of a newer format.
    """
    restore(Path(folder))
    path = Path(folder) / MANIFEST
    if not _is_file(path):
        raise ArtifactError(
            f"no artifact at {folder}: {MANIFEST} is missing",
            hint="train one with `coldstart train --data movies --out DIR`, or give its folder",
        )
    manifest = _manifest(path)
    table = table_of(manifest, str(path))
    files: Files = {}
    left = MOST_BYTES
    root = Path(folder).resolve()
    for name, expected in table.items():
        # Not resolved: in a hub cache, files are links to places outside the folder.
        file = Path(os.path.normpath(root / name))
        if not file.is_relative_to(root) or not _is_file(file):
            raise ArtifactError(f"{folder}: {name} is missing", hint="copy the artifact again")
        check_kind(name, str(path))
        files[name] = _content(file, name, left)
        left -= len(files[name])
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            raise ArtifactError(
                f"{folder}: {name} is damaged (SHA-256 {found[:12]}…, expected {expected[:12]}…)",
                hint="copy the artifact again",
            )
    check_seal(manifest, str(folder))
    check_fields(manifest, str(path))
    return manifest, files


def _manifest(path: Path) -> dict[str, Any]:
    """A manifest of a known format; its fields are not yet checked."""
    try:
        found = untrusted.read_json(_content(path, MANIFEST, MOST_BYTES), MANIFEST)
        manifest = untrusted.mapping(found, MANIFEST, ("format", "files"))
        version = untrusted.whole(manifest["format"], "format", low=-untrusted.WIDEST)
    except ArtifactError as e:
        hint = "copy the artifact again"
        raise ArtifactError(f"{path}: damaged manifest: {e.message}", hint) from e
    if version < 1:
        raise ArtifactError(f"{path}: format {version} never was", hint="copy the artifact again")
    if version > FORMAT:
        raise ArtifactError(
            f"{path.parent} has artifact format {version}, this coldstart reads up to {FORMAT}",
            hint="upgrade coldstart",
        )
    return manifest


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _content(path: Path, name: str, most: int) -> bytes:
    """A file's bytes, of no more than its kind may have."""
    by_suffix = _LARGEST_BY_SUFFIX.get(path.suffix, most)
    most = min(most, _LARGEST.get(name, by_suffix))
    try:
        with path.open("rb") as f:
            data = f.read(most + 1) if os.fstat(f.fileno()).st_size <= most else None
    except (OSError, MemoryError) as e:
        raise ArtifactError(
            f"{path} cannot be read: {untrusted.first_line(e)}", hint="copy the artifact again"
        ) from e
    if data is None or len(data) > most:
        raise ArtifactError(f"{path} is too large, expected at most {most} bytes", untrusted.HINT)
    return data


def _check_split(files: Mapping[str, bytes]) -> None:
    """Check the users of an artifact that has a split: each in one part, once."""
    name = "split.json"
    if name not in files:
        return
    parts = ("train", "valid", "test")
    split = untrusted.mapping(untrusted.read_json(files[name], name), name, parts)
    everyone = [user for part in parts for user in untrusted.names(split[part], f"{name}: {part}")]
    if len(set(everyone)) < len(everyone):
        raise ArtifactError(f"{name} has a user in more than one part", untrusted.HINT)


def _upgraded_ranker(data: Any) -> Any:
    """Upgrade a ranker of before tree corrections, which consists of its weights alone."""
    is_old = isinstance(data, dict) and "weights" not in data and "catalog" in data
    return {"weights": data, "correction": None} if is_old else data


def _template(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> PromptTemplate:
    prompt = manifest["prompt"]
    try:
        source = files["prompt/template.j2"].decode("utf-8")
    except UnicodeDecodeError as e:
        raise ArtifactError("prompt/template.j2 is not UTF-8", untrusted.HINT) from e
    template = PromptTemplate(
        name=prompt["name"],
        source=source,
        variables=frozenset(prompt["variables"]),
        language=prompt["language"],
        domain=prompt["domain"],
        description=prompt["description"],
    )
    if template.sha256 != prompt["sha256"]:
        raise ArtifactError(
            f"the prompt template is not the one the adapter was trained on "
            f"(SHA-256 {template.sha256[:12]}…, expected {prompt['sha256'][:12]}…)",
            hint="restore prompt/template.j2, or train again with the new template",
        )
    try:
        template.check()
    except PromptError as e:
        raise ArtifactError(e.message, e.hint or untrusted.HINT) from e
    return template


def prompt_manifest(template: PromptTemplate) -> dict[str, Any]:
    """Manifest entry of a template."""
    return {
        "name": template.name,
        "sha256": template.sha256,
        "language": template.language,
        "domain": template.domain,
        "description": template.description,
        "variables": sorted(template.variables),
    }


def adapter_files(folder: Path) -> Files:
    """Read the files of a peft adapter folder, without its readme and without local paths."""
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    base = str(config.get("base_model_name_or_path") or "")
    if re.match(r"^([/~.]|[A-Za-z]:)", base):
        config["base_model_name_or_path"] = Path(base).name
    return {
        "adapter/adapter_config.json": (json.dumps(config, indent=1) + "\n").encode(),
        "adapter/adapter_model.safetensors": (folder / "adapter_model.safetensors").read_bytes(),
    }
