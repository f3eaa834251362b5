"""Declaring exchanges, quorum queues and bindings."""

from __future__ import annotations

import contextlib
from typing import Any

from aiormq.exceptions import ChannelPreconditionFailed
from weft_contracts import routing

from weft_runtime.bus.rabbit.link import BROKER_ERRORS, CALL_TIMEOUT_S, Link
from weft_runtime.bus.topology import EXCHANGES, QueueSpec, Topology
from weft_runtime.errors import Conflict, Unavailable


def arguments(queue: QueueSpec) -> dict[str, Any]:
    """The queue arguments RabbitMQ takes. Dead letters are moved with confirms, so that a crash in between loses none."""
    given: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": queue.delivery_limit}
    if queue.single:
        given["x-single-active-consumer"] = True
    if queue.dead_letters:
        given |= {
            "x-dead-letter-exchange": routing.DEAD,
            "x-dead-letter-routing-key": queue.name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
    return given


async def declare(link: Link, topology: Topology) -> None:
    """Make sure all of it exists. Raises: Unavailable; Conflict when a queue of the name has other arguments."""
    channel = await link.channel(confirms=False, on_delivery=lambda _: None)
    try:
        for exchange, kind in EXCHANGES.items():
            await channel.exchange_declare(exchange, exchange_type=kind, durable=True, timeout=CALL_TIMEOUT_S)
        for queue in topology.queues:
            await channel.queue_declare(queue.name, durable=True, arguments=arguments(queue), timeout=2 * CALL_TIMEOUT_S)
            for binding in queue.bindings:
                await channel.queue_bind(queue.name, binding.exchange, binding.key, timeout=CALL_TIMEOUT_S)
    except ChannelPreconditionFailed as error:
        raise Conflict(f"RabbitMQ has a queue of another make: {error}; delete it once it is empty", code="queue_differs") from error
    except BROKER_ERRORS as error:
        raise Unavailable(f"the broker did not declare the queues ({type(error).__name__}: {error})", code="broker_unavailable") from error
    finally:
        with contextlib.suppress(*BROKER_ERRORS):
            await channel.close()
