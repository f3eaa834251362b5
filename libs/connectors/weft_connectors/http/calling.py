"""The action `http.request`: read the call, ask, judge the status, read the answer."""

from __future__ import annotations

from typing import Any

from weft_connectors.activity import ActivityCall
from weft_connectors.http.answering import output_of, status_error
from weft_connectors.http.asking import connection_name, read_call
from weft_connectors.plug import Plug


async def http_request(call: ActivityCall, plug: Plug) -> Any:
    """`{status, headers, body}`. Raises: ActivityError, with the codes that the catalog lists."""
    name = connection_name(call)
    connection = None if name is None else await plug.connection(call, name)
    asked = read_call(call, connection)
    answer = await plug.send(call, asked.request, connection)
    if not asked.expects(answer.status):
        raise status_error(answer)
    return output_of(answer, asked.response)
