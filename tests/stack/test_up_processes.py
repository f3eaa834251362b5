"""`weft up --processes`: a process for each service, kept alive, behind one address."""

import os
import signal
import time
from collections.abc import Callable

import httpx2
import pytest
from weft.mesh.records import Children
from weft.rooms import NAMES
from weft.stack.data_dir import DataDirectory

from tests.support.meshes import MeshProcess, weft
from tests.support.modes import in_many_processes

pytestmark = [pytest.mark.timeout(400), in_many_processes]


def children(mesh: MeshProcess) -> Children:
    found = DataDirectory(mesh.data_dir).state.get("children", Children)
    assert found is not None
    return found


def until(true: Callable[[], bool], timeout_s: float = 150) -> bool:
    deadline = time.monotonic() + timeout_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.2)
    return true()


def healthy(mesh: MeshProcess) -> bool:
    services = mesh.status()["services"]
    return len(services) == len(NAMES) and all(service["healthy"] for service in services)


def signed_in(mesh: MeshProcess) -> httpx2.Client:
    token = weft("token", "--data-dir", str(mesh.data_dir)).stdout.strip()
    return httpx2.Client(base_url=f"{mesh.status()['url']}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_each_service_and_a_worker_is_a_process_of_its_own(mesh: MeshProcess) -> None:
    marks = children(mesh).marks
    assert set(marks) == {*NAMES, "worker"}
    assert len({mark.pid for mark in marks.values() if mark.find()}) == len(NAMES) + 1


def test_one_address_reaches_every_service(mesh: MeshProcess) -> None:
    with signed_in(mesh) as client:
        paths = ("/me", "/workflows", "/executions", "/events", "/user-tasks", "/analytics/overview", "/parked")
        assert {path: client.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)


def test_a_body_of_two_mebibytes_is_refused_with_a_problem(mesh: MeshProcess) -> None:
    with signed_in(mesh) as client:
        answer = client.post("/workflows", content=b"x" * 2 * 2**20)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_killed_service_is_started_again(mesh: MeshProcess) -> None:
    before = children(mesh).marks["engine"]
    os.kill(before.pid, signal.SIGKILL)
    assert until(lambda: children(mesh).marks["engine"].pid != before.pid)
    assert until(lambda: healthy(mesh))


def test_down_ends_every_process(mesh: MeshProcess) -> None:
    marks = children(mesh).marks
    done = weft("down", "--data-dir", str(mesh.data_dir))
    assert (done.returncode, mesh.process.wait(120)) == (0, 0)
    assert not any(mark.find() for mark in marks.values())
    assert mesh.status()["services"] == []
