"""A call of a workflow that the tenant does not have, or never published, is warned of where it is named."""

from typing import Any

import pytest
from weft_language import call_findings, called_workflows, validate

from tests.language.build import document, node

PUBLISHED = {"pay": (1, 3), "draft": ()}


def calling(workflow: Any, node_id: str = "call", **more: Any) -> dict[str, Any]:
    return node(node_id, "call", workflow=workflow, **more)


@pytest.mark.parametrize(
    ("made", "code", "pointer"),
    [
        (calling("refund"), "workflow_not_there", "/nodes/0/with/workflow"),
        (calling("draft"), "workflow_not_published", "/nodes/0/with/workflow"),
        (calling("pay", version=2), "workflow_not_published", "/nodes/0/with/version"),
        (node("g", "group", nodes=[calling("refund")]), "workflow_not_there", "/nodes/0/with/nodes/0/with/workflow"),
    ],
)
def test_it_is_warned_of_at_its_place(made: dict[str, Any], code: str, pointer: str) -> None:
    assert [finding for finding in validate(document(made)) if finding.severity == "error"] == []
    (finding,) = call_findings(document(made), PUBLISHED)
    assert (finding.severity, finding.code, finding.pointer) == ("warning", code, pointer)


def test_what_is_published_itself_or_not_known_is_not_warned_of() -> None:
    rendered = calling("{{ input.which }}", "c"), calling("pay", "d", version="{{ input.v }}")
    made = document(calling("pay", "a"), calling("pay", "b", version=3), *rendered, calling("itself", "e"), slug="itself")
    assert call_findings(made, PUBLISHED) == ()
    assert called_workflows(made) == {"pay"}


def test_one_that_is_much_like_it_is_proposed() -> None:
    (finding,) = call_findings(document(calling("refnud")), {}, ("refund", "pay"))
    assert (finding.fix, finding.patch) == (
        "did you mean `refund`?",
        ({"op": "replace", "path": "/nodes/0/with/workflow", "value": "refund"},),
    )


@pytest.mark.parametrize("made", [None, [], "call", {"nodes": 3}, {"nodes": [{"id": "a", "type": "call", "with": {"workflow": "\x00"}}]}])
def test_what_is_no_definition_calls_nobody(made: Any) -> None:
    assert called_workflows(made) == frozenset()
