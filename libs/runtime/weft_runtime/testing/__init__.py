"""What tests of services are written with: a clock that is moved, tokens for anybody, a service on a real database. No mocks."""

from weft_runtime.testing.client import service_client
from weft_runtime.testing.clock import ManualClock
from weft_runtime.testing.issuer import TestIssuer
from weft_runtime.testing.running import RunningService, running_service, settings_for

__all__ = ["ManualClock", "RunningService", "TestIssuer", "running_service", "service_client", "settings_for"]
