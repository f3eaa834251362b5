"""What stands between the socket and the client library hears every hot frame once, in order, however the bytes are cut."""

import asyncio
import inspect
from typing import Any

import aio_pika
import aiormq
import pamqp.frame
from aio_pika.abc import UnderlayConnection
from faststream.rabbit import RabbitBroker
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from weft_runtime.bus.rabbit import wire
from weft_runtime.bus.rabbit.splice import Splice

HOT, OTHER = 7, 3
HEARTBEAT = b"\x08\x00\x00\x00\x00\x00\x00\xce"


class Heard:
    """A channel's sink and the library's protocol, both remembering."""

    def __init__(self) -> None:
        self.hot: list[Any] = []
        self.passed = b""

    def heard(self, method: Any, header: wire.Header, body: bytes) -> None:
        self.hot.append((method, header, body))

    def on_confirm(self, tag: int, *, multiple: bool, kept: bool) -> None:
        self.hot.append((tag, multiple, kept))

    def data_received(self, data: bytes) -> None:
        self.passed += data


def marshalled(channel: int, *frames: Any) -> bytes:
    return b"".join(pamqp.frame.marshal(frame, channel) for frame in frames)


def message(channel: int, tag: int, body: bytes, properties: spec.Basic.Properties | None = None) -> bytes:
    pieces = [ContentBody(body[start : start + 50]) for start in range(0, len(body), 50)]
    begin = spec.Basic.Deliver("ctag1", tag, redelivered=bool(tag % 2), exchange="weft.work", routing_key="work.default")
    return marshalled(channel, begin, ContentHeader(body_size=len(body), properties=properties or spec.Basic.Properties()), *pieces)


NAMES = st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1, max_size=30)
PROPERTIES = st.builds(
    spec.Basic.Properties,
    content_type=st.none() | NAMES,
    headers=st.none() | st.dictionaries(NAMES, st.integers(0, 1000) | NAMES, min_size=1, max_size=3),
    delivery_mode=st.none() | st.just(2),
    message_id=st.none() | NAMES,
    priority=st.none() | st.integers(0, 9),
)
FRAMES = st.one_of(
    st.tuples(st.just("message"), st.integers(1, 2**60), st.binary(max_size=180), PROPERTIES),
    st.tuples(st.just("confirm"), st.integers(1, 2**60), st.booleans(), st.booleans()),
    st.tuples(st.just("other"), st.binary(max_size=80)),
    st.tuples(st.just("rpc")),
)


@given(st.lists(FRAMES, max_size=12), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_hot_frames_are_heard_and_the_rest_passes_on_however_the_bytes_are_cut(said: list[Any], cuts: list[int]) -> None:
    hot: list[Any] = []
    stream, passed = b"", b""
    for kind, *what in said:
        if kind == "message":
            tag, body, properties = what
            stream += message(HOT, tag, body, properties)
            hot.append((tag, body, properties.content_type, properties.headers or {}, properties.message_id or ""))
        elif kind == "confirm":
            tag, multiple, kept = what
            stream += marshalled(HOT, spec.Basic.Ack(tag, multiple) if kept else spec.Basic.Nack(tag, multiple))
            hot.append((tag, multiple, kept))
        else:
            frame = message(OTHER, 5, what[0]) if kind == "other" else marshalled(HOT, spec.Basic.QosOk())
            stream += frame
            passed += frame
    heard = asyncio.run(fed(stream, cuts))
    assert heard.passed.replace(HEARTBEAT, b"") == passed
    assert [flat(one) for one in heard.hot] == hot


def flat(one: Any) -> Any:
    if isinstance(one[0], wire.Deliver):
        method, header, body = one
        assert (method.exchange, method.routing_key, method.redelivered) == ("weft.work", "work.default", bool(method.tag % 2))
        return method.tag, body, header.content_type, header.headers, header.message_id
    return one


async def fed(stream: bytes, cuts: list[int]) -> Heard:
    heard = Heard()
    splice = Splice(asyncio.Transport(), heard, None)  # type: ignore[arg-type]
    splice.listen(HOT, heard)
    start = turn = 0
    while start < len(stream):
        end = start + cuts[turn % len(cuts)]
        splice.data_received(stream[start:end])
        start, turn = end, turn + 1
    return heard


async def test_properties_that_cannot_be_read_leave_the_message_and_the_connection_standing() -> None:
    good = marshalled(HOT, ContentHeader(body_size=2, properties=spec.Basic.Properties(headers={"a": "b"})))
    broken = good[:-7] + b"\xff" * 6 + good[-1:]
    begin = marshalled(HOT, spec.Basic.Deliver("c", 1, redelivered=False, exchange="", routing_key="q"))
    heard = await fed(begin + broken + marshalled(HOT, ContentBody(b"ok")), [1000])
    ((method, header, body),) = heard.hot
    assert (method.tag, header.headers, body) == (1, {}, b"ok")


async def test_a_broker_of_another_protocol_is_left_to_the_library() -> None:
    assert (await fed(b"AMQP\x00\x00\x09\x01", [8])).passed == b"AMQP\x00\x00\x09\x01"


async def test_while_only_hot_frames_come_the_library_hears_that_the_connection_lives() -> None:
    heard = await fed(marshalled(HOT, spec.Basic.Ack(1)), [100])
    assert heard.passed == HEARTBEAT


def test_the_libraries_still_have_what_the_splice_stands_on() -> None:
    assert "transport_factory" in inspect.signature(aiormq.Connection).parameters
    assert "await self._transport_factory.create(" in inspect.getsource(inspect.unwrap(aiormq.Connection.connect))
    assert "aiormq.connect(url, **kwargs)" in inspect.getsource(UnderlayConnection.make_connection)
    assert "**self.kwargs" in inspect.getsource(aio_pika.Connection.connect)
    assert "connect_robust(**self._connection_kwargs)" in inspect.getsource(RabbitBroker._connect)


async def test_a_part_of_a_large_frame_is_a_sign_of_life() -> None:
    whole = message(HOT, 1, b"x" * 40)
    heard = await fed(whole[:60], [60])
    assert (heard.hot, heard.passed) == ([], HEARTBEAT)


async def test_it_is_known_whether_the_broker_takes_messages() -> None:
    splice = Splice(asyncio.Transport(), Heard(), None)  # type: ignore[arg-type]
    told = []
    for frame in (spec.Connection.Blocked("low on memory"), spec.Channel.OpenOk(), spec.Connection.Unblocked()):
        splice.data_received(marshalled(0 if isinstance(frame, (spec.Connection.Blocked, spec.Connection.Unblocked)) else OTHER, frame))
        told.append(splice.blocked)
    assert told == [True, True, False]
