"""Definitions on a real database."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from weft_definitions.app import build
from weft_runtime.testing import RunningService, running_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def definitions(database_url: str) -> AsyncIterator[RunningService]:
    """The service, which waits for nobody after a publish."""
    async with running_service(build, database_url, install_wait_s=0) as running:
        yield running


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """A tenant of the test's own."""
    return f"t-{zlib.crc32(request.node.name.encode())}"
