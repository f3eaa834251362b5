"""Every word between the services comes twice and out of order: an order goes through the whole mesh as it does undisturbed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Event, Thread
from typing import Any

import httpx2
import pytest
from pytest_httpserver import HTTPServer
from weft.rooms import NAMES
from weft_contracts import routing
from weft_runtime.bus import Binding, open_bus
from weft_runtime.bus import topology as make
from weft_runtime.testing import until

from tests.faults.scrambling import scrambled
from tests.support.meshes import MeshProcess, publish
from tests.support.modes import in_one_process

pytestmark = [pytest.mark.timeout(400), in_one_process]
ORDERS = 8
WITHIN_S = 120.0
WORKFLOW: dict[str, Any] = {
    "format": "weft/v1",
    "name": "Scrambled order",
    "slug": "scrambled-order",
    "triggers": [{"id": "placed", "on": "event", "event": "scrambled.placed", "input": {"order": "{{ trigger.payload.order }}"}}],
    "nodes": [
        {"id": "check", "type": "http.request", "with": {"method": "POST", "url": "SERVICE", "body": {"order": "{{ input.order }}"}}},
        {
            "id": "pay",
            "type": "state",
            "with": {"events": {"paid": {"event": "scrambled.paid", "match": "event.data.order == input.order"}}},
        },
        {
            "id": "approve",
            "type": "task",
            "with": {"title": "{{ input.order }}", "candidates": {"roles": ["approver"]}, "outcomes": ["approve", "reject"], "due": "2d"},
        },
    ],
    "output": {"credit": "{{ step.check.output.body.credit }}", "by": "{{ step.approve.output.outcome }}"},
}


def ways() -> list[tuple[Binding, str]]:
    """Every way of words between services. Domain events stay out: who hears them reads how they came."""
    found = [(Binding(routing.COMMANDS, queue), queue) for queue in map(routing.partition_queue, range(routing.DEFAULT_PARTITIONS))]
    found.append((Binding(routing.WORK, routing.work_queue("default")), routing.work_queue("default")))
    for name in NAMES:
        handlers = import_module(f"weft_{name}.handlers").on
        inbox = make.room(name, handlers.words).queues[0]
        found += [(binding, inbox.name) for binding in inbox.bindings]
    return found


@contextmanager
def postman(broker_url: str) -> Iterator[None]:
    """A bad one between the services, for the length of the block."""
    begun, over = Event(), Event()

    async def bring() -> None:
        bus = open_bus(broker_url, name="postman", settle_s=0)
        await bus.start()
        async with scrambled(bus, broker_url, ways()):
            begun.set()
            await asyncio.to_thread(over.wait)
        await bus.close()

    thread = Thread(target=lambda: asyncio.run(bring()))
    thread.start()
    try:
        assert begun.wait(WITHIN_S)
        yield
    finally:
        over.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive()


def send(client: httpx2.Client, type_: str, order: str) -> None:
    event = {"specversion": "1.0", "id": f"{type_}-{order}", "source": "shop", "type": f"scrambled.{type_}", "data": {"order": order}}
    assert client.post("/events", json=event, headers={"Content-Type": "application/cloudevents+json"}).status_code == 202


def gone_through(editor: httpx2.Client, approver: httpx2.Client, orders: list[str]) -> dict[str, Any]:
    """What became of these orders. Returns: for each, its status, output, steps with their attempts, and its decided tasks."""
    for order in orders:
        send(editor, "placed", order)
        send(editor, "paid", order)  # often before anybody waits for it

    def tasks() -> dict[str, str] | None:
        listed = approver.get("/user-tasks", params={"view": "team", "workflow": "scrambled-order", "limit": 200}).json()["items"]
        open_ = {task["title"]: task["id"] for task in listed if task["title"] in orders}
        assert len([task for task in listed if task["title"] in orders]) == len(open_), "one task for each"
        return open_ if len(open_) == len(orders) else None

    open_tasks = until(tasks, "a task for each order", within_s=WITHIN_S)
    seen: dict[str, Any] = {}
    for order in orders:
        decided = approver.post(f"/user-tasks/{open_tasks[order]}/complete", json={"outcome": "approve"})
        assert decided.status_code == 200, decided.text
        execution_id = approver.get(f"/user-tasks/{open_tasks[order]}").json()["execution_id"]

        def ended(of: str = execution_id) -> dict[str, Any] | None:
            found: dict[str, Any] = editor.get(f"/executions/{of}").json()
            return found if found["status"] != "running" and found["status"] != "waiting" else None

        execution = until(ended, "its end", within_s=WITHIN_S)
        steps = editor.get(f"/executions/{execution_id}/steps").json()["items"]
        seen[order] = (
            execution["status"], execution["output"], [(step["node"], step["visit"], step["status"], step["attempts"]) for step in steps]
        )  # fmt: skip
    return seen


def test_everything_twice_and_out_of_order_comes_to_the_same(mesh: MeshProcess, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/credit", method="POST").respond_with_json({"credit": "good"})
    editor, approver = mesh.signed_in("editor"), mesh.signed_in("approver")
    document = {**WORKFLOW, "nodes": [dict(node) for node in WORKFLOW["nodes"]]}
    document["nodes"][0] = {**document["nodes"][0], "with": {**document["nodes"][0]["with"], "url": httpserver.url_for("/credit")}}
    publish(editor, document)
    plain = gone_through(editor, approver, [f"plain-{number}" for number in range(2)])
    with postman(mesh.known["broker_url"]):
        scrambled_ = gone_through(editor, approver, [f"scrambled-{number}" for number in range(ORDERS)])

        def counted() -> bool | None:
            numbers = editor.get("/analytics/workflows/scrambled-order").json()["executions"]
            return True if numbers["completed"] == numbers["total"] == ORDERS + 2 else None

        assert until(counted, "each counted once", within_s=WITHIN_S)
    assert Counter(map(repr, scrambled_.values())) == {repr(plain["plain-0"]): ORDERS}
    keys = Counter(request.headers["Idempotency-Key"] for request, _ in httpserver.log if request.path == "/credit")
    assert len(keys) == ORDERS + 2, "what is done outside twice is done under one key"
