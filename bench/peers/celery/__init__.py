"""Celery: chains and groups of tasks on quorum queues of RabbitMQ, run by its workers."""

from bench.peers.peer import Part, Peer

OPTIONS = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING")
# A task waits for RabbitMQ's confirm of what it publishes, so each worker's time is spent waiting: more processes than cores.
WORKERS = 8

PEER = Peer(
    name="celery",
    parts=(
        Part(
            "worker",
            (
                "{bin}/celery",
                "--app",
                "bench.peers.celery.tasks",
                "worker",
                "--pool=prefork",
                f"--concurrency={WORKERS}",
                "-O",
                "default",
                *OPTIONS,
            ),
        ),
    ),
    needs=("rabbitmq",),
    open={"remote3": 25, "remote3_single": 1, "fanout100": 8, "fanout100_single": 1},
    cannot={
        "signal": "a chain waits for its tasks and for nothing else",
        "local3": "every step is a task of the queue",
        "local3_single": "every step is a task of the queue",
        "local100_single": "every step is a task of the queue",
    },
)
