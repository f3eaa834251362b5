import pytest
from weft_runtime.auth import Permission
from weft_runtime.http import Door
from weft_runtime.http.application import openapi
from weft_runtime.testing import RunningService

from tests.runtime.sample.app import door as sample_door


def test_a_route_without_a_permission_is_refused_when_it_is_declared() -> None:
    with pytest.raises(ValueError, match="permission it needs"):
        Door("x").get("/things")


def test_a_route_cannot_be_public_and_need_a_permission() -> None:
    with pytest.raises(ValueError, match="not both"):
        Door("x").get("/things", may=Permission.TASKS_READ, public=True)


@pytest.mark.parametrize("path", ["things", "//things", "/things/"])
def test_an_unplain_path_is_refused_when_it_is_declared(path: str) -> None:
    with pytest.raises(ValueError, match="slash"):
        Door("x").get(path, public=True)


def test_a_blocking_endpoint_is_refused_when_it_is_declared() -> None:
    with pytest.raises(TypeError, match="async def"):

        @Door("x").get("/things", public=True)
        def things() -> int:
            return 1


def test_fixed_paths_go_before_paths_with_parameters() -> None:
    door = Door("x")

    @door.get("/tasks/{task_id}", public=True)
    async def one(task_id: str) -> str:
        return task_id

    @door.get("/tasks/bulk", public=True)
    async def bulk() -> str:
        return "bulk"

    assert [route.path for route in door.routes()] == ["/api/v1/tasks/bulk", "/api/v1/tasks/{task_id}"]


async def test_every_route_of_a_door_refuses_somebody_who_is_not_signed_in(sample: RunningService) -> None:
    client = sample.anonymous()
    for route in sample_door.routes():
        for method in route.methods or ():
            answer = await client.request(method, route.path.replace("{note_id}", "x").replace("{title}", "x").replace("{stars}", "1"))
            assert route.rules.public or answer.status_code == 401, route.path


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/notes/",
        "//api/v1/notes",
        "/api//v1/notes",
        "/api/v1/./notes",
        "/api/v1/x/../notes",
        "/api/v1%2Fnotes",
        "/api/v1/notes%2F",
        "/API/v1/notes",
        "/api/v1/notes;x=1",
        "/api/v1/open/../notes",
        "/open/..%2fapi/v1/notes",
        "/api/v1/notes%20",
    ],
)
async def test_tricks_with_the_path_open_nothing(sample: RunningService, path: str) -> None:
    answer = await sample.anonymous().get(path)
    assert answer.status_code in (401, 404)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_permission_opens_and_its_absence_closes(sample: RunningService) -> None:
    body = {"title": "mine"}
    assert (await sample.client(roles=["viewer"]).post("/api/v1/notes", json=body)).status_code == 403
    assert (await sample.client(roles=["no-such-role"]).get("/api/v1/notes")).status_code == 403
    assert (await sample.client(roles=["editor"]).post("/api/v1/notes", json=body)).status_code == 201


async def test_an_operators_route_sees_every_tenant_and_is_closed_to_their_administrators(sample: RunningService, tenant: str) -> None:
    await sample.client(tenant).post("/api/v1/notes", json={"title": "somewhere"})
    assert (await sample.client(tenant).get("/api/v1/everything")).status_code == 403
    assert (await sample.client("operations", roles=["operator"]).get("/api/v1/everything")).json() >= 1


async def test_the_description_names_the_permission_of_each_route_and_how_to_sign_in(sample: RunningService) -> None:
    document = (await sample.anonymous().get("/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    create = document["paths"]["/api/v1/notes"]["post"]
    assert create["x-permission"] == "workflows.write"
    assert create["security"] == [{"bearer": []}]
    assert "Idempotency-Key" in [parameter["name"] for parameter in create["parameters"]]
    assert document["paths"]["/open"]["get"]["security"] == []
    listing = document["paths"]["/api/v1/notes"]["get"]
    assert {"limit", "cursor", "title", "least"} <= {parameter["name"] for parameter in listing["parameters"]}
    assert "NoteBody" in document["components"]["schemas"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_a_description_is_made_once_for_the_routes_that_there_are() -> None:
    door = Door("described")

    @door.get("/first", public=True)
    async def first() -> int:
        """The first."""
        return 1

    made = openapi(door)
    assert openapi(door) is made

    @door.get("/second", public=True)
    async def second() -> int:
        """The second."""
        return 2

    assert list(openapi(door)["paths"]) == ["/api/v1/first", "/api/v1/second"]


async def test_the_answers_have_the_security_headers_and_a_request_id(sample: RunningService) -> None:
    for answer in (await sample.client().get("/api/v1/notes"), await sample.client().get("/api/v1/none")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-request-id"]


async def test_health_and_metrics_are_on_the_services_own_port(sample: RunningService) -> None:
    client = sample.anonymous()
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).json()["checks"]["database"] is True
    await sample.client().get("/api/v1/notes/00000000-0000-0000-0000-000000000000")
    metrics = (await client.get("/metrics")).text
    assert 'weft_http_requests_total{method="GET",route="/api/v1/notes/{note_id}",service="sample",status="404"}' in metrics
    assert "00000000-0000-0000-0000" not in metrics
