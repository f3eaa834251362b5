"""Signatures of webhooks: the published examples of each scheme, rotation, time, and whatever is not signed as it should be."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from weft_events import verifying
from weft_events.verifying import Headers, NotSigned, Proof

from tests.services.events.signing import SCHEMES, SECRET, signed
from tests.services.events.test_real_events import FOLDER

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
BODY = b'{"number": 1, "text": "\xc3\xa9"}'
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
    b"&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J"
    b"%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
PUBLISHED: dict[str, tuple[str, str, bytes, int, dict[str, str]]] = {
    # Of the reference libraries of Standard Webhooks.
    "standard-webhooks": (
        "standard-webhooks",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b'{"test": 2432232314}',
        1614265330,
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
    ),
    # docs.svix.com, "Verifying webhooks manually".
    "svix": (
        "svix",
        "whsec_plJ3nmyCDGBKInavdOK15jsl",
        b'{"event_type":"ping","data":{"success":true}}',
        1731705121,
        {
            "svix-id": "msg_loFOjxBNrRLzqYUf",
            "svix-timestamp": "1731705121",
            "svix-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        },
    ),
    # docs.slack.dev, "Verifying requests from Slack".
    "slack": (
        "slack",
        "8f742231b10e8888abcd99yyyzzz85a5",
        SLACK_BODY,
        1531420618,
        {
            "x-slack-request-timestamp": "1531420618",
            "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        },
    ),
    # docs.github.com, "Validating webhook deliveries", and the same digest where another header has it, in hex and in base64.
    "github": (
        "github",
        "It's a Secret to Everybody",
        b"Hello, World!",
        0,
        {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
    ),
    "hex": (
        "hmac-sha256",
        "It's a Secret to Everybody",
        b"Hello, World!",
        0,
        {"x-signature": "757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17"},
    ),
    "base64": (
        "hmac-sha256",
        "It's a Secret to Everybody",
        b"Hello, World!",
        0,
        {"x-signature": "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc="},
    ),
}


def many(headers: dict[str, str]) -> Headers:
    return {name: [value] for name, value in headers.items()}


def verify(scheme: str, headers: Headers, body: bytes = BODY, secrets: Sequence[str] = (SECRET,), now: datetime = NOW) -> Proof:
    return verifying.verify(scheme, secrets, verifying.USUAL_HEADER, headers, body, now)


def refused(scheme: str, headers: Headers, body: bytes = BODY, secrets: Sequence[str] = (SECRET,), now: datetime = NOW) -> bool:
    try:
        verify(scheme, headers, body, secrets, now)
    except NotSigned:
        return True
    return False


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_example_of_a_scheme_is_verified_and_nothing_near_it(name: str) -> None:
    scheme, secret, body, at, headers = PUBLISHED[name]
    now = datetime.fromtimestamp(at, UTC)
    proof = verify(scheme, many(headers), body, [secret], now)
    assert proof.delivery == next((value for header, value in headers.items() if header.endswith("-id")), None)
    assert refused(scheme, many(headers), body + b" ", [secret], now)
    assert refused(scheme, many(headers), body, [secret + "x"], now)
    for header in headers:
        assert refused(scheme, many({other: value for other, value in headers.items() if other != header}), body, [secret], now)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_while_a_secret_is_replaced_both_verify_and_afterwards_only_the_new_one(scheme: str) -> None:
    new = "whsec_" + base64.b64encode(b"another key of thirty-two bytes!").decode()
    by_old, by_new = many(signed(scheme, BODY, NOW)), many(signed(scheme, BODY, NOW, secret=new))
    assert verify(scheme, by_old, secrets=[new, SECRET]) == verify(scheme, by_new, secrets=[new, SECRET])
    assert refused(scheme, by_old, secrets=[new])


@pytest.mark.parametrize("scheme", ["standard-webhooks", "svix", "slack"])
def test_what_was_signed_long_ago_or_for_later_is_refused(scheme: str) -> None:
    for seconds, late in ((-300, False), (300, False), (-301, True), (301, True), (-86_400, True), (10**9, True)):
        assert refused(scheme, many(signed(scheme, BODY, NOW + timedelta(seconds=seconds)))) is late


@pytest.mark.parametrize("scheme", SCHEMES)
def test_an_empty_secret_and_none_at_all_verify_nothing(scheme: str) -> None:
    by_nothing = many(signed(scheme, BODY, NOW, secret=""))
    assert refused(scheme, by_nothing, secrets=[""])
    assert refused(scheme, by_nothing, secrets=["whsec_"] if scheme in ("standard-webhooks", "svix") else [""])
    assert refused(scheme, by_nothing, secrets=[])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_another_value_that_is_the_same_json_is_not_what_was_signed(scheme: str) -> None:
    again = json.dumps(json.loads(BODY)).encode()
    assert again != BODY
    assert refused(scheme, many(signed(scheme, BODY, NOW)), again)
    assert not refused(scheme, many(signed(scheme, again, NOW)), again)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_header_that_is_there_twice_is_no_signature(scheme: str) -> None:
    once = many(signed(scheme, BODY, NOW, content_type=""))
    for name in once:
        twice = {**once, name: [*once[name], *once[name]]}
        # GitHub signs no id: one that is there twice is none.
        assert refused(scheme, twice) or (name == "x-github-delivery" and verify(scheme, twice).delivery is None)


def test_of_several_signatures_one_that_fits_will_do_and_other_versions_do_not() -> None:
    headers = signed("standard-webhooks", BODY, NOW)
    right = headers["webhook-signature"]
    for given_, verified in (
        (f"v1a,{'A' * 43}= v1,AAAA {right} v2,x", True),
        (f"{right},", False),
        (right.replace("v1,", "v2,"), False),
        (right.replace("v1,", "v1=,"), False),
        (right.removeprefix("v1,"), False),
    ):
        assert refused("standard-webhooks", many(headers | {"webhook-signature": given_})) is not verified


def test_a_secret_is_taken_with_its_prefix_or_without_and_other_text_as_it_is() -> None:
    headers = many(signed("standard-webhooks", BODY, NOW))
    assert not refused("standard-webhooks", headers, secrets=[SECRET.removeprefix("whsec_")])
    plain = base64.b64encode(b"not base64!").decode()
    assert not refused("standard-webhooks", many(signed("standard-webhooks", BODY, NOW, secret=plain)), secrets=["not base64!"])


def test_svix_may_write_its_headers_without_its_name() -> None:
    assert verify("svix", many(signed("standard-webhooks", BODY, NOW))).delivery == "d-1"
    assert refused("standard-webhooks", many(signed("svix", BODY, NOW)))


def test_who_needs_no_signature_may_still_name_the_delivery() -> None:
    assert verify("none", {}) == Proof()
    assert verify("none", {"idempotency-key": ["k-1"]}).delivery == "k-1"


HEADER_TEXT = st.one_of(
    st.text(st.characters(max_codepoint=255), max_size=80),
    st.sampled_from(
        (
            "",
            " ",
            "v1,",
            "v0=",
            "sha256=",
            "sha256=zz",
            "v1,====",
            "v1,AAAA",
            "1e9",
            "1_0",
            "-1",
            "+1",
            "١٢٣",
            "9" * 400,
            "NaN",
            "\x00",
            "\xff",
        )
    ),
    st.integers(min_value=-(10**12), max_value=10**12).map(str),
    st.just(str(int(NOW.timestamp()))),
    st.binary(min_size=32, max_size=32).map(lambda raw: f"v1,{base64.b64encode(raw).decode()}"),
    st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256={raw.hex()}"),
)
NAMES = sorted({name for scheme in SCHEMES for name in signed(scheme, BODY, NOW)})


@given(
    st.sampled_from(SCHEMES),
    st.dictionaries(st.sampled_from(NAMES), st.lists(HEADER_TEXT, max_size=2)),
    st.binary(max_size=60),
    st.lists(st.text(max_size=20), max_size=2),
)
@example("standard-webhooks", {"webhook-id": ["x"], "webhook-timestamp": ["9" * 400], "webhook-signature": ["v1,"]}, b"", [])
def test_whatever_comes_it_is_refused_and_nothing_else_happens(
    scheme: str, headers: dict[str, list[str]], body: bytes, secrets: list[str]
) -> None:
    assert refused(scheme, headers, body, secrets)


@given(st.sampled_from(SCHEMES), st.data())
def test_a_signature_with_one_character_changed_is_none(scheme: str, data: st.DataObject) -> None:
    headers = signed(scheme, BODY, NOW, content_type="")
    name = data.draw(st.sampled_from([name for name in headers if "delivery" not in name]))
    place = data.draw(st.integers(0, len(headers[name]) - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=255).filter(lambda one: one.lower() != headers[name][place].lower()))
    changed = headers[name][:place] + other + headers[name][place + 1 :]
    assert refused(scheme, many(headers | {name: changed}))


def test_the_real_payloads_of_github_are_verified_as_they_came_and_not_written_anew() -> None:
    found = sorted(FOLDER.glob("*.json"))
    if not found:
        print("not run: no conformance data")
    for path in found:
        body = path.read_bytes()
        headers = many(signed("github", body, NOW, delivery=path.name))
        assert verify("github", headers, body) == Proof(path.name)
        again = json.dumps(json.loads(body), separators=(",", ":")).encode()
        assert again == body or refused("github", headers, again), path.name
