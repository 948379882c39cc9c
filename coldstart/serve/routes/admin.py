"""``/v1/admin``: reloads, releases of artifacts, and roll-backs, without interruption."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from coldstart.errors import ColdstartError, ConfigError
from coldstart.serve.errors import ApiError, ErrorBody
from coldstart.serve.releases import Serving
from coldstart.serve.routes.common import KEYS, Admin, Served, errors
from coldstart.serve.routes.ops import Status
from coldstart.serve.store import StoreError

router = APIRouter(prefix="/v1/admin", tags=["operations"], dependencies=KEYS)
_RESPONSES = errors(403, 404, 409) | {500: {"model": ErrorBody}}
T = TypeVar("T")


class ReleaseIn(BaseModel):
    """An artifact to be served."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"artifact": "shop-2"}]}
    )

    artifact: str = Field(
        pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        description="Name of its folder, beside that of the artifact the service started with.",
    )
    share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="Share of sessions and subjects; the others stay with what is served now, as "
        "an A/B test.",
    )


class ArmOut(BaseModel):
    """One artifact that is served."""

    name: str
    artifact: str
    share: float = Field(description="Share of sessions and subjects.")


class ReleaseOut(BaseModel):
    """What the service serves."""

    release: int = Field(description="Number; 0: what the service was started with.")
    arms: list[ArmOut]
    experiment: str | None = Field(description="Name of the A/B test, if there is one.")

    @classmethod
    def of(cls, serving: Serving) -> ReleaseOut:
        """Show names of folders, not where they are."""
        test = serving.experiment
        weights = (
            {a.name: a.weight for a in test.arms} if test else dict.fromkeys(serving.artifacts, 1.0)
        )
        total = sum(weights.values())
        arms = [
            ArmOut(
                name=name or serving.artifact_of(name),
                artifact=serving.artifact_of(name),
                share=weights[name] / total,
            )
            for name in serving.artifacts
        ]
        return cls(release=serving.seq, arms=arms, experiment=test.name if test else None)


@router.post("/reload", responses=errors(403, 409) | {500: {"model": ErrorBody}})
async def reload(service: Served, _: Admin) -> Status:
    """Reload the artifacts in the background, then swap them in without interruption."""
    await _loaded(service.reload())
    return Status(status="reloaded")


@router.get("/release", responses=errors(403))
async def current(service: Served, _: Admin) -> ReleaseOut:
    """Which artifacts are served, and with what shares."""
    return ReleaseOut.of(service.serving)


@router.post("/release", responses=_RESPONSES)
async def release(body: ReleaseIn, service: Served, _: Admin) -> ReleaseOut:
    """Take over an artifact without interruption; the present one is kept for a roll-back.

    Other services on the same store follow within seconds.
    """
    return ReleaseOut.of(await _loaded(service.use(body.artifact, body.share)))


@router.post("/rollback", responses=_RESPONSES)
async def rollback(service: Served, _: Admin) -> ReleaseOut:
    """Serve what was served before the latest release, without interruption."""
    return ReleaseOut.of(await _loaded(service.roll_back()))


async def _loaded(change: Awaitable[T]) -> T:
    try:
        return await change
    except StoreError:
        raise
    except ConfigError as e:
        raise ApiError(409, "conflict", e.message, e.hint) from None
    except ColdstartError:
        raise ApiError(
            500, "reload_failed", "the artifact cannot be loaded", "the old one stays; see the log"
        ) from None
