"""Layer 1: every wrong shape is told in its place, with what was probably meant."""

from typing import Any

import pytest
from weft_language import InvalidDefinition, parse, validate

from tests.language.build import codes, document, node, only

SET = node("a", "set", x=1)


def test_the_smallest_document_is_valid_and_gets_its_slug_from_its_name() -> None:
    made = parse({"format": "weft/v1", "name": "Fattura n° 1", "nodes": [SET]})
    assert made.slug == "fattura-n-1"
    assert validate({"format": "weft/v1", "name": "x", "nodes": [SET]}) == ()


@pytest.mark.parametrize(
    ("name", "slug"), [("Events", "events-workflow"), ("Ä" * 200, "a" * 100), ("a" * 99 + " b", "a" * 99), ("--A__b!!", "a-b")]
)
def test_a_slug_is_made_from_any_name(name: str, slug: str) -> None:
    assert parse({"format": "weft/v1", "name": name, "nodes": [SET]}).slug == slug


def test_a_name_without_letters_still_gives_a_slug() -> None:
    assert parse({"format": "weft/v1", "name": "審査", "nodes": [SET]}).slug.startswith("workflow-")


@pytest.mark.parametrize("slug", ["executions", "events", "analytics", "rules", "templates", "validate", "import"])
def test_a_reserved_slug_is_refused(slug: str) -> None:
    assert codes(document(SET, slug=slug)) == [("slug_reserved", "/slug")]


@pytest.mark.parametrize(
    ("broken", "code", "pointer"),
    [
        ({"slug": "Not A Slug"}, "wrong_format", "/slug"),
        ({"slug": "a" * 101}, "wrong_length", "/slug"),
        ({"slug": ""}, "wrong_format", "/slug"),
        ({"name": ""}, "wrong_length", "/name"),
        ({"name": "x" * 256}, "wrong_length", "/name"),
        ({"name": 5}, "wrong_type", "/name"),
        ({"format": "weft/v2"}, "not_allowed", "/format"),
        ({"nodes": []}, "wrong_length", "/nodes"),
        ({"nodes": {}}, "wrong_type", "/nodes"),
        ({"nodes": None}, "wrong_type", "/nodes"),
        ({"labels": {"a": 1}}, "wrong_type", "/labels/a"),
        ({"settings": {"priority": 10}}, "out_of_range", "/settings/priority"),
        ({"settings": {"priority": True}}, "wrong_type", "/settings/priority"),
        ({"settings": {"priority": "5"}}, "wrong_type", "/settings/priority"),
        ({"settings": {"max_duration": "soon"}}, "invalid_duration", "/settings/max_duration"),
        ({"settings": {"max_duration": "0s"}}, "invalid_duration", "/settings/max_duration"),
        ({"settings": {"on_failure": "ignore"}}, "not_allowed", "/settings/on_failure"),
        ({"sla": {"due": "2d", "warn_at": 1.5}}, "out_of_range", "/sla/warn_at"),
        ({"sla": {}}, "required", "/sla/due"),
        ({"triggers": [{"on": "event"}]}, "required", "/triggers/0/event"),
        ({"triggers": [{"event": "x"}]}, "required", "/triggers/0/on"),
        ({"triggers": [{"on": "schedule", "cron": "* * * * *", "every": "5m"}]}, "one_of", "/triggers/0"),
        ({"triggers": [{"on": "schedule", "every": "5m", "starts": "2026-01-01"}]}, "invalid_time", "/triggers/0/starts"),
        ({"triggers": [{"on": "schedule"}]}, "one_of", "/triggers/0"),
        ({"triggers": [{"on": "schedule", "every": "999ms"}]}, "out_of_range", "/triggers/0/every"),
        ({"triggers": [{"on": "schedule", "cron": "61 * * * *"}]}, "invalid_cron", "/triggers/0/cron"),
        ({"triggers": [{"on": "schedule", "cron": "0 0 31 2 *"}]}, "invalid_cron", "/triggers/0/cron"),
        ({"triggers": [{"on": "schedule", "cron": "* * * * * *"}]}, "invalid_cron", "/triggers/0/cron"),
        ({"triggers": [{"on": "schedule", "every": "1m", "timezone": "Europe/Rom"}]}, "unknown_zone", "/triggers/0/timezone"),
        ({"triggers": [{"on": "record", "table": "t", "operation": ["crate"]}]}, "not_allowed", "/triggers/0/operation/0"),
        ({"edges": [{"from": "a"}]}, "required", "/edges/0/to"),
        ({"edges": [{"from": "a", "to": "a", "when": 1}]}, "wrong_type", "/edges/0/when"),
        ({"input": [1]}, "wrong_type", "/input"),
    ],
)
def test_a_wrong_field_of_the_document_is_pointed_at(broken: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, pointer) in codes({**document(SET), **broken}, "error")


