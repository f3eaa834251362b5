"""A publish is answered when those who run workflows have stored it, and at the end of its wait when they have not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest_asyncio
from weft_contracts.definitions import WorkflowChanged, WorkflowInstalled
from weft_definitions.app import build
from weft_runtime.testing import RunningService, eventually, running_service, said, tell
from weft_runtime.testing.polling import WITHIN_S

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"
LONG_S = 300.0
"""Longer than any test here takes: whoever waits it out has waited for nobody."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def patient(database_url: str) -> AsyncIterator[RunningService]:
    """One that waits as long as it takes."""
    async with running_service(build, database_url) as running:
        # More than anybody may set: on a busy machine one takes as long as is allowed to get from one line of a test to the next.
        running.context.settings = running.context.settings.model_copy(update={"install_wait_s": LONG_S})
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hasty(database_url: str) -> AsyncIterator[RunningService]:
    """One that soon waits no more."""
    async with running_service(build, database_url, install_wait_s=0.2) as running:
        yield running


async def drafted(patient: RunningService, tenant: str) -> httpx2.AsyncClient:
    """An editor of a tenant whose draft all have heard of."""
    client = patient.client(tenant, ["editor"])
    for service in ("engine", "events"):
        await tell(patient, WorkflowInstalled(slug="greet", revision=1, service=service), tenant=tenant)
    assert (await client.post(PATH, json=definition())).json()["installed"] is True
    return client


async def test_a_publish_waits_for_all_and_no_longer(patient: RunningService) -> None:
    client = await drafted(patient, "waits")
    publishing = asyncio.create_task(client.post(f"{PATH}/greet/publish"))

    async def told() -> bool | None:
        assert (await client.get(PATH)).status_code == 200, "the service answers others meanwhile"
        return len(said(patient, WorkflowChanged, tenant="waits")) == 2 or None

    await eventually(told, "the change being told")
    await tell(patient, WorkflowInstalled(slug="greet", revision=2, service="engine"), tenant="waits")
    assert not publishing.done(), "one of two has stored it"
    await tell(patient, WorkflowInstalled(slug="greet", revision=2, service="events"), tenant="waits")
    async with asyncio.timeout(WITHIN_S):
        answer = await publishing
    assert (answer.status_code, answer.json()["installed"]) == (200, True)
    again = await client.post(f"{PATH}/greet/publish")
    assert again.json()["installed"] is True


async def test_a_publish_is_answered_although_somebody_is_away(hasty: RunningService) -> None:
    client = hasty.client("away", ["editor"])
    await client.post(PATH, json=definition())
    await tell(hasty, WorkflowInstalled(slug="greet", revision=2, service="engine"), tenant="away")
    answer = await client.post(f"{PATH}/greet/publish")
    assert (answer.status_code, answer.json()["installed"], answer.json()["status"]) == (200, False, "active")


async def test_an_older_installation_told_late_takes_nothing_back(patient: RunningService) -> None:
    client = await drafted(patient, "late")
    for revision in (3, 2):
        for service in ("engine", "events"):
            await tell(patient, WorkflowInstalled(slug="greet", revision=revision, service=service), tenant="late")
    await client.post(f"{PATH}/greet/publish")
    answer = await client.post(f"{PATH}/greet/deactivate")
    assert answer.json()["installed"] is True
