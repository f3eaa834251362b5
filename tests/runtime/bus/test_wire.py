"""What is written by hand is what the general encoder would read, no more and no less."""

import pamqp.frame
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pamqp import commands as spec
from pamqp.body import ContentBody
from pamqp.header import ContentHeader
from weft_runtime.bus.rabbit import wire

NAMES = st.text(st.characters(codec="ascii", exclude_characters="\x00"), max_size=100)
HEADERS = st.dictionaries(NAMES.filter(bool), st.one_of(NAMES, st.integers(-(2**31), 2**31), st.booleans()), max_size=4)


@given(st.integers(1, 65535), NAMES, NAMES, st.binary(max_size=9000), NAMES.filter(bool), HEADERS, st.integers(4096, 8192))
def test_a_published_message_reads_back_as_it_was_written(
    channel: int, exchange: str, key: str, body: bytes, content_type: str, headers: dict[str, str | int | bool], frame_max: int
) -> None:
    data = b"".join(
        wire.publish(
            channel, frame_max, exchange=exchange, key=key, body=body, content_type=content_type, headers=headers, message_id="m-1"
        )
    )
    frames = unmarshal(data, channel, frame_max)
    method, header = frames[0], frames[1]
    assert isinstance(method, spec.Basic.Publish)
    assert (method.exchange, method.routing_key, method.mandatory, method.immediate) == (exchange, key, True, False)
    assert isinstance(header, ContentHeader)
    properties = header.properties
    assert (properties.content_type, properties.delivery_mode, properties.message_id) == (content_type, 2, "m-1")
    assert (properties.headers or {}, header.body_size) == (headers, len(body))
    assert b"".join(frame.value for frame in frames[2:] if isinstance(frame, ContentBody)) == body


@given(st.integers(1, 65535), st.integers(1, 2**63 - 1), st.booleans())
def test_answers_read_back_as_they_were_written(channel: int, tag: int, multiple: bool) -> None:
    (ack,) = unmarshal(wire.ack(channel, tag, multiple=multiple), channel, 4096)
    (reject,) = unmarshal(wire.reject(channel, tag), channel, 4096)
    (requeue,) = unmarshal(wire.requeue(channel, tag), channel, 4096)
    assert isinstance(ack, spec.Basic.Ack)
    assert (ack.delivery_tag, ack.multiple) == (tag, multiple)
    assert isinstance(reject, spec.Basic.Reject)
    assert isinstance(requeue, spec.Basic.Reject)
    assert (reject.delivery_tag, reject.requeue, requeue.requeue) == (tag, False, True)


def test_a_name_too_long_for_amqp_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(ValueError, match="255"):
        wire.publish(1, 4096, exchange="e", key="k" * 256, body=b"", content_type="t", headers={}, message_id="m")


def unmarshal(data: bytes, channel: int, frame_max: int) -> list[object]:
    frames: list[object] = []
    while data:
        used, number, frame = pamqp.frame.unmarshal(data)
        assert (number, used <= frame_max) == (channel, True)
        frames.append(frame)
        data = data[used:]
    return frames
