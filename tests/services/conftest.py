"""The tests of a room begin with its schema made."""

from collections.abc import Iterator

import pytest
from weft.rooms import NAMES

from tests.support.isolation import SharedStack


@pytest.fixture(scope="module")
def database_url(stack: SharedStack, request: pytest.FixtureRequest) -> Iterator[str]:
    """A superuser's address of a fresh database, which has the schema of the room whose tests these are."""
    folder = request.path.parent.name
    url = stack.new_database(folder if folder in NAMES else "")
    yield url
    stack.drop_database(url)
