"""Ports that stay, logs that are found, schemas that are brought up once."""

import json
import socket
from pathlib import Path

import asyncpg
import pytest
from weft.commands.logs import Tail
from weft.mesh.composition import Composition
from weft.mesh.demo import workflow
from weft.mesh.records import Installation
from weft.mesh.schemas import bring_up
from weft.rooms import NAMES, ROOMS
from weft.stack import StackError, ports
from weft.stack.data_dir import DataDirectory
from weft_language import parse, publish_findings, validate

from tests.support.isolation import SharedStack

SECRET = "a secret for tests only, long enough"


def data_directory(tmp_path: Path) -> DataDirectory:
    data = DataDirectory(tmp_path)
    data.prepare()
    return data


def test_an_installation_keeps_its_secret_and_its_free_ports(tmp_path: Path) -> None:
    data = data_directory(tmp_path)
    first = Installation.of(data).with_ports(data, None)
    again = Installation.of(data).with_ports(data, None)
    assert (again.secret_key, {name: again.ports[name] for name in NAMES}) == (
        first.secret_key,
        {name: first.ports[name] for name in NAMES},
    )
    assert len(set(first.ports.values())) == len(NAMES) + 1
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, first.ports["tasks"]))
        taken.listen()
        moved = Installation.of(data).with_ports(data, None)
    assert [name for name in NAMES if moved.ports[name] != first.ports[name]] == ["tasks"]


def test_a_port_that_was_asked_for_is_taken_as_it_is(tmp_path: Path) -> None:
    data = data_directory(tmp_path)
    assert Installation.of(data).with_ports(data, 4711).ports["edge"] == 4711


def test_a_service_is_told_the_same_in_this_process_and_in_its_own(tmp_path: Path) -> None:
    data = data_directory(tmp_path)
    composition = Composition(Installation.of(data).with_ports(data, None), "postgresql://weft:pw@127.0.0.1:5/weft", None)
    values, environment = composition.values("gateway", data.log("x")), composition.environment("gateway", data.log("x"))
    assert environment.keys() == {f"WEFT_{name.upper()}" for name in values}
    assert environment["WEFT_DATABASE_URL"].startswith("postgresql://gateway:")
    assert json.loads(environment["WEFT_SERVICE_URLS"]) == values["service_urls"]
    assert set(values["service_urls"]) == set(NAMES) - {"gateway"}


def test_a_mesh_is_reached_at_its_own_address_unless_another_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = data_directory(tmp_path)
    composition = Composition(Installation.of(data).with_ports(data, 4711), "postgresql://weft:pw@127.0.0.1:5/weft", None)

    def told(name: str) -> str | None:
        return composition.environment(name, data.log("x")).get("WEFT_PUBLIC_URL")

    monkeypatch.delenv("WEFT_PUBLIC_URL", raising=False)
    assert [told(name) for name in ("engine", "worker", "tasks", "events")] == [*["http://127.0.0.1:4711"] * 3, None]
    monkeypatch.setenv("WEFT_PUBLIC_URL", "https://weft.example")
    assert told("engine") == "https://weft.example"


def test_a_tail_reads_whole_lines_of_one_service_and_follows_a_rotated_file(tmp_path: Path) -> None:
    path = tmp_path / "weft.log"
    path.write_text('{"service": "engine", "n": 1}\n{"service": "tasks"}\nno json\n{"service": "engine", "n')
    tail = Tail(path, only="engine")
    first = tail.read()
    with path.open("a") as file:
        file.write('": 2}\n')
    second = tail.read()
    path.write_text('{"service": "engine", "n": 3}\n')
    assert (first, second, tail.read()) == (
        ['{"service": "engine", "n": 1}'],
        ['{"service": "engine", "n": 2}'],
        ['{"service": "engine", "n": 3}'],
    )


def test_the_example_workflow_has_no_findings() -> None:
    assert [*validate(workflow()), *publish_findings(parse(workflow()))] == []


async def test_schemas_are_brought_up_once_and_again_when_the_secret_changes(stack: SharedStack) -> None:
    url = stack.new_database()
    rooms = [room for room in ROOMS if room.name == "gateway"]
    try:
        first, second = await bring_up(url, SECRET, rooms), await bring_up(url, SECRET, rooms)
        connection = await asyncpg.connect(url)
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'gateway'")
        await connection.execute("COMMENT ON SCHEMA gateway IS 'weft of other code'")
        await connection.close()
        third = await bring_up(url, SECRET, rooms)
    finally:
        stack.drop_database(url)
    assert (first, second, third, tables > 0) == (["gateway"], [], ["gateway"], True)


async def test_a_database_that_does_not_answer_is_named(tmp_path: Path) -> None:
    try:
        await bring_up(f"postgresql://a:b@127.0.0.1:{ports.choose()}/none", SECRET)
    except StackError as error:
        assert (error.code, "WEFT_DATABASE_URL" in error.mend) == ("database_unreachable", True)
    else:
        raise AssertionError("it went on without a database")
