"""The fake Slack is proven by Slack's own SDK before our connector meets it."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from weft_engine.connections.signing_in import challenge_of

from tests.connectors.server import saying
from tests.connectors.slack.fake import ARGUMENTS, TOKEN, FakeSlack, shape, slack
from tests.connectors.slack.sign_ins import CLIENT_ID, CLIENT_SECRET, SignIns


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK goes by the proxies of the environment, to this machine, too."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def by_sdk(fake: FakeSlack, ask: Callable[[WebClient], Any], token: str = TOKEN) -> Any:
    """What the SDK makes of an answer. It waits where it asks, so it does that in a thread."""
    client = WebClient(token=token, base_url=f"{fake.url}/api/", timeout=30, retry_handlers=[])
    return await asyncio.to_thread(ask, client)


async def test_the_sdk_sends_answers_changes_and_takes_back() -> None:
    async with slack() as fake:
        posted = await by_sdk(
            fake, lambda sdk: sdk.chat_postMessage(channel="#orders", text="new", metadata={"event_type": "x", "event_payload": {}})
        )
        ts, channel = posted["ts"], posted["channel"]
        reply = await by_sdk(fake, lambda sdk: sdk.chat_postMessage(channel=channel, text="and", thread_ts=ts, reply_broadcast=True))
        await by_sdk(fake, lambda sdk: sdk.chat_update(channel=channel, ts=ts, text="done"))
        await by_sdk(fake, lambda sdk: sdk.chat_delete(channel=channel, ts=reply["ts"]))
        whom = await by_sdk(fake, lambda sdk: sdk.auth_test())

    assert [message["text"] for message in fake.messages.values()] == ["done"]
    assert (channel, whom["bot_id"]) == ("C00000002", "B1")
    assert [call.method for call in fake.calls] == ["chat.postMessage", "chat.postMessage", "chat.update", "chat.delete", "auth.test"]


async def test_the_sdk_uploads_a_file() -> None:
    async with slack() as fake:
        await by_sdk(
            fake, lambda sdk: sdk.files_upload_v2(filename="a.txt", content="hello", title="A", channel="C00000001", initial_comment="see")
        )

    assert list(fake.uploads.values()) == [b"hello"]
    assert fake.shared == [{"files": [{"id": "F00000001", "title": "A"}], "channel_id": "C00000001", "initial_comment": "see"}]


@pytest.mark.parametrize(
    ("ask", "token", "error"),
    [
        (lambda sdk: sdk.chat_postMessage(channel="#nowhere", text="x"), TOKEN, "channel_not_found"),
        (lambda sdk: sdk.chat_postMessage(channel="#orders", text="x"), "xoxb-other", "invalid_auth"),
        (lambda sdk: sdk.chat_postMessage(channel="#orders", text="x", colour="red"), TOKEN, "invalid_arguments"),
        (lambda sdk: sdk.chat_update(channel="C00000001", ts="1.1", text="x"), TOKEN, "message_not_found"),
        (lambda sdk: sdk.api_call("chat.shout"), TOKEN, "unknown_method"),
    ],
)
async def test_the_sdk_reads_its_refusals(ask: Callable[[WebClient], Any], token: str, error: str) -> None:
    async with slack() as fake:
        with pytest.raises(SlackApiError) as refused:
            await by_sdk(fake, ask, token)

    assert refused.value.response["error"] == error


async def test_the_sdk_reads_its_being_busy() -> None:
    async with slack() as fake:
        fake.fail("auth.test", saying(429, b'{"ok": false, "error": "ratelimited"}', retry_after="7", content_type="application/json"))
        with pytest.raises(SlackApiError) as refused:
            await by_sdk(fake, lambda sdk: sdk.auth_test())

    assert (refused.value.response.status_code, refused.value.response.headers["retry-after"]) == (429, "7")


async def test_the_sdk_gets_a_token_for_a_code_once_and_with_its_verifier() -> None:
    sign_ins = SignIns("https://weft.example/back")
    asked = {
        **{"response_type": "code", "client_id": CLIENT_ID, "scope": "chat:write", "redirect_uri": "https://weft.example/back"},
        **{"state": "s", "code_challenge": challenge_of("v" * 43), "code_challenge_method": "S256"},
    }
    url = f"https://slack.example/authorize?{urlencode(asked)}"
    first, second = (sign_ins.authorize(url)["code"] for _ in range(2))

    def exchange(code: str, verifier: str, secret: str = CLIENT_SECRET) -> Callable[[WebClient], Any]:
        about = {"redirect_uri": "https://weft.example/back", "code_verifier": verifier}
        return lambda sdk: sdk.oauth_v2_access(client_id=CLIENT_ID, client_secret=secret, code=code, **about)

    async with slack() as fake:
        fake.token_exchange = sign_ins.say
        let_in = await by_sdk(fake, exchange(first, "v" * 43))
        refused = []
        for code, verifier, secret in ((first, "v" * 43, CLIENT_SECRET), (second, "w" * 43, CLIENT_SECRET), ("x", "v" * 43, "other")):
            with pytest.raises(SlackApiError) as failure:
                await by_sdk(fake, exchange(code, verifier, secret))
            refused.append(failure.value.response["error"])

    assert (let_in["access_token"], let_in["token_type"]) == (TOKEN, "bot")
    assert refused == ["invalid_code", "invalid_code_verifier", "bad_client_secret"]


@pytest.mark.parametrize("method", sorted(ARGUMENTS))
def test_its_methods_take_what_the_sdk_gives_them(method: str) -> None:
    parameters = set(inspect.signature(getattr(WebClient, method.replace(".", "_"))).parameters)

    # Slack's reference names it in two errors of chat.postMessage, and the SDK hands it on among the rest.
    assert set(ARGUMENTS[method]) - {"client_msg_id"} <= parameters


@pytest.mark.parametrize("method", sorted(method for method in ARGUMENTS if shape(method) is not None))
def test_its_answers_are_held_against_recorded_ones(method: str) -> None:
    recorded = shape(method)

    assert recorded is not None
    assert {"ok", "error", "needed"} <= set(recorded)


if shape("auth.test") is None:
    print("not run: no conformance data")
