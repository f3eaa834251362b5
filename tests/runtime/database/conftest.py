from collections.abc import AsyncIterator

import pytest_asyncio
from weft_runtime.database import Database, ServiceUrls, migrate, provision
from weft_runtime.testing.running import TEST_SECRET


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def urls(database_url: str) -> ServiceUrls:
    """The sample's two roles on a fresh, migrated database."""
    made = await provision(database_url, "sample", TEST_SECRET)
    await migrate(made.owner, "tests.runtime.sample", "sample")
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def database(urls: ServiceUrls) -> AsyncIterator[Database]:
    """The sample's pools; small, so that connections are shared."""
    made = Database(urls.owner, urls.api, "sample", owner_connections=2, api_connections=2)
    yield made
    await made.close()
