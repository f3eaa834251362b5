"""What every connector's action stands on: its `with` as the model reads it once rendered, and the places that trying finds."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import Field
from weft_connectors.activity import ActivityCall, ActivityError
from weft_connectors.plug import Plug, given
from weft_connectors.trying import try_of
from weft_language.model.part import Int, Part, TemplateText, Text


class SendWith(Part):
    text: Text
    count: Int | TemplateText = Field(default=1)


def call(input_: Any) -> ActivityCall:
    return ActivityCall("sms.send", input_, "k", "acme", UUID(int=1), "n", 1, 1)


def test_a_rendered_with_is_read_by_the_model_of_the_action() -> None:
    assert given(call({"text": "{{ looks like a template", "count": 2}), SendWith).count == 2


@pytest.mark.parametrize(
    ("input_", "pointer"),
    [
        ({"text": 7}, "/with/text"),
        ({"text": "x", "count": "{{ not a number }}"}, "/with/count"),
        ({"text": "x", "size": 1}, "/with/size"),
        ({}, "/with/text"),
        ([], "/with"),
    ],
)
def test_what_rendering_made_wrong_is_a_permanent_error_with_its_pointer(input_: Any, pointer: str) -> None:
    with pytest.raises(ActivityError) as refused:
        given(call(input_), SendWith)

    assert (refused.value.code, refused.value.permanent) == ("sms_bad_request", True)
    assert refused.value.details["pointer"].startswith(pointer)


async def test_a_worker_without_connections_says_so() -> None:
    with pytest.raises(ActivityError) as refused:
        await Plug().connection(call({}), "bank")

    assert refused.value.code == "unknown_connection"


def test_a_type_that_calls_nothing_has_no_try() -> None:
    assert try_of("webhook") is None
    assert try_of("http") is not None
