"""An HTTP client that asks an application in this process, with no network between."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx2
from starlette.types import ASGIApp

from weft_runtime.testing.issuer import TestIssuer

BASE_URL = "http://weft.test"


def service_client(
    app: ASGIApp, issuer: TestIssuer | None = None, tenant: str = "acme", roles: Sequence[str] = ("admin",), **claims: Any
) -> httpx2.AsyncClient:
    """A client that is signed in; nobody is where `issuer` is None.

    app: a service's routes, `RunningService.app`.  tenant, roles, claims: as `TestIssuer.token`.
    """
    headers = issuer.headers(tenant, roles, **claims) if issuer else {}
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app, client=("203.0.113.7", 4711)), base_url=BASE_URL, headers=headers)
