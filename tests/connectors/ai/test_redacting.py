"""Personal data is taken out of what a model is given, and put back into what it gives."""

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from weft_connectors.ai.redacting import Redaction
from weft_language.actions.ai.model import Personal

from tests.connectors.ai.conftest import Ask, connection
from tests.connectors.ai.fakes import Asked, openai

EVERY = frozenset(get_args(Personal))
PEOPLE = {
    "email": ["ada.lovelace+x@mail.example.co.uk", "böse@example.org"],
    "phone": ["+39 333 1234567", "0039 06 1234 5678", "(02) 1234 5678", "555-123-4567"],
    "iban": ["IT60X0542811101000000123456", "GB29 NWBK 6016 1331 9268 19", "BE68 5390 0754 7034", "de89370400440532013000"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "tax_code": ["RSSMRA85T10A562S", "rssmra85t10a562s"],
    "ip": ["10.0.0.1", "2001:db8::1"],
}
NOTHING = (
    "order 1234567 of 2026-11-26 20:49:15 for 1.234,56 EUR, id 0190a1b2-1111-7222-8333-444455556666, at 2026-11-26T20:49:01Z, "
    "version 1.2.3, a@b, IBAN IT61X0542811101000000123456, code RSSMRA85T10A562T"
)


def redaction(*kinds: Personal) -> Redaction:
    return Redaction(frozenset(kinds) or EVERY, "4f0c")


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in PEOPLE.items() for text in texts])
def test_each_kind_is_found_by_its_form_in_the_middle_of_words(kind: Personal, text: str) -> None:
    one = redaction(kind)
    hidden = one.out_of(f"Call {text} then paid, {text}.")
    assert text not in hidden and hidden.startswith("Call [") and hidden.endswith("]."), hidden
    assert len(one.marks) == 1
    assert one.into(hidden) == f"Call {text} then paid, {text}."


def test_what_only_looks_like_it_stays_as_it_is() -> None:
    assert redaction().out_of(NOTHING) == NOTHING
    assert redaction("card").out_of("4111 1111 1111 1112") == "4111 1111 1111 1112"
    assert redaction("email").out_of("+39 333 1234567") == "+39 333 1234567"
    assert Redaction(frozenset(), "4f0c").out_of("ada@example.org") == "ada@example.org"


@given(
    st.lists(st.one_of(st.sampled_from([text for texts in PEOPLE.values() for text in texts]), st.text(max_size=12)), max_size=12),
    st.sampled_from([" ", ", ", "\n", " - "]),
)
def test_nothing_planted_is_left_and_all_comes_back(parts: list[str], between: str) -> None:
    one, value = redaction(), {"note": between.join(parts), "list": list(parts), "to": {"ada@example.org": 1}}
    hidden = one.out_of(value)
    assert one.into(hidden) == value
    assert one.out_of(hidden) == hidden
    assert not [text for text in ("IT60X0542811101000000123456", "RSSMRA85T10A562S", "ada@example.org") if text in hidden["list"]]


async def test_a_model_sees_marks_and_the_workflow_what_they_stand_for(ask: Ask) -> None:
    """By the node and by the connection: what a connection says a node cannot undo."""
    async with openai(lambda asked: str(asked.turns[0]["content"].splitlines()[1])) as fake:
        output = await ask(
            "personalize", connection(fake, redact=["email"]), content="Write to ada@example.org or +39 333 1234567.",
            user={"name": "Ada", "mail": "ada@example.org"}, redact=["phone"], instructions="Greet ada@example.org",
        )  # fmt: skip
    assert output["result"] == "Write to ada@example.org or +39 333 1234567."
    body = json.dumps(fake.asked[0].body)
    assert "ada@example.org" not in body and "1234567" not in body
    assert body.count("[EMAIL 1 ") == 3


async def test_an_entity_is_told_as_it_stands_in_the_input(ask: Ask) -> None:
    def found(asked: Asked) -> str:
        mark = asked.turns[0]["content"].partition("from ")[2].splitlines()[0]
        return json.dumps({"entities": [{"type": "sender", "text": mark}]})

    async with openai(found) as fake:
        output = await ask("extract", connection(fake), input="A mail from ada@example.org", entities=["sender"], redact=["email"])
    assert output["result"] == [{"type": "sender", "text": "ada@example.org"}]
