"""DBOS: a process of flows and a process of steps, which takes them from a queue; all state in PostgreSQL."""

from bench.peers.peer import Part, Peer

PEER = Peer(
    name="dbos",
    parts=(
        Part("flows", ("{python}", "-m", "bench.peers.dbos.app", "flows")),
        Part("steps", ("{python}", "-m", "bench.peers.dbos.app", "steps")),
    ),
    needs=("postgres",),
    ports=("flows",),
    open={
        "remote3": 128, "remote3_single": 1, "fanout100": 2, "fanout100_single": 1, "signal": 64, "local3": 128, "local3_single": 1,
        "local100_single": 1,
    },
)  # fmt: skip
