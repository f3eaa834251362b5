import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.telemetry.redaction import MASK, redact, redact_text

from tests.support.effort import computing_at_most

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"
SECRETS = [
    f"Bearer {JWT}",
    JWT,
    f"weft_{JWT}",
    "weft_abcdefgh12345678",
    "weftr_wJ4x-0_ZkQ2mA9sB7cD1eF5gH3iJ6kL8nO0pQ2rS4tU",
    "Basic dXNlcjpwYXNzd29yZA==",
    "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "sk_live_abcdefghijklmnop",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "xoxb-1234567890-abcdefgh",
]


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "token", "access_token", "Authorization", "api_key", "apiKey", "client_secret", "Cookie", "database_url"],
)
def test_a_field_named_like_a_secret_is_masked_at_any_depth(name: str) -> None:
    assert redact({"a": [{"b": {name: "hunter2"}}]}) == {"a": [{"b": {name: MASK}}]}


@pytest.mark.parametrize("name", ["token_id", "token_type", "input_tokens", "title", "author", "passed"])
def test_a_field_that_only_looks_alike_is_shown(name: str) -> None:
    assert redact({name: "x"}) == {name: "x"}


@pytest.mark.parametrize("secret", SECRETS)
@given(before=st.text(max_size=20), after=st.text(max_size=20))
def test_a_secret_within_a_text_is_masked(secret: str, before: str, after: str) -> None:
    shown = redact_text(f"{before} {secret} {after}")
    assert secret.removeprefix("Bearer ").removeprefix("Basic ") not in shown
    assert MASK in shown


def test_a_password_in_an_address_is_masked() -> None:
    assert redact_text("cannot reach postgresql://tasks:hunter2@db:5432/weft") == f"cannot reach postgresql://tasks:{MASK}@db:5432/weft"


@pytest.mark.parametrize(
    "address", ["amqp://weft:hun/ter2@mq:5672", "amqp://weft:hunter2@mq@mq:5672", "postgresql://weft:hunter2/@db", "redis://:hunter2@r"]
)
def test_a_password_in_an_address_is_masked_however_it_is_written(address: str) -> None:
    shown = redact_text(f"no answer from {address} or http://weft:8080/users/a@b")
    assert not any(part in shown for part in ("hun", "ter2", "2@mq@"))
    assert shown.endswith("http://weft:8080/users/a@b"), "a port is no password"


@pytest.mark.parametrize(
    "text",
    [
        """input_value={'password': 'hunter2', 'email': 'a'}""", '{"api_key":"hunter2"}', r'{\"client_secret\": \"hunter2\"}',
        "ALTER ROLE tasks LOGIN PASSWORD 'hunter2'", "GET /hook?a=1&token=hunter2&b=2", "https://x/?sig=hunter2",
    ],
)  # fmt: skip
def test_a_value_that_is_named_like_a_secret_is_masked_within_a_text(text: str) -> None:
    assert "hunter2" not in redact_text(text)


def test_a_long_stack_keeps_what_happened_at_its_end() -> None:
    shown = redact_text("Traceback (most recent call last):\n" + "  File\n" * 5000 + "ValueError: the reason")
    assert len(shown) < 8300
    assert shown.startswith("Traceback") and shown.endswith("ValueError: the reason")


@pytest.mark.parametrize("before", range(2000, 2060, 5))
def test_a_secret_that_is_cut_in_two_is_masked(before: int) -> None:
    secrets = f" {JWT} amqp://weft:hunter2hunter2@mq "
    shown = redact_text("x" * before + secrets + "y" * (20_000 - before) + secrets + "z" * (before + 4080))
    assert not any(piece in shown for piece in ("eyJzdWIiOiJ1In0", "c2lnbmF0dXJl", "bmF0dXJl", "hunt", "ter2"))


@pytest.mark.parametrize("said", ["Failing row contains (1, hunter2, (x)).", "Key (a, b)=(1, hunter2) already exists."])
def test_a_row_that_the_database_refuses_is_masked(said: str) -> None:
    shown = redact_text(f"value violates x\nDETAIL:  {said}\nnext line")
    assert "hunter2" not in shown and "DETAIL" in shown and "next line" in shown


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a.",
        "eyJ",
        "eyJaaaaa.",
        "a eyJ",
        "a://",
        "a://b:",
        "bearer ",
        "weft_",
        "password'",
        "password 'a",
        "?key=",
        'secret" :',
        "Key (a",
    ],
)
def test_no_text_keeps_the_redaction_busy(piece: str) -> None:
    text = piece * (8192 // len(piece))
    # A stranger's method or field name is such a text, and everybody waits for its line.
    with computing_at_most(0.25):
        redact_text(text)


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_value_can_be_redacted(value: object) -> None:
    redact(value)


def test_names_of_our_packages_are_no_keys() -> None:
    line = 'File "services/engine/weft_engine/hotloop/lane.py", line 3, in weft_contracts.frames'
    assert redact_text(line) == line
