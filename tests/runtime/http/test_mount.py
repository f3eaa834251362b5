import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp
from weft_runtime.auth import Permission
from weft_runtime.http import Door
from weft_runtime.http.mount import Mount


def door(name: str, *routes: str) -> tuple[Door, ASGIApp]:
    made = Door(name)

    async def endpoint() -> None:
        """Never asked: the application below answers."""

    for route in routes:
        method, path = route.split()
        made.route((method,), path, may=Permission.SELF_READ)(endpoint)
    return made, PlainTextResponse(name)


MOUNT = Mount(
    [
        door(
            "definitions", "GET /workflows", "GET /workflows/{slug}", "GET /workflows/{slug}/versions/{number}", "POST /workflows/validate"
        ),
        door("engine", "POST /workflows/{slug}/trigger", "GET /workflows/{slug}/executions", "GET /workflows/executions/{id}"),
        door("events", "GET /workflows/events/log"),
        door("files", "GET /files/{rest:path}"),
    ],
    PlainTextResponse("fallback"),
)


@pytest.mark.parametrize(
    ("method", "path", "owner"),
    [
        ("GET", "/api/v1/workflows", "definitions"),
        ("GET", "/api/v1/workflows/x", "definitions"),
        ("GET", "/api/v1/workflows/x/versions/1", "definitions"),
        ("POST", "/api/v1/workflows/x/trigger", "engine"),
        ("GET", "/api/v1/workflows/executions/7", "engine"),
        ("GET", "/api/v1/workflows/x/executions", "engine"),
        ("GET", "/api/v1/workflows/events/log", "events"),
        ("POST", "/api/v1/workflows/validate", "definitions"),
        ("DELETE", "/api/v1/workflows/x/trigger", "engine"),
        ("GET", "/api/v1/files/a/b/c", "files"),
        ("GET", "/api/v1/workflows/", "fallback"),
        ("GET", "/api/v1/workflows/x/", "fallback"),
        ("GET", "/api/v1//workflows", "fallback"),
        ("GET", "/metrics", "fallback"),
        ("GET", "/health/ready", "fallback"),
        ("GET", "/", "fallback"),
    ],
)
async def test_a_request_goes_to_the_service_that_owns_its_path(method: str, path: str, owner: str) -> None:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=MOUNT), base_url="http://weft.test") as client:
        assert (await client.request(method, path)).text == owner


def test_a_path_has_one_owner() -> None:
    with pytest.raises(ValueError, match="two doors"):
        Mount([door("a", "GET /things/{id}"), door("b", "GET /things/{slug}")], PlainTextResponse(""))
