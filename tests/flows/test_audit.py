"""Who did what, on a whole mesh: said by the service that did it, chained by another, read by whoever governs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx2
import pytest
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess

pytestmark = pytest.mark.timeout(400)


def test_what_people_do_is_told_by_each_service_with_who_did_it_and_in_one_chain(mesh: MeshProcess) -> None:
    admin, editor = mesh.signed_in("admin"), mesh.signed_in("editor")
    me = editor.get("/me").json()["id"]
    slug = f"audited-{uuid4().hex[:8]}"
    draft = {"format": "weft/v1", "name": slug, "nodes": [{"id": "x", "type": "set", "with": {"x": 1}}], "output": {"x": "{{ vars.x }}"}}
    assert editor.post("/workflows", json=draft).status_code == 201
    changed = {**draft, "nodes": [{"id": "x", "type": "set", "with": {"x": 2}}]}
    assert editor.put(f"/workflows/{slug}", json=changed).status_code == 200
    # The draft that was saved is the one that is simulated, at once.
    assert editor.post(f"/workflows/{slug}/simulate", json={}).json()["output"] == {"x": 2}
    assert editor.post(f"/workflows/{slug}/publish").status_code == 200
    execution = editor.post(f"/workflows/{slug}/trigger", json={}).json()["execution_id"]
    key = admin.post("/api-keys", json={"name": slug, "roles": ["service"]}).json()["id"]

    def told(**about: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = admin.get("/audit", params=about).json()["items"]
        return found

    wanted = {
        ("draft.saved", slug, me), ("workflow.changed", slug, me), ("execution.started", execution, me),
        ("api_key.created", key, admin.get("/me").json()["id"]), ("user.signed_in", me, me),
    }  # fmt: skip

    def all_told() -> bool | None:
        seen = {(row["action"], row["resource"]["id"], row["actor"]) for id_ in (slug, execution, key, me) for row in told(resource_id=id_)}
        return wanted <= seen or None

    until(all_told, "what was done being told")
    signed_in = told(resource_id=me, action="user.signed_in")[0]
    assert signed_in["origin"]["ip"] == "127.0.0.1"
    (newer, older) = told(resource_id=slug, action="draft.saved")
    assert (newer["before"], older["before"], newer["origin"]["kind"]) == (older["after"], None, "person")
    assert admin.post("/audit/verify").json()["valid"]
    assert editor.get("/audit").status_code == 403


@pytest.mark.parametrize("id_", ["a/b", "a/explain"])
def test_an_event_whose_id_holds_a_slash_is_reached_through_the_edge(mesh: MeshProcess, id_: str) -> None:
    client = mesh.signed_in("editor")
    id_ = f"{uuid4().hex}/{id_}"
    event = {"specversion": "1.0", "id": id_, "source": "shop", "type": "nobody.waits"}
    assert client.post("/events", json=event, headers={"Content-Type": "application/cloudevents+json"}).status_code == 202
    for path in ("", "/explain"):
        answer: httpx2.Response = client.get(f"/events/{quote(id_, safe='')}{path}")
        assert answer.status_code == 200, answer.text
        assert (answer.json().get("event") or answer.json())["id"] == id_
