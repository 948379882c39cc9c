"""Artifact format: a folder of safetensors, JSON and text files with SHA-256 checksums."""

from __future__ import annotations

import hashlib
import json
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from scipy import sparse

from coldstart.artifacts.model_card import model_card
from coldstart.errors import ArtifactError
from coldstart.interactions.interaction_stats import Counts
from coldstart.prompts import PromptTemplate
from coldstart.ranking.ranker import BlendRanker
from coldstart.runtime.cache import new_folder

FORMAT = 1
"""Format version, incremented on incompatible changes only. Compatible additions keep the version;
their defaults are filled in when reading artifacts of older releases."""
MANIFEST = "manifest.json"
CARD = "README.md"
Files = dict[str, bytes]

_DEFLATED, _DEFLATED_FROM = "deflated", 4 << 20  # bytes


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
    full = {"format": FORMAT, **manifest, "files": table}
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
    try:
        template = _template(manifest, files)
        counts = counts_from_bytes(files["counts.safetensors"])
        ranker = BlendRanker.from_dict(_upgraded_ranker(json.loads(files["ranker.json"])))
    except (KeyError, ValueError, TypeError, IndexError, SafetensorError) as e:
        raise ArtifactError(
            f"{folder}: cannot read the artifact: {type(e).__name__}: {e}",
            hint="it was altered after saving, or made by another version; save it again",
        ) from e
    return Artifact(manifest, files, template, counts, ranker)


def read(folder: Path) -> tuple[dict[str, Any], Files]:
    """Read the manifest and all files it lists, verified by checksum.

    Raises:
        ArtifactError: no artifact, a damaged one, or one of a newer format.
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise ArtifactError(
            f"no artifact at {folder}: {MANIFEST} is missing",
            hint="train one with `coldstart train --data movies --out DIR`, or give its folder",
        )
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version, table = int(manifest["format"]), dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise ArtifactError(f"{path}: damaged manifest: {e}", hint="copy the artifact anew") from e
    if version < 1:
        raise ArtifactError(f"{path}: format {version} never was", hint="copy the artifact anew")
    if version > FORMAT:
        raise ArtifactError(
            f"{folder} has artifact format {version}, this coldstart reads up to {FORMAT}",
            hint="upgrade coldstart",
        )
    files: Files = {}
    root = Path(folder).resolve()
    for name, expected in table.items():
        # Not resolved: in a hub cache, files are links to places outside the folder.
        file = Path(os.path.normpath(root / str(name)))
        if not file.is_relative_to(root) or not file.is_file():
            raise ArtifactError(f"{folder}: {name} is missing", hint="copy the artifact anew")
        files[name] = file.read_bytes()
        found = hashlib.sha256(files[name]).hexdigest()
        if found != expected:
            raise ArtifactError(
                f"{folder}: {name} is damaged (SHA-256 {found[:12]}…, expected {expected[:12]}…)",
                hint="copy the artifact anew",
            )
    return manifest, files


def _upgraded_ranker(data: Any) -> Any:
    """Upgrade a ranker of before tree corrections, which consists of its weights alone."""
    is_old = isinstance(data, dict) and "weights" not in data and "catalog" in data
    return {"weights": data, "correction": None} if is_old else data


def _template(manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> PromptTemplate:
    prompt = manifest["prompt"]
    template = PromptTemplate(
        name=prompt["name"],
        source=files["prompt/template.j2"].decode("utf-8"),
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


def counts_to_bytes(counts: Counts) -> bytes:
    """Serialise counts as safetensors, with names as JSON in the metadata."""
    half = sparse.triu(counts.together, k=1, format="csr")
    groups = sorted(counts.group_sizes)
    n = len(counts.item_ids)
    tensors = {
        "likes": counts.likes.astype(np.uint32),
        "group_likes": np.array([counts.group_likes[g] for g in groups], dtype=np.uint32).reshape(
            len(groups), n
        ),
        "pair_start": half.indptr.astype(np.uint32),
        "pair_item": half.indices.astype(np.uint16 if n < 1 << 16 else np.uint32),
        "pair_count": _smallest(half.data),
        "early": counts.early.astype(np.uint32),
        "later_start": counts.later.indptr.astype(np.uint32),
        "later_item": counts.later.indices.astype(np.uint16 if n < 1 << 16 else np.uint32),
        "later_count": _smallest(counts.later.data),
    }
    about = {
        "n_users": counts.n_users,
        "item_ids": list(counts.item_ids),
        "groups": groups,
        "group_sizes": [counts.group_sizes[g] for g in groups],
    }
    plain = bytes(save_tensors(tensors, {"about": json.dumps(about, ensure_ascii=False)}))
    if len(plain) < _DEFLATED_FROM:
        return plain
    # Sorted indexes and small counts: a fifth of the size, and 30 ms to read.
    return bytes(save_tensors({_DEFLATED: np.frombuffer(zlib.compress(plain, 9), np.uint8)}))


def _smallest(values: np.ndarray) -> np.ndarray:
    top = int(values.max()) if len(values) else 0
    return values.astype(np.uint8 if top < 1 << 8 else np.uint16 if top < 1 << 16 else np.uint32)


def counts_from_bytes(data: bytes) -> Counts:
    """Deserialise counts.

    Artifacts of older releases lack the transitions (``early``, ``later``), which are then empty;
    the rankers of these artifacts give no weight to features derived from them.
    """
    tensors = load_tensors(data)
    if _DEFLATED in tensors:
        data = zlib.decompress(tensors[_DEFLATED].tobytes())
        tensors = load_tensors(data)
    header = int.from_bytes(data[:8], "little")
    about = json.loads(json.loads(data[8 : 8 + header])["__metadata__"]["about"])
    n = len(about["item_ids"])
    if "early" not in tensors:
        none = np.zeros(0, dtype=np.uint32)
        tensors |= {"early": np.zeros(n), "later_start": np.zeros(n + 1, dtype=np.uint32)}
        tensors |= {"later_item": none, "later_count": none}
    half, later = (_sparse(tensors, name, n) for name in ("pair", "later"))
    rows = tensors["group_likes"].astype(np.float64)
    return Counts(
        item_ids=tuple(about["item_ids"]),
        n_users=int(about["n_users"]),
        likes=tensors["likes"].astype(np.float64),
        group_sizes=dict(zip(about["groups"], about["group_sizes"], strict=True)),
        group_likes=dict(zip(about["groups"], rows, strict=True)),
        together=(half + half.T).tocsr(),
        early=tensors["early"].astype(np.float64),
        later=later,
    )


def _sparse(tensors: Mapping[str, np.ndarray], name: str, n: int) -> sparse.csr_array:
    data = tensors[f"{name}_count"].astype(np.float64)
    index = tensors[f"{name}_item"].astype(np.int64), tensors[f"{name}_start"].astype(np.int64)
    return sparse.csr_array((data, *index), shape=(n, n))


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
