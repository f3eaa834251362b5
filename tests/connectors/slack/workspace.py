"""The connector beside a fake Slack, by a connection to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from weft_connectors.activity import Activities, Activity, ActivityCall, ActivityError
from weft_connectors.connections import OpenConnection
from weft_connectors.slack import activities

from tests.connectors.slack.fake import TOKEN, FakeSlack

KEY = "0190:post:1"
CALL = ActivityCall("", {}, KEY, "acme", UUID(int=1), "post", 1, 1)


def connection(fake: FakeSlack, **settings: Any) -> OpenConnection:
    return OpenConnection("Team", "slack", {"base_url": f"{fake.url}/api/", **settings}, {"bot_token": TOKEN})


@dataclass
class Installed:
    """The connector as one process has it: its client is made once. open: the connection that is there now."""

    allow_private: bool
    open: OpenConnection | None = None
    actions: Mapping[str, Activity] = field(init=False)

    def __post_init__(self) -> None:
        self.actions = activities(allow_private_addresses=self.allow_private, connections=self.read)

    async def read(self, tenant: str, name: str) -> OpenConnection:
        assert (tenant, name) == ("acme", "Team")
        assert self.open is not None
        return self.open

    async def aclose(self) -> None:
        await Activities(self.actions).aclose()


@dataclass
class Workspace:
    """A fake Slack and the connector, by a connection to it. closed: the same where private addresses are not allowed."""

    fake: FakeSlack
    open: OpenConnection
    installed: Installed
    closed: Installed

    async def __call__(self, action: str, attempt: int = 1, key: str = KEY, where: Installed | None = None, **given: Any) -> Any:
        there = where or self.installed
        there.open = self.open
        call = replace(CALL, name=f"slack.{action}", input={"connection": "Team", **given}, attempt=attempt, key=key)
        return await there.actions[call.name](call)

    async def fails(self, action: str, where: Installed | None = None, **given: Any) -> ActivityError:
        with pytest.raises(ActivityError) as failure:
            await self(action, where=where, **given)
        error = failure.value
        assert TOKEN not in f"{error.message}{error.details}"
        return error
