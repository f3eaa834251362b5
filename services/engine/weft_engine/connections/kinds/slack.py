"""Type `slack`: an app in a workspace, by its bot token."""

from __future__ import annotations

from weft_connectors.http.connecting import place_of

from weft_engine.connections.kinds.settings import HttpsAddress, Settings, Wanted


class SlackSettings(Settings):
    """How Slack's actions reach Slack. base_url: of its Web API; another one than Slack's for tests and gateways."""

    base_url: HttpsAddress = "https://slack.com/api/"

    def wanted(self) -> Wanted:
        """The secrets that go with these settings."""
        return Wanted(("bot_token",), ("bot_token",))

    def sends_to(self) -> str:
        """The origin that the token goes to."""
        return place_of(self.base_url)
