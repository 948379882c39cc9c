"""What the manifest says of an artifact that was trained on top of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from coldstart.errors import DataError
from coldstart.training.worth import Amount, Verdict

if TYPE_CHECKING:
    from coldstart.artifacts.loading import RecommenderParts

KEY = "refreshed"
"""Field of the manifest with what was learned on top of which artifact."""


def own_amount(parts: RecommenderParts) -> Amount:
    """Amount of data that an artifact was trained on; nothing for one made of a catalog alone."""
    data, requests = (parts.manifest.get(n) or {} for n in ("data", "requests"))
    return Amount(data.get("users", 0), data.get("likes", 0), requests.get("train", 0))


def refuse_refreshed(parts: RecommenderParts) -> None:
    """Raise for an artifact that was refreshed before.

    On top of it users would count twice, and those who were erased since would stay in it.

    Raises:
        DataError: it names the artifact to start from.
    """
    if before := parts.manifest.get(KEY):
        name = before.get("artifact", "the artifact it was made of")
        raise DataError(
            f"{parts.manifest.get('name', 'the artifact')} was itself trained on top of {name}: "
            "its users would count twice, and erased ones would stay",
            hint=f"start from {name} again",
        )


def told(manifest: Mapping[str, Any]) -> list[str]:
    """What was learned, what stayed, and what more data would be worth, a line each.

    Args:
        manifest: as ``refresh`` returns it.
    """
    about = manifest[KEY]
    lines = [f"counted: {Amount(about['users'], about['likes']).in_words() or 'nothing yet'}"]
    for part in about["parts"]:
        verdict = Verdict.from_dict(part)
        found = about["comparisons"].get(verdict.part)
        if found is None:
            later = "; not learned here, which keeps the artifact's: see docs/training.md"
            lines.append(verdict.sentence + later * verdict.pays)
            continue
        figures = (
            f"NDCG@10 {found['after']:.3f} against {found['before']:.3f} before, on "
            f"{found['users']} held-out users"
        )
        kept = "learned" if found["kept"] == "after" else "learned, but not kept"
        lines.append(f"{verdict.part}: {kept}: {figures}")
    return lines
