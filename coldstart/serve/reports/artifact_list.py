"""Artifacts that the service can serve, with the figures of their cards."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from coldstart.artifacts.format import MANIFEST
from coldstart.artifacts.manifest import check_fields
from coldstart.errors import ColdstartError
from coldstart.serve.releases import Serving
from coldstart.serve.store import Release

_CARD = "README.md"
_MOST_BYTES = 1 << 20
_MOST_FOLDERS = 200


class FigureTable(BaseModel):
    """A table of an artifact's card."""

    model_config = ConfigDict(frozen=True)

    heading: str
    columns: list[str]
    rows: list[list[str]]


class ArtifactOut(BaseModel):
    """An artifact beside the one that the service was started with."""

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="Of its folder, as for POST /v1/admin/release.")
    share: float = Field(description="Share of sessions and subjects that it serves now.")
    written: datetime = Field(description="Time of its manifest.")
    base: str = Field(description="Language model.")
    data: str = Field(description="Name of the data; empty: from a catalog alone.")
    users: int
    likes: int
    requests: int = Field(description="Recorded requests that it was trained on.")
    items: int
    figures: list[FigureTable] = Field(description="Tables of its card with measured figures.")
    problem: str = Field(default="", description="Why it cannot be served.")


class ReleaseStep(BaseModel):
    """A release that can be rolled back to."""

    model_config = ConfigDict(frozen=True)

    arms: list[str]


class Artifacts(BaseModel):
    """Artifacts, and earlier releases."""

    model_config = ConfigDict(frozen=True)

    release: int = Field(description="Number; 0: what the service was started with.")
    since: datetime | None = Field(description="Time of the release.")
    experiment: str | None
    changeable: bool = Field(description="False if the service runs an A/B test of a file.")
    artifacts: list[ArtifactOut] = Field(description="Those that are served first.")
    before: list[ReleaseStep] = Field(description="Earlier releases, the latest first.")


def artifact_report(serving: Serving, started: Serving, release: Release | None) -> Artifacts:
    """Report on the artifacts in the folder of the one that a service was started with.

    Args:
        serving: what is served.
        started: what the service was started with.
        release: of the store.
    """
    folder = Path(started.artifacts[started.arm]).resolve()
    shares = _shares(serving)
    names = [folder, *(Path(path).resolve() for path in serving.artifacts.values())]
    names += sorted(p for p in folder.parent.iterdir() if p.is_dir())[:_MOST_FOLDERS]
    found = [
        _artifact(path, shares.get(path.name, 0.0))
        for path in dict.fromkeys(names)
        if (path / MANIFEST).is_file()
    ]
    now = release if release is not None and release.seq == serving.seq else None
    return Artifacts(
        release=serving.seq,
        since=now.at if now else None,
        experiment=serving.experiment.name if serving.experiment else None,
        changeable=started.experiment is None,
        artifacts=sorted(found, key=lambda a: -a.share),
        before=[
            ReleaseStep(arms=[Path(a.artifact or folder).name for a in arms] or [folder.name])
            for arms in reversed(release.before if release else ())
        ],
    )


def _shares(serving: Serving) -> dict[str, float]:
    test = serving.experiment
    weights = {a.name: a.weight for a in test.arms} if test else dict.fromkeys(serving.artifacts, 1)
    total = sum(weights[arm] for arm in serving.artifacts)
    out: dict[str, float] = {}
    for arm in serving.artifacts:
        name = serving.artifact_of(arm)
        out[name] = out.get(name, 0.0) + weights[arm] / total
    return out


def _artifact(folder: Path, share: float) -> ArtifactOut:
    manifest: dict[str, Any] = {}
    problem = ""
    try:
        manifest = json.loads(_text(folder / MANIFEST))
        check_fields(manifest, folder.name)
    except ColdstartError as e:
        manifest, problem = {}, e.message
    except (OSError, ValueError):
        problem = "the manifest cannot be read"
    data, requests = manifest.get("data") or {}, manifest.get("requests") or {}
    return ArtifactOut(
        name=folder.name,
        share=share,
        written=datetime.fromtimestamp((folder / MANIFEST).stat().st_mtime, UTC),
        base=manifest.get("base", {}).get("name", ""),
        data=data.get("name", ""),
        users=data.get("users", 0),
        likes=data.get("likes", 0),
        requests=requests.get("train", 0),
        items=manifest.get("catalog", {}).get("items", 0),
        figures=card_figures(folder / _CARD),
        problem=problem,
    )


def card_figures(card: Path) -> list[FigureTable]:
    """Tables with figures of a model card: those with column names, under their headings."""
    try:
        lines = _text(card).splitlines()
    except (OSError, ValueError):
        return []
    out, heading, at = [], "", 0
    while at < len(lines):
        if lines[at].startswith("#"):
            heading = lines[at].lstrip("# ")
        if lines[at].startswith("|"):
            rows = []
            while at < len(lines) and lines[at].startswith("|"):
                rows.append([cell.strip(" *`") for cell in lines[at].strip("|").split("|")])
                at += 1
            if len(rows) > 2 and any(rows[0]):
                out.append(FigureTable(heading=heading, columns=rows[0], rows=rows[2:]))
            continue
        at += 1
    return out


def _text(path: Path) -> str:
    with path.open("rb") as f:
        return f.read(_MOST_BYTES).decode("utf-8", "strict")
