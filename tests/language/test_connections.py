"""A connection that the tenant does not have, or that cannot be gone by, is warned of where it is named."""

from typing import Any

import pytest
from weft_language import connection_findings, validate

from tests.language.build import document, node

KNOWN = {"bank": "http", "Ledger API": "http", "gh": "webhook"}
SET = node("a", "set", x=1)


def asking(connection: str, node_id: str = "ask") -> dict[str, Any]:
    return node(node_id, "http.request", url="/x", connection=connection)


MISSING, ANOTHER = "connection_not_there", "connection_of_another_type"
HOOK = {"on": "webhook", "path": "/in", "signature": "github", "connection": "gh"}


@pytest.mark.parametrize(
    ("made", "code", "pointer", "fix"),
    [
        (document(asking("bnak")), MISSING, "/nodes/0/with/connection", "did you mean `bank`?"),
        (document(asking("ledger-api")), MISSING, "/nodes/0/with/connection", "did you mean `Ledger API`?"),
        (document(asking("stripe")), MISSING, "/nodes/0/with/connection", "make one of type `http` before it is needed"),
        (document(asking("gh")), ANOTHER, "/nodes/0/with/connection", "name one of type `http`"),
        (
            document(SET, triggers=[{**HOOK, "connection": "hg"}]),
            MISSING,
            "/triggers/0/connection",
            "make one of type `webhook`",
        ),
        (
            document(SET, triggers=[{**HOOK, "connection": "bank"}]),
            ANOTHER,
            "/triggers/0/connection",
            "name one of type",
        ),
        (document(node("g", "group", nodes=[asking("x")])), MISSING, "/nodes/0/with/nodes/0/with/connection", "make one"),
        (
            document({**asking("bank"), "compensate": {"type": "http.request", "with": {"url": "/y", "connection": "bonk"}}}),
            MISSING,
            "/nodes/0/compensate/with/connection",
            "did you mean `bank`?",
        ),
    ],
)
def test_it_is_warned_of_at_its_place(made: dict[str, Any], code: str, pointer: str, fix: str) -> None:
    assert [finding for finding in validate(made) if finding.severity == "error"] == []
    (finding,) = connection_findings(made, KNOWN)
    assert (finding.severity, finding.code, finding.pointer) == ("warning", code, pointer)
    assert (finding.fix or "").startswith(fix)
    if "did you mean" in fix:
        assert finding.patch == ({"op": "replace", "path": pointer, "value": fix.split("`")[1]},)


def test_what_is_there_is_not_warned_of() -> None:
    plain = node("plain", "http.request", url="https://example.com/")
    assert connection_findings(document(asking("bank"), asking("Ledger API", "other"), plain, triggers=[HOOK]), KNOWN) == ()


def test_each_place_is_told_apart() -> None:
    found = connection_findings(document(asking("x"), asking("y", "other")), {})
    assert [(finding.node, finding.pointer) for finding in found] == [
        ("ask", "/nodes/0/with/connection"),
        ("other", "/nodes/1/with/connection"),
    ]
