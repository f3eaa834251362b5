"""Workflows of the shapes that the CNCF Serverless Workflow examples and the control-flow patterns have, written in this language."""

from typing import Any

from tests.language.build import document, edge, node


def _graph(*nodes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"nodes": list(nodes), **more}


SHAPES: dict[str, dict[str, Any]] = {
    "greeting": document(
        node("greet", "activity", name="greet", input={"name": "{{ input.person.name }}"}),
        output={"greeting": "{{ step.greet.output.greeting }}"},
        input={"type": "object", "properties": {"person": {"type": "object", "properties": {"name": {"type": "string"}}}}},
    ),
    "solve expressions one by one": document(
        node(
            "solve",
            "foreach",
            items="{{ input.expressions }}",
            as_="expression",
            concurrency="{{ input.width }}",
            body=_graph(node("one", "activity", name="solve", input="{{ expression }}")),
        ),
        node("collect", "transform", map={"results": "{{ step.solve.output.map(one, default(one.result, null)) }}"}),
        input={
            "type": "object",
            "properties": {"expressions": {"type": "array", "items": {"type": "string"}}, "width": {"type": "integer"}},
        },
    ),
    "parallel with two branches": document(
        node(
            "both",
            "parallel",
            branches={"short": _graph(node("short", "wait", for_="5s")), "long": _graph(node("long", "wait", until="{{ input.at }}"))},
        ),
        node("after", "set", woke="{{ step.short.output.woke_at }}", all="{{ step.both.output.long }}"),
    ),
    "first answer wins": document(
        node(
            "race",
            "parallel",
            join="any",
            branches={
                "answer": _graph(node("ask", "activity", name="ask")),
                "deadline": _graph(node("late", "wait", for_="1h"), node("gave_up", "fail", code="late")),
            },
        ),
        node("say", "publish", type="answered", data="{{ default(step.race.output.answer, null) }}"),
    ),
    "switch on data": document(
        node("age", "switch", cases=[{"when": "input.applicant.age >= 18", "outcome": "adult"}], default="minor"),
        node("start", "call", workflow="application", input="{{ input }}"),
        node("refuse", "end", output={"refused": "{{ input.applicant.name }}"}),
        edges=[edge("age", "start", "adult"), edge("age", "refuse", "minor")],
    ),
    "switch on events with a timeout": document(
        node(
            "decision",
            "state",
            events={"approved": {"event": "visa.approved", "match": "event.data.id == input.id"}, "denied": {"event": "visa.denied"}},
            after={"none": "1h"},
        ),
        node("end_well", "call", workflow="approved", wait=False),
        node("end_badly", "call", workflow="denied"),
        node("nobody", "publish", type="visa.forgotten"),
        edges=[
            edge("decision", "end_well", "approved"),
            edge("decision", "end_badly", "denied", when="signal.reason != ''"),
            edge("decision", "end_badly", "denied"),
            edge("decision", "nobody", "none"),
        ],
    ),
    "order with errors caught": document(
        {**node("provision", "http.request", url="https://example.com/{{ input.order.id }}"), "retry": {"attempts": 3}},
        node(
            "missing",
            "publish",
            type="order.failed",
            data={"code": "{{ step.provision.error.code }}", "why": "{{ step.provision.error.details }}"},
        ),
        node("use", "set", result="{{ step.provision.output.body.items[0].name }}", status="{{ step.provision.output.status }}"),
        edges=[edge("provision", "use"), edge("provision", "missing", "error", when="step.provision.error.code != 'http_blocked'")],
    ),
    "job polled until it is done": document(
        node("submit", "activity", name="submit"),
        node("rest", "wait", for_="{{ vars.pause }}"),
        node(
            "ask",
            "activity",
            name="status",
            input={"job": "{{ step.submit.output.id }}", "last": "{{ default(step.ask.output.at, null) }}"},
        ),
        node("done", "switch", cases=[{"when": "step.ask.output.status == 'done'", "outcome": "yes"}], default="no"),
        node("finish", "end", output="{{ step.ask.output }}"),
        edges=[
            edge("submit", "rest"),
            edge("rest", "ask"),
            edge("ask", "done"),
            edge("done", "finish", "yes"),
            edge("done", "rest", "no"),
        ],
        vars={"pause": "30s"},
    ),
    "loop over pages": document(
        node(
            "pages",
            "loop",
            while_="iteration == 1 || step.page.output.body.next != null",
            body=_graph(
                node("page", "http.request", url="https://example.com/?page={{ iteration }}"),
                node("keep", "set", found="{{ vars.found + step.page.output.body.items }}"),
            ),
        ),
        node(
            "tell", "publish", type="found", data={"count": "{{ size(vars.found) }}", "last": "{{ default(step.page.output.status, 0) }}"}
        ),
        edges=[edge("pages", "tell"), edge("pages", "tell", "exhausted")],
        vars={"found": []},
    ),
    "callback": document(
        node("ask", "publish", type="credit.check", data={"customer": "{{ input.customer }}", "execution": "{{ execution.id }}"}),
        node("answer", "state", signals={"checked": {"schema": {"type": "object", "properties": {"score": {"type": "integer"}}}}}),
        node("good", "transform", expression="step.answer.output.score + 1"),
        node("bad", "end"),
        edges=[edge("ask", "answer"), edge("answer", "good", "checked", when="signal.score > 700"), edge("answer", "bad", "checked")],
    ),
    "auction": document(
        node("open", "state", signals={"bid": {}}, after={"closed": "2h"}),
        node("keep", "set", bids="{{ vars.bids + [step.open.output] }}", best="{{ math.greatest(vars.best, step.open.output.amount) }}"),
        node("close", "publish", type="auction.closed", data={"bids": "{{ vars.bids }}", "best": "{{ vars.best }}"}),
        edges=[edge("open", "keep", "bid", when="signal.amount > vars.best"), edge("keep", "open"), edge("open", "close", "closed")],
        vars={"bids": [], "best": 0},
    ),
    "saga": document(
        node(
            "trip",
            "group",
            nodes=[
                {
                    **node("flight", "activity", name="flight"),
                    "compensate": {"type": "activity", "with": {"name": "no", "input": "{{ step.flight.output.id }}"}},
                },
                node("hotel", "activity", name="hotel", input="{{ step.flight.output.id }}"),
            ],
        ),
        node("undo", "compensate", scope="trip"),
        node("sorry", "fail", code="{{ step.trip.error.code }}", message="because of {{ step.trip.error.node }}"),
        node("well", "end", output="{{ step.hotel.output }}"),
        edges=[edge("trip", "well"), edge("trip", "undo", "error"), edge("undo", "sorry")],
    ),
    "patients watched": document(
        node("vitals", "state", signals={"high": {}, "released": {}}, events={"pulse": {"event": "pulse.*"}}),
        node("kind", "switch", cases=[{"when": "default(step.vitals.output.celsius, 0) > 38.5", "outcome": "fever"}], default="other"),
        node("nurse", "task", due="10m", candidates={"groups": ["nurses"]}, title="Look after {{ input.patient }}"),
        node("gone", "end"),
        edges=[
            edge("vitals", "kind", "high"),
            edge("vitals", "kind", "pulse"),
            edge("vitals", "gone", "released"),
            edge("kind", "nurse", "fever"),
            edge("kind", "vitals", "other"),
            edge("nurse", "vitals", "completed"),
            edge("nurse", "vitals", "timeout"),
        ],
    ),
    "two approvers apart": document(
        node("first", "task", due="1d", assignee="{{ input.manager }}", outcomes=["yes", "no"]),
        node("second", "task", due="{{ input.days }}", candidates={"roles": ["finance"]}, outcomes=["yes", "no"], separate_from=["first"]),
        node(
            "paid",
            "publish",
            type="paid",
            data={"by": "{{ step.second.output.completed_by }}", "also": "{{ step.first.output.completed_at }}"},
        ),
        node("no", "end", output={"who": "{{ step.first.outcome == 'no' ? 'first' : 'second' }}"}),
        edges=[
            edge("first", "second", "yes"),
            edge("first", "no", "no"),
            edge("second", "paid", "yes"),
            edge("second", "no", "no"),
            edge("second", "no", "timeout"),
        ],
        input={"type": "object", "properties": {"manager": {"type": "string"}, "days": {"type": "integer"}}},
    ),
    "nested scopes read what is around them": document(
        node("rate", "transform", expression="{'tax': 0.22, 'names': ['a', 'b']}"),
        node(
            "rows",
            "foreach",
            items="{{ input.rows }}",
            as_="row",
            on_error="continue",
            body=_graph(
                node("amount", "transform", expression="row.amount * step.rate.output.tax"),
                node(
                    "parts",
                    "parallel",
                    branches={
                        name: _graph(node(f"{name}_it", "transform", expression=f"step.amount.output + index + {place}"))
                        for place, name in enumerate(("left", "right"))
                    },
                ),
                node("total", "transform", expression="step.left_it.output + step.right_it.output + step.parts.output.left"),
                node("open", "set", since="{{ step.rows.started_at }}", seen="{{ step.rows.status }}"),
            ),
        ),
        node("sum", "transform", expression="sum(step.rows.output.filter(one, one != null))"),
        input={
            "type": "object",
            "properties": {"rows": {"type": "array", "items": {"type": "object", "properties": {"amount": {"type": "number"}}}}},
        },
    ),
    "conditions as data": document(
        node(
            "check",
            "if",
            conditions={
                "all": [
                    {"left": "input.tags", "op": "contains", "right": "vip"},
                    {"left": "input.name", "op": "contains", "right": "a"},
                    {"left": "input.count", "op": "between", "right": [1, 9]},
                    {"left": "input.name", "op": "is_not_empty"},
                    {"left": "input.name", "op": "in", "right": ["a", "b"]},
                    {
                        "any": [
                            {"left": "input.at", "op": "before", "right": "2030-01-01"},
                            {"left": "input.at", "op": "within", "right": "3d"},
                        ]
                    },
                    {"none": [{"left": "input.extra", "op": "exists"}, {"left": "input.count", "op": "eq", "right": "{{ vars.n }}"}]},
                ]
            },
        ),
        node("yes", "end"),
        edges=[edge("check", "yes", "true")],
        vars={"n": 3},
        input={
            "type": "object",
            "properties": {
                "tags": {"type": "array", "items": {"type": "string"}},
                "name": {"type": "string"},
                "count": {"type": "integer"},
                "at": {"type": "string"},
                "extra": {},
            },
        },
    ),
    "dates and money": document(
        node("due", "transform", expression="timestamp(input.sent) + duration('2d')"),
        node("net", "transform", expression="round(input.gross / 1.22, 2)"),
        node("rest", "wait", until="{{ step.due.output }}"),
        node("late", "wait", for_="{{ now - timestamp(step.due.output) > duration('1h') ? duration('1h') : duration('5m') }}"),
        node("text", "set", note="{{ 'net ' + text(step.net.output) }}", when="{{ format(now, '%d.%m.%Y') }}"),
        input={"type": "object", "properties": {"sent": {"type": "string"}, "gross": {"type": "number"}}},
    ),
    "an escalation ladder": document(
        {
            **node(
                "ask",
                "task",
                candidates={"roles": ["approver"]},
                due="2d",
                outcomes=["yes", "no"],
                reminders=["4h"],
                on_timeout=[{"after": "1h", "do": "escalate", "to": {"roles": ["lead"]}}, {"after": "1d", "do": "decide", "outcome": "no"}],
            ),
            "timeout": "5d",
        },
        node("go", "publish", type="go"),
        node("stop", "end"),
        edges=[edge("ask", "go", "yes"), edge("ask", "stop"), edge("ask", "stop", "timeout")],
    ),
    "enhanced by a model": document(
        {
            **node("label", "transform", expression="'other'"),
            "enhance": {
                "type": "ai.classify",
                "with": {"connection": "brain", "input": "{{ input.text }}", "categories": ["urgent", "other"]},
            },
        },
        node("urgent", "if", when="step.label.output == 'urgent'"),
        node("page", "publish", type="page"),
        edges=[edge("label", "urgent"), edge("urgent", "page", "true")],
    ),
}
