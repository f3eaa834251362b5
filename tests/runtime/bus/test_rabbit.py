"""The bus over RabbitMQ keeps every promise."""

import pytest

from tests.runtime.bus.promises import BusPromises


class TestRabbit(BusPromises):
    @pytest.fixture
    def address(self, broker_url: str) -> str:
        return broker_url
