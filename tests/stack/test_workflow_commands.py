"""`weft workflow` and `weft parked`: from a file to an execution, to another version and back, as somebody at a terminal does."""

import asyncio
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from weft.commands.parked import path_to
from weft.rooms import NAMES
from weft_contracts import routing
from weft_contracts.envelope import Item, schema_of
from weft_contracts.frames import encode_frame
from weft_runtime.bus import OutFrame, open_bus
from weft_runtime.clock import new_id
from weft_runtime.pipeline.parked_door import NOBODYS, path_of
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, weft
from tests.support.modes import in_one_process

pytestmark = pytest.mark.timeout(400)

LETTER = """\
format: weft/v1
slug: letter
name: Letter
nodes:
  - {id: sent, type: state, with: {signals: {posted: {}}}}
output: {by: "{{ input.by }}"}
"""


def workflow(mesh: MeshProcess, *arguments: str) -> Any:
    return weft("workflow", *arguments, "--data-dir", str(mesh.data_dir))


def written(folder: Path, text: str, name: str = "letter.yaml") -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def waits(client: httpx2.Client, id_: str) -> str:
    until(lambda: client.get(f"/executions/{id_}").json().get("status") == "waiting" or None, f"{id_} waiting")
    return id_


@in_one_process
def test_a_definition_is_simulated_and_an_execution_gone_on_with(mesh: MeshProcess, tmp_path: Path) -> None:
    text = LETTER.replace("letter", "parchment")
    answers = written(tmp_path, "outcomes: {sent: posted}", "answers.yaml")
    told = workflow(mesh, "simulate", written(tmp_path, text), "--input", '{"by": "air"}', "--answers", answers)
    assert (told.returncode, told.stdout.splitlines()[0]) == (0, 'parchment  completed after 0:00:00  {"by": "air"}')
    assert workflow(mesh, "save", written(tmp_path, text), "--publish").returncode == 0
    rests = workflow(mesh, "simulate", "parchment", "--json")
    assert json.loads(rests.stdout)["waiting_for"][0]["node"] == "sent"
    started = json.loads(workflow(mesh, "start", "parchment", "--input", '{"by": "sea"}', "--json").stdout)["execution_id"]
    with closing(mesh.signed_in("admin")) as client:
        waits(client, started)
    gone_on = weft("execution", "simulate", started, "--answers", answers, "--data-dir", str(mesh.data_dir))
    assert (gone_on.returncode, "  sent -> posted" in gone_on.stdout, '{"by": "sea"}' in gone_on.stdout) == (0, True, True)
    wrong = workflow(mesh, "simulate", "parchment", "--answers", written(tmp_path, "outcome: {}", "wrong.yaml"))
    assert (wrong.returncode, "must be an object of errors, outcomes, outputs" in wrong.stderr) == (1, True)


def test_a_definition_is_judged_without_a_mesh(tmp_path: Path) -> None:
    good = weft("workflow", "validate", written(tmp_path, LETTER))
    assert (good.returncode, "It can be published." in good.stdout) == (0, True)
    bad = weft("workflow", "validate", written(tmp_path, LETTER.replace("state,", "stat,")))
    assert (bad.returncode, "error  /nodes/0/type" in bad.stdout, "It cannot be saved." in bad.stdout) == (1, True, True)
    found = json.loads(weft("workflow", "validate", written(tmp_path, LETTER), "--json").stdout)
    assert (found["valid"], found["publishable"]) == (True, True)
    unreadable = weft("workflow", "validate", written(tmp_path, "{", "letter.json"))
    assert (unreadable.returncode, "letter.json:" in unreadable.stderr) == (1, True)
    missing = weft("workflow", "validate", str(tmp_path / "nothing.yaml"))
    assert (missing.returncode, "cannot be read" in missing.stderr) == (1, True)


def test_a_definition_is_drawn_without_a_mesh(tmp_path: Path) -> None:
    flow = weft("workflow", "diagram", written(tmp_path, LETTER), "--format", "mermaid")
    assert (flow.returncode, flow.stdout.splitlines()[0], '"sent<br/>state"' in flow.stdout) == (0, "flowchart TD", True)
    picture = tmp_path / "letter.svg"
    assert weft("workflow", "diagram", written(tmp_path, LETTER), "--out", str(picture)).returncode == 0
    assert picture.read_text(encoding="utf-8").startswith("<svg ")
    wrong = weft("workflow", "diagram", written(tmp_path, LETTER.replace("state,", "stat,")))
    assert (wrong.returncode, "It cannot be drawn (/nodes/0/type" in wrong.stderr) == (1, True)