@pytest.mark.parametrize(
    ("wrong", "code", "pointer"),
    [
        ({"id": "1st"}, "wrong_format", "/nodes/0/id"),
        ({"id": "a" * 65}, "wrong_format", "/nodes/0/id"),
        ({"id": "a\n"}, "wrong_format", "/nodes/0/id"),
        ({"type": 5}, "wrong_type", "/nodes/0/type"),
        ({"type": "Set"}, "wrong_format", "/nodes/0/type"),
        ({"with": [1]}, "wrong_type", "/nodes/0/with"),
        ({"timeout": "{{ input.t }}"}, "invalid_duration", "/nodes/0/timeout"),
        ({"timeout": "0s"}, "invalid_duration", "/nodes/0/timeout"),
        ({"retry": {"attempts": 0}}, "out_of_range", "/nodes/0/retry/attempts"),
        ({"retry": {"attempts": 101}}, "out_of_range", "/nodes/0/retry/attempts"),
        ({"retry": {"factor": 0.5}}, "out_of_range", "/nodes/0/retry/factor"),
        ({"retry": {"delay": "x"}}, "invalid_duration", "/nodes/0/retry/delay"),
        ({"position": {"x": 1}}, "required", "/nodes/0/position/y"),
        ({"enhance": {"type": "slack.post"}}, "wrong_format", "/nodes/0/enhance/type"),
    ],
)
def test_a_wrong_field_of_a_node_is_pointed_at(wrong: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, pointer) in codes(document({**SET, **wrong}), "error")


