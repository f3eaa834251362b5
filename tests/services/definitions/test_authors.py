"""Who made a workflow, each of its versions, and published them, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from weft_contracts.audit import RecordAudit
from weft_contracts.definitions import WorkflowDrafted
from weft_definitions.tables import version
from weft_runtime.testing import RunningService, said

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"
ANN, BOB = "00000000-0000-7000-8000-00000000a22a", "00000000-0000-7000-8000-00000000b0b0"


async def test_who_made_and_published_what_is_told_with_its_time(definitions: RunningService, tenant: str) -> None:
    ann, bob = (definitions.client(tenant, ["editor"], sub=sub) for sub in (ANN, BOB))
    made = (await ann.post(PATH, json=definition())).json()
    assert (made["created_by"], made["created_at"]) == (ANN, made["updated_at"])
    await bob.post(f"{PATH}/greet/publish")
    definitions.clock.advance(timedelta(minutes=5))
    await bob.put(f"{PATH}/greet", json=definition(name="More"))
    read = (await ann.get(f"{PATH}/greet")).json()
    assert (read["created_by"], read["created_at"]) == (ANN, made["created_at"])
    assert datetime.fromisoformat(read["updated_at"]) - datetime.fromisoformat(read["created_at"]) == timedelta(minutes=5)
    newer, first = (await ann.get(f"{PATH}/greet/versions")).json()["items"]
    assert [(one["version"], one["created_by"], one["published_by"]) for one in (first, newer)] == [(1, ANN, BOB), (2, BOB, None)]
    assert (first["published_at"], newer["published_at"]) == (made["created_at"], None)
    whole = (await ann.get(f"{PATH}/greet/versions/1")).json()
    assert (whole["definition"]["name"], whole["created_by"]) == ("Greet", ANN)


async def test_the_audit_is_told_of_each_definition_that_is_saved_with_what_changed(definitions: RunningService, tenant: str) -> None:
    client = definitions.client(tenant, ["editor"], sub="ann")
    await client.post("/api/v1/workflows", json=definition())
    for _ in range(2):  # the second time changes nothing
        await client.put("/api/v1/workflows/greet", json=definition(description="says hello"))
    made, changed = said(definitions, RecordAudit, tenant=tenant)
    assert {(one.action, one.resource_type, one.resource_id, one.by) for one in (made, changed)} == {
        ("draft.saved", "draft", "greet", "ann")
    }
    assert (made.before, changed.before, (changed.after or {})["version"]) == (None, made.after, 1)
    assert changed.after != made.after
    assert "says hello" in str(changed.details)


async def test_the_engine_is_told_of_each_draft_and_not_of_what_is_published_at_once(definitions: RunningService, tenant: str) -> None:
    client = definitions.client(tenant, ["editor"])
    await client.post("/api/v1/workflows", json=definition())
    await client.put("/api/v1/workflows/greet", json={"definition": definition(description="v1"), "status": "active"})
    await client.put("/api/v1/workflows/greet", json=definition(description="v2"))
    drafts = said(definitions, WorkflowDrafted, tenant=tenant)
    assert [(one.slug, one.draft_version, one.definition.get("description")) for one in drafts] == [("greet", 1, None), ("greet", 2, "v2")]
    assert drafts[0].edit < drafts[1].edit


async def test_what_an_earlier_release_took_can_still_be_replaced(definitions: RunningService, tenant: str) -> None:
    client = definitions.client(tenant, ["editor"])
    await client.post(PATH, json=definition())
    async with definitions.context.owner_transaction(tenant) as uow:
        mine = (version.c.tenant_id == tenant, version.c.slug == "greet")
        await uow.conn.execute(sa.update(version).where(*mine).values(document={"format": "weft/v0"}))
    assert (await client.put(f"{PATH}/greet", json=definition())).status_code == 200
    assert said(definitions, RecordAudit, tenant=tenant)[-1].details is None
