"""Folders that PostgreSQL may enter after stepping down from root, and a stack without a broker, which starts in a second."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A fresh folder that every user may enter."""
    with tempfile.TemporaryDirectory(prefix="weft-stack-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stacks started by this test, here or in processes of their own, have PostgreSQL only."""
    monkeypatch.setenv("WEFT_BROKER_URL", "amqp://elsewhere.test/")
    monkeypatch.delenv("WEFT_DATABASE_URL", raising=False)
