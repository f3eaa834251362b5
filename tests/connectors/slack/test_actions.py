"""Slack's actions against the fake one: what they send, and what they give."""

import base64
import json
from dataclasses import replace
from typing import Any, get_args
from uuid import UUID

import pytest
from weft_connectors.activity import ActivityError
from weft_connectors.plug import Plug
from weft_connectors.slack.messages import SIGNS, STEP
from weft_connectors.slack.trying import try_slack
from weft_language.actions.slack.model import Status

from tests.connectors.server import saying
from tests.connectors.slack.workspace import KEY, Workspace


async def test_a_message_is_sent_with_its_key_and_answered_in_its_thread(team: Workspace) -> None:
    sent = await team("post_message", channel="#orders", text="new", blocks=[{"type": "divider"}], unfurl_links=False)
    reply = await team("post_message", channel=sent["channel"], text="and", thread_ts=sent["ts"], reply_broadcast=True, key="0190:reply:1")

    assert (sent["channel"], sent["thread_ts"], reply["thread_ts"]) == ("C00000002", None, sent["ts"])
    first, second = (call.arguments for call in team.fake.calls)
    assert first["metadata"] == {"event_type": STEP, "event_payload": {"key": KEY}}
    assert (first["unfurl_links"], "unfurl_media" in first, second["reply_broadcast"]) == (False, False, True)
    assert UUID(first["client_msg_id"]) != UUID(second["client_msg_id"])


async def test_an_author_gives_metadata_of_his_own(team: Workspace) -> None:
    await team("post_message", channel="#orders", text="new", metadata={"event_type": "order", "event_payload": {"id": 7}})

    assert team.fake.calls[0].arguments["metadata"] == {"event_type": "order", "event_payload": {"id": 7}}


@pytest.mark.parametrize(("deduplicates", "messages"), [(True, 1), (False, 2)])
async def test_a_second_attempt_after_a_lost_answer_has_the_same_key(deduplicates: bool, messages: int, team: Workspace) -> None:
    team.fake.deduplicates = deduplicates
    team.fake.lose("chat.postMessage")
    lost = await team.fails("post_message", channel="#orders", text="new")
    again = await team("post_message", channel="#orders", text="new", attempt=2)

    assert (lost.code, lost.permanent) == ("slack_unreachable", False)
    assert len({call.key for call in team.fake.calls}) == 1
    # Slack promises nothing: where it makes no use of the key, the message comes twice, as the guide says.
    assert len(team.fake.messages) == messages
    assert ("C00000002", again["ts"]) in team.fake.messages


async def test_a_message_is_changed_and_taken_back(team: Workspace) -> None:
    sent = await team("post_message", channel="#orders", text="new")
    place = {"channel": sent["channel"], "ts": sent["ts"]}
    changed = await team("update_message", **place, text="paid")
    assert team.fake.messages[sent["channel"], sent["ts"]]["text"] == "paid"
    gone = await team("delete_message", **place)

    assert (changed, gone, team.fake.messages) == (place, place, {})


async def test_a_message_that_an_earlier_attempt_took_back_is_taken_back(team: Workspace) -> None:
    sent = await team("post_message", channel="#orders", text="new")
    place = {"channel": sent["channel"], "ts": sent["ts"]}
    team.fake.lose("chat.delete")
    lost = await team.fails("delete_message", **place)
    again = await team("delete_message", **place, attempt=2)
    first = await team.fails("delete_message", **place)

    assert (lost.permanent, again, first.code, first.permanent) == (False, place, "slack_message_not_found", True)


async def test_a_status_is_told_in_one_message_that_later_steps_change(team: Workspace) -> None:
    first = await team("notify_status", channel="#orders", title="Order <7> & more", status="running", ts=None)
    last = await team(
        "notify_status", channel=first["channel"], title="Order 7", status="success", detail="<!channel> paid", ts=first["ts"]
    )

    assert last == first
    posted, changed = (call.arguments["text"] for call in team.fake.calls)
    assert posted == f"{SIGNS['running']} *Order &lt;7&gt; &amp; more*"
    assert changed == f"{SIGNS['success']} *Order 7*\n&lt;!channel&gt; paid"
    assert [message["text"] for message in team.fake.messages.values()] == [changed]


def test_every_status_has_a_sign() -> None:
    assert set(SIGNS) == set(get_args(Status))


@pytest.mark.parametrize(
    ("given", "content"),
    [({"content": "grüße"}, "grüße".encode()), ({"content_base64": base64.b64encode(bytes(range(256))).decode()}, bytes(range(256)))],
)
async def test_a_file_is_uploaded_and_shared(given: dict[str, Any], content: bytes, team: Workspace) -> None:
    parent = await team("post_message", channel="#orders", text="new")
    about: dict[str, Any] = {"title": "Invoice", "initial_comment": "here", "alt_text": "an invoice", "thread_ts": parent["ts"]}
    done = await team("upload_file", channel=parent["channel"], filename="invoice & co.pdf", **about, **given)

    assert done == {"file_id": "F00000001", "title": "Invoice", "permalink": None}
    assert team.fake.uploads == {"F00000001": content}
    (shared,) = team.fake.shared
    assert (shared["channel_id"], shared["thread_ts"], shared["initial_comment"]) == (parent["channel"], parent["ts"], "here")
    asked = team.fake.calls[1].arguments
    assert (asked["filename"], asked["length"], asked["alt_txt"]) == ("invoice & co.pdf", len(content), "an invoice")


async def test_trying_a_connection_asks_whose_token_it_is(team: Workspace) -> None:
    plug = Plug(allow_private=True)
    good = await try_slack(team.open, plug)
    other = await try_slack(replace(team.open, secrets={"bot_token": "xoxb-another-one"}), plug)
    person = {"ok": True, "user": "ann", "team": "Acme"}
    team.fake.fail("auth.test", saying(200, json.dumps(person).encode()))
    of_a_person = await try_slack(team.open, plug)
    team.fake.fail("auth.test", saying(503))
    with pytest.raises(ActivityError) as down:
        await try_slack(team.open, plug)
    await plug.aclose()

    assert (good.ok, other.ok, other.code, of_a_person.ok) == (True, False, "slack_invalid_auth", False)
    assert "weft in Acme" in good.detail
    assert down.value.code == "slack_unavailable"