@pytest.mark.parametrize(
    ("made", "code", "pointer"),
    [
        (node("n", "transform"), "one_of", ""),
        (node("n", "transform", expression="1", map={}), "one_of", ""),
        (node("n", "if"), "one_of", ""),
        (node("n", "if", when=True), "wrong_type", "/when"),
        (node("n", "switch", cases=[]), "wrong_length", "/cases"),
        (node("n", "switch", cases=[{"when": "true"}]), "required", "/cases/0/outcome"),
        (node("n", "group"), "required", "/nodes"),
        (node("n", "group", nodes=[{"id": "b"}]), "required", "/nodes/0/type"),
        (node("n", "parallel", branches={"a b": {"nodes": [SET]}}), "wrong_format", "/branches/a b"),
        (node("n", "parallel", branches={"b": {"nodes": [SET]}}, join=0), "out_of_range", "/join"),
        (node("n", "foreach", items="no template", body={"nodes": [SET]}), "wrong_type", "/items"),
        (node("n", "foreach", items=[], body={"nodes": [SET]}, concurrency=0), "out_of_range", "/concurrency"),
        (node("n", "loop", body={"nodes": [SET]}), "one_of", ""),
        (node("n", "wait"), "one_of", ""),
        (node("n", "wait", for_="5 minutes"), "invalid_duration", "/for"),
        (node("n", "wait", until="2026-01-01T00:00:00"), "invalid_time", "/until"),
        (node("n", "state", after={"late": "soon"}), "invalid_duration", "/after/late"),
        (node("n", "state", signals={"a/b": {}}), "wrong_format", "/signals/a~1b"),
        (node("n", "task", priority=10), "out_of_range", "/priority"),
        (node("n", "task", outcomes=[]), "wrong_length", "/outcomes"),
        (node("n", "task", due="x"), "invalid_duration", "/due"),
        (node("n", "task", candidates={"people": ["a"]}), "unknown_field", "/candidates/people"),
        (node("n", "task", on_timeout=[{"after": "1d", "do": "shout"}]), "not_allowed", "/on_timeout/0/do"),
        (node("n", "call"), "required", "/workflow"),
        (node("n", "publish"), "required", "/type"),
        (node("n", "end", status="done"), "not_allowed", "/status"),
        (node("n", "activity"), "required", "/name"),
        (node("n", "http.request"), "required", "/url"),
        (node("n", "http.request", url="https://x.y", method="FETCH"), "not_allowed", "/method"),
        (node("n", "http.request", url="https://x.y", expect=["2x"]), "wrong_format", "/expect/0"),
        (node("n", "http.request", url="https://x.y", timeout_s=0), "out_of_range", "/timeout_s"),
        (node("n", "http.request", url="https://x.y", body={}, form={}), "one_of", ""),
        (node("n", "http.request", url="example.com/x"), "wrong_format", "/url"),
        (node("n", "http.request", url="/x", connection="{{ input.bank }}"), "wrong_format", "/connection"),
        (node("n", "http.request", url="/x", connection="bank "), "wrong_format", "/connection"),
        (node("n", "slack.post_message", channel="#a", text="x"), "required", "/connection"),
        (node("n", "slack.post_message", connection="s", channel="#a"), "one_of", ""),
        (node("n", "slack.post_message", connection="s", channel="#a", text="x", thread_ts="yesterday"), "wrong_format", "/thread_ts"),
        (node("n", "slack.post_message", connection="s", channel="#a", blocks=[]), "wrong_length", "/blocks"),
        (node("n", "slack.notify_status", connection="s", channel="#a", title="t", status="fine"), "not_allowed", "/status"),
        (node("n", "slack.upload_file", connection="s", filename="a", content="x", content_base64="eA=="), "one_of", ""),
    ],
)
def test_a_wrong_configuration_is_pointed_at(made: dict[str, Any], code: str, pointer: str) -> None:
    assert (code, f"/nodes/0/with{pointer}") in codes(document(made), "error")


@pytest.mark.parametrize(
    ("broken", "pointer", "meant"),
    [
        ({"descripton": "x"}, "/descripton", "description"),
        ({"Settings": {}}, "/Settings", "settings"),
        ({"settings": {"maxDuration": "1d"}}, "/settings/maxDuration", "max_duration"),
        ({"nodes": [{**SET, "retries": {}}]}, "/nodes/0/retries", "retry"),
        ({"nodes": [{**SET, "retry": {"atempts": 3}}]}, "/nodes/0/retry/atempts", "attempts"),
        ({"nodes": [node("t", "task", due="1d", candidate={})]}, "/nodes/0/with/candidate", "candidates"),
        ({"nodes": [node("g", "group", nodes=[{**SET, "tmeout": "5m"}])]}, "/nodes/0/with/nodes/0/tmeout", "timeout"),
        ({"edges": [{"from": "a", "to": "a", "whn": "true"}]}, "/edges/0/whn", "when"),
        ({"triggers": [{"on": "event", "event": "x", "inputs": {}}]}, "/triggers/0/inputs", "input"),
    ],
)
def test_a_misspelt_field_is_told_with_the_one_that_was_meant(broken: dict[str, Any], pointer: str, meant: str) -> None:
    finding = only({**document(SET), **broken}, "unknown_field")
    assert (finding.pointer, finding.fix) == (pointer, f"did you mean `{meant}`?")
    assert finding.patch is not None
    assert finding.patch[0] == {"op": "move", "from": pointer, "path": pointer.rsplit("/", 1)[0] + "/" + meant}


