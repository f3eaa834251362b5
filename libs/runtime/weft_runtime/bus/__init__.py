"""The bus: frames between services, over RabbitMQ or inside one process, with one set of promises for both.

Promises: what `publish` returned from is on disk (RabbitMQ) or in a queue (in-process); a frame stays in its queue until it is acked;
a queue with a single active consumer gives its frames in order; a frame that keeps killing its reader goes to `weft.dead`.
"""

from weft_runtime.bus.opening import open_bus
from weft_runtime.bus.ports import Bus, BusClosed, Consumer, Delivery, OutFrame, Unroutable
from weft_runtime.bus.topology import Binding, QueueSpec, Topology

__all__ = ["Binding", "Bus", "BusClosed", "Consumer", "Delivery", "OutFrame", "QueueSpec", "Topology", "Unroutable", "open_bus"]
