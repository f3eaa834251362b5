"""A row of a customer's table changes, and an execution ends that it started: once, through the whole mesh."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from weft_runtime.testing import until

from tests.services.events.rows import ORDERS, PASSWORD, customer_of
from tests.support.isolation import SharedStack
from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_many_processes

pytestmark = [pytest.mark.timeout(400), in_many_processes]
SLUG = "paid-in-their-table"
DOCUMENT: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Paid in their table",
    "slug": SLUG,
    "triggers": [
        {
            "id": "paid",
            "on": "record",
            "table": f"{SLUG}.orders",
            "operation": "update",
            "fields": {"status": {"changed_to": "paid"}, "total": {"gte": 100}},
            "input": {"order": "{{ trigger.payload.key.id }}", "was": "{{ trigger.payload.old.status }}"},
        }
    ],
    "nodes": [{"id": "note", "type": "set", "with": {"type": "{{ trigger.type }}"}}],
    "output": {"order": "{{ input.order }}", "was": "{{ input.was }}", "type": "{{ vars.type }}"},
}


def test_an_update_in_a_customers_table_starts_one_execution(mesh: MeshProcess, stack: SharedStack) -> None:
    url = stack.new_database()
    asyncio.run(played(mesh, url))
    stack.drop_database(url)


async def played(mesh: MeshProcess, url: str) -> None:
    """The story. url: a superuser's, of the customer's database."""
    async with customer_of(url) as customer:
        await customer.run(ORDERS)
        admin = mesh.signed_in("admin")
        settings = {"host": customer.host, "port": customer.port, "database": customer.database, "sslmode": "disable"}
        secrets = {"username": customer.role, "password": PASSWORD}
        made = admin.post("/connections", json={"name": SLUG, "type": "postgres", "settings": settings, "secrets": secrets})
        assert made.status_code == 201, made.text
        publish(admin, DOCUMENT)
        body = {"name": SLUG, "kind": "postgres", "connection": SLUG, "tables": [{"table": "orders", "name": f"{SLUG}.orders"}]}
        source = admin.post("/sources", json=body).json()

        def installed() -> bool | None:
            # The connection reaches those who read databases by a word of its own.
            return True if admin.post(f"/sources/{source['id']}/install").status_code == 200 else None

        until(installed, "capture being in place")
        await customer.run("INSERT INTO orders VALUES (1, 'open', 99), (2, 'open', 100)", "UPDATE orders SET status = 'paid'")

        def ended() -> list[dict[str, Any]] | None:
            items: list[dict[str, Any]] = admin.get("/executions", params={"workflow": SLUG, "status": "completed"}).json()["items"]
            return items or None

        (only,) = until(ended, "the execution")
        execution = admin.get(f"/executions/{only['id']}").json()
        assert execution["output"] == {"order": 2, "was": "open", "type": "record"}

        def logged() -> list[dict[str, Any]] | None:
            items: list[dict[str, Any]] = admin.get("/events", params={"source": f"weft/records/{SLUG}"}).json()["items"]
            return items if len(items) == 4 else None

        items = until(logged, "every change in the log")
        assert sorted((one["type"].rpartition(".")[2], one["status"]) for one in items) == [
            ("create", "unmatched"),
            ("create", "unmatched"),
            ("update", "matched"),
            ("update", "unmatched"),
        ]
        (matched,) = [one for one in items if one["status"] == "matched"]
        assert (matched["subject"], matched["started"]) == ("2", [execution["id"]])
        assert admin.get(f"/schemas/{SLUG}.orders/events").json()["triggers"][0]["workflow"] == SLUG
        admin.post(f"/workflows/{SLUG}/deactivate", json={})
        until(lambda: True if admin.delete(f"/sources/{source['id']}").status_code == 204 else None, "the source being gone")
        assert await customer.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'weft_outbox'") == 0
