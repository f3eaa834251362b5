"""Which service answers which address: the one table behind the local edge and the cluster's HTTP routes.

The first route that fits decides. The cluster's routes in deploy/ are compared with this table by a test.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

API = "/api/v1"
_WITHOUT_VERSION: Final = re.compile(r"/api/(?!v\d+(/|$))")


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table.

    path: whole; a part in braces stands for any one part.  below: whether everything beneath the path belongs to it too.
    """

    path: str
    service: str
    below: bool = True

    def fits(self, parts: Sequence[str]) -> bool:
        """Whether a request belongs to this route. parts: of the path, between its slashes."""
        wanted = self.path.strip("/").split("/")
        if len(parts) < len(wanted) or (len(parts) > len(wanted) and not self.below):
            return False
        return all(want == part or (want.startswith("{") and part != "") for want, part in zip(wanted, parts, strict=False))


def _collections(service: str, *names: str) -> tuple[Route, ...]:
    return tuple(Route(f"{API}/{name}", service) for name in names)


ROUTES: tuple[Route, ...] = (
    # The read model answers lists of executions, and what cannot be done to a list (405); one execution is the engine's.
    Route(f"{API}/executions", "analytics", below=False),
    Route(f"{API}/workflows/executions", "engine"),
    Route(f"{API}/workflows/events/log", "events", below=False),
    Route(f"{API}/workflows/analytics/overview", "analytics", below=False),
    Route(f"{API}/workflows/{{slug}}/executions", "analytics", below=False),
    Route(f"{API}/workflows/{{slug}}/analytics", "analytics"),
    Route(f"{API}/rules/{{slug}}/log", "analytics", below=False),
    Route(f"{API}/workflows/{{slug}}/trigger", "engine", below=False),
    Route(f"{API}/workflows/{{slug}}/migrations", "engine"),
    Route(f"{API}/workflows/simulate", "engine", below=False),
    Route(f"{API}/workflows/{{slug}}/simulate", "engine", below=False),
    *_collections("definitions", "workflows", "node-types", "rules", "templates", "definitions"),
    *_collections("engine", "executions", "parked", "connections", "oauth", "files", "bulk", "migrations", "suspensions"),
    *_collections("events", "events", "schemas", "sources", "schedules", "inbound"),
    *_collections("tasks", "user-tasks", "notifications", "calendars", "delegations", "tasks"),
    *_collections("analytics", "analytics", "alerts", "audit", "budgets"),
    *_collections("gateway", "auth", "me", "api-keys", "tenants", "users", "groups", "live", "openapi.json", "gateway"),
    Route("/hooks", "events"),
    Route("/inbound", "events"),
    Route("/decisions", "tasks"),
    Route("/unsubscribe", "tasks"),
    Route("/.well-known", "gateway"),
    Route("/scim/v2", "gateway"),
)
# The web interface, and the answer to an address that nobody has.
OTHERWISE = "gateway"


def with_version(path: str) -> str:
    """The address that is meant: below `/api` without a version it is the one below `/api/v1`, any other is meant as it is."""
    return _WITHOUT_VERSION.sub(f"{API}/", path, count=1) if _WITHOUT_VERSION.match(path) else path


def owner(path: str) -> str:
    """The name of the service that answers this path, whatever the method: a path has one owner, which says 405 to what it has not."""
    parts = path.strip("/").split("/")
    return next((route.service for route in ROUTES if route.fits(parts)), OTHERWISE)
