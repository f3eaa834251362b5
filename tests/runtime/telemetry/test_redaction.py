import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_runtime.telemetry.redaction import MASK, redact, redact_text

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"
SECRETS = [
    f"Bearer {JWT}",
    JWT,
    f"weft_{JWT}",
    "weft_abcdefgh12345678",
    "weftr_wJ4x-0_ZkQ2mA9sB7cD1eF5gH3iJ6kL8nO0pQ2rS4tU",
    "Basic dXNlcjpwYXNzd29yZA==",
    "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
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


@given(st.recursive(st.none() | st.integers() | st.text() | st.binary(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_value_can_be_redacted(value: object) -> None:
    redact(value)


def test_names_of_our_packages_are_no_keys() -> None:
    line = 'File "services/engine/weft_engine/hotloop/lane.py", line 3, in weft_contracts.frames'
    assert redact_text(line) == line
