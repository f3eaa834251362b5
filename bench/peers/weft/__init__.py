"""Weft: PostgreSQL, RabbitMQ, engine, analytics and one worker, each a process, as in the bench of its own."""

from bench.peers.peer import Peer

# `bench.mesh` starts its processes, with the settings that `make bench` measures.
PEER = Peer(
    name="weft",
    parts=(),
    needs=("postgres", "rabbitmq"),
    open={"remote3": 1_000, "remote3_single": 1, "signal": 1_000, "fanout100": 20, "fanout100_single": 1},
    cannot={"local3": "a step of Weft that does something outside always goes to a worker over RabbitMQ"},
)
