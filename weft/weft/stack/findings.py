"""What a machine and a data directory are like, as far as the local stack cares."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import asyncpg
import psutil

from weft.stack import ports, rabbitmq_install
from weft.stack.data_dir import DataDirectory
from weft.stack.errors import StackError
from weft.stack.packages import cache_folder
from weft.stack.postgres import PostgresRecord
from weft.stack.postgres_install import SHARED_ROOT, Account, installations, may
from weft.stack.rabbitmq import RabbitRecord, answers
from weft.stack.sql import fetch_column

MIN_FREE_DISK_BYTES = 1024**3
MIN_FREE_MEMORY_BYTES = 768 * 1024**2
OLDEST_POSTGRES = 15


class Level(StrEnum):
    """How much a finding matters. BAD: the mesh cannot run."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. mend: what the reader can do; empty where nothing has to be done."""

    level: Level
    about: str
    text: str
    mend: str = ""


def examine(data: DataDirectory) -> list[Finding]:
    """Everything, in the order in which `weft up` needs it. Changes nothing and starts nothing."""
    return [*_machine(), *_data_directory(data), *_postgres(data), *_rabbitmq(), *_web_port(data)]


def _machine() -> Iterator[Finding]:
    yield Finding(Level.GOOD, "Python", ".".join(map(str, sys.version_info[:3])))
    free = psutil.virtual_memory().available
    if free < MIN_FREE_MEMORY_BYTES:
        yield Finding(Level.NOTE, "Memory", f"{free >> 20} MiB are available", "A mesh takes about 600 MiB; close something.")
    else:
        yield Finding(Level.GOOD, "Memory", f"{free >> 20} MiB are available")
    try:
        local = socket.gethostbyname("localhost")
    except OSError:
        local = "nothing"
    if not local.startswith("127."):
        yield Finding(Level.BAD, "Names", f"localhost means {local}", "RabbitMQ needs `127.0.0.1 localhost` in /etc/hosts.")


def _data_directory(data: DataDirectory) -> Iterator[Finding]:
    nearest = next(folder for folder in (data.path, *data.path.parents) if folder.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        yield Finding(Level.BAD, "Data directory", f"{nearest} cannot be written to", "Choose another with --data-dir.")
        return
    free = shutil.disk_usage(nearest).free
    if free < MIN_FREE_DISK_BYTES:
        yield Finding(
            Level.BAD, "Disk", f"{free >> 20} MiB are free for {data.path}", "RabbitMQ stops taking messages below 200 MiB; free some."
        )
    held = data.lock.is_held()
    yield Finding(Level.GOOD, "Data directory", f"{data.path}, {'in use by a running mesh' if held else 'free'}")
    records = data.state.get("postgres", PostgresRecord), data.state.get("rabbitmq", RabbitRecord)
    left = [record.process.pid for record in records if record and record.process and record.process.find()]
    if left and not held:
        pids = ", ".join(map(str, left))
        yield Finding(Level.NOTE, "Leftovers", f"a killed mesh left processes {pids}", "`weft up` recovers, `weft down` ends them.")
    for name, folder, record in zip(("PostgreSQL", "RabbitMQ"), (data.postgres / "data", data.rabbitmq), records, strict=True):
        if record is None and folder.exists():
            text = f"{folder} has no entry in {data.state.path}, which holds its password"
            yield Finding(Level.BAD, f"{name} data", text, f"Put {data.state.path.name} back, or move {folder} away.")


def _postgres(data: DataDirectory) -> Iterator[Finding]:
    if given := os.environ.get("WEFT_DATABASE_URL"):
        yield _given_database(given)
        return
    found = installations()
    if not found:
        yield Finding(
            Level.BAD, "PostgreSQL", "there are no programs for this machine", "Install PostgreSQL 15 or newer, or set WEFT_DATABASE_URL."
        )
        return
    try:
        account = Account.for_server()
    except StackError as error:
        yield Finding(Level.BAD, "PostgreSQL", error.problem, error.mend)
        return
    text = f"version {found[0].major} from {found[0].origin}"
    if account is None:
        yield Finding(Level.GOOD, "PostgreSQL", text)
        return
    text += f", run as {account.name} because it refuses root"
    closed = (
        [f"its programs are in a folder that {account.name} cannot enter"] if not may(account, found[0]["postgres"], "--version") else []
    )
    folder = data.postgres if data.postgres.exists() else next(folder for folder in data.path.parents if folder.exists())
    if data.postgres.is_symlink() or not may(account, "sh", "-c", 'cd "$1"', "sh", str(folder)):
        closed.append(f"{data.path} is below one")
    if closed:
        text += f"; {' and '.join(closed)}, so that is kept in {SHARED_ROOT}"
        if not os.access(next(folder for folder in (SHARED_ROOT, *SHARED_ROOT.parents) if folder.exists()), os.W_OK):
            yield Finding(Level.BAD, "PostgreSQL", f"{text}, which cannot be written to", "Choose a --data-dir that everybody may enter.")
            return
    yield Finding(Level.GOOD, "PostgreSQL", text)


def _given_database(url: str) -> Finding:
    about, where = "WEFT_DATABASE_URL", urlsplit(url).hostname or "nowhere"
    try:
        version = int(str(fetch_column(url, "SHOW server_version_num")[0])) // 10_000
        allowed = fetch_column(url, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")[0]
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError, ValueError) as error:
        return Finding(Level.BAD, about, f"{where} does not answer: {error or type(error).__name__}", "Correct it, or unset it.")
    if version < OLDEST_POSTGRES:
        return Finding(Level.BAD, about, f"{where} is PostgreSQL {version}", f"Use {OLDEST_POSTGRES} or newer.")
    if not allowed:
        return Finding(Level.BAD, about, "its role may not create roles", "Each service has a role of its own; use one that may.")
    return Finding(Level.GOOD, about, f"PostgreSQL {version} at {where}")


def _rabbitmq() -> Iterator[Finding]:
    if given := os.environ.get("WEFT_BROKER_URL"):
        address = urlsplit(given)
        if address.scheme == "amqp" and not answers(address.port or 5672, address.hostname or "localhost"):
            yield Finding(Level.BAD, "WEFT_BROKER_URL", f"no broker answers at {address.hostname}", "Correct it, or unset it.")
        else:
            yield Finding(Level.GOOD, "WEFT_BROKER_URL", f"{address.scheme} at {address.hostname}")
        return
    broker = rabbitmq_install.installed() or rabbitmq_install.unpacked()
    if broker:
        yield Finding(Level.GOOD, "RabbitMQ", f"{broker.origin}, in {broker.scripts}")
    elif shutil.which("apt-get") and shutil.which("dpkg-deb"):
        where = cache_folder()
        yield Finding(
            Level.NOTE, "RabbitMQ", f"not installed; `weft up` fetches the distribution's packages once and unpacks them in {where}"
        )
    else:
        yield Finding(
            Level.NOTE,
            "RabbitMQ",
            "not installed, and this system has no apt-get to fetch it with; messages stay inside the process",
            "Install RabbitMQ or set WEFT_BROKER_URL to run services in processes of their own.",
        )


def _web_port(data: DataDirectory) -> Iterator[Finding]:
    if ports.is_free(8080):
        yield Finding(Level.GOOD, "Web address", "http://127.0.0.1:8080 is free")
    elif not data.lock.is_held():
        yield Finding(Level.NOTE, "Web address", "port 8080 is taken; another one will be used", "Choose one with --port.")
