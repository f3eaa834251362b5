"""What comes in at both doors, as events with their tenant, or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from weft_contracts.cloudevents import CloudEvent, write_amqp
from weft_events import reading
from weft_events.errors import EventTooLarge, ForeignTenant, InvalidEvent, MalformedEvent, TooManyEvents, UnknownTenant

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
EVENT = CloudEvent(id="1", source="/shop", type="order.placed", data={"total": 3})


def from_exchange(event: CloudEvent, key: str, *, binary: bool = False) -> list[reading.Arrived]:
    content_type, headers, body = write_amqp(event, binary=binary)
    return reading.from_exchange(content_type or "", headers, body, key, NOW)


@pytest.mark.parametrize("binary", [False, True])
def test_the_tenant_is_in_the_routing_key_or_in_the_event(binary: bool) -> None:
    told = CloudEvent(id="1", source="/shop", type="order.placed", extensions={"tenantid": "acme"})
    assert [one.tenant for one in from_exchange(EVENT, "acme.order.placed", binary=binary)] == ["acme"]
    assert [one.tenant for one in from_exchange(told, "anything", binary=binary)] == ["acme"]
    assert [one.tenant for one in from_exchange(told, "other.key", binary=binary)] == ["acme"]


def test_an_event_without_a_time_gets_the_time_it_came() -> None:
    assert from_exchange(EVENT, "acme.order.placed")[0].event.time == NOW


@pytest.mark.parametrize(
    ("tenant", "key", "error"),
    [
        (None, "orders", UnknownTenant),
        (None, "Not_A.order.placed", UnknownTenant),
        ("UPPER", "acme.order.placed", UnknownTenant),
        (5, "acme.order.placed", UnknownTenant),
        ("beta", "acme.order.placed", ForeignTenant),
    ],
)
def test_an_event_of_nobody_or_of_two_is_refused(tenant: Any, key: str, error: type[Exception]) -> None:
    extensions = {} if tenant is None else {"tenantid": tenant}
    with pytest.raises(error):
        from_exchange(CloudEvent(id="1", source="/shop", type="order.placed", extensions=extensions), key)


@pytest.mark.parametrize(("body", "error"), [(b"{", MalformedEvent), (b"{}", InvalidEvent), (b'"\xff"', MalformedEvent)])
def test_what_is_no_event_is_refused(body: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        reading.from_exchange("application/cloudevents+json", {}, body, "acme.t", NOW)
    with pytest.raises(error):
        reading.from_http("acme", {"content-type": "application/cloudevents+json"}, body, NOW, most=1)


def test_limits_hold_for_each_event_and_for_the_batch() -> None:
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    batch = {"content-type": "application/cloudevents-batch+json"}
    with pytest.raises(TooManyEvents):
        reading.from_http("acme", batch, json.dumps([event] * 3).encode(), NOW, most=2)
    with pytest.raises(EventTooLarge, match="/1"):
        reading.from_http("acme", batch, json.dumps([event, event | {"data": "x" * 256 * 1024}]).encode(), NOW, most=2)
    with pytest.raises(InvalidEvent) as refused:
        reading.from_http("acme", batch, json.dumps([event | {"type": "t" * 1025}]).encode(), NOW, most=2)
    assert refused.value.details[0].pointer == "/0/type"
