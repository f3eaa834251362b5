"""Sound documents into which faults are seeded. None of them gives an error or a warning."""

from copy import deepcopy
from typing import Any, Final

from tests.language.build import document, edge, node

Document = dict[str, Any]
REMOVED: Final = object()

INPUT: Final[Document] = {
    "type": "object",
    "required": ["customer", "amount", "kind", "rows", "days", "when"],
    "additionalProperties": False,
    "properties": {
        "customer": {
            "type": "object",
            "required": ["name", "email"],
            "additionalProperties": False,
            "properties": {"name": {"type": "string"}, "email": {"type": "string"}},
        },
        "amount": {"type": "number"},
        "kind": {"enum": ["travel", "food"]},
        "days": {"type": "integer"},
        "when": {"type": "string"},
        "urgent": {"type": "boolean"},
        "rows": {
            "type": "array",
            "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}, "quantity": {"type": "integer"}}},
        },
    },
}
FORM: Final[Document] = {
    "type": "object",
    "required": ["comment"],
    "additionalProperties": False,
    "properties": {"comment": {"type": "string"}, "score": {"type": "integer"}},
}
SIGNED: Final[Document] = {"type": "object", "properties": {"by": {"type": "string"}}, "additionalProperties": False}

APPROVAL: Final = document(
    node("check", "if", when="input.amount > vars.limit"),
    node("decide", "task", due="2d", candidates={"roles": ["approver"]}, outcomes=["approved", "rejected"], form=FORM),
    node("book", "http.request", url="https://example.com", method="POST", body={"why": "{{ step.decide.output.form.comment }}"}),
    node("broken", "publish", type="booking.failed", data="{{ step.book.error.code }}"),
    node("fees", "transform", expression="input.amount * 1.22"),
    node("finish", "publish", type="expense.done", data={"fees": "{{ step.fees.output }}", "kind": "{{ input.kind }}"}),
    node("refused", "set", note="refused: {{ input.customer.name }}"),
    edges=[
        edge("check", "decide", "true"),
        edge("check", "fees", "false"),
        edge("decide", "book", "approved"),
        edge("decide", "refused", "rejected"),
        edge("book", "fees"),
        edge("book", "broken", "error"),
        edge("fees", "finish"),
    ],
    input=INPUT,
    vars={"limit": 100, "note": ""},
    triggers=[
        {
            "on": "event",
            "event": "expense.sent",
            "input": {
                "customer": "{{ trigger.payload.customer }}",
                "amount": "{{ trigger.payload.amount }}",
                "kind": "travel",
                "rows": [],
                "days": 3,
                "when": "{{ text(now) }}",
            },
        }
    ],
)

REPEATED: Final = document(
    node(
        "both",
        "parallel",
        branches={
            "ship": {"nodes": [node("pack", "transform", expression="input.rows.map(row, row.sku)"), node("sent", "wait", for_="1h")]},
            "bill": {"nodes": [node("sum", "transform", expression="input.amount * 2")]},
        },
    ),
    node(
        "each",
        "foreach",
        items="{{ input.rows }}",
        as_="row",
        body={
            "nodes": [
                node("price", "transform", expression="{'sku': row.sku, 'place': index}"),
                node("tell", "publish", type="row.done", data="{{ step.price.output.sku }}"),
            ]
        },
    ),
    node(
        "poll",
        "loop",
        until="step.look.output.ready",
        max_iterations=10,
        body={"nodes": [node("rest", "wait", for_="1m"), node("look", "transform", expression="{'ready': iteration > 3}")]},
    ),
    node("done", "publish", type="all.done", data={"sum": "{{ step.both.output.bill }}", "rows": "{{ size(step.each.output) }}"}),
    node("gave_up", "end", status="failed"),
    edges=[edge("both", "each"), edge("each", "poll"), edge("poll", "done"), edge("poll", "gave_up", "exhausted")],
    input=INPUT,
)

WAITING: Final = document(
    node(
        "open",
        "state",
        signals={"approve": {"schema": SIGNED}, "cancel": {}},
        events={"paid": {"event": "invoice.paid", "match": "event.data.id == input.when"}},
        after={"remind": "1d", "late": "3d"},
    ),
    node("approved", "set", by="{{ step.open.output }}"),
    node("later", "wait", for_="2h"),
    node("closed", "end"),
    node("second", "task", due="2d", candidates={"groups": ["board"]}, reminders=["1h"], outcomes=["yes", "no"],
         on_timeout=[{"after": "1d", "do": "decide", "outcome": "no"}], approvals={"required": 2, "of": 3}),
    node("third", "task", due="2d", candidates={"roles": ["approver"]}, separate_from=["second"]),
    edges=[
        edge("open", "approved", "approve", when="signal.by != ''"),
        edge("open", "closed", "cancel"),
        edge("open", "closed", "paid"),
        edge("open", "later", "remind", when="input.amount > 10"),
        edge("open", "closed", "late"),
        edge("later", "open"),
        edge("approved", "second"),
        edge("second", "third", "yes"),
        edge("second", "closed", "no"),
        edge("third", "closed"),
    ],
    input=INPUT,
    settings={"max_duration": "30d"},
)  # fmt: skip

UNDOING: Final = document(
    node(
        "trip",
        "group",
        nodes=[
            {**node("flight", "activity", name="book-flight"), "compensate": {"type": "activity", "with": {"name": "cancel-flight"}}},
            {**node("hotel", "http.request", url="https://example.com"), "compensate": {"type": "http.request", "with": {"url": "https://example.com"}}},
        ],
    ),
    node("undo", "compensate", scope="trip"),
    node("again", "if", when="input.urgent"),
    node("repeat", "call", workflow="test", input={"why": "{{ step.trip.error.message }}"}),
    node("sorry", "end", output={"failed": "{{ step.undo.output.failed }}"}),
    node("ok", "end"),
    edges=[
        edge("trip", "ok"), edge("trip", "undo", "error"), edge("undo", "again"), edge("again", "repeat", "true"),
        edge("again", "sorry", "false"), edge("repeat", "ok"), edge("repeat", "sorry", "error"),
    ],
    input=INPUT,
)  # fmt: skip

ALL: Final = {"approval": APPROVAL, "repeated": REPEATED, "waiting": WAITING, "undoing": UNDOING}


def seeded(name: str, changes: dict[str, Any]) -> Document:
    """A sound document with values put at JSON pointers; REMOVED takes one out, `-` appends to a list."""
    made = deepcopy(ALL[name])
    for pointer, value in changes.items():
        *way, last = pointer.removeprefix("/").split("/")
        place: Any = made
        for part in way:
            place = place[int(part)] if isinstance(place, list) else place[part]
        if value is REMOVED:
            del place[int(last) if isinstance(place, list) else last]
        elif last == "-":
            place.append(value)
        elif isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = value
    return made