@in_one_process
def test_what_cannot_be_carried_over_or_made_is_told(mesh: MeshProcess, tmp_path: Path) -> None:
    flow = "document: {dsl: 1.0.3, namespace: a, name: merged, version: 0.1.0}\ndo:\n- both: {set: {all: '${ . + {a: 1} }'}}\n"
    path = written(tmp_path, flow, "flow.yaml")
    preview = workflow(mesh, "import", path, "--preview")
    assert (preview.returncode, preview.stdout.strip()) == (1, "merged: it cannot be imported")
    assert "error  /do/0/both/set/all  not_carried:" in preview.stderr
    refused = workflow(mesh, "import", path)
    assert (refused.returncode, "Refused (not_carried_over)" in refused.stderr) == (1, True)
    no_object = workflow(mesh, "import", written(tmp_path, "[1]", "list.yaml"))
    assert (no_object.returncode, "is an object" in no_object.stderr) == (1, True)
    where = ("--data-dir", str(mesh.data_dir))
    unfit = weft("template", "instantiate", "notification", "--with", "{}", *where)
    assert (unfit.returncode, "/parameters/event:" in unfit.stderr) == (1, True)
    shapeless = weft("template", "instantiate", "notification", "--parameters", written(tmp_path, "[1]", "list.yaml"), *where)
    assert (shapeless.returncode, "names and values" in shapeless.stderr) == (1, True)
    nameless = weft("template", "save", written(tmp_path, "name: x", "nameless.yaml"), *where)
    assert (nameless.returncode, "an object with a `slug`" in nameless.stderr) == (1, True)


@in_one_process
def test_a_file_becomes_a_workflow_that_is_published_started_switched_and_rolled_back(mesh: MeshProcess, tmp_path: Path) -> None:
    draft = workflow(mesh, "save", written(tmp_path, LETTER))
    assert draft.stdout.strip() == "letter version 1  draft, active version: none"
    refused = workflow(mesh, "start", "letter")
    assert (refused.returncode, "Refused (" in refused.stderr) == (1, True)
    assert workflow(mesh, "publish", "letter", "--note", "first").stdout.strip() == "letter version 1  active, active version: 1"
    second = workflow(mesh, "save", written(tmp_path, LETTER.replace("name: Letter", "name: Brief")), "--publish", "--json")
    assert (json.loads(second.stdout)["version"], json.loads(second.stdout)["active_version"]) == (2, 2)
    assert "Brief" in workflow(mesh, "list", "--q", "letter").stdout
    assert workflow(mesh, "rollback", "letter", "1").stdout.strip() == "letter version 3  active, active version: 3"
    assert '"name": "Letter"' in workflow(mesh, "show", "letter").stdout
    assert "inactive" in workflow(mesh, "deactivate", "letter").stdout
    assert "  active" in workflow(mesh, "activate", "letter").stdout

    with closing(mesh.signed_in("admin")) as client:
        given = ("--input", '{"by": "sea"}', "--key", "l-1", "--label", "team=post", "--json")

        def started() -> Any:
            return json.loads(workflow(mesh, "start", "letter", *given).stdout or "null")

        id_ = waits(client, until(started, "the engine knows it")["execution_id"])
        shown = client.get(f"/executions/{id_}").json()
        assert (shown["input"], shown["key"], shown["labels"], shown["version"]) == ({"by": "sea"}, "l-1", {"team": "post"}, 3)
        weft("execution", "signal", id_, "posted", "--data-dir", str(mesh.data_dir))
    assert workflow(mesh, "start", "letter", "--label", "team").stderr.strip() == "--label takes name=value"


