"""`weft up` in one process: what a stranger sees, and what is left when it ends well or badly."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from weft.stack.data_dir import DataDirectory
from weft.stack.ports import is_free
from weft.stack.postgres import PostgresRecord
from weft.stack.processes import ProcessMark
from weft.stack.rabbitmq import RabbitRecord
from weft_runtime.testing import until

from tests.support.meshes import MeshProcess, weft
from tests.support.modes import in_one_process
from tests.support.users import as_ordinary_user, broker_cache, give_to_ordinary_user

KEPT = ("database_url", "broker_url", "demo")

pytestmark = pytest.mark.timeout(400)


def servers(data_dir: Path) -> list[ProcessMark]:
    state = DataDirectory(data_dir).state
    postgres, rabbitmq = state.get("postgres", PostgresRecord), state.get("rabbitmq", RabbitRecord)
    marks = [postgres and postgres.process, rabbitmq and rabbitmq.process, rabbitmq and rabbitmq.epmd]
    return [mark for mark in marks if mark]


def still_running(processes: list[psutil.Process]) -> list[str]:
    """Those that do not end in a minute. Helpers of the Erlang emulator end by themselves, just after it."""
    _, alive = psutil.wait_procs(processes, timeout=60)
    return [process.name() for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@in_one_process
def test_status_tells_programs_where_everything_is(mesh: MeshProcess) -> None:
    def well() -> dict[str, Any] | None:
        # A service that is asked how it is, and does not answer in three seconds, is not well: on a busy machine it may be once.
        told = mesh.status()
        return told if all(service["healthy"] for service in told["services"]) else None

    found = until(well, "every service being well")
    assert set(found) == {"url", "data_dir", "database_url", "broker_url", "services", "demo"}
    assert found["data_dir"] == str(mesh.data_dir)
    assert [service["name"] for service in found["services"]] == ["gateway", "definitions", "engine", "events", "tasks", "analytics"]
    assert found["demo"]["tenant"] == "demo"
    assert [person["roles"] for person in found["demo"]["users"]] == [["admin", "operator"], ["editor"], ["approver"]]
    assert all(set(person) == {"email", "password", "roles"} for person in found["demo"]["users"])


@in_one_process
def test_everybody_of_the_demo_tenant_can_sign_in_and_sees_the_workflow(mesh: MeshProcess) -> None:
    found = mesh.status()
    for person in found["demo"]["users"]:
        with httpx2.Client(base_url=f"{found['url']}/api/v1", timeout=60) as client:
            login = client.post("/auth/login", json={"email": person["email"], "password": person["password"]})
            client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
            shown = client.get("/workflows/expense-approval").json()
            assert (client.get("/me").json()["email"], shown["status"]) == (person["email"], "active")


@in_one_process
def test_the_line_it_prints_starts_an_execution(mesh: MeshProcess) -> None:
    line = next(line for line in mesh.said if line.startswith("curl"))
    answer = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, check=True)
    assert '"accepted":1' in answer.stdout.replace(" ", "")


@in_one_process
def test_a_body_of_two_mebibytes_is_refused_with_a_problem(mesh: MeshProcess) -> None:
    found = mesh.status()
    token = weft("token", "--data-dir", str(mesh.data_dir)).stdout.strip()
    answer = httpx2.post(
        f"{found['url']}/api/v1/workflows", content=b"x" * 2 * 2**20, headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@in_one_process
def test_a_second_up_says_where_the_first_one_runs(mesh: MeshProcess) -> None:
    second = weft("up", "--data-dir", str(mesh.data_dir))
    assert second.returncode == 1
    assert f"process {mesh.process.pid} holds it" in second.stderr
    assert mesh.status()["url"] in second.stderr


@in_one_process
def test_logs_are_shown_by_service_and_by_server(mesh: MeshProcess) -> None:
    every, unknown = (weft("logs", *names, "--data-dir", str(mesh.data_dir)) for names in ((), ("nobody",)))
    rabbit = weft("logs", "rabbitmq", "--data-dir", str(mesh.data_dir))
    assert (every.returncode, rabbit.returncode) == (0, 0)
    assert '"level":"' in every.stdout
    assert unknown.stderr == "" and unknown.stdout == ""


@in_one_process
def test_doctor_finds_a_running_mesh_in_good_order(mesh: MeshProcess) -> None:
    found = weft("doctor", "--data-dir", str(mesh.data_dir))
    assert (found.returncode, "in use by a running mesh" in found.stdout) == (0, True)


@in_one_process
def test_no_passwords_stand_in_the_logs(mesh: MeshProcess) -> None:
    state = DataDirectory(mesh.data_dir).state
    postgres, rabbitmq = state.get("postgres", PostgresRecord), state.get("rabbitmq", RabbitRecord)
    assert postgres is not None and rabbitmq is not None
    secrets = [postgres.password, rabbitmq.password, *(person["password"] for person in mesh.status()["demo"]["users"])]
    for path in (mesh.data_dir / "logs").iterdir():
        content = path.read_text(errors="replace")
        assert not any(secret in content for secret in secrets), path


def test_an_ordinary_users_mesh_recovers_from_a_kill_and_ctrl_c_stops_what_it_started(open_folder: Path) -> None:
    give_to_ordinary_user(open_folder)
    data_dir = open_folder / "data"
    user, environment = tuple(as_ordinary_user()), {"WEFT_CACHE_DIR": str(broker_cache(open_folder / "cache"))}
    bystander = subprocess.Popen(["sleep", "300"])
    first = MeshProcess(data_dir, command=user, environment=environment).wait_until_ready()
    before, left = first.status(), servers(data_dir)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    try:
        assert all(mark.find() for mark in left)
        second = MeshProcess(data_dir, command=user, environment=environment).wait_until_ready()
        after, started = second.status(), servers(data_dir)
        assert psutil.Process(second.process.pid).uids().effective != 0
        assert not any(mark.find() for mark in left)
        assert {key: after[key] for key in KEPT} == {key: before[key] for key in KEPT}
        children = psutil.Process(second.process.pid).children(recursive=True)
        assert (second.interrupt(), bystander.poll()) == (0, None)
        assert not still_running(children)
        assert not any(mark.find() for mark in started)
        assert all(is_free(int(service["url"].rsplit(":", 1)[1])) for service in after["services"])
    finally:
        bystander.kill()
        bystander.wait()
        weft("down", "--data-dir", str(data_dir))
