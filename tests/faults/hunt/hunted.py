"""The mesh that is hunted: every service that an execution passes through, as processes, and what the outside asks of their doors."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from weft.rooms import room
from weft_contracts import routing
from weft_runtime.bus import Binding, QueueSpec, Topology
from weft_runtime.database.roles import provision
from weft_runtime.testing import TestIssuer

from tests.faults import warm
from tests.faults.mesh import SECRET, TENANT, Mesh, Node, mesh_of
from weft import services

KINDS = {"engine": 2, "worker": 2, "events": 1, "tasks": 1, "analytics": 1}
"""Processes of each kind."""
LEASE_S = 5.0
ANSWER_S = 8.0
"""Who does not answer in that time may be stopped; another is asked, with the same key."""
AGAIN_S = 0.3
UNLIMITED = 100_000_000
HEARD = QueueSpec("faults.gateway", (Binding(routing.EVENTS, "#"),))
"""As in a whole mesh, somebody listens to everything that is said."""


@dataclass
class Hunted:
    """The processes that are up or about to be. asked: requests of the outside that were sent, repeats included."""

    mesh: Mesh
    environments: dict[str, dict[str, str]]
    issuer: TestIssuer
    client: httpx2.AsyncClient
    nodes: dict[str, list[Node]] = field(default_factory=dict)
    asked: int = 0

    async def start(self) -> None:
        """Start all of them."""
        self.nodes = {kind: [self.spawn(kind) for _ in range(count)] for kind, count in KINDS.items()}
        for node in (node for nodes in self.nodes.values() for node in nodes):
            await node.up()

    def spawn(self, kind: str) -> Node:
        """A process that may not be up yet."""
        return self.mesh.spawn(kind, **self.environments[kind])

    async def ask(self, kind: str, method: str, path: str, body: Any, key: str, *, within_s: float = 600.0) -> httpx2.Response:
        """The answer of a room's HTTP door, however often it has to be asked, always with one key. Raises: TimeoutError."""
        headers = {**self.issuer.headers(TENANT), "Idempotency-Key": key}
        async with asyncio.timeout(within_s):
            while True:
                up = [node for node in self.nodes[kind] if node.alive and node.ready.exists()]
                if up:
                    self.asked += 1
                    url = f"http://127.0.0.1:{random.choice(up).ready.read_text()}/api/v1{path}"
                    try:
                        answer = await self.client.request(method, url, json=body, headers=headers)
                    except httpx2.TransportError:
                        answer = None
                    if answer is not None and not _again(answer):
                        return answer
                await asyncio.sleep(AGAIN_S)


def _again(answer: httpx2.Response) -> bool:
    """Whether it says to ask again."""
    if answer.status_code == 409:
        return bool(answer.json().get("code") == "idempotency_running")
    return answer.status_code in (429, 503)


@asynccontextmanager
async def hunted_of(database_url: str, broker_url: str, directory: Path) -> AsyncIterator[Hunted]:
    """The mesh, up; ended at the end."""
    issuer = TestIssuer()
    given = {
        "FAULT_JWKS": json.dumps(issuer.keys.jwks()),
        "WEFT_LEASE_S": str(LEASE_S),
        "WEFT_PERSON_REQUESTS_PER_HOUR": str(UNLIMITED),
    }
    async with mesh_of(database_url, broker_url, directory, **given) as mesh:
        mesh.module = warm.HUNTED
        await mesh.bus.declare(Topology((HEARD,)))
        environments = {kind: await _migrated(kind, database_url, mesh) for kind in KINDS}
        async with httpx2.AsyncClient(trust_env=False, timeout=ANSWER_S) as client:
            hunted = Hunted(mesh, environments, issuer, client)
            await hunted.start()
            yield hunted


async def _migrated(kind: str, database_url: str, mesh: Mesh) -> dict[str, str]:
    """Where a kind of process finds its schema, once that is there. The engine's and the workers' is there already."""
    if kind in ("engine", "worker"):
        return {}
    urls = await provision(database_url, kind, SECRET)
    values = {"database_url": urls.owner, "api_database_url": urls.api}
    given = {"broker_url": mesh.environment["WEFT_BROKER_URL"], "secret_key": SECRET}
    await services.build(room(kind), services.settings(room(kind), **values, **given)).migrate()
    return {f"WEFT_{name.upper()}": value for name, value in values.items()}
