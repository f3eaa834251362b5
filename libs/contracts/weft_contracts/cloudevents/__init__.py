"""Plain CloudEvents 1.0.2, as anybody may send them: read and written, strictly, in all three modes over HTTP and AMQP.

The mesh's own words travel as `weft_contracts.envelope.Item`, which trusts its writer; this package trusts nobody.
"""

from weft_contracts.cloudevents.amqp import read_amqp, write_amqp
from weft_contracts.cloudevents.content import CloudEventError, Problem
from weft_contracts.cloudevents.event import CloudEvent, Extension, write_time
from weft_contracts.cloudevents.http import read_http, write_http
from weft_contracts.cloudevents.structured import BATCH, STRUCTURED, read_batch, read_structured, write_batch, write_structured

__all__ = [
    "BATCH",
    "STRUCTURED",
    "CloudEvent",
    "CloudEventError",
    "Extension",
    "Problem",
    "read_amqp",
    "read_batch",
    "read_http",
    "read_structured",
    "write_amqp",
    "write_batch",
    "write_http",
    "write_structured",
    "write_time",
]
