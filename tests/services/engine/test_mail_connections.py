"""Connections of types `resend` and `smtp`: which settings and secrets they have, where those are sent, and who is told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from weft_engine.connections import Secret, new
from weft_engine.connections.kinds import check, same_place

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def wrong(type_: str, settings: dict[str, Any], **secrets: str) -> list[str]:
    return [one.pointer for one in check(type_, settings, secrets, frozenset()).wrong]


@pytest.mark.parametrize(
    ("type_", "settings", "secrets", "pointers"),
    [
        ("resend", {}, {"api_key": "re_1"}, []),
        ("resend", {"from": "Shop <shop@acme.example>"}, {"api_key": "re_1", "webhook_secret": "whsec_x"}, []),
        ("resend", {}, {}, ["/secrets/api_key"]),
        ("resend", {"base_url": "http://gateway.example"}, {"api_key": "re_1"}, ["/settings/base_url"]),
        ("resend", {"from": "Shop\nBcc: x@y.example <a@b.example>"}, {"api_key": "re_1"}, ["/settings/from"]),
        ("resend", {"from": "nobody"}, {"api_key": "re_1"}, ["/settings/from"]),
        ("smtp", {"host": "mail.example"}, {"username": "shop", "password": "p"}, []),
        ("smtp", {"host": "mail.example", "security": "none"}, {}, []),
        ("smtp", {"host": "mail.example", "security": "none"}, {"username": "shop"}, ["/secrets/username"]),
        ("smtp", {"host": "mail.example/x"}, {}, ["/settings/host"]),
        ("smtp", {"host": "mail.example", "port": 0}, {}, ["/settings/port"]),
        ("smtp", {}, {}, ["/settings/host"]),
    ],
)
def test_settings_and_secrets_are_checked_strictly(
    type_: str, settings: dict[str, Any], secrets: dict[str, str], pointers: list[str]
) -> None:
    assert wrong(type_, settings, **secrets) == pointers


def test_settings_are_kept_as_they_are_written() -> None:
    kept = check("smtp", {"host": "mail.example", "from": "a@b.example"}, {}, frozenset()).settings
    assert kept == {"host": "mail.example", "security": "starttls", "from": "a@b.example"}
    assert check("resend", {}, {"api_key": "re_1"}, frozenset()).settings == {"base_url": "https://api.resend.com"}


@pytest.mark.parametrize(
    ("type_", "before", "after", "same"),
    [
        ("resend", {}, {"from": "a@b.example"}, True),
        ("resend", {}, {"base_url": "https://evil.example"}, False),
        ("resend", {"base_url": "https://evil.example"}, {}, False),
        ("smtp", {"host": "mail.example"}, {"host": "MAIL.example"}, True),
        ("smtp", {"host": "mail.example"}, {"host": "evil.example"}, False),
        ("smtp", {"host": "mail.example"}, {"host": "mail.example", "port": 2525}, False),
        ("smtp", {"host": "mail.example"}, {"host": "mail.example", "security": "tls"}, False),
    ],
)
def test_secrets_are_given_again_for_another_place(type_: str, before: dict[str, Any], after: dict[str, Any], same: bool) -> None:
    assert same_place(type_, before, after) is same


def test_of_resend_others_are_told_the_sealed_secrets_and_of_a_mail_server_none() -> None:
    told = {
        type_: new(UUID(int=1), "mail", type_, None, {}, {"api_key": Secret("sealed", NOW)}, NOW, None).told().sealed
        for type_ in ("resend", "smtp")
    }
    assert told == {"resend": {"api_key": "sealed"}, "smtp": {}}
