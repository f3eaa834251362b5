"""Every route of the API, as its description has it, answers whatever is sent below 500, and as it says it does.

The requests are made from `/api/v1/openapi.json`, so a new route is attacked from its first day.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import httpx2
import pytest

from tests.flows.hostile import world
from tests.flows.hostile.attacking import Attack, Attacker
from tests.flows.hostile.describing import Operation, operations
from tests.flows.hostile.judging import faults, problem_faults
from tests.flows.hostile.world import World
from tests.support.meshes import MeshProcess, described
from tests.support.modes import in_one_process

pytestmark = pytest.mark.timeout(900)

SEED = 20_261_126
EACH = 2
"""Requests for every part of an operation."""
AT_ONCE = 8
PUBLIC_REQUESTS = 4
"""To each public route: they share a limit per address with other tests."""
UNSIGNED = {
    "no token": None,
    "no scheme": "token",
    "another scheme": "Basic YTpi",
    "none of ours": "Bearer a.b.c",
    "an empty one": "Bearer",
}
EVERYBODYS = frozenset({"/api/v1/node-types/{name}"})
"""Paths with a parameter that names nothing of a tenant's."""
MADE = frozenset({"PUT /api/v1/calendars/{name}", "PUT /api/v1/schemas/{table}/events"})
"""Operations that make what they name, each tenant its own."""

Made = tuple[MeshProcess, World, list[Operation], Attacker]


@pytest.fixture(scope="module")
def filled() -> dict[str, Made]:
    """The world of these tests, by the address of the mesh it is in."""
    return {}


def there(mesh: MeshProcess, filled: dict[str, Made]) -> Made:
    """What there is in a mesh; made when it is asked for first."""
    if mesh.url not in filled:
        document = described(mesh)
        with closing(mesh.signed_in("operator")) as operator:
            made = world.made(operator, str(mesh.known["broker_url"]))
        filled[mesh.url] = (mesh, made, list(operations(document)), Attacker(made.known, made.bodies, SEED))
    return filled[mesh.url]


@in_one_process
def test_a_route_without_a_good_token_is_closed(mesh: MeshProcess, filled: dict[str, Made]) -> None:
    _, _, known, attacker = there(mesh, filled)
    asked = [attacker.good(operation, random.Random(SEED)) for operation in known if not operation.public]
    found: list[str] = []
    with httpx2.Client(base_url=mesh.url, trust_env=False, timeout=40) as client:
        for one in asked:
            for what, token in UNSIGNED.items():
                headers = {**one.headers} if token is None else {**one.headers, "Authorization": token}
                answer = client.request(one.method, one.target, headers=headers, content=one.body)
                if answer.status_code != 401 or "www-authenticate" not in answer.headers or problem_faults(answer):
                    found.append(f"{one.operation.name} with {what}: {answer.status_code} {answer.text[:200]}")

    assert len(asked) > 80
    assert found == []


@in_one_process
def test_nothing_of_a_tenant_is_there_for_another(mesh: MeshProcess, filled: dict[str, Made]) -> None:
    _, made, known, attacker = there(mesh, filled)
    theirs = [
        each
        for name, ids in made.known.items()
        if name not in ("number", "from", "to", "name", "slug", "event_id", "tenant_id")
        for each in ids
    ]
    found: list[str] = []
    named = 0
    with httpx2.Client(base_url=mesh.url, trust_env=False, headers={"Authorization": f"Bearer {made.other_key}"}, timeout=40) as client:
        for operation in known:
            if operation.public or operation.streams or operation.permission == "tenants.manage" or operation.name in MADE:
                continue
            one = attacker.good(operation, random.Random(SEED))
            answer = client.request(one.method, one.target, headers=one.headers, content=one.body)
            if operation.parameters("path") and operation.path not in EVERYBODYS:
                named += 1
                if answer.status_code != 404 or problem_faults(answer):
                    found.append(f"{one.operation.name} at {one.target}: {answer.status_code} {answer.text[:200]}")
            elif any(each in answer.text for each in theirs):
                found.append(f"{one.operation.name} shows what is another's: {answer.text[:200]}")

    assert named > 40
    assert found == []


