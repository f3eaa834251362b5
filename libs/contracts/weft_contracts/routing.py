"""Which exchange, key and queue a word travels by. The numbers here are for ever: they route, fence and shard."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zlib import crc32

SLOTS = 1024
"""Slots an execution id hashes to; a partition is a run of slots. A power of two, at least the largest partition count."""

DEFAULT_PARTITIONS = 8

TENANT_PATTERN = r"[a-z0-9](-?[a-z0-9])*"
"""What a tenant's id looks like, whole, at most `TENANT_MAX_LENGTH` characters: nothing in it means something in a routing key."""
TENANT_MAX_LENGTH = 63

COMMANDS = "weft.commands"
"""Direct exchange: commands to a room's inbox or to an engine partition."""
WORK = "weft.work"
"""Direct exchange: activities to the queues of workers."""
EVENTS = "weft.events"
"""Topic exchange: facts, key `<tenant>.<type>`."""
DOMAIN = "weft.domain"
"""Topic exchange: what internal services publish, plain CloudEvents, key `<tenant>.<type>`."""
DEAD = "weft.dead"
"""Topic exchange: what could not be handled, key = the queue it was taken from."""


DEFAULT_POOL = "default"
"""The pool of Weft's own workers, which runs every connector's action."""


def slot_of(execution_id: UUID) -> int:
    """The slot of an execution, in 0..1023, the same for ever."""
    return crc32(execution_id.bytes) & (SLOTS - 1)


def partition_of(execution_id: UUID, partitions: int = DEFAULT_PARTITIONS) -> int:
    """The partition, in 0..partitions-1, that owns an execution.

    partitions: how many the mesh runs, 1..1024, equal in every service.
    """
    return slot_of(execution_id) * partitions >> 10


def partition_queue(partition: int) -> str:
    """The queue (and routing key on `weft.commands`) of an engine partition."""
    return f"engine.p.{partition}"


def inbox_queue(room: str) -> str:
    """The queue a room hears its commands and events from; also the routing key of its commands."""
    return f"{room}.inbox"


def work_queue(pool: str) -> str:
    """The queue a pool of workers takes activities from; also its routing key on `weft.work`."""
    return f"work.{pool}"


def work_queue_arguments(pool: str) -> dict[str, Any]:
    """The arguments of a pool's queue, for a worker that comes before anybody declared it; the same for all, or RabbitMQ refuses it."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": 20,
        "x-dead-letter-exchange": DEAD,
        "x-dead-letter-routing-key": work_queue(pool),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def event_key(tenant: str, type_: str) -> str:
    """The routing key of a fact or a domain event."""
    return f"{tenant}.{type_}"
