"""A tenant's id stands in routing keys, so nothing in it may mean something there."""

import re

from hypothesis import given
from hypothesis import strategies as st
from weft_contracts.routing import TENANT_MAX_LENGTH, TENANT_PATTERN, event_key

IDS = st.from_regex(TENANT_PATTERN, fullmatch=True).filter(lambda tenant: len(tenant) <= TENANT_MAX_LENGTH)


@given(tenant=IDS, type_=st.sampled_from(["task.created", "github.issues.opened"]))
def test_a_key_finds_its_tenant_again(tenant: str, type_: str) -> None:
    assert event_key(tenant, type_).partition(".") == (tenant, ".", type_)


@given(tenant=IDS, other=IDS)
def test_a_key_of_one_tenant_matches_no_other(tenant: str, other: str) -> None:
    assert event_key(tenant, "task.created").startswith(f"{other}.") is (tenant == other)


@given(text=st.text(st.sampled_from("ab1-.*#_ A"), max_size=8))
def test_no_other_character_is_let_in(text: str) -> None:
    if re.fullmatch(TENANT_PATTERN, text):
        assert set(text) <= set("ab1-")
        assert not text.startswith("-") and not text.endswith("-") and "--" not in text
