"""The local stack: a private PostgreSQL and RabbitMQ for one data directory, with nothing to install.

with Stack(Path(".weft")) as running:
    running.database_url, running.broker_url
"""

from weft.stack.errors import AlreadyRunning, StackError
from weft.stack.stack import Running, Stack

__all__ = ["AlreadyRunning", "Running", "Stack", "StackError"]
