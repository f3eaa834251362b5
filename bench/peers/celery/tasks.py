"""The task, and the settings of both its workers and its caller."""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from kombu import Queue

from bench.peers.peer import say_ready

QUORUM = {"x-queue-type": "quorum"}
ENDS = "bench.ends"

app = Celery("bench", broker=os.environ.get("PEER_BROKER_URL"), backend="rpc://")
app.conf.update(
    task_default_queue="steps",
    task_queues=[Queue("steps", routing_key="steps", queue_arguments=QUORUM)],
    # Durable as the others are: published with confirms, acknowledged when the task is done, given again when a worker dies.
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    result_persistent=True,
    # Short tasks are fetched in plenty (default 4 a process); what nobody reads is not said.
    worker_prefetch_multiplier=16,
    worker_send_task_events=False,
    task_send_sent_event=False,
    task_track_started=False,
    worker_enable_remote_control=False,
    broker_pool_limit=16,
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
)


@worker_ready.connect
def ready(**about: Any) -> None:
    say_ready()


@app.task(ignore_result=True)
def step(amount: int) -> int:
    """The remote work: none, so that the system is what is measured. Its result is in the message that starts the next."""
    return amount


@app.task
def last(amount: int) -> int:
    """The same, with a result for the caller."""
    return amount
