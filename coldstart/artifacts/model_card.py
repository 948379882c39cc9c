"""Model card of an artifact: components, metrics and licence terms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from coldstart.artifacts.request_card import request_command, request_section
from coldstart.data.named import NAMED
from coldstart.settings import TrainConfig

_ON_THE_HUB = {"smollm2-135m-instruct": "HuggingFaceTB/SmolLM2-135M-Instruct"}
"""Hub ids of the packaged base models."""


def model_card(manifest: Mapping[str, Any], figures: str = "", request_figures: str = "") -> str:
    """Render the model card.

    Args:
        manifest: of the artifact.
        figures: Markdown of the evaluation on held-out users, if there is one.
        request_figures: Markdown of that on requests and sentences, where it learned from them.
    """
    training, split = manifest.get("training", {}), manifest.get("split", {})
    data, base, prompt = manifest.get("data", {}), manifest["base"], manifest["prompt"]
    asked = "requests" in manifest
    started = "start" in manifest and not (data or training)
    what = (
        "A coldstart recommender of a catalog alone: no interactions, nothing trained."
        if started
        else f"A coldstart recommender: a LoRA adapter for `{base['name']}`, counts, "
        f"{'scorers of requests in words, ' if asked else ''}and a learned blend."
    )
    lines = [
        f"# {manifest.get('name', 'coldstart artifact')}",
        "",
        what,
        "",
        "| | |",
        "|---|---|",
        f"| base model | `{base['name']}`, fingerprint `{base['fingerprint']}` |",
        f"| prompt | `{prompt['name']}`, SHA-256 `{prompt['sha256'][:16]}` |",
        f"| encoder | `{manifest['encoder']['name']}` |",
    ]
    if data:
        lines += [
            f"| data | {data['name']}: {data['users']} users, {data['likes']} likes, "
            f"{manifest['catalog']['items']} items; fingerprint `{data['fingerprint'][:16]}` |",
            f"| split | {split['train']} users trained on, {split['valid']} to choose settings, "
            f"{split['test']} held out"
            f"{' (`split.json`)' if 'split.json' in manifest.get('files', ()) else ''} |",
        ]
    if started:
        weight = manifest["start"].get("model", {}).get("weight", 0.0)
        counts = f"counts with weight {weight:g}" if weight else "does not count"
        lines += [
            f"| catalog | {manifest['catalog'].get('items', '?')} items, in `catalog.jsonl` |",
            f"| language model | {counts} |",
            f"| made by | `coldstart start ITEMS --out {manifest.get('name', 'FOLDER')}` |",
        ]
    if asked:
        lines.append(f"| made by | {manifest.get('made', f'`{request_command(manifest)}`')} |")
    elif training:
        changed = ", ".join(f"{n} {training[n]}" for n in ("objective", "epochs", "seed"))
        lines.append(f"| training | {changed}; all settings in `manifest.json` |")
        made = manifest["made"] if "made" in manifest else f"`{command(manifest)}`"
        lines.append(f"| made by | {made} |")
    if started:
        return "\n".join([*lines, ""])
    lines += [
        "",
        "## Held-out users",
        "",
        figures or "Not evaluated yet: `coldstart evaluate`.",
        "",
        *request_section(manifest, request_figures),
    ]
    if named := NAMED.get(data.get("name", "")):
        lines += ["## Terms", "", named.terms, ""]
    return "\n".join(lines)


def hub_card(manifest: Mapping[str, Any], card: str | None = None) -> str:
    """Render the card of a hub repository: the model card with YAML metadata.

    Args:
        manifest: of the artifact.
        card: existing card; ``None``: rendered from the manifest. A card with YAML metadata is
            returned unchanged.
    """
    text = model_card(manifest) if card is None else card
    if text.startswith("---\n"):
        return text
    base = str(manifest["base"]["name"])
    about = {
        "library_name": "coldstart-rec",
        "base_model": _ON_THE_HUB.get(base, base),
        "base_model_relation": "adapter",
        "language": manifest["prompt"].get("language"),
        "tags": ["recommender-system", "cold-start", "lora"],
    }
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", str(about["base_model"])):
        del about["base_model"], about["base_model_relation"]  # a local folder
    # JSON is YAML, and quotes what has to be.
    lines = [f"{n}: {json.dumps(v, ensure_ascii=False)}" for n, v in about.items() if v]
    return "\n".join(["---", *lines, "---", "", text])


def command(manifest: Mapping[str, Any]) -> str:
    """Reconstruct the training command, with the settings that differ from the default."""
    default = TrainConfig().to_dict()
    name = manifest["name"] if "name" in manifest else manifest["data"]["name"]
    source = manifest["catalog"]["source"]
    source = f"--data {source}" if source else "--items … --interactions … [--users …]"
    parts = [f"coldstart train {source} --out adapters/{name}"]
    for setting, value in manifest["training"].items():
        if setting in default and value != default[setting]:
            flag = "--" + setting.replace("_", "-")
            parts.append(flag if value is True else f"{flag} {value}")
    return " ".join(parts)
