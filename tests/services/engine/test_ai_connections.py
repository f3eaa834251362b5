"""The settings of a connection of type `ai`, as a body is checked."""

from typing import Any

import pytest
from weft_engine.connections.kinds import check, same_place

OPENAI: dict[str, Any] = {"provider": "openai", "models": {"default": "gpt-5-mini", "premium": "gpt-5"}}
KEY = {"api_key": "sk-fake"}


def test_a_provider_is_at_its_own_address_unless_another_is_given() -> None:
    found = check("ai", OPENAI, KEY, frozenset())
    anthropic = check("ai", {**OPENAI, "provider": "anthropic"}, KEY, frozenset())

    assert (found.wrong, anthropic.wrong) == ((), ())
    assert (found.settings["base_url"], anthropic.settings["base_url"]) == ("https://api.openai.com/v1", "https://api.anthropic.com")


@pytest.mark.parametrize(
    ("settings", "secrets", "pointers"),
    [
        ({"models": {"default": "m"}}, KEY, {"/settings/provider"}),
        ({**OPENAI, "models": {"premium": "m"}}, KEY, {"/settings/models"}),
        ({**OPENAI, "models": {"default": "a b"}}, KEY, {"/settings/models/default"}),
        ({**OPENAI, "api_key": "sk-fake"}, KEY, {"/settings/api_key"}),
        ({**OPENAI, "base_url": "http://models.example"}, KEY, {"/settings/base_url"}),
        ({**OPENAI, "prices": {"gpt-5": {"input": -1.0, "output": 1.0}}}, KEY, {"/settings/prices/gpt-5/input"}),
        ({**OPENAI, "provider": "openai-compatible"}, {}, {"/settings"}),
        (OPENAI, {}, {"/secrets/api_key"}),
        (OPENAI, {**KEY, "token": "x"}, {"/secrets/token"}),
    ],
)
def test_what_is_wrong_is_pointed_at(settings: dict[str, Any], secrets: dict[str, str | None], pointers: set[str]) -> None:
    assert {one.pointer for one in check("ai", settings, secrets, frozenset()).wrong} == pointers


def test_a_service_of_ones_own_needs_an_address_and_may_do_without_a_key() -> None:
    own = {"provider": "openai-compatible", "base_url": "https://models.example/v1", "models": {"default": "llama"}}

    assert check("ai", own, {}, frozenset()).wrong == ()


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"models": {"default": "other"}}, True),
        ({"base_url": "https://api.openai.com/v2"}, True),
        ({"base_url": "https://evil.example/v1"}, False),
        ({"provider": "anthropic"}, False),
    ],
)
def test_a_key_goes_to_another_origin_only_when_it_is_given_again(change: dict[str, Any], same: bool) -> None:
    assert same_place("ai", OPENAI, {**OPENAI, **change}) is same
    assert same_place("ai", {**OPENAI, **change}, OPENAI) is same
