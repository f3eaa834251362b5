"""Who did what: heard and chained on a real database, read and verified through the HTTP door."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from weft_analytics.app import build
from weft_analytics.audit import FIRST, deed, hash_of, next_row
from weft_contracts.audit import Origin, RecordAudit
from weft_contracts.calendars import CalendarChanged
from weft_contracts.connections import ConnectionRemoved, ConnectionResumed, ConnectionSaved, ConnectionSuspended
from weft_contracts.definitions import WorkflowChanged
from weft_contracts.directory import TenantChanged, UserChanged
from weft_contracts.executions import ExecutionCancelled, ExecutionPaused, ExecutionResumed
from weft_contracts.message import Message
from weft_contracts.tasks import TaskClaimed, TaskCompleted, TaskDecided, TaskDelegated, TaskReassigned, TaskReleased
from weft_runtime.testing import RunningService, running_service, tell

from tests.services.analytics.facts import START, life

TASK, EXECUTION, THING = UUID(int=21), UUID(int=22), UUID(int=23)


@pytest.fixture(scope="module")
async def service(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url) as running:
        yield running


def workflow(revision: int, status: Any = "active", slug: str = "leave", by: str | None = "ann") -> WorkflowChanged:
    return WorkflowChanged(slug=slug, name="Leave", revision=revision, status=status, active_version=1, by=by)


def deeds() -> list[Message]:
    """A word of every kind that tells of somebody who did something."""
    about: dict[str, Any] = {"execution_id": EXECUTION, "workflow": "leave", "workflow_version": 1, "at": START}
    of_task: dict[str, Any] = {"task_id": TASK, "execution_id": EXECUTION, "workflow": "leave", "node": "review", "at": START}
    connection: dict[str, Any] = {"connection_id": THING, "name": "crm", "connection_type": "http", "at": START, "by": "eve"}
    return [
        workflow(1), ConnectionSaved(**connection, revision=1, settings={"url": "https://x"}, sealed={"secret": "s3cret"}),
        ConnectionRemoved(**connection, revision=2),
        ConnectionSuspended(suspension_id=THING, name="crm", at=START, by="eve"),
        ConnectionResumed(suspension_id=THING, name="crm", at=START, by="eve"),
        CalendarChanged(name="office", revision=1, zone="UTC", hours={}, at=START, by="eve"),
        TenantChanged(tenant="every", name="Every", revision=2, by="root"),
        UserChanged(user_id=THING, email="a@b.c", name="A", roles=("admin",), revision=1, by="root"),
        ExecutionPaused(**about, position=3, by="ann", reason="later"), ExecutionResumed(**about, position=4, by="ann"),
        ExecutionResumed(**about, position=6, by="ann", retried=True),
        ExecutionCancelled(**about, position=7, started_at=START, duration_ms=1, cancelled_by="ann", reason="no more"),
        TaskClaimed(**of_task, task_version=2, assignee="bob"), TaskReassigned(**of_task, task_version=3, assignee="cid", by="bob"),
        TaskReleased(**of_task, task_version=7, by="bob"),
        TaskDelegated(**of_task, task_version=6, assignee="dan", by="cid"),
        TaskDecided(**of_task, task_version=4, outcome="yes", decided_by="cid", decisions=1, required=2),
        TaskCompleted(**of_task, task_version=5, outcome="yes", completed_by="dan", completed_via="key-1"),
    ]  # fmt: skip


async def asked(service: RunningService, tenant: str, **query: Any) -> list[dict[str, Any]]:
    answer = await service.client(tenant, ["admin"]).get("/api/v1/audit", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def verified(service: RunningService, tenant: str, **body: Any) -> Any:
    answer = await service.client(tenant, ["admin"]).post("/api/v1/audit/verify", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def change(service: RunningService, statement: str, **values: Any) -> None:
    async with service.context.owner_transaction() as uow:
        await uow.conn.execute(sa.text(statement), values)


async def test_each_kind_of_deed_is_told_once_with_who_did_it(service: RunningService) -> None:
    for _ in range(2):
        await tell(service, *deeds(), tenant="every")
    told = [
        (row["seq"], row["actor"], row["action"], row["resource"]["type"], row["via"]) for row in reversed(await asked(service, "every"))
    ]
    assert {row[1:] for row in told} == {
        ("ann", "workflow.changed", "workflow", None), ("eve", "connection.created", "connection", None),
        ("eve", "connection.suspended", "connection_use", None), ("eve", "connection.resumed", "connection_use", None),
        ("cid", "task.delegated", "task", None), ("bob", "task.released", "task", None),
        ("eve", "connection.removed", "connection", None), ("eve", "calendar.created", "calendar", None),
        ("root", "tenant.changed", "tenant", None), ("root", "user.created", "user", None),
        ("ann", "execution.paused", "execution", None), ("ann", "execution.resumed", "execution", None),
        ("ann", "execution.retried", "execution", None), ("ann", "execution.cancelled", "execution", None),
        ("bob", "task.claimed", "task", None), ("bob", "task.reassigned", "task", None), ("cid", "task.decided", "task", None),
        ("dan", "task.completed", "task", "key-1"),
    }  # fmt: skip
    assert [row[0] for row in told] == list(range(1, len(deeds()) + 1))
    assert "s3cret" not in str(await asked(service, "every"))


async def test_what_nobody_did_is_not_told(service: RunningService) -> None:
    task = TaskCompleted(
        task_id=TASK, execution_id=EXECUTION, workflow="leave", node="n", task_version=1, at=START, outcome="no", decided_by="timeout"
    )
    await tell(service, *life("cancelled", waits=1), task, tenant="nobody")
    assert await asked(service, "nobody") == []
    assert await verified(service, "nobody") == {"valid": True, "checked": 0, "to": 0, "hash": "0" * 64, "complete": True, "broken": None}


async def test_a_row_tells_what_it_was_before_and_after_and_is_found_by_what_is_known_of_it(service: RunningService) -> None:
    await tell(service, workflow(1), tenant="found")
    await tell(service, workflow(2, "inactive", by="eve"), workflow(1, slug="other"), tenant="found")
    newest, *_ = await asked(service, "found", resource_type="workflow", resource_id="leave")
    assert (newest["before"]["status"], newest["after"]["status"], newest["actor"]) == ("active", "inactive", "eve")
    assert [row["resource"]["id"] for row in await asked(service, "found", actor="ann")] == ["other", "leave"]
    assert len(await asked(service, "found", action="workflow.changed")) == 3
    assert await asked(service, "found", to="2026-01-01T00:00:00Z") == []
    page = await service.client("found", ["admin"]).get("/api/v1/audit", params={"limit": 2})
    rest = await service.client("found", ["admin"]).get("/api/v1/audit", params={"limit": 2, "cursor": page.json()["next_cursor"]})
    assert [row["seq"] for row in (*page.json()["items"], *rest.json()["items"])] == [3, 2, 1]
    assert await asked(service, "elsewhere") == []


async def test_a_row_that_is_edited_or_taken_out_is_named(service: RunningService) -> None:
    await tell(service, *(workflow(revision) for revision in range(1, 6)), tenant="chain")
    whole = await verified(service, "chain")
    assert (whole["valid"], whole["checked"], whole["to"], whole["complete"], whole["broken"]) == (True, 5, 5, True, None)
    assert (await verified(service, "chain", after=3))["checked"] == 2
    for column, value in (("actor", "eve"), ("after", "{}"), ("at", "2026-01-01"), ("fact", "x"), ("hash", "y"), ("resource_id", "z")):
        kept = f"SELECT {column}::text FROM analytics.audit WHERE tenant_id = 'chain' AND seq = 3"
        async with service.context.owner_transaction() as uow:
            was = (await uow.conn.execute(sa.text(kept))).scalar_one()
        kind = "timestamptz" if column == "at" else "text"
        edit = f"UPDATE analytics.audit SET {column} = CAST(CAST(:to AS text) AS {kind}) WHERE tenant_id = 'chain' AND seq = 3"
        await change(service, edit, to=value)
        assert (await verified(service, "chain"))["broken"] == {"seq": 3, "problem": "edited"}, column
        await change(service, edit, to=was)
    assert (await verified(service, "chain"))["valid"]
    await change(service, "DELETE FROM analytics.audit WHERE tenant_id = 'chain' AND seq = 5")
    assert (await verified(service, "chain"))["broken"] == {"seq": 5, "problem": "missing"}
    await change(service, "DELETE FROM analytics.audit WHERE tenant_id = 'chain' AND seq = 2")
    found = await verified(service, "chain")
    assert (found["valid"], found["to"], found["complete"], found["broken"]) == (False, 1, False, {"seq": 2, "problem": "missing"})
    unknown = await service.client("chain", ["admin"]).post("/api/v1/audit/verify", json={"after": 99})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "audit_row_not_found")


async def test_what_is_done_with_alert_rules_is_told_by_the_route_itself(service: RunningService) -> None:
    client = service.client("routes", ["editor"], sub="ann")
    made = (await client.post("/api/v1/alerts/rules", json={"name": "one", "kind": "failed"})).json()
    await client.put(f"/api/v1/alerts/rules/{made['id']}", json={"name": "two", "kind": "failed"})
    await client.delete(f"/api/v1/alerts/rules/{made['id']}")
    removed, changed, created = await asked(service, "routes")
    assert [row["action"] for row in (created, changed, removed)] == ["alert_rule.created", "alert_rule.changed", "alert_rule.removed"]
    assert (changed["before"]["name"], changed["after"]["name"], removed["before"]["name"], removed["after"]) == ("one", "two", "two", None)
    assert {row["actor"] for row in (created, changed, removed)} == {"ann"}
    assert (await verified(service, "routes"))["valid"]


async def test_the_http_role_can_neither_change_nor_remove_a_row(service: RunningService) -> None:
    await tell(service, workflow(1), tenant="guarded")
    for statement in ("UPDATE analytics.audit SET actor = 'x'", "DELETE FROM analytics.audit"):
        with pytest.raises(Exception, match="permission denied"):
            async with service.context.transaction("guarded") as uow:
                await uow.conn.execute(sa.text(statement))
    assert (await verified(service, "guarded"))["valid"]


async def test_only_who_governs_reads_the_audit(service: RunningService) -> None:
    for role in ("viewer", "editor", "service"):
        assert (await service.client("guarded", [role]).get("/api/v1/audit")).status_code == 403
        assert (await service.client("guarded", [role]).post("/api/v1/audit/verify")).status_code == 403
    assert (await service.client("guarded", ["operator"]).get("/api/v1/audit")).status_code == 200
    assert (await service.anonymous().get("/api/v1/audit")).status_code == 401
    assert (await service.client("guarded", ["admin"]).post(f"/api/v1/audit/verify?x={uuid4()}")).status_code == 200


def recorded(action: str = "draft.saved", **told: Any) -> RecordAudit:
    return RecordAudit(action=action, resource_type="draft", resource_id="leave", **told)


async def test_what_a_service_says_to_be_kept_is_kept_once_as_it_says_it(service: RunningService) -> None:
    origin = Origin(kind="key", owner="ann", ip="192.0.2.1", trace_id="t")
    word = recorded(before={"version": 1}, after={"version": 2}, details={"changes": {}}, by="key-1", via="x", origin=origin, at=START)
    for _ in range(2):
        await tell(service, word, tenant="said", id="same")
    (row,) = await asked(service, "said")
    assert (row["before"], row["after"], row["details"], row["actor"], row["via"]) == (
        {"version": 1}, {"version": 2}, {"changes": {}}, "key-1", "x",
    )  # fmt: skip
    assert row["origin"] == origin.model_dump()
    assert row["at"] == "2026-01-05T08:30:00Z"
    await tell(service, word, word, tenant="said")
    assert [one["before"] for one in await asked(service, "said")] == [{"version": 1}] * 3
    assert (await verified(service, "said"))["valid"]


@pytest.mark.parametrize("column", ["details", "origin"])
async def test_where_a_deed_came_from_cannot_be_edited_unseen(service: RunningService, column: str) -> None:
    tenant = f"edit-{column}"
    await tell(service, recorded(details={"a": 1}, origin=Origin(ip="192.0.2.1")), recorded(), tenant=tenant)
    for value in ("NULL", "'{}'"):
        statement = f"UPDATE analytics.audit SET {column} = {value} WHERE tenant_id = :tenant AND seq = 1"
        await change(service, statement, tenant=tenant)
        assert (await verified(service, tenant))["broken"] == {"seq": 1, "problem": "edited"}


async def test_rows_of_before_there_were_origins_still_hold(service: RunningService) -> None:
    done = deed(CalendarChanged(name="office", revision=1, zone="UTC", hours={}, at=START, by="eve"))
    assert done is not None
    row = next_row("older", 0, FIRST, done, None, START)
    values = (row.fact, row.at, row.actor, row.via, row.action, row.resource_type, row.resource_id, row.before, row.after, FIRST)
    assert row.hash == hash_of("older", 1, *values)


async def test_what_is_no_state_is_not_what_a_resource_was_before(service: RunningService) -> None:
    user = UserChanged(user_id=THING, email="a@b.c", name="A", roles=("admin",), revision=1, by="root", origin=Origin(ip="192.0.2.9"))
    signed = RecordAudit(action="user.signed_in", resource_type="user", resource_id=str(THING), details={"method": "password"})
    await tell(service, user, tenant="states")
    await tell(service, signed, tenant="states")
    await tell(service, user.model_copy(update={"revision": 2, "roles": ()}), tenant="states")
    changed, _, made = await asked(service, "states")
    assert (changed["before"]["roles"], changed["after"]["roles"], made["origin"]["ip"]) == (["admin"], [], "192.0.2.9")


async def test_a_start_by_hand_is_told_once_and_no_other_start(service: RunningService) -> None:
    by_hand = life(queued=True, trigger_type="manual", event_id=None, user="ann", key="k")
    await tell(service, *by_hand, *life(user="ann"), *life(trigger_type="manual"), tenant="starts")
    await tell(service, *by_hand, tenant="starts")
    (row,) = await asked(service, "starts")
    assert (row["action"], row["actor"], row["after"]) == ("execution.started", "ann", {"workflow": "leave", "version": 3, "key": "k"})
    assert row["resource"]["id"] == str(by_hand[0].execution_id)
