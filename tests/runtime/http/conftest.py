import zlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from weft_runtime.testing import RunningService, running_service

from tests.runtime.sample.app import build


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sample(database_url: str) -> AsyncIterator[RunningService]:
    """The sample service on a fresh database."""
    async with running_service(build, database_url, name="sample") as running:
        yield running


@pytest.fixture
def tenant(request: pytest.FixtureRequest) -> str:
    """A tenant of the test's own, so that tests of a module do not see each other's rows."""
    name = request.node.name.split("[")[0]
    return f"t-{zlib.crc32(name.encode())}"
