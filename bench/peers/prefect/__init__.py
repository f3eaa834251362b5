"""Prefect 3: its server on PostgreSQL, a process of flows and a task worker that takes their steps from the server's queue."""

from bench.peers.peer import Part, Peer

# PostgreSQL instead of the default SQLite, as Prefect advises for load; nothing is sent to the outside, and no log line
# travels to the server.
SETTINGS = {
    "PREFECT_HOME": "{home}/prefect",
    "PREFECT_API_URL": "http://127.0.0.1:{server}/api",
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "true",
    "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE": "20",
}

PEER = Peer(
    name="prefect",
    parts=(
        Part("server", ("{python}", "-m", "bench.peers.prefect.server"), ready_port="server", ready_s=300.0, environment=SETTINGS),
        Part("flows", ("{python}", "-m", "bench.peers.prefect.app", "flows"), environment=SETTINGS),
        Part("steps", ("{python}", "-m", "bench.peers.prefect.app", "steps"), environment=SETTINGS),
    ),
    needs=("postgres",),
    ports=("server", "flows"),
    open={
        "remote3": 4, "remote3_single": 1, "fanout100": 1, "fanout100_single": 1, "signal": 8, "local3": 8, "local3_single": 1,
        "local100_single": 1,
    },
)  # fmt: skip
