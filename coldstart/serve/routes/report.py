"""``/v1/admin/report``: what the operator's view shows, as JSON, and its export."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from coldstart.serve.reports.artifact_list import Artifacts
from coldstart.serve.reports.catalog_health import CatalogHealth
from coldstart.serve.reports.engagement import Engagement
from coldstart.serve.reports.reports import Reports
from coldstart.serve.reports.sentences import Sentences
from coldstart.serve.reports.tables import AllReports
from coldstart.serve.reports.traffic import Traffic
from coldstart.serve.routes.common import KEYS, Admin, errors

router = APIRouter(prefix="/v1/admin/report", tags=["operations"], dependencies=KEYS)
_FILE: dict[str, Any] = {
    "description": "A file: JSON, or a ZIP archive of CSV tables.",
    "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
}
_EXPORTED = 100_000  # items that an export names for each gap of the catalog


def get_reports(request: Request) -> Reports:
    """Dependency: the reports of the application's service."""
    reports: Reports = request.app.state.reports
    return reports


Served = Annotated[Reports, Depends(get_reports)]
Days = Annotated[int, Query(ge=1, le=30, description="Days, the present one included (UTC).")]
Fewest = Annotated[
    int,
    Query(ge=1, le=1000, description="People who must have written a part for it to be listed."),
]


@router.get("/sentences", responses=errors(403))
async def sentences(reports: Served, _: Admin, fewest: Fewest = 1) -> Sentences:
    """What people asked for, anonymised, and what was not understood of it.

    Of the newest 1,000 sessions; requests without a session are not stored, and so not listed.
    """
    return await reports.sentences(fewest)


@router.get("/engagement", responses=errors(403))
async def engagement(reports: Served, _: Admin, days: Days = 30) -> Engagement:
    """What was shown and what was taken, by day, arm and item, with 95 % intervals."""
    return await reports.engagement(days)


@router.get("/traffic", responses=errors(403))
async def traffic(reports: Served, _: Admin) -> Traffic:
    """Latency, refusals and load of the process that answers."""
    return reports.traffic.report()


@router.get("/catalog", responses=errors(403))
async def catalog(reports: Served, _: Admin, days: Days = 30) -> CatalogHealth:
    """Gaps of the catalog, and items that nobody was shown."""
    return await reports.catalog(days)


@router.get("/artifacts", responses=errors(403))
async def artifacts(reports: Served, _: Admin) -> Artifacts:
    """Artifacts with the figures of their cards, and earlier releases."""
    return await reports.artifacts()


@router.get(
    "/export",
    response_class=Response,
    responses=errors(403) | {200: {"model": AllReports} | _FILE},
)
async def export(
    reports: Served,
    _: Admin,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    days: Days = 30,
    fewest: Fewest = 1,
) -> Response:
    """All reports as one file."""
    found = AllReports(
        sentences=await reports.sentences(fewest),
        engagement=await reports.engagement(days),
        traffic=reports.traffic.report(),
        catalog=await reports.catalog(days, _EXPORTED),
        artifacts=await reports.artifacts(),
    )
    if form == "json":
        body, kind, name = found.model_dump_json(indent=1).encode(), "application/json", "json"
    else:
        body, kind, name = found.archive(), "application/zip", "zip"
    stamp = datetime.now(UTC).strftime("%Y-%m-%d")
    disposition = f'attachment; filename="coldstart-{stamp}.{name}"'
    return Response(body, media_type=kind, headers={"Content-Disposition": disposition})
