"""One connector for the tests of a file, and a fake Slack for each test."""

from collections.abc import AsyncIterator

import pytest

from tests.connectors.slack.fake import slack
from tests.connectors.slack.workspace import Installed, Workspace, connection


@pytest.fixture(scope="module")
async def processes() -> AsyncIterator[tuple[Installed, Installed]]:
    installed, closed = Installed(allow_private=True), Installed(allow_private=False)
    yield installed, closed
    await installed.aclose()
    await closed.aclose()


@pytest.fixture
async def team(processes: tuple[Installed, Installed]) -> AsyncIterator[Workspace]:
    async with slack() as fake:
        yield Workspace(fake, connection(fake), *processes)