def test_a_field_that_belongs_in_with_is_sent_there() -> None:
    finding = only(document({"id": "h", "type": "http.request", "url": "https://x.y", "with": {"method": "GET"}}), "unknown_field")
    assert finding.fix == "move `url` into `with`"


@pytest.mark.parametrize(("written", "meant"), [("sett", "set"), ("http.requst", None), ("Publish", None), ("for_each", "foreach")])
def test_an_unknown_node_type_is_told_with_the_nearest(written: str, meant: str | None) -> None:
    found = [finding for finding in validate(document(node("a", written))) if finding.code == "unknown_node_type"]
    assert [finding.fix for finding in found] == ([f"did you mean `{meant}`?"] if meant else [])


def test_keys_that_start_with_x_are_kept_anywhere() -> None:
    made = document({**node("a", "set", y=1), "x-note": {"a": [1]}}, settings={"x-s": 1}) | {"x-owner": "me"}
    made["nodes"][0]["with"]["x-hidden"] = 1
    assert codes(made) == []
    definition = parse(made)
    assert definition.nodes[0].with_.values == {"y": 1}


def test_all_errors_come_at_once_from_all_layers() -> None:
    broken = document(node("a", "sett"), node("b", "if", when="input.("), edges=[{"from": "a", "to": "zz"}], nam="x")
    assert {code for code, _ in codes(broken, "error")} >= {"unknown_node_type", "expression_syntax", "unknown_node", "unknown_field"}


def test_findings_are_bounded_ordered_and_errors_come_first() -> None:
    findings = validate(document(*[node("same", "set", x="{{ nope }}") for _ in range(500)]))
    assert len(findings) == 200
    assert findings[-1].code == "more_findings"
    severities = [finding.severity for finding in findings]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)


@pytest.mark.parametrize(
    "value", [None, 5, "x", [], True, float("nan"), {"a": float("inf")}, {1: 2}, {"a": {1, 2}}, {"a": "\x00"}, {"\ud800": 1}]
)
def test_what_is_no_json_object_is_refused(value: Any) -> None:
    with pytest.raises(InvalidDefinition) as refused:
        parse(value)
    assert refused.value.findings


def test_a_document_nested_without_end_is_refused() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"a": deep}
    assert [code for code, _ in codes({**document(SET), "x-deep": deep})] == ["too_deep"]
    nodes = [SET]
    for number in range(25):
        nodes = [node(f"g{number}", "group", nodes=nodes)]
    assert "too_deep" in [code for code, _ in codes(document(*nodes))]


def test_more_than_a_thousand_nodes_over_all_scopes_are_refused() -> None:
    groups = [node(f"g{group}", "group", nodes=[node(f"n{group}_{n}", "set", x=1) for n in range(500)]) for group in range(2)]
    assert ("too_many_nodes", "/nodes") in codes(document(*groups))


@pytest.mark.parametrize(
    ("queue", "right"), [("prices.eu-1_b", True), ("{{ input.queue }}", True), ("a b", False), ("q" * 101, False), ("", False)]
)
def test_a_queue_is_named_as_brokers_name_them(queue: str, right: bool) -> None:
    found = codes(document(node("a", "activity", name="price", queue=queue)))
    assert (("wrong_format", "/nodes/0/with/queue") in found) is not right


def test_a_text_where_a_template_or_number_is_needed_is_told_how_templates_are_written() -> None:
    finding = only(
        document({"id": "f", "type": "foreach", "with": {"items": [1], "concurrency": "x", "body": {"nodes": [SET]}}}), "wrong_type"
    )
    assert "`{{ ... }}`" in finding.message
