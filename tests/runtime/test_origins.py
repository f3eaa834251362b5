"""Words as they are said: by whom, from where, and without secrets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from weft_contracts.alerts import AlertResolved
from weft_contracts.audit import Origin, RecordAudit
from weft_contracts.directory import UserChanged
from weft_contracts.message import Message
from weft_runtime.auth import Caller
from weft_runtime.clock import new_id
from weft_runtime.origins import TOLD_BYTES, signed

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
TRACE = "0af7651916cd43dd8448eb211c80319c"
PERSON = Caller("ann", "acme", ("admin",), ip="198.51.100.7", request_id="request-1")
KEY = Caller("key-1", "acme", kind="key", owner="ann")


def deed(**told: Any) -> RecordAudit:
    return RecordAudit(action="thing.changed", resource_type="thing", resource_id="1", **told)


def said(message: Message, caller: Caller | None = PERSON, tenant: str = "acme") -> Any:
    return signed(message, tenant, caller, f"00-{TRACE}-b7ad6b7169203331-01", NOW)


def test_a_deed_tells_who_did_it_when_and_from_where() -> None:
    told = said(deed())
    assert (told.by, told.at) == ("ann", NOW)
    assert told.origin == Origin(kind="person", ip="198.51.100.7", request_id="request-1", trace_id=TRACE)
    assert said(deed(), KEY).origin == Origin(kind="key", owner="ann", trace_id=TRACE)


def test_somebody_of_another_tenant_is_told_with_theirs() -> None:
    assert said(deed(), tenant="other").origin.tenant == "acme"


def test_what_nobody_who_signed_in_does_tells_the_trace_alone() -> None:
    told = said(deed(), None)
    assert (told.by, told.origin) == (None, Origin(trace_id=TRACE))


def test_what_a_word_says_itself_stays() -> None:
    told = said(deed(by="bob", origin=Origin(ip="192.0.2.1")))
    assert (told.by, told.origin) == ("bob", Origin(ip="192.0.2.1"))


def test_facts_that_tell_an_origin_tell_it_where_somebody_asks() -> None:
    fact = UserChanged(user_id=new_id(), email="a@b.c", name="A", revision=1)
    assert (said(fact).by, said(fact).origin.ip) == ("ann", "198.51.100.7")
    assert said(fact, None) is fact
    about: dict[str, Any] = {"alert_id": new_id(), "rule_id": new_id(), "rule": "r", "kind": "slow", "workflow": "w", "summary": "s"}
    other = AlertResolved(**about, at=NOW, raised_at=NOW)
    assert said(other) is other


@pytest.mark.parametrize("where", ["before", "after", "details"])
def test_a_deed_leaves_without_secrets_and_within_bounds(where: str) -> None:
    told = getattr(said(deed(**{where: {"password": "hunter2", "url": "https://u:hunter2@x", "roles": ["admin"], "when": NOW}})), where)
    assert "hunter2" not in str(told)
    assert told["roles"] == ["admin"]
    large = getattr(said(deed(**{where: {"list": ["x" * 100] * 1000, "name": "n"}})), where)
    assert (large["names"], large["too_large_bytes"] > TOLD_BYTES) == (["list", "name"], True)
