"""What every test may ask for: a real PostgreSQL and RabbitMQ, shared by all test runs of this working copy.

`stack` starts or joins them; `database_url` and `broker_url` are a fresh database and vhost for each module. `mesh` is a whole mesh, as
`weft up` starts one.
"""

import gc
import os
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings
from weft.stack.shared import Membership

from tests.support.containers import container_stack, docker_answers
from tests.support.examples import FRESH
from tests.support.isolation import SharedStack, data_dir, local_stack
from tests.support.meshes import KeptMesh, MeshProcess
from tests.support.modes import MODES

# To read thousands of tests makes millions of objects that stay to the end: they are not searched for garbage, neither while they are made
# nor after. That is a quarter of what reading them computes, and a tenth of what the tests then compute.
gc.disable()

# Tests start some two hundred processes. Where compiled modules may not be kept, each would compile 1,500 of them, in three seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Processes of one run that choose ports at the same moment, for servers that take seconds to listen, choose from different ones.
worker = os.environ.get("PYTEST_XDIST_WORKER")
if worker:
    first = 20_000 + 1_000 * (int(worker.removeprefix("gw")) % 10)
    os.environ["WEFT_PORTS"] = f"{first}-{first + 999}"

# No example has a deadline: how long one takes tells how busy the machine is. The examples of a property are the same at every run, so that
# a run tells of the change it is made for; WEFT_FRESH_EXAMPLES=1 looks for new ones.
settings.register_profile("weft", deadline=None, derandomize=not FRESH)
settings.load_profile("weft")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Where several processes share the tests (`--dist loadfile`): a file at a time, and those of one kept mesh in a row."""
    from tests.support.sharing_out import InRows

    return InRows(config, log)


def pytest_sessionstart() -> None:
    """One of several processes will need the servers sooner or later: they start while the tests are collected."""
    if worker and not contained():
        threading.Thread(target=Membership(data_dir()).join, daemon=True).start()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Once the tests are read, garbage is what they make from then on."""
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests, the longest begin first."""
    if worker:
        from tests.support.sharing_out import longest_first

        longest_first(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """One of several processes has the tests of a kept mesh in a row: it is not to compute beside those that come after."""
    if worker and "kept_mesh" not in getattr(item, "fixturenames", ()):
        KeptMesh.end_all()


def contained() -> bool:
    """Whether the servers are to be containers."""
    return os.environ.get("WEFT_TEST_CONTAINERS") == "1" and docker_answers()


@pytest.fixture(scope="session")
def stack() -> Iterator[SharedStack]:
    """The servers. Its first use may fetch RabbitMQ, once a machine; after that it starts in seconds."""
    if contained():
        with container_stack() as in_containers:
            yield in_containers
            in_containers.close()
        return
    member = Membership(data_dir())
    shared = local_stack(member)
    yield shared
    shared.close()
    member.leave()


@pytest.fixture(scope="module")
def database_url(stack: SharedStack) -> Iterator[str]:
    """A superuser's address of a fresh, empty database."""
    url = stack.new_database()
    yield url
    stack.drop_database(url)


@pytest.fixture(scope="module")
def broker_url(stack: SharedStack) -> Iterator[str]:
    """An administrator's address of a fresh, empty vhost."""
    url = stack.new_vhost()
    yield url
    stack.drop_vhost(url)


@pytest.fixture(scope="session", params=list(MODES.values()), ids=list(MODES))
def kept_mesh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeptMesh]:
    """One for all tests of a mode, which pytest runs in a row, whatever files they are in."""
    kept = KeptMesh(tmp_path_factory.mktemp("mesh") / "data", *request.param)
    yield kept
    kept.end()


@pytest.fixture
def mesh(kept_mesh: KeptMesh) -> MeshProcess:
    """A running mesh, in each of its two modes, or in the one that a test is marked with: `tests.support.modes`."""
    return kept_mesh.up()
