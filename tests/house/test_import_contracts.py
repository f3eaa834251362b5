"""The import contracts hold, and each of them bites: a planted violation is found and named."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import LIBRARIES, ROOT, SERVICES

CONTRACTS: dict[str, str] = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
PLANTED = [
    ("layers", "weft_runtime/planted.py", "import weft_tasks"),
    ("layers", "weft_language/planted.py", "import weft_runtime.errors"),
    ("services-apart", "weft_tasks/planted.py", "import weft_engine"),
    ("services-apart", "weft_gateway/planted.py", "def late():\n    from weft_tasks import store"),
    ("pure-rooms", "weft_tasks/domain.py", "import asyncio"),
    ("pure-rooms", "weft_engine/domain.py", "from weft_engine import store"),
    ("pure-rooms", "weft_engine/machine.py", "import time"),
    ("pure-rooms", "weft_engine/core/planted.py", "import random"),
    ("pure-rooms", "weft_events/domain.py", "from weft_runtime.clock import new_id"),
    ("pure-language", "weft_language/planted.py", "import socket"),
    ("pure-language", "weft_language/planted.py", "import sqlalchemy"),
    ("plain-contracts", "weft_contracts/planted.py", "import fastapi"),
    ("broker-in-bus", "weft_tasks/planted.py", "import aio_pika"),
    ("broker-in-bus", "weft_engine/planted.py", "import aiormq"),
    ("broker-in-bus", "weft_runtime/planted.py", "from faststream.rabbit import RabbitBroker"),
    ("sql-in-stores", "weft_tasks/usecases.py", "from sqlalchemy import text"),
    ("sql-in-stores", "weft_analytics/handlers.py", "import sqlalchemy.dialects.postgresql"),
    ("asyncpg-in-journal", "weft_tasks/store/planted.py", "import asyncpg"),
    ("asyncpg-in-journal", "weft_engine/planted.py", "import asyncpg"),
    ("connectors-without-database", "weft_connectors/planted.py", "import asyncpg"),
    ("one-expression-language", "weft_events/planted.py", "import celpy"),
    ("one-expression-language", "weft_engine/planted.py", "import lark"),
    ("http-at-the-door", "weft_tasks/usecases.py", "from fastapi import HTTPException"),
    ("http-at-the-door", "weft_events/store.py", "import starlette.requests"),
    ("guarded-http", "weft_events/planted.py", "import httpx2"),
    ("handlers-call-verbs", "weft_engine/handlers.py", "from weft_engine import store"),
]


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of every package, side by side, with the contracts."""
    folder = tmp_path_factory.mktemp("tree")
    members = [
        *(ROOT / "services" / name / f"weft_{name}" for name in SERVICES),
        *(ROOT / "libs" / name / f"weft_{name}" for name in LIBRARIES),
    ]
    for member in [ROOT / "weft" / "weft", *members]:
        shutil.copytree(member, folder / member.name, ignore=shutil.ignore_patterns("__pycache__", "schemas"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture
def planted(copied: Path) -> Iterator[Path]:
    """The copy, put back as it was afterwards."""
    before = {path: path.read_text() for path in copied.rglob("*.py")}
    yield copied
    for path in list(copied.rglob("*.py")):
        if path not in before:
            path.unlink()
        elif path.read_text() != before[path]:
            path.write_text(before[path])


def lint(folder: Path, contract: str) -> subprocess.CompletedProcess[str]:
    """Check one contract of the packages in a folder."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo", "--contract", contract]
    return subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder), "COLUMNS": "200"}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("contract", CONTRACTS)
def test_an_import_contract_is_kept(contract: str, copied: Path) -> None:
    found = lint(copied, contract)

    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("contract", "file", "line"), PLANTED, ids=[f"{contract}-{file}-{index}" for index, (contract, file, _) in enumerate(PLANTED)]
)
def test_a_planted_violation_breaks_its_contract(contract: str, file: str, line: str, planted: Path) -> None:
    module = planted / file
    if not module.exists() and (module.with_suffix("") / "__init__.py").exists():
        module = module.with_suffix("") / "__init__.py"
    text = module.read_text() if module.exists() else '"""Planted."""\n'
    module.write_text(f"{text}\n\n{line}\n")

    found = lint(planted, contract)

    assert found.returncode == 1, found.stdout + found.stderr
    assert f"{CONTRACTS[contract]} BROKEN" in " ".join(found.stdout.split())
    assert module.relative_to(planted).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__") in found.stdout


def test_every_contract_is_shown_to_bite() -> None:
    assert {contract for contract, _, _ in PLANTED} == set(CONTRACTS)
