"""`weft execution`: list, show, act on one and on many, as somebody at a terminal does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from weft.commands.asking import problem
from weft.commands.bulk import chosen
from weft.execution import Which
from weft_runtime.testing import until

from tests.support.meshes import KeptMesh, MeshProcess, publish, weft
from tests.support.modes import in_one_process

pytestmark = pytest.mark.timeout(400)

DEFINITION = {
    "format": "weft/v1",
    "slug": "parcel",
    "name": "Parcel",
    "nodes": [{"id": "payment", "type": "state", "with": {"signals": {"paid": {}}}}],
    "output": {"amount": "{{ step.payment.output.amount }}"},
}


@pytest.fixture(scope="module")
def client(kept_mesh: KeptMesh) -> Iterator[httpx2.Client]:
    """The API as the demo's admin, with the workflow `parcel` published."""
    client = kept_mesh.up().signed_in("admin")
    publish(client, DEFINITION)
    yield client
    client.close()


def execution(mesh: MeshProcess, *arguments: str) -> Any:
    return weft("execution", *arguments, "--data-dir", str(mesh.data_dir))


def waiting(client: httpx2.Client, key: str) -> str:
    """An execution that waits for its signal."""
    id_ = client.post("/workflows/parcel/trigger", json={"key": key, "labels": {"team": "sales"}}).json()["execution_id"]
    until(lambda: client.get(f"/executions/{id_}").json()["status"] == "waiting" or None, f"{id_} waiting")
    return str(id_)


@in_one_process
def test_one_execution_is_listed_paused_resumed_signalled_and_shown(mesh: MeshProcess, client: httpx2.Client) -> None:
    id_ = waiting(client, "o-1")

    def listed() -> Any:
        return json.loads(execution(mesh, "list", "--key", "o-1", "--label", "team=sales", "--json").stdout)["items"] or None

    assert [item["id"] for item in until(listed, "the list knows it")] == [id_]
    assert id_ in execution(mesh, "list", "--workflow", "parcel").stdout
    assert id_ in execution(mesh, "list", "--started-by", "me").stdout
    assert id_ not in execution(mesh, "list", "--started-by", "me", "--as", "approver@demo.weft").stdout
    paused = execution(mesh, "pause", id_, "--reason", "stocktaking")
    assert (paused.returncode, "paused" in paused.stdout, "you can: cancel, resume" in paused.stdout) == (0, True, True)
    kept = execution(mesh, "signal", id_, "paid", "--payload", '{"amount": 5}')
    assert (kept.returncode, kept.stdout.strip()) == (0, f"paid to {id_}: kept")
    assert json.loads(execution(mesh, "resume", id_, "--json").stdout)["output"] == {"amount": 5}
    shown = execution(mesh, "show", id_)
    assert (shown.returncode, "parcel version 1  completed" in shown.stdout) == (0, True)


FAILING = {
    "format": "weft/v1",
    "slug": "failing",
    "name": "Failing",
    "vars": {"tier": "{{ tenant.tier }}"},
    "nodes": [
        {"id": "big", "type": "if", "with": {"when": "input.amount > 100"}},
        {"id": "stop", "type": "fail", "with": {"code": "too_much", "message": "over the limit"}},
    ],
    "edges": [{"from": "big", "to": "stop", "on": "true"}],
}


@in_one_process
def test_a_failed_execution_is_explained_retried_and_written_as_a_test_that_passes(
    mesh: MeshProcess, client: httpx2.Client, tmp_path: Path
) -> None:
    publish(client, FAILING)
    id_ = client.post("/workflows/failing/trigger", json={"input": {"amount": 180}}).json()["execution_id"]
    until(lambda: client.get(f"/executions/{id_}").json()["status"] == "failed" or None, f"{id_} failed")
    told = execution(mesh, "explain", id_).stdout
    assert "big (visit 1) -> true when input.amount > 100: true (input.amount is 180)" in told
    assert "error too_much at stop: over the limit" in told
    written = tmp_path / "test_failing.py"
    assert execution(mesh, "export", id_, "--pytest", "--out", str(written)).returncode == 0
    assert "tenant_seen" in written.read_text()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, str(written)], capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "1 passed" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    retried = execution(mesh, "retry", id_, "--from", "big", "--input", '{"amount": 5}')
    assert (retried.returncode, "completed" in retried.stdout) == (0, True), retried.stderr
    more = [client.post("/workflows/failing/trigger?wait=30s", json={"input": {"amount": 180}}).json()["id"] for _ in range(2)]
    options = ["--ids", *more, "--from-node", "big", "--input", '{"amount": 5}', "--with-version", "1", "--redo", "--yes"]
    many = execution(mesh, "bulk", "retry", *options)
    assert (many.returncode, many.stdout.splitlines()[-1].partition("  ")[2]) == (0, "completed: 2 done, 0 refused, of 2"), many.stderr


@in_one_process
def test_what_is_refused_says_why_and_exits_with_1(mesh: MeshProcess, client: httpx2.Client) -> None:
    id_ = waiting(client, "o-2")
    assert execution(mesh, "cancel", id_, "--reason", "by mistake").returncode == 0
    again = execution(mesh, "cancel", id_)
    assert (again.returncode, again.stderr.strip()) == (
        1,
        f"Refused (execution_ended): execution {id_} is cancelled and cannot be cancelled any more",
    )
    assert execution(mesh, "signal", id_, "paid", "--payload", "{").stderr.startswith("--payload must be JSON")
    assert execution(mesh, "show", "nonsense").returncode == 1
    assert execution(mesh, "list", "--as", "nobody@demo.weft").returncode == 1


@in_one_process
def test_many_are_previewed_then_cancelled_and_each_refusal_is_told(mesh: MeshProcess, client: httpx2.Client) -> None:
    ids = [waiting(client, f"many-{number}") for number in range(3)]
    preview = execution(mesh, "bulk", "cancel", "--q", "many-", "--preview")
    assert (preview.returncode, preview.stdout.startswith("3 executions: 3 waiting")) == (0, True)
    unasked = execution(mesh, "bulk", "cancel", "--q", "many-")
    assert (unasked.returncode, unasked.stderr.strip()) == (1, "Add --yes to cancel them without being asked.")
    job = json.loads(execution(mesh, "bulk", "cancel", "--q", "many-", "--yes", "--json").stdout)
    assert (job["status"], job["progress"]["ok"]) == ("completed", 3)
    again = execution(mesh, "bulk", "cancel", "--ids", *ids, "--yes")
    assert (again.returncode, again.stdout.count("execution_ended: ")) == (3, 3)
    wrong = execution(mesh, "bulk", "signal", "--ids", *ids, "--yes")
    assert (wrong.returncode, "/options/name" in wrong.stderr) == (1, True)


def test_a_filter_holds_only_what_was_given() -> None:
    assert chosen(Which(), None) == {}
    which = Which(workflow="w", status=["failed"], label=["a=b=c"], since="2026-01-01T00:00:00Z")
    assert chosen(which, ["1"]) == {
        "workflow": "w",
        "status": ["failed"],
        "label": {"a": "b=c"},
        "from": "2026-01-01T00:00:00Z",
        "ids": ["1"],
    }


def test_a_problem_is_told_with_its_code_and_places() -> None:
    document = {"code": "invalid", "detail": "it does not fit", "errors": [{"pointer": "/a", "detail": "too long"}]}
    assert problem(422, json.dumps(document)) == "Refused (invalid): it does not fit\n  /a: too long"
    assert problem(502, "<html>") == "Refused with 502: <html>"
