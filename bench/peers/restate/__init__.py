"""Restate: its server with its durable log, a process of flows and a process of steps that the server calls over HTTP/2."""

from bench.peers.peer import Part, Peer

# The server's defaults are durable (its log is synced before a step counts). Tuned: 4 partitions instead of 24, since each is
# a log and a state machine of its own and there are two cores; no telemetry.
SERVER = {
    "RESTATE_BASE_DIR": "{home}/restate-data",
    "RESTATE_BIND_ADDRESS": "127.0.0.1:{node}",
    "RESTATE_ADVERTISED_ADDRESS": "http://127.0.0.1:{node}",
    "RESTATE_INGRESS__BIND_ADDRESS": "127.0.0.1:{ingress}",
    "RESTATE_ADMIN__BIND_ADDRESS": "127.0.0.1:{admin}",
    "RESTATE_DEFAULT_NUM_PARTITIONS": "4",
    "RESTATE_DISABLE_TELEMETRY": "true",
    "RESTATE_LOG_FILTER": "warn",
}

PEER = Peer(
    name="restate",
    parts=(
        Part("server", ("{bin}/restate-server",), ready_port="ingress", environment=SERVER),
        Part("flows", ("{python}", "-m", "bench.peers.restate.endpoint", "flows"), ready_port="flows"),
        Part("steps", ("{python}", "-m", "bench.peers.restate.endpoint", "steps"), ready_port="steps"),
    ),
    ports=("node", "ingress", "admin", "flows", "steps"),
    open={
        "remote3": 100,
        "remote3_single": 1,
        "fanout100": 4,
        "fanout100_single": 1,
        "signal": 400,
        "local3": 400,
        "local3_single": 1,
        "local100_single": 1,
    },
)
