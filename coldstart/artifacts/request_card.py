"""What an artifact learned from recorded requests: for its model card, and for ``info``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_REDIAL = (
    "ReDial: Raymond Li, Samira Ebrahimi Kahou, Hannes Schulz, Vincent Michalski, Laurent Charlin "
    "and Chris Pal, “Towards Deep Conversational Recommendations”, NeurIPS 2018, from "
    "[redialdata.github.io](https://redialdata.github.io/website/), licensed under "
    "[CC BY 4.0](https://creativecommons.org/licenses/by/4.0/). Changed here: dialogues were cut "
    "into requests, items matched by title and year, and weights, vectors and counts learned from "
    "them. No text of a dialogue is in this folder."
)
_SOURCES: Mapping[str, str] = {"redial": _REDIAL}
"""Source, licence and attribution of public request data, by name of the log."""
_FULLER = (
    "Where the catalog of the requests has an item, its vectors were made from that catalog's "
    "fuller text (plot, people); of these texts nothing but the vectors is in this folder."
)
_SCORER = re.compile(r"scorers/(request_encoder|request_memory|mentions)/")


def learned_from_requests(manifest: Mapping[str, Any]) -> str:
    """One sentence on what was learned from requests; empty if nothing was.

    Args:
        manifest: of the artifact.
    """
    told = manifest.get("requests")
    if not told:
        return ""
    both = told.get("settings", {}).get("final", False)
    count = told["train"] + (told["valid"] if both else 0)
    names = dict.fromkeys(
        found[1].replace("_", " ")
        for name in manifest.get("files", {})
        if (found := _SCORER.match(name))
    )
    parts = [f"{', '.join(names)} from {count:,} requests of {told['name']}".lstrip()]
    parts.append(f"weights from {told['blend_cases']:,} validation requests")
    if told.get("settings", {}).get("reading_epochs"):
        parts.append("the language model reads sentences of which no rule understands anything")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def request_section(manifest: Mapping[str, Any], figures: str = "") -> list[str]:
    """Lines of the model card on requests; none if nothing was learned from them.

    Args:
        manifest: of the artifact.
        figures: Markdown of the figures on requests and sentences, if there are some.
    """
    if not (told := manifest.get("requests")):
        return []
    name = manifest.get("name", "NAME")
    missing = (
        f"Not measured yet: `coldstart benchmark --sentences builtin --artifact adapters/{name}`, "
        f"`coldstart benchmark --requests FOLDER --artifact adapters/{name}` (on the catalog of "
        "the requests)."
    )
    lines = ["## Requests in words", "", learned_from_requests(manifest), ""]
    lines += [figures or missing, "", "Source of the requests:", ""]
    lines += [_SOURCES.get(told["name"], f"`{told['name']}`, recorded by the author."), ""]
    return [*lines, _FULLER, ""] if _matched(manifest) else lines


def request_command(manifest: Mapping[str, Any]) -> str:
    """Reconstruct the training command, with the settings that differ from the default.

    Args:
        manifest: of an artifact that learned from requests.
    """
    told = manifest["requests"]
    settings = told.get("settings", {})
    name = manifest.get("name", told["name"])
    parts = [f"coldstart train --requests {told['name'].upper()}_FOLDER"]
    if _matched(manifest):
        parts.append(f"--data {manifest['catalog']['source']}")
    parts.append(f"--start adapters/{manifest.get('started_from', '…')}")
    tower = settings.get("tower", {})
    options = {
        "encoder-epochs": tower.get("epochs"),
        "head-epochs": tower.get("head_epochs"),
        "reading-epochs": settings.get("reading_epochs"),
        "seed": settings.get("seed") or None,
    }
    parts += [f"--{n} {value}" for n, value in options.items() if value is not None]
    if not settings.get("final", True):
        parts.append("--no-final")
    return " ".join([*parts, f"--out adapters/{name}"])


def _matched(manifest: Mapping[str, Any]) -> bool:
    """Whether the requests were matched with another catalog than their own."""
    source = manifest.get("catalog", {}).get("source")
    return bool(source) and source != manifest["requests"]["name"]
