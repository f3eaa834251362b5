"""Slack's side of signing in: a person who says yes, and codes that are worth a token once, with the verifier of their challenge."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from tests.connectors.server import Heard, saying
from tests.connectors.slack.fake import TOKEN, checked

CLIENT_ID = "123.456"
CLIENT_SECRET = "canary-client-secret-of-weft"


@dataclass
class SignIns:
    """redirect_uri: the one address that the app has registered.  more: members of the next answer, beside or instead of the usual."""

    redirect_uri: str
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)

    def authorize(self, url: str) -> dict[str, str]:
        """What the browser is sent back with when its person lets the app in."""
        given = {name: value for name, (value,) in parse_qs(urlsplit(url).query, strict_parsing=True).items()}
        known = {"response_type", "client_id", "scope", "redirect_uri", "state", "code_challenge", "code_challenge_method"}
        assert set(given) == known
        assert (given["response_type"], given["client_id"], given["redirect_uri"]) == ("code", CLIENT_ID, self.redirect_uri)
        assert given["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}"
        self.codes[code] = given
        return {"code": code, "state": given["state"]}

    async def say(self, heard: Heard, writer: asyncio.StreamWriter) -> None:
        """Answer `oauth.v2.access`."""
        answer = checked("oauth.v2.access", self._answer(heard))
        await saying(200, json.dumps(answer).encode(), content_type="application/json; charset=utf-8")(heard, writer)

    def _answer(self, heard: Heard) -> dict[str, Any]:
        given = dict(parse_qsl(heard.body.decode(), strict_parsing=True))
        self.asked.append(given)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if heard.header("authorization") != f"Basic {basic}":
            return {"ok": False, "error": "bad_client_secret"}
        if set(given) - {"code", "redirect_uri", "code_verifier", "grant_type"}:
            return {"ok": False, "error": "invalid_arguments"}
        asked = self.codes.pop(given.get("code", ""), None)
        if asked is None:
            return {"ok": False, "error": "invalid_code"}
        if given.get("redirect_uri") != asked["redirect_uri"]:
            return {"ok": False, "error": "bad_redirect_uri"}
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if challenge != asked["code_challenge"]:
            return {"ok": False, "error": "invalid_code_verifier"}
        usual = {"access_token": TOKEN, "token_type": "bot", "scope": asked["scope"], "bot_user_id": "U1", "app_id": "A1"}
        more, self.more = self.more, {}
        return {"ok": True, **usual, "team": {"id": "T1", "name": "Acme"}, "authed_user": {"id": "U9"}, **more}
