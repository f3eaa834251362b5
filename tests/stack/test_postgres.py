"""The local PostgreSQL: durable, found again, recovered, never mistaken for somebody else's."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from weft.stack import AlreadyRunning, Stack, StackError
from weft.stack.data_dir import DataDirectory
from weft.stack.postgres import PostgresRecord
from weft.stack.postgres_install import SHARED_ROOT
from weft.stack.processes import ProcessMark
from weft.stack.sql import execute, fetch_column

from tests.support.users import as_ordinary_user, give_to_ordinary_user

HOLDING = str(Path(__file__).with_name("holding.py"))

pytestmark = pytest.mark.usefixtures("no_broker")


@pytest.fixture
def killed_holder(open_folder: Path) -> Iterator[Path]:
    """A data directory whose holder was killed, with its PostgreSQL left running and a row in it."""
    data_dir = open_folder / "data"
    holder = subprocess.Popen([sys.executable, HOLDING, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    url = holder.stdout.readline().strip()
    execute(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (7)")
    holder.kill()
    holder.wait()
    yield data_dir
    holder.stdout.close()


def record(data_dir: Path) -> PostgresRecord:
    found = DataDirectory(data_dir).state.get("postgres", PostgresRecord)
    assert found is not None
    return found


def test_what_is_committed_is_on_disk_before_it_is_answered(open_folder: Path) -> None:
    with Stack(open_folder / "data") as running:
        durable = [fetch_column(running.database_url, f"SHOW {name}")[0] for name in ("fsync", "synchronous_commit", "full_page_writes")]
        superuser = fetch_column(running.database_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    assert (durable, superuser) == (["on", "on", "on"], [True])


def test_a_second_start_comes_back_to_the_same_port_and_data(open_folder: Path) -> None:
    with Stack(open_folder / "data") as first:
        execute(first.database_url, "CREATE TABLE kept (n int)")
    with Stack(open_folder / "data") as second:
        tables = fetch_column(second.database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert (second.database_url, tables) == (first.database_url, ["kept"])


def test_a_second_holder_is_refused_and_told_who_holds(open_folder: Path) -> None:
    with Stack(open_folder / "data"), pytest.raises(AlreadyRunning, match=f"process {os.getpid()} holds it"):
        Stack(open_folder / "data").start()


def test_stopping_leaves_no_process_behind(open_folder: Path) -> None:
    stack = Stack(open_folder / "data")
    stack.start()
    mark = record(open_folder / "data").process
    stack.stop()
    assert mark is not None and not psutil.pid_exists(mark.pid)


def test_what_a_killed_holder_left_is_ended_and_its_data_is_there(killed_holder: Path) -> None:
    left = record(killed_holder).process
    assert left is not None and left.find() is not None
    with Stack(killed_holder) as running:
        rows = fetch_column(running.database_url, "SELECT n FROM kept")
        gone = left.find() is None
    assert (rows, gone) == ([7], True)


def test_a_server_that_was_killed_too_is_recovered(killed_holder: Path) -> None:
    left = record(killed_holder).process
    assert left is not None
    os.kill(left.pid, signal.SIGKILL)
    with Stack(killed_holder) as running:
        assert fetch_column(running.database_url, "SELECT n FROM kept") == [7]


def test_a_stranger_with_the_recorded_number_is_left_alone(killed_holder: Path) -> None:
    data = DataDirectory(killed_holder)
    left = record(killed_holder)
    assert left.process is not None
    os.kill(left.process.pid, signal.SIGKILL)
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        for mark in (
            ProcessMark.of(stranger.pid, left.process.marker),
            ProcessMark(pid=stranger.pid, started_at=left.process.started_at - 100, marker="sleep"),
        ):
            data.state.put("postgres", left.model_copy(update={"process": mark}))
            with Stack(killed_holder):
                assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_data_without_its_password_is_refused_and_kept(open_folder: Path) -> None:
    with Stack(open_folder / "data"):
        pass
    (open_folder / "data" / "state.json").unlink()
    with pytest.raises(StackError) as refusal:
        Stack(open_folder / "data").start()
    assert (refusal.value.code, (open_folder / "data" / "postgres" / "data" / "PG_VERSION").exists()) == ("state_lost", True)


def test_a_moved_data_directory_keeps_its_database(open_folder: Path) -> None:
    with Stack(open_folder / "old") as running:
        execute(running.database_url, "CREATE TABLE kept (n int)")
    (open_folder / "old").rename(open_folder / "new")
    with Stack(open_folder / "new") as running:
        assert fetch_column(running.database_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == ["kept"]


def test_a_data_directory_in_a_closed_folder_works(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700)
    data_dir = open_folder / "closed" / "data"
    with Stack(data_dir) as running:
        assert fetch_column(running.database_url, "SELECT 1") == [1]
    home = (data_dir / "postgres").resolve()
    # Root steps down to a user who cannot come in; everybody else runs PostgreSQL as themselves.
    assert home.is_relative_to(SHARED_ROOT if os.geteuid() == 0 else data_dir.resolve())
    subprocess.run(["rm", "-rf", str(home)], check=True)


def test_an_ordinary_user_runs_the_same_stack(open_folder: Path) -> None:
    give_to_ordinary_user(open_folder)
    script = (
        "import sys; from pathlib import Path; from weft.stack import Stack; from weft.stack.sql import fetch_column\n"
        "with Stack(Path(sys.argv[1])) as running: print(fetch_column(running.database_url, 'SELECT 41 + 1')[0])"
    )
    command = as_ordinary_user(sys.executable, "-c", script, str(open_folder / "data"))
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=90, check=False)
    assert (done.stdout.strip(), done.stderr) == ("42", "")


def test_a_given_database_is_used_and_none_is_started(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_DATABASE_URL", "postgresql://elsewhere.test/weft")
    with Stack(open_folder / "data") as running:
        started = (open_folder / "data" / "postgres").exists()
    assert (running.database_url, running.broker_url, started) == ("postgresql://elsewhere.test/weft", "amqp://elsewhere.test/", False)


def test_the_database_is_made_ready_before_the_start_is_over_and_what_fails_there_ends_it(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_DATABASE_URL", "postgresql://elsewhere.test/weft")
    told: list[str] = []
    with Stack(open_folder / "data", prepare=told.append):
        assert told == ["postgresql://elsewhere.test/weft"]

    def refuse(url: str) -> None:
        raise StackError("migration_failed", f"{url} is not fit.", "Mend it.")

    with pytest.raises(StackError, match="migration_failed"):
        Stack(open_folder / "data", prepare=refuse).start()
    assert not DataDirectory(open_folder / "data").lock.is_held()


def test_a_killed_server_is_revived_on_its_port(open_folder: Path) -> None:
    stack = Stack(open_folder / "data")
    running = stack.start()
    mark = record(open_folder / "data").process
    assert mark is not None
    server = psutil.Process(mark.pid)  # before it is killed: it may be gone at once
    os.kill(mark.pid, signal.SIGKILL)
    psutil.wait_procs([server], timeout=60)
    revived = stack.revive()
    answer = fetch_column(running.database_url, "SELECT 1")
    stack.stop()
    assert (revived, answer) == (["PostgresServer"], [1])
