"""Who made a workflow, each of its versions, and published them, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from weft_runtime.testing import RunningService

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
