"""The engine's HTTP door: start executions, read them, act on them."""

from weft_engine.api import bulk, connections, executions, explaining, migrations, operating, signing_in, simulating, suspensions
from weft_engine.api.routes import door

__all__ = ["bulk", "connections", "door", "executions", "explaining", "migrations", "operating", "signing_in", "simulating", "suspensions"]
