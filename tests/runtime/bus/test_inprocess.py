"""The bus inside one process keeps every promise."""

from uuid import uuid4

import pytest
from weft_runtime.bus.memory import matches

from tests.runtime.bus.promises import BusPromises


class TestInProcess(BusPromises):
    @pytest.fixture
    def address(self) -> str:
        return f"inprocess://{uuid4().hex}"


@pytest.mark.parametrize(
    ("pattern", "key", "taken"),
    [
        ("#", "", True),
        ("#", "a.b.c", True),
        ("*", "a", True),
        ("*", "a.b", False),
        ("*.b", "a.b", True),
        ("a.#", "a", True),
        ("a.#", "a.b.c", True),
        ("a.#.c", "a.c", True),
        ("a.#.c", "a.x.y.c", True),
        ("a.#.c", "a.x.y.d", False),
        ("engine.p.*", "engine.p.3", True),
        ("engine.p.*", "engine.p", False),
        ("a.b", "aXb", False),
        ("#.#", "a", True),
    ],
)
def test_a_topic_binding_takes_the_keys_that_amqp_says(pattern: str, key: str, taken: bool) -> None:
    assert matches(pattern, key) is taken