@in_one_process
def test_what_lives_is_moved_to_another_version_and_back(mesh: MeshProcess, tmp_path: Path) -> None:
    parcel = LETTER.replace("letter", "parcel-moves").replace("Letter", "Parcel")
    assert workflow(mesh, "save", written(tmp_path, parcel), "--publish").returncode == 0
    with closing(mesh.signed_in("admin")) as client:

        def started() -> Any:
            return json.loads(workflow(mesh, "start", "parcel-moves", "--json").stdout or "null")

        ids = [waits(client, until(started, "the engine knows it")["execution_id"]) for _ in range(3)]
        renamed = parcel.replace("id: sent", "id: dispatched")
        assert workflow(mesh, "save", written(tmp_path, renamed), "--publish").returncode == 0
        until(lambda: client.get("/workflows/parcel-moves").json()["active_version"] == 2 or None, "version 2")

        def previewed() -> Any:
            seen = workflow(mesh, "migrate", "parcel-moves", "--from", "1", "--to", "2", "--preview")
            return seen.stdout if seen.returncode == 0 else None

        seen = until(previewed, "the engine knows version 2")
        assert "3 planned, of 3" in seen
        assert "sent becomes dispatched" in seen
        assert workflow(mesh, "migrate", "parcel-moves", "--from", "1", "--to", "2").returncode == 1, "nobody is there to say yes"
        moved = workflow(mesh, "migrate", "parcel-moves", "--from", "1", "--to", "2", "--yes", "--json")
        job = json.loads(moved.stdout)
        assert (moved.returncode, job["status"], job["items"]) == (0, "completed", {"migrated": 3})
        assert {client.get(f"/executions/{id_}").json()["version"] for id_ in ids} == {2}
        back = workflow(mesh, "undo-migration", job["id"], "--yes")
        assert (back.returncode, back.stdout.strip().splitlines()[-1]) == (0, f"{job['id']}  undone: 3 undone, of 3")
        assert {client.get(f"/executions/{id_}").json()["version"] for id_ in ids} == {1}


@in_one_process
def test_a_message_that_could_not_be_handled_is_seen_mended_and_replayed(mesh: MeshProcess, tmp_path: Path) -> None:
    slug = "parked-letter"
    assert workflow(mesh, "save", written(tmp_path, LETTER.replace("letter", slug)), "--publish").returncode == 0
    tenant = mesh.known["demo"]["tenant"]
    ids = [new_id(), new_id()]
    data: list[dict[str, Any]] = [
        {"execution_id": str(id_), "workflow": slug, "workflow_version": 1, "trigger": {"type": "event", "id": "t"}} for id_ in ids
    ]
    _send(mesh, tenant, data)

    def parked() -> Any:
        found = json.loads(weft("parked", "list", "--json", "--data-dir", str(mesh.data_dir)).stdout)["items"]
        mine = [one for one in found if any(str(id_) in one["message_id"] for id_ in ids)]
        return sorted(mine, key=lambda one: one["message_id"]) if len(mine) == 2 else None

    first, second = until(parked, "both being parked")
    shown = weft("parked", "show", first["id"], "--data-dir", str(mesh.data_dir))
    assert (shown.returncode, "bad_message" in shown.stdout, slug in shown.stdout) == (0, True, True)
    good = next(one for one in data if one["execution_id"] in first["message_id"])
    replayed = weft("parked", "replay", first["id"], "--data", json.dumps(good), "--data-dir", str(mesh.data_dir))
    assert (replayed.returncode, "retrying" in replayed.stdout) == (0, True)
    dropped = weft("parked", "discard", second["id"], "--data-dir", str(mesh.data_dir))
    assert (dropped.returncode, "discarded" in dropped.stdout) == (0, True)
    assert "parked_settled" in weft("parked", "discard", second["id"], "--data-dir", str(mesh.data_dir)).stderr
    with closing(mesh.signed_in("admin")) as client:
        waits(client, good["execution_id"])


@in_one_process
def test_a_command_uses_the_token_of_the_one_before_and_signs_in_anew_where_it_is_refused(mesh: MeshProcess) -> None:
    assert workflow(mesh, "list", "--as", "editor@demo.weft").returncode == 0
    kept = mesh.data_dir / "tokens" / "editor@demo.weft"
    first = kept.read_text()
    assert (kept.stat().st_mode & 0o777, workflow(mesh, "list", "--as", "editor@demo.weft").returncode) == (0o600, 0)
    assert kept.read_text() == first
    kept.write_text("of another mesh")
    assert workflow(mesh, "list", "--as", "editor@demo.weft").returncode == 0
    assert kept.read_text() != "of another mesh"


def test_parked_messages_are_looked_for_where_the_services_show_them() -> None:
    for service in NAMES:
        assert path_to(service, nobodys=False) == path_of(service)
        assert path_to(service, nobodys=True) == path_of(service) + NOBODYS


def _send(mesh: MeshProcess, tenant: str, data: list[dict[str, Any]]) -> None:
    """Send starts whose input is no object, which no engine can read."""

    async def send() -> None:
        bus = open_bus(mesh.known["broker_url"], name="tests")
        await bus.start()
        for one in data:
            item = Item(
                id=f"{one['execution_id']}:start", source="test", type="execution.start", tenantid=tenant,
                dataschema=schema_of("execution.start", 1), data=msgspec.Raw(msgspec.json.encode(one | {"input": "none"})),
            )  # fmt: skip
            await bus.publish([OutFrame(routing.COMMANDS, routing.partition_queue(0), encode_frame([item]))])
        await bus.close()

    asyncio.run(send())
