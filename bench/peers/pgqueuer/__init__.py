"""PgQueuer: a job for each step in PostgreSQL, each step puts in the next; one process of workers."""

from bench.peers.peer import Part, Peer

PEER = Peer(
    name="pgqueuer",
    parts=(Part("worker", ("{python}", "-m", "bench.peers.pgqueuer.worker")),),
    needs=("postgres",),
    open={"remote3": 250, "remote3_single": 1},
    cannot={
        "fanout100": "a queue of jobs: nothing waits for many of them",
        "fanout100_single": "a queue of jobs: nothing waits for many of them",
        "signal": "a queue of jobs: none waits for a signal",
        "local3": "every step is a job of the queue",
        "local3_single": "every step is a job of the queue",
        "local100_single": "every step is a job of the queue",
    },
)
