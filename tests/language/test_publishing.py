"""What this release does not execute is known, valid, and refused at publish by name."""

import re
from pathlib import Path
from typing import Any

import pytest
from weft_language import InvalidDefinition, compile_definition, node_types, parse, publish_findings, validate
from weft_language.actions import ACTIONS
from weft_language.reading.yaml_text import read_yaml

from tests.language.build import document, node

SET = node("a", "set", x=1)


@pytest.mark.parametrize(
    ("made", "pointer", "names"),
    [
        (document(node("s", "teams.post_message", text="x")), "/nodes/0/type", "`teams.post_message`"),
        (
            document(node("g", "group", nodes=[node("s", "teams.post_message", text="x")])),
            "/nodes/0/with/nodes/0/type",
            "`teams.post_message`",
        ),
        (
            document({**SET, "compensate": {"type": "teams.delete_message", "with": {}}}),
            "/nodes/0/compensate/type",
            "`teams.delete_message`",
        ),
        (document({**SET, "enhance": {"type": "ai.dream"}}), "/nodes/0/enhance/type", "`ai.dream`"),
    ],
)
def test_a_part_of_a_later_release_is_valid_but_refused_at_publish(made: dict[str, Any], pointer: str, names: str) -> None:
    assert [finding for finding in validate(made) if finding.severity == "error"] == []
    (finding,) = publish_findings(parse(made))
    assert (finding.code, finding.severity, finding.pointer) == ("not_executable_yet", "error", pointer)
    assert names in finding.message
    assert (finding.fix or "").startswith("meanwhile: ")
    with pytest.raises(InvalidDefinition):
        compile_definition(parse(made), 1)


def test_what_is_executed_is_published() -> None:
    made = document(
        SET,
        node(
            "t",
            "task",
            due="1d",
            candidates={"roles": ["approver"]},
            priority=3,
            approvals={"required": 2},
            reminders=["1h"],
            on_timeout=[{"after": "20h", "do": "fail"}],
        ),
        node("u", "task", due="1d", candidates={"roles": ["approver"]}, separate_from=["t"]),
        node("w", "wait", until="2030-01-01T00:00:00Z", calendar="office"),
        sla={"due": "2d", "calendar": "office"},
        settings={"max_duration": "3d", "on_failure": "fail"},
        triggers=[
            {"on": "event", "event": "a.*"},
            {"on": "event", "event": "x", "correlate": "{{ trigger.payload.id }}"},
            {"on": "schedule", "cron": "30 6 * * MON-FRI", "timezone": "Europe/Rome", "catch_up": "once"},
            {"on": "webhook", "path": "github/issues", "signature": "github", "connection": "gh"},
            {"on": "manual", "form": {"type": "object"}},
        ],
    )
    assert publish_findings(parse(made)) == ()


def test_the_catalog_says_what_is_executed() -> None:
    executed = {entry["type"] for entry in node_types() if entry["executable"]}
    assert executed == {
        "set", "transform", "if", "switch", "group", "parallel", "foreach", "loop", "call", "compensate",
        "wait", "state", "task", "publish", "fail", "end", "activity", *ACTIONS,
    }  # fmt: skip


def test_the_definition_on_the_page_about_tasks_is_published_without_a_word() -> None:
    (written,) = re.findall(r"```yaml\n(.*?)```", (Path(__file__).parents[2] / "docs/user-tasks.md").read_text(), re.S)
    made = read_yaml(written)
    assert [finding for finding in validate(made) if finding.severity != "info"] == []
    assert publish_findings(parse(made)) == ()
