"""The demo tenant: three people and a workflow, made once and through the doors that everybody uses."""

import json
import secrets
from importlib.resources import files
from typing import Any

import httpx2
from weft_gateway.seed import PEOPLE, TENANT, seed_demo

from weft.mesh.composition import Composition
from weft.mesh.records import Demo, Person
from weft.mesh.schemas import urls
from weft.stack.data_dir import DataDirectory
from weft.stack.errors import StackError

REQUEST_TIMEOUT_S = 20.0


def people(data: DataDirectory) -> Demo:
    """The demo tenant of this data directory, its passwords drawn at the first call."""
    known = data.state.get("demo", Demo)
    if known is None:
        drawn = [Person(email=email, password=secrets.token_urlsafe(9), roles=list(roles)) for email, (_, roles, _) in PEOPLE.items()]
        known = Demo(tenant=TENANT, users=drawn)
        data.state.put("demo", known)
    return known


async def found(composition: Composition, demo: Demo) -> None:
    """Make the tenant and its people where they are missing. Before the services start, because nobody can sign in yet."""
    secret = composition.installation.secret_key
    owner = urls(composition.superuser_url, secret)["gateway"].owner
    await seed_demo(owner, secret, {person.email: person.password for person in demo.users})


async def add_workflow(url: str, demo: Demo) -> None:
    """Publish the example workflow as the demo's admin, unless the tenant has it.

    url: of the mesh, which is healthy. Raises: StackError `demo_refused`.
    """
    admin = next(person for person in demo.users if "admin" in person.roles)
    async with httpx2.AsyncClient(base_url=f"{url}/api/v1", timeout=REQUEST_TIMEOUT_S, trust_env=False) as client:
        try:
            login = {"email": admin.email, "password": admin.password}
            signed_in = _accepted(await client.post("/auth/login", json=login), 200)
            client.headers["Authorization"] = f"Bearer {signed_in.json()['access_token']}"
            definition = workflow()
            if (await client.get(f"/workflows/{definition['slug']}")).status_code == 404:
                body = {"definition": definition, "status": "active"}
                # 409: another `weft up` on the same database was first.
                _accepted(await client.post("/workflows", json=body), 201, 409)
        except httpx2.HTTPError as error:
            raise StackError("demo_refused", f"{url} does not answer: {error}.", "See `weft status` and `weft logs`.") from error


def workflow() -> dict[str, Any]:
    """The example workflow's definition."""
    definition: dict[str, Any] = json.loads(files("weft.mesh").joinpath("demo_workflow.json").read_bytes())
    return definition


def _accepted(answer: httpx2.Response, *good: int) -> httpx2.Response:
    if answer.status_code in good:
        return answer
    said = f"{answer.request.method} {answer.request.url} was answered {answer.status_code}: {answer.text[:500]}"
    other = "This database's demo tenant has other passwords, of another data directory; use that one, or another database."
    raise StackError("demo_refused", said, other if answer.status_code == 401 else "See `weft logs`.")
