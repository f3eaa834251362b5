"""The table of routes: every address has one owner, and the owner is the service that declares it."""

import importlib
from collections.abc import Iterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from weft.edge import Edge
from weft.rooms import NAMES
from weft.routes import OTHERWISE, ROUTES, owner, with_version


def declared() -> Iterator[tuple[str, str]]:
    for name in NAMES:
        door = importlib.import_module(f"weft_{name}.api").door
        for one in door.declared:
            yield name, one.path


@pytest.mark.parametrize(("name", "path"), sorted(set(declared())))
def test_what_a_service_declares_is_sent_to_it(name: str, path: str) -> None:
    example = path.replace("{", "x").replace("}", "")
    assert owner(example) == name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/executions", "analytics"),
        ("/api/v1/executions/", "analytics"),
        ("/api/v1/executions/bulk", "engine"),
        ("/api/v1/executions/7/steps", "engine"),
        ("/api/v1/executions/7/signals/go", "engine"),
        ("/api/v1/workflows/order/executions", "analytics"),
        ("/api/v1/workflows/executions/7", "engine"),
        ("/api/v1/workflows/order/trigger", "engine"),
        ("/api/v1/workflows/events/log", "events"),
        ("/api/v1/workflows/analytics/overview", "analytics"),
        ("/api/v1/workflows/order/analytics", "analytics"),
        ("/api/v1/workflows/order", "definitions"),
        ("/api/v1/workflows", "definitions"),
        ("/api/v1/node-types/http.request", "definitions"),
        ("/api/v1/user-tasks", "tasks"),
        ("/hooks/acme/github", "events"),
        ("/decisions/token", "tasks"),
        ("/unsubscribe/token", "tasks"),
        ("/.well-known/jwks.json", "gateway"),
        ("/", "gateway"),
        ("/api/v1/executionsx", "gateway"),
    ],
)
def test_collections_have_the_owners_of_the_api(path: str, name: str) -> None:
    assert owner(path) == name


@given(st.text(max_size=60))
def test_any_address_has_an_owner(path: str) -> None:
    assert owner("/" + path) in NAMES


def test_every_line_of_the_table_decides_for_some_address() -> None:
    for route in ROUTES:
        example = route.path.replace("{slug}", "some-slug") + ("/below" if route.below else "")
        parts = example.strip("/").split("/")
        assert next(line for line in ROUTES if line.fits(parts)) is route
    assert OTHERWISE in NAMES


class Echo:
    """A service that answers with its name and the address it was asked at, as it reads it and as it came."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        said = f"{self._name} {request.url.path} {scope['raw_path'].decode()} {request.url.query}"
        await PlainTextResponse(said)(scope, receive, send)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("/api/workflows/order?version=2", "definitions /api/v1/workflows/order /api/v1/workflows/order version=2"),
        ("/api/workflows/events/log", "events /api/v1/workflows/events/log /api/v1/workflows/events/log "),
        ("/api/workflows/executions/7", "engine /api/v1/workflows/executions/7 /api/v1/workflows/executions/7 "),
        ("/api/workflows/analytics/overview", "analytics /api/v1/workflows/analytics/overview /api/v1/workflows/analytics/overview "),
        ("/api/user-tasks/a%20b", "tasks /api/v1/user-tasks/a b /api/v1/user-tasks/a%20b "),
        ("/api/v1/workflows/order", "definitions /api/v1/workflows/order /api/v1/workflows/order "),
        ("/api/v2/workflows", "gateway /api/v2/workflows /api/v2/workflows "),
        ("/api", "gateway /api /api "),
    ],
)
async def test_an_address_without_a_version_is_that_of_the_first(asked: str, answered: str) -> None:
    edge = Edge({name: Echo(name) for name in NAMES})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=edge), base_url="http://weft.test") as client:
        assert (await client.get(asked)).text == answered


@given(st.text(max_size=60))
def test_an_address_with_its_version_is_meant_as_it_is(path: str) -> None:
    assert with_version(with_version("/" + path)) == with_version("/" + path)
