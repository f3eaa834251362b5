"""A sender of webhooks, and the triggers that it calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
from weft_contracts.executions import StartExecution
from weft_runtime.testing import RunningService, said

from tests.services.events.signing import signed

BODY = b'{"action": "opened", "number": 7}'
HOOK = {"on": "webhook", "id": "hook", "path": "in", "signature": "github", "connection": "gh"}


class Sender:
    """A sender of one tenant's webhooks. scheme: how it signs."""

    def __init__(self, events: RunningService, client: httpx2.AsyncClient, tenant: str) -> None:
        self.events, self.client, self.tenant = events, client, tenant

    async def send(self, body: bytes = BODY, path: str = "in", scheme: str = "github", method: str = "POST", **how: Any) -> httpx2.Response:
        """Call. how: as `signed`; `late_s`, seconds before now that it was signed."""
        at = self.events.clock.now() - timedelta(seconds=how.pop("late_s", 0))
        more = how.pop("headers", {})
        return await self.client.request(
            method, f"/hooks/{self.tenant}/{path}", content=body, headers=signed(scheme, body, at, **how) | more
        )

    def starts(self) -> list[StartExecution]:
        """What was started so far."""
        return said(self.events, StartExecution, tenant=self.tenant)


def code(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]
