"""One stack for several test runs at once."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from weft.stack import StackError
from weft.stack.data_dir import DataDirectory
from weft.stack.shared import Membership
from weft.stack.sql import execute, fetch_column, with_database

IDLE_S = 0.5

pytestmark = pytest.mark.usefixtures("no_broker")


def until(true: Callable[[], bool], timeout_s: float = 60) -> bool:
    deadline = time.monotonic() + timeout_s
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)
    return true()


def stopped(data_dir: Path) -> bool:
    return not DataDirectory(data_dir).lock.is_held()


def test_whoever_comes_second_joins_the_same_servers(open_folder: Path) -> None:
    first, second = Membership(open_folder, IDLE_S), Membership(open_folder, IDLE_S)
    urls = first.join().database_url, second.join().database_url
    first.leave()
    still = fetch_column(urls[1], "SELECT 1")
    second.leave()
    assert (urls[0] == urls[1], still, until(lambda: stopped(open_folder))) == (True, [1], True)


def test_a_killed_user_counts_no_more_and_what_it_left_is_removed(open_folder: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from weft.stack.shared import Membership\n"
        f"print(Membership(Path(sys.argv[1]), {IDLE_S}).join().database_url, flush=True); time.sleep(60)"
    )
    user = subprocess.Popen([sys.executable, "-c", script, str(open_folder)], stdout=subprocess.PIPE, text=True)
    assert user.stdout is not None
    execute(user.stdout.readline().strip(), "CREATE DATABASE test_left", "CREATE DATABASE mine")
    user.kill()
    user.wait()
    user.stdout.close()
    assert until(lambda: stopped(open_folder))
    again = Membership(open_folder, IDLE_S)
    names = fetch_column(again.join().database_url, "SELECT datname FROM pg_database WHERE NOT datistemplate")
    again.leave()
    assert sorted(map(str, names)) == ["mine", "postgres"]
    until(lambda: stopped(open_folder))


def test_a_stack_that_cannot_start_tells_the_user_why(open_folder: Path) -> None:
    (open_folder / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(StackError, match="state_lost"):
        Membership(open_folder, IDLE_S).join()


def test_two_databases_of_one_server_have_two_addresses() -> None:
    assert with_database("postgresql://a:b@127.0.0.1:5/postgres?x=1", "other") == "postgresql://a:b@127.0.0.1:5/other?x=1"
