"""What `weft doctor` finds, and what it says against it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from weft.stack import Stack, findings, ports
from weft.stack.data_dir import DataDirectory
from weft.stack.findings import Finding, Level, examine
from weft.stack.sql import execute

from tests.support.isolation import SharedStack
from tests.support.meshes import weft
from tests.support.users import as_ordinary_user

HOLDING = str(Path(__file__).with_name("holding.py"))


def found(data_dir: Path, about: str) -> Finding | None:
    return next((finding for finding in examine(DataDirectory(data_dir)) if finding.about == about), None)


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEFT_DATABASE_URL", raising=False)
    monkeypatch.delenv("WEFT_BROKER_URL", raising=False)


def test_a_fresh_folder_on_this_machine_is_fit(open_folder: Path) -> None:
    bad = [finding for finding in examine(DataDirectory(open_folder / "data")) if finding.level is Level.BAD]
    assert (bad, (open_folder / "data").exists()) == ([], False)


def test_whatever_is_bad_comes_with_a_way_to_mend_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "rabbitmq").mkdir()
    monkeypatch.setenv("WEFT_DATABASE_URL", f"postgresql://nobody:x@127.0.0.1:{ports.choose()}/none")
    monkeypatch.setenv("WEFT_BROKER_URL", f"amqp://127.0.0.1:{ports.choose()}/")
    monkeypatch.setattr(findings, "MIN_FREE_DISK_BYTES", 2**62)
    bad = [finding for finding in examine(DataDirectory(tmp_path)) if finding.level is Level.BAD]
    assert {finding.about for finding in bad} == {"Disk", "PostgreSQL data", "RabbitMQ data", "WEFT_DATABASE_URL", "WEFT_BROKER_URL"}
    assert all(finding.mend for finding in bad)


def test_a_killed_holder_is_told_of(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_BROKER_URL", "amqp://elsewhere.test/")
    holder = subprocess.Popen([sys.executable, HOLDING, str(open_folder / "data")], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()
    holder.kill()
    holder.wait()
    holder.stdout.close()
    left = found(open_folder / "data", "Leftovers")
    said = weft("down", "--data-dir", str(open_folder / "data")).stdout
    assert left is not None and "`weft up` recovers" in left.mend
    assert "Nothing runs" in said
    assert found(open_folder / "data", "Leftovers") is None


def test_a_database_role_that_may_not_make_roles_is_found(
    stack: SharedStack, database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    execute(database_url, "DROP ROLE IF EXISTS test_plain", "CREATE ROLE test_plain LOGIN PASSWORD 'plain'")
    monkeypatch.setenv("WEFT_DATABASE_URL", database_url)
    good = found(tmp_path, "WEFT_DATABASE_URL")
    address = database_url.rsplit("@", 1)[1]
    monkeypatch.setenv("WEFT_DATABASE_URL", f"postgresql://test_plain:plain@{address}")
    plain = found(tmp_path, "WEFT_DATABASE_URL")
    execute(database_url, "DROP ROLE test_plain")
    assert good is not None and plain is not None
    assert (good.level, plain.level) == (Level.GOOD, Level.BAD)


def test_a_folder_that_cannot_be_written_is_found(open_folder: Path) -> None:
    (open_folder / "mine").mkdir(mode=0o555)
    command = as_ordinary_user(sys.executable, "-m", "weft", "doctor", "--data-dir", str(open_folder / "mine" / "data"))
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "cannot be written to" in done.stdout) == (1, True)


@pytest.mark.parametrize("closed", [True, False])
def test_where_root_keeps_the_database_is_explained(open_folder: Path, closed: bool) -> None:
    folder = open_folder / "folder"
    folder.mkdir(mode=0o700 if closed else 0o755)
    told = found(folder / "data", "PostgreSQL")
    assert told is not None and told.level is Level.GOOD
    assert ("is kept in" in told.text) is (closed and os.geteuid() == 0)


def test_a_running_stack_is_seen(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_BROKER_URL", "amqp://elsewhere.test/")
    with Stack(open_folder / "data"):
        told = found(open_folder / "data", "Data directory")
    assert told is not None and "in use" in told.text
