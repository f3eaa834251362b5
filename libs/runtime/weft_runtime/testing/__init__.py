"""What tests of services are written with: a clock that is moved, tokens for anybody, a service on a real database. No mocks."""

from weft_runtime.testing.client import service_client
from weft_runtime.testing.clock import ManualClock
from weft_runtime.testing.issuer import TestIssuer
from weft_runtime.testing.messages import Ears, ears, packed
from weft_runtime.testing.polling import eventually, until
from weft_runtime.testing.running import RunningService, running_service, settings_for
from weft_runtime.testing.words import said, tell

__all__ = [
    "Ears",
    "ManualClock",
    "RunningService",
    "TestIssuer",
    "ears",
    "eventually",
    "packed",
    "running_service",
    "said",
    "service_client",
    "settings_for",
    "tell",
    "until",
]
