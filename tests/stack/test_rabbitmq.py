"""The local RabbitMQ: private, durable, back on its ports after a power cut."""

import os
import signal
from collections.abc import Iterator

import psutil
import pytest
from weft.stack import StackError
from weft.stack.rabbitmq import RabbitRecord
from weft_runtime.bus.opening import open_bus
from weft_runtime.bus.ports import OutFrame
from weft_runtime.bus.topology import QueueSpec, Topology

from tests.support.faults import RabbitNode, private_rabbitmq


@pytest.fixture(scope="module")
def kept_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with private_rabbitmq(tmp_path_factory.mktemp("rabbit")) as started:
        yield started


@pytest.fixture
def node(kept_node: RabbitNode) -> RabbitNode:
    """The module's node, started again where a test has stopped it."""
    if not kept_node.is_running():
        kept_node.start()
    return kept_node


async def put(url: str, body: bytes) -> None:
    bus = open_bus(url, name="putting")
    await bus.start()
    await bus.declare(Topology((QueueSpec("kept"),)))
    await bus.publish([OutFrame("", "kept", body)])
    await bus.close()


async def take(url: str) -> bytes:
    bus = open_bus(url, name="taking")
    await bus.start()
    consumer = await bus.consume("kept", prefetch=1)
    (delivery,) = await consumer.take()
    await consumer.ack([delivery])
    await bus.close()
    return delivery.body


async def test_a_confirmed_message_survives_a_power_cut_at_the_same_address(node: RabbitNode) -> None:
    await put(node.url(), b"before the cut")
    before = node.url()
    node.kill()
    node.start()
    assert (await take(node.url()), node.url()) == (b"before the cut", before)


def test_it_listens_on_loopback_only(node: RabbitNode) -> None:
    record = node.record
    assert record.process is not None and record.epmd is not None
    listening = {
        connection.laddr.ip
        for mark in (record.process, record.epmd)
        for connection in psutil.Process(mark.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening <= {"127.0.0.1", "::1"}


def test_vhosts_are_made_together_and_repeating_is_harmless(node: RabbitNode) -> None:
    node.add_vhosts(["one", "two"])
    node.add_vhosts(["two", "three"])
    made = set(node.vhosts())
    node.delete_vhosts(["one", "two", "three", "never"])
    assert (made, set(node.vhosts())) == ({"/", "one", "two", "three"}, {"/"})


@pytest.mark.parametrize("name", ['a">>, evil(<<"', "", "ü", "a b"])
def test_a_vhost_name_that_needs_quoting_is_refused(node: RabbitNode, name: str) -> None:
    with pytest.raises(ValueError, match="not a plain vhost name"):
        node.add_vhosts([name])


def test_a_control_command_that_fails_says_why(node: RabbitNode) -> None:
    with pytest.raises(StackError, match="no_such_thing"):
        node.control("no_such_thing")


def test_what_a_killed_holder_left_is_ended_before_a_new_start(node: RabbitNode) -> None:
    left: RabbitRecord = node.record
    assert left.process is not None and left.epmd is not None
    os.kill(left.process.pid, signal.SIGKILL)
    node.start()
    now = node.record
    assert left.epmd.find() is None
    assert (now.port, now.process != left.process) == (left.port, True)


def test_stopping_ends_the_name_daemon_too(node: RabbitNode) -> None:
    record = node.record
    node.stop()
    assert record.process is not None and record.epmd is not None
    assert (record.process.find(), record.epmd.find()) == (None, None)
