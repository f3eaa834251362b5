"""Who did what."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from weft_runtime.auth import Permission
from weft_runtime.http import Listing, Page, Uow

from weft_analytics.api.routes import door
from weft_analytics.schemas.audit import AuditQuery, AuditView, VerdictView, VerifyBody
from weft_analytics.schemas.service_levels import utc
from weft_analytics.store import audit as store
from weft_analytics.usecases import audit


@door.get("/audit", may=Permission.AUDIT_READ)
async def list_audit(query: Annotated[AuditQuery, Query()], page: Page, uow: Uow) -> Listing[AuditView]:
    """Who did what, the newest first, with what it was before and after."""
    equal = {name: getattr(query, name) for name in ("actor", "action", "resource_type", "resource_id")}
    rows = await store.listed(uow, equal, utc(query.since), utc(query.until), after=page.after, limit=page.limit + 1)
    return page.listing(rows, view=AuditView.of, key=lambda row: (row.seq,))


@door.post("/audit/verify", may=Permission.AUDIT_READ)
async def verify_audit(uow: Uow, body: VerifyBody | None = None) -> VerdictView:
    """Whether the chain holds: no row was edited, none is missing."""
    return VerdictView.of(await audit.verify(0 if body is None else body.after, uow))