@in_one_process
def test_a_cursor_of_a_tenant_or_a_list_opens_no_other(mesh: MeshProcess, filled: dict[str, Made]) -> None:
    _, made, known, attacker = there(mesh, filled)
    lists = [one for one in known if "cursor" in one.parameters("query") and one.method == "GET" and one.permission != "tenants.manage"]
    found: list[str] = []
    cursors: dict[str, str] = {}

    def asked(client: httpx2.Client, key: str, target: str) -> httpx2.Response:
        return client.get(target, headers={"Authorization": f"Bearer {key}"})

    with httpx2.Client(base_url=mesh.url, trust_env=False, timeout=40) as client:
        for one in lists:
            target = attacker.good(one, random.Random(SEED)).target
            page = asked(client, made.keys[""], f"{target}?limit=1").json()
            if page["next_cursor"]:
                cursors[target] = page["next_cursor"]
        for target, cursor in cursors.items():
            elsewhere = [each for each in cursors if each != target][:3]
            bent = (cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), cursor[1:], cursor + cursor, cursor[: len(cursor) // 2])
            tried = [(made.other_key, target, cursor), *((made.keys[""], place, cursor) for place in elsewhere)]
            tried += [(made.keys[""], target, wrong) for wrong in bent]
            for key, place, given in tried:
                answer = asked(client, key, f"{place}?limit=1&cursor={given}")
                if answer.status_code not in (400, 404) or problem_faults(answer):
                    found.append(f"{place} with a cursor of {target}: {answer.status_code} {answer.text[:200]}")

    assert len(cursors) > 8
    assert found == []


@in_one_process
def test_an_idempotency_key_of_a_tenant_gives_another_nothing(mesh: MeshProcess, filled: dict[str, Made]) -> None:
    _, made, _, _ = there(mesh, filled)
    body = {"name": "once", "roles": ["viewer"]}
    with httpx2.Client(base_url=f"{mesh.url}/api/v1", trust_env=False, timeout=40) as client:
        given = [
            client.post(
                "/users",
                json=body | {"email": f"once@{made.tenant}.example"},
                headers={"Authorization": f"Bearer {key}", "Idempotency-Key": made.tenant},
            )
            for key in (made.keys[""], made.other_key, made.keys[""])
        ]

    assert [(one.status_code, one.headers.get("idempotent-replayed")) for one in given] == [(201, None), (409, None), (201, "true")]


@in_one_process
def test_no_request_makes_a_5xx_or_an_answer_that_is_not_described(mesh: MeshProcess, filled: dict[str, Made]) -> None:
    _, made, known, attacker = there(mesh, filled)
    attacks = [attack for operation in known for attack in _some(operation, attacker)]
    random.Random(SEED).shuffle(attacks)
    with world.log_since(mesh.data_dir / "logs" / "weft.log") as log:
        found = asyncio.run(_judged(mesh.url, attacks, made))

    assert len(attacks) > 8 * len(known)
    assert found == []
    assert [line for line in log if "Traceback" in line or "internal error" in line] == []
    assert [line for line in log if any(secret in line for secret in made.secrets)] == []


def _some(operation: Operation, attacker: Attacker) -> Iterator[Attack]:
    for number, attack in enumerate(attacker.attacks(operation, EACH)):
        if not operation.public or number < PUBLIC_REQUESTS:
            yield attack


async def _judged(url: str, attacks: Sequence[Attack], made: World) -> list[str]:
    """What is wrong with the answers."""
    found: list[str] = []
    waiting = iter(attacks)

    async def attack() -> None:
        async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=40) as client:
            for one in waiting:
                found.extend(f"{one.operation.name}: {one.what}: {fault}" for fault in await _answered(client, one, made))

    await asyncio.gather(*(attack() for _ in range(AT_ONCE)))
    return found


async def _answered(client: httpx2.AsyncClient, one: Attack, made: World) -> list[str]:
    key = made.keys.get(one.operation.permission, made.keys[""])
    headers = [(b"authorization", f"Bearer {key}".encode())] if not one.operation.public else []
    headers += [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in one.headers.items()]
    began = time.monotonic()
    request = client.build_request(one.method, one.target, headers=headers, content=one.body)
    answer = await client.send(request, stream=True)
    try:
        if not (one.operation.streams and answer.status_code == 200):
            await answer.aread()
        return faults(one, answer, time.monotonic() - began)
    except ValueError:
        return [f"{answer.status_code} with a body that is no JSON: {answer.text[:200]}"]
    finally:
        await answer.aclose()
