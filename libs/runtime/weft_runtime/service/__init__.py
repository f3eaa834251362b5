"""Services: what one is, what it has while it runs, and running one or many in a process."""

from weft_runtime.context import ServiceContext
from weft_runtime.service.host import Host
from weft_runtime.service.run import run
from weft_runtime.service.service import Service

__all__ = ["Host", "Service", "ServiceContext", "run"]
