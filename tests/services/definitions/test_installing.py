"""A publish is answered when those who run workflows have stored it, and not much later when they have not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest_asyncio
from weft_contracts.definitions import WorkflowChanged, WorkflowInstalled
from weft_definitions.app import build
from weft_runtime.testing import RunningService, running_service, said, tell

from tests.services.definitions.documents import definition

PATH = "/api/v1/workflows"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def patient(database_url: str) -> AsyncIterator[RunningService]:
    async with running_service(build, database_url, install_wait_s=1) as running:
        yield running


async def test_a_publish_waits_for_all_and_no_longer(patient: RunningService) -> None:
    client = patient.client("waits", ["editor"])
    await client.post(PATH, json=definition())
    began = time.monotonic()
    publishing = asyncio.create_task(client.post(f"{PATH}/greet/publish"))
    async with asyncio.timeout(5):
        while not said(patient, WorkflowChanged, tenant="waits"):
            await client.get(PATH)  # the service answers others meanwhile
    await tell(patient, WorkflowInstalled(slug="greet", revision=1, service="engine"), tenant="waits")
    await tell(patient, WorkflowInstalled(slug="greet", revision=1, service="events"), tenant="waits")
    answer = await publishing
    assert (answer.status_code, answer.json()["installed"]) == (200, True)
    assert time.monotonic() - began < 1
    again = await client.post(f"{PATH}/greet/publish")
    assert again.json()["installed"] is True


async def test_a_publish_is_answered_although_somebody_is_away(patient: RunningService) -> None:
    client = patient.client("away", ["editor"])
    await client.post(PATH, json=definition())
    await tell(patient, WorkflowInstalled(slug="greet", revision=1, service="engine"), tenant="away")
    answer = await client.post(f"{PATH}/greet/publish")
    assert (answer.status_code, answer.json()["installed"], answer.json()["status"]) == (200, False, "active")


async def test_an_older_installation_told_late_takes_nothing_back(patient: RunningService) -> None:
    client = patient.client("late", ["editor"])
    await client.post(PATH, json=definition())
    for revision in (2, 1):
        for service in ("engine", "events"):
            await tell(patient, WorkflowInstalled(slug="greet", revision=revision, service=service), tenant="late")
    await client.post(f"{PATH}/greet/publish")
    answer = await client.post(f"{PATH}/greet/deactivate")
    assert answer.json()["installed"] is True
