"""A private RabbitMQ node: loopback only, no plugins, a name daemon of its own, small."""

import os
import re
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel

from weft.stack import ports
from weft.stack.errors import StackError, StateLost
from weft.stack.processes import ProcessMark, end, reap
from weft.stack.rabbitmq_install import Broker
from weft.stack.state import StateFile

USER = "weft"
NODE = "weft@localhost"
START_TIMEOUT_S = 90.0
CONTROL_TIMEOUT_S = 180.0
"""For one call of rabbitmqctl. To delete vhosts with all their quorum queues takes ten seconds on a busy machine."""
VHOST = re.compile(r"[A-Za-z0-9_.-]{1,128}")
# The write-ahead log is kept in memory until it is rolled over: 64 MiB instead of 512.
CONFIG = """\
listeners.tcp.1 = {host}:{port}
default_user = {user}
default_pass = {password}
raft.wal_max_size_bytes = 67108864
log.console = false
log.file = {log}
log.file.level = warning
log.file.rotation.size = 10485760
log.file.rotation.count = 2
disk_free_limit.absolute = 200MB
"""
# Schedulers do not spin, and there are half as many as processors, two at most: waking a second one for each message costs more
# than it gives where services and database share the machine (CPU a message on two processors: a quarter less with one).
SCHEDULERS = min(2, max(1, (os.cpu_count() or 2) // 2))
# The write-ahead log is opened so that a write returns once it is on the disk: one call where a write and a sync were two, as durable, and
# a message stands in its queue a seventh sooner (0.95 ms for 1.1).
EMULATOR = (
    f"+S {SCHEDULERS}:{SCHEDULERS} +SDcpu 1:1 +SDio 4 +sbwt none +sbwtdcpu none +sbwtdio none"
    " -ra wal_write_strategy o_sync -kernel inet_dist_use_interface {127,0,0,1}"
)


class RabbitRecord(BaseModel):
    """What is remembered of a node between runs."""

    port: int
    dist_port: int
    epmd_port: int
    password: str
    process: ProcessMark | None = None
    epmd: ProcessMark | None = None


class RabbitNode:
    """One node with its files below `directory`; `state` remembers its ports, password and processes."""

    def __init__(self, directory: Path, state: StateFile, log: Path, broker: Broker) -> None:
        self.directory = directory.absolute()
        self.log = log.absolute()
        self.broker = broker
        self._state = state
        self._children: list[subprocess.Popen[bytes]] = []

    @property
    def record(self) -> RabbitRecord:
        """What is remembered. Raises: StackError `rabbitmq_unknown` before the first start."""
        record = self._state.get("rabbitmq", RabbitRecord)
        if record is None:
            raise StackError("rabbitmq_unknown", f"No RabbitMQ was started in {self.directory} yet.", "Start it first.")
        return record

    def url(self, vhost: str = "/") -> str:
        """The address of a vhost, with the administrator's password."""
        record = self.record
        path = "" if vhost == "/" else vhost
        return f"amqp://{USER}:{record.password}@{ports.LOOPBACK}:{record.port}/{path}"

    def start(self) -> str:
        """Start the node and give the `url` of its vhost `/` once it accepts connections.

        What a killed predecessor left running is ended before. Raises: StackError `rabbitmq_failed`.
        """
        record = self._state.get("rabbitmq", RabbitRecord)
        if record is None:
            if self.directory.exists():
                raise StateLost(self.directory, self._state.path)
            record = RabbitRecord(port=0, dist_port=0, epmd_port=0, password=secrets.token_urlsafe(24))
        self._end_processes(record, signal.SIGKILL)
        record = self._with_free_ports(record)
        self._write_files(record)
        self._run(record)
        return self.url()

    def stop(self) -> None:
        """Stop the node in good order, and its name daemon; harmless when it is down. Takes 2 to 8 s."""
        record = self._state.get("rabbitmq", RabbitRecord)
        if record is not None:
            self._end_processes(record, signal.SIGTERM)

    def kill(self) -> None:
        """End the node at once, as a power cut would."""
        self._end_processes(self.record, signal.SIGKILL)

    def is_running(self) -> bool:
        """Whether the recorded process lives."""
        record = self._state.get("rabbitmq", RabbitRecord)
        return bool(record and record.process and record.process.find())

    def add_vhosts(self, names: Sequence[str]) -> None:
        """Make vhosts, all in one call of about half a second; those that exist stay. Raises: StackError `rabbitmq_failed`."""
        self.evaluate(
            'lists:foreach(fun(V) -> rabbit_vhost:add(V, <<"weft">>), rabbit_auth_backend_internal:set_permissions('
            f'<<"{USER}">>, V, <<".*">>, <<".*">>, <<".*">>, <<"weft">>) end, {_erlang_list(names)}).'
        )

    def delete_vhosts(self, names: Sequence[str]) -> None:
        """Delete vhosts with everything in them; those that are gone stay gone. Raises: StackError `rabbitmq_failed`."""
        self.evaluate(f'lists:foreach(fun(V) -> catch rabbit_vhost:delete(V, <<"weft">>) end, {_erlang_list(names)}).')

    def vhosts(self) -> list[str]:
        """The names of all vhosts."""
        return self.control("list_vhosts", "--no-table-headers", "name").split()

    def evaluate(self, expression: str) -> str:
        """Have the node evaluate an Erlang expression and give what it printed. Raises: StackError `rabbitmq_failed`."""
        return self.control("eval", expression)

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node. Raises: StackError `rabbitmq_failed`."""
        command = [str(self.broker.scripts / "rabbitmqctl"), "-q", *arguments]
        done = subprocess.run(
            command, env=self._environment(self.record), capture_output=True, text=True, timeout=CONTROL_TIMEOUT_S, check=False
        )
        if done.returncode:
            raise StackError(
                "rabbitmq_failed", f"rabbitmqctl {arguments[0]} failed: {done.stderr.strip()}", f"The node's log is {self.log}."
            )
        return done.stdout

    def _end_processes(self, record: RabbitRecord, how: signal.Signals) -> None:
        end(record.process, how)
        # The name daemon outlives the node, and there is no harm in ending it at once.
        end(record.epmd, signal.SIGKILL)
        for child in self._children:
            reap(child)
        self._children = []
        self._state.put("rabbitmq", record.model_copy(update={"process": None, "epmd": None}))

    def _with_free_ports(self, record: RabbitRecord) -> RabbitRecord:
        chosen: dict[str, int] = {}
        for name in ("port", "dist_port", "epmd_port"):
            chosen[name] = ports.choose(getattr(record, name) or None, avoid=chosen.values())
        return record.model_copy(update=chosen)

    def _write_files(self, record: RabbitRecord) -> None:
        home = self.directory / "home"
        home.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        cookie = home / ".erlang.cookie"
        if not cookie.exists():
            cookie.write_text(secrets.token_hex(20))
            cookie.chmod(0o400)
        (self.directory / "enabled_plugins").write_text("[].\n")
        content = CONFIG.format(host=ports.LOOPBACK, port=record.port, user=USER, password=record.password, log=self.log)
        (self.directory / "rabbitmq.conf").write_text(content)

    def _environment(self, record: RabbitRecord) -> dict[str, str]:
        here = self.directory
        environment = {
            "PATH": f"{self.broker.erlang}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(here / "home"),
            "LANG": "C.UTF-8",
            "ERL_CRASH_DUMP": str(here / "erl_crash.dump"),
            "ERL_EPMD_PORT": str(record.epmd_port),
            "ERL_EPMD_ADDRESS": ports.LOOPBACK,
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_MNESIA_BASE": str(here / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.log.parent),
            "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(here / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"),
            "RABBITMQ_PID_FILE": str(here / "pid"),
            "RABBITMQ_DIST_PORT": str(record.dist_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": EMULATOR,
            "RABBITMQ_CTL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            # The start script then becomes the node instead of waiting for it, so that its number is the node's.
            "RUNNING_UNDER_SYSTEMD": "true",
        }
        if self.broker.libraries:
            environment["LD_LIBRARY_PATH"] = ":".join(map(str, self.broker.libraries))
        return environment

    def _run(self, record: RabbitRecord) -> None:
        output = self.log.with_suffix(".out")
        names = [str(self.broker.erlang / "epmd"), "-port", str(record.epmd_port), "-address", ports.LOOPBACK]
        epmd = self._spawn(names, record, output)
        # In the environment of both, through every program that the start script becomes.
        marker = str(self.directory / "rabbitmq.conf")
        record = record.model_copy(update={"epmd": ProcessMark.of(epmd.pid, marker)})
        self._state.put("rabbitmq", record)
        deadline = time.monotonic() + START_TIMEOUT_S
        _wait_for(lambda: not ports.is_free(record.epmd_port), deadline, epmd)
        node = self._spawn([str(self.broker.scripts / "rabbitmq-server")], record, output)
        self._state.put("rabbitmq", record.model_copy(update={"process": ProcessMark.of(node.pid, marker)}))
        if _wait_for(lambda: answers(record.port), deadline, node):
            return
        said = output.read_text(errors="replace").strip()[-800:]
        self.kill()
        raise StackError(
            "rabbitmq_failed",
            f"RabbitMQ did not start in {self.directory}: {said or 'it said nothing'}",
            f"Its logs are {self.log} and {output}; set WEFT_BROKER_URL to use another broker.",
        )

    def _spawn(self, command: list[str], record: RabbitRecord, output: Path) -> "subprocess.Popen[bytes]":
        with output.open("ab") as log:
            child = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self._environment(record),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._children.append(child)
        return child


def answers(port: int, host: str = ports.LOOPBACK) -> bool:
    """Whether an AMQP 0-9-1 broker greets on this port: the listener opens when the node is ready."""
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


def _wait_for(ready: Callable[[], bool], deadline: float, process: "subprocess.Popen[bytes]") -> bool:
    """Poll until ready; False when the process ended or `deadline` (monotonic seconds) passed."""
    while time.monotonic() < deadline:
        if ready():
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.05)
    return False


def _erlang_list(names: Sequence[str]) -> str:
    """The names as a list of Erlang binaries. Raises: ValueError for a name that needs quoting."""
    for name in names:
        if not VHOST.fullmatch(name):
            raise ValueError(f"not a plain vhost name: {name!r}")
    return "[" + ",".join(f'<<"{name}">>' for name in names) + "]"
