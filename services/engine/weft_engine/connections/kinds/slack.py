"""Type `slack`: an app in a workspace, by its bot token, which is given by hand or by signing in."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from weft_connectors.http.connecting import place_of

from weft_engine.connections.kinds.settings import HttpsAddress, Settings, SignIn, Wanted

Scope = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.:-]{0,60}$")]


class SlackSettings(Settings):
    """How Slack's actions reach Slack. base_url: of its Web API; another one than Slack's for tests and gateways.

    client_id: the app's, where its bot token is to be got by signing in (OAuth).  scopes: that are asked for then.
    """

    base_url: HttpsAddress = "https://slack.com/api/"
    client_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    scopes: list[Scope] = Field(default=["chat:write", "files:read", "files:write"], min_length=1, max_length=50)
    authorize_url: HttpsAddress = "https://slack.com/oauth/v2/authorize"

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        if self.client_id is None:
            return Wanted(("bot_token",), ("bot_token",))
        return Wanted(("client_secret",), ("client_secret", "bot_token"))

    def sends_to(self) -> str:
        """The origin that the token and the app's secret go to."""
        return place_of(self.base_url)

    def signs_in(self) -> SignIn | None:
        """By the app's own secret, for its bot token."""
        if self.client_id is None:
            return None
        return SignIn(self.authorize_url, self.client_id, ",".join(self.scopes), "client_secret", ("bot_token",))
