"""Save a recommender as an artifact folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coldstart.artifacts import format as artifacts

if TYPE_CHECKING:
    from coldstart.interactions.interaction_stats import Counts
    from coldstart.pipeline.parts import Parts


def save_recommender(
    path: Path,
    parts: Parts,
    counts: Counts,
    manifest: Mapping[str, Any],
    adapter: Mapping[str, bytes],
) -> None:
    """Write an artifact folder; see ``Recommender.save_pretrained``.

    Args:
        path: of the folder.
        parts: of the recommender.
        counts: interaction statistics of the training users.
        manifest: of the artifact as it was loaded or made.
        adapter: files that are saved again unchanged.
    """
    files: artifacts.Files = parts.scorers.save(adapter)
    about = {k: v for k, v in manifest.items() if k not in ("files", "format")}
    source = about.get("catalog", {})
    if source.get("source") is None or source.get("fingerprint") != parts.catalog.fingerprint():
        lines = [item.model_dump_json() for item in parts.catalog]
        files["catalog.jsonl"] = ("\n".join(lines) + "\n").encode()
        source = {"source": None}
    about["catalog"] = {
        **source,
        "items": len(parts.catalog),
        "fingerprint": parts.catalog.fingerprint(),
    }
    about["prompt"] = artifacts.prompt_manifest(parts.template)
    about["settings"] = asdict(parts.settings)
    files["prompt/template.j2"] = parts.template.source.encode()
    files["counts.safetensors"] = artifacts.counts_to_bytes(counts)
    files["ranker.json"] = (json.dumps(parts.ranker.to_dict(), indent=1) + "\n").encode()
    artifacts.save(path, about, files)
