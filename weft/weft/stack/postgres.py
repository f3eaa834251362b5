"""A private PostgreSQL server: made, started, stopped and recovered, on a loopback port of its own.

Its programs are used directly: the wheel's own Python interface creates a system user when it runs as root.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from pydantic import BaseModel

from weft.stack import ports
from weft.stack.errors import StackError, StateLost
from weft.stack.postgres_install import Account, Programs, enter, identity, programs_for
from weft.stack.processes import ProcessMark, end, reap
from weft.stack.state import StateFile

SUPERUSER = "weft"
START_TIMEOUT_S = 60.0
# Durable as delivered; small, because the whole stack has to stay under 600 MiB.
SETTINGS = {
    "listen_addresses": ports.LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "1GB",
    "max_wal_senders": "0",
    "wal_level": "minimal",
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}


class PostgresRecord(BaseModel):
    """What is remembered of a server between runs."""

    port: int
    password: str
    process: ProcessMark | None = None


class PostgresServer:
    """One server with its cluster below `directory`; `state` remembers its port, password and process."""

    def __init__(self, directory: Path, state: StateFile, log: Path) -> None:
        self.directory = directory
        self.log = log
        self._state = state
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def record(self) -> PostgresRecord:
        """What is remembered. Raises: StackError `postgres_unknown` before the first start."""
        record = self._state.get("postgres", PostgresRecord)
        if record is None:
            raise StackError("postgres_unknown", f"No PostgreSQL was started in {self.directory} yet.", "Start it first.")
        return record

    @property
    def url(self) -> str:
        """The superuser's address of the database `postgres`."""
        record = self.record
        return f"postgresql://{SUPERUSER}:{record.password}@{ports.LOOPBACK}:{record.port}/postgres"

    def start(self) -> str:
        """Start the server, making it first if it is new, and give its `url` once it accepts connections.

        A server that a killed predecessor left behind is ended before.
        Raises: StackError `no_postgres`, `no_unprivileged_user`, `postgres_failed`.
        """
        account = Account.for_server()
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        record = self._state.get("postgres", PostgresRecord)
        if record is None:
            if (self.directory / "data").exists():
                raise StateLost(self.directory, self._state.path)
            record = PostgresRecord(port=ports.choose(), password=secrets.token_urlsafe(24))
            self._state.put("postgres", record)
        data = enter(self.directory, account) / "data"
        end(record.process, signal.SIGINT)
        programs = programs_for(data, account)
        if not (data / "PG_VERSION").exists():
            self._initialise(programs, account, data, record.password)
        record = record.model_copy(update={"port": ports.choose(record.port), "process": None})
        _configure(data, record.port)
        # PostgreSQL refuses to start when the number in a killed server's file was given to another process of the same
        # user. The caller holds the directory's lock and the recorded server was ended, so none of this cluster is alive.
        (data / "postmaster.pid").unlink(missing_ok=True)
        self._run(programs, account, data, record)
        return self.url

    def stop(self) -> None:
        """Stop the server in good order (connections are closed, a checkpoint is written); harmless when it is down."""
        record = self._state.get("postgres", PostgresRecord)
        if record is not None:
            end(record.process, signal.SIGINT)
            self._forget_process(record)

    def kill(self) -> None:
        """End the server at once, as a power cut would."""
        record = self.record
        end(record.process, signal.SIGKILL)
        self._forget_process(record)

    def is_running(self) -> bool:
        """Whether the recorded process lives."""
        record = self._state.get("postgres", PostgresRecord)
        return bool(record and record.process and record.process.find())

    def _forget_process(self, record: PostgresRecord) -> None:
        reap(self._child)
        self._child = None
        self._state.put("postgres", record.model_copy(update={"process": None}))

    def _initialise(self, programs: Programs, account: Account | None, data: Path, password: str) -> None:
        # Half a cluster, of a start that was killed before it ended.
        shutil.rmtree(data, ignore_errors=True)
        password_file = data.parent / "password"
        password_file.touch(0o600)
        password_file.write_text(password)
        if account:
            os.chown(password_file, account.uid, account.gid)
        locale = ["--locale=C"]
        if programs.major >= 17:
            locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        command = [programs["initdb"], "-D", str(data), "-U", SUPERUSER, "-E", "UTF8", *locale]
        command += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        done = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False, **identity(account))
        password_file.unlink()
        if done.returncode:
            shutil.rmtree(data, ignore_errors=True)
            raise StackError(
                "postgres_failed",
                f"initdb could not make {data}: {done.stderr.strip() or done.stdout.strip()}",
                "Free disk space or choose another --data-dir; `weft doctor` looks at the usual causes.",
            )

    def _run(self, programs: Programs, account: Account | None, data: Path, record: PostgresRecord) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            logged = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as log:
                # Its own session: Ctrl-C in the terminal reaches the command, which then stops the server in order.
                child = self._child = subprocess.Popen(
                    [programs["postgres"], "-D", str(data)],
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                    env={"PATH": os.defpath, "LC_ALL": "C"},
                    **identity(account),
                )
            mark = ProcessMark.of(child.pid, str(data))
            self._state.put("postgres", record.model_copy(update={"process": mark}))
            if _is_ready(child, data, deadline):
                return
            said = self.log.read_bytes()[logged:].decode(errors="replace")
            # Backends of a killed server need a moment to notice; until then they still hold its shared memory.
            if "shared memory block" in said and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            self.stop()
            raise StackError(
                "postgres_failed",
                f"PostgreSQL did not start on {data}: {said.strip()[-800:] or 'it said nothing'}",
                f"Its log is {self.log}; `weft doctor` looks at the usual causes.",
            )


def _configure(data: Path, port: int) -> None:
    lines = [f"{name} = '{value}'" for name, value in (SETTINGS | {"port": str(port)}).items()]
    (data / "postgresql.conf").write_text("\n".join(lines) + "\n")


def _is_ready(child: "subprocess.Popen[bytes]", data: Path, deadline: float) -> bool:
    """Wait until the server has written that it accepts connections; False when it ended or is late."""
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            lines = (data / "postmaster.pid").read_text().splitlines()
            # Line 8 of the file is the status that pg_ctl waits for too.
            if len(lines) >= 8 and lines[7].strip() == "ready" and lines[0] == str(child.pid):
                return True
        if child.poll() is not None:
            return False
        time.sleep(0.02)
    return False
