"""Decision links: made by whoever may, shown to whoever has one, and decided by, once, with nobody signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, cast
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.responses import Response
from weft_runtime.auth import Permission
from weft_runtime.context import ServiceContext
from weft_runtime.errors import Invalid, Malformed, WeftError
from weft_runtime.http import Asker, Context, RawBody, Reply, Uow, pointers, problems, strict_json
from weft_runtime.http.call import call_of
from weft_runtime.http.requests import UnsupportedMediaType

from weft_tasks.api.asking import signed_in
from weft_tasks.api.routes import door
from weft_tasks.decision_links import Link, Links, page, schemas, verbs
from weft_tasks.decision_links.fields import fields, filled_in
from weft_tasks.decision_links.schemas import DecisionReceiptView, LinkBody, LinkDecisionBody, LinkMadeView, LinkView
from weft_tasks.settings import Settings

ASKED_PER_MINUTE: Final = 300
"""Of one address: a house of people behind one, each of whose mails is looked at by a scanner."""
USER_AGENT_MOST: Final = 300
JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
_HTML: Final[dict[str, Any]] = {"text/html": {"schema": {"type": "string"}}}
_RULES: Final[dict[str, Any]] = {"public": True, "root": True, "per_minute": ASKED_PER_MINUTE}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": LinkDecisionBody.model_json_schema()},
            FORM: {"schema": {"type": "object", "required": ["outcome"], "properties": {"outcome": {"type": "string"}}}},
        },
    }
}


class Asked:
    """How a link is asked for. html: by a browser, which says so; anybody else is answered in JSON."""

    def __init__(self, request: Request) -> None:
        self.html = prefers_html(request.headers.get("accept", ""))
        self.kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.where = verbs.From(call_of(request).ip, request.headers.get("user-agent", "")[:USER_AGENT_MOST])


async def _asked(request: Request) -> Asked:
    return Asked(request)


How = Annotated[Asked, Depends(_asked)]


@door.post("/user-tasks/{task_id}/links", may=Permission.TASKS_LINK, status=201)
async def create_decision_link(
    task_id: UUID, asker: Asker, uow: Uow, context: Context, body: LinkBody | None = None
) -> Reply[LinkMadeView]:
    """Make a signed link by which whoever has the task decides it once, without signing in. Whoever holds the link is taken for them.

    It is good for the task as it is now: whatever changes the task makes it stale. Where nobody has the task: 409 `no_assignee`.
    """
    given = body or LinkBody()
    link = await verbs.make_link(task_id, given.decisions, given.expires_at, given.version, signed_in(asker), uow)
    token = Links(context.settings.secrets).token(link)
    path, public_url = f"/decisions/{token}", cast(Settings, context.settings).public_url
    view = LinkMadeView(
        id=link.id,
        token=token,
        path=path,
        url=None if public_url is None else public_url + path,
        assignee=link.whom,
        task_version=link.task_version,
        decisions=list(link.decisions),
        expires_at=link.expires_at,
    )
    return Reply(view, secret=True)


@door.get("/decisions/{token}", **_RULES, responses={200: {"model": LinkView, "content": _HTML}})
async def show_decision(token: str, how: How, context: Context) -> Response:
    """Show what a link decides: a page for a browser, JSON for anybody else. Nothing changes by it, however often it is fetched."""
    try:
        link = Links(context.settings.secrets).read(token)
        async with context.transaction(link.tenant) as uow:
            seen = await verbs.see(link, uow)
    except WeftError as refusal:
        return refused(refusal, how, "This link does not work")
    if not how.html:
        return _json(schemas.view(seen.link, seen.task, seen.standing, seen.receipt, whole=seen.whole))
    return _page(page.shown(link, seen.task, seen.standing, whole=seen.whole, receipt=seen.receipt))


@door.post("/decisions/{token}", **_RULES, responses={200: {"model": DecisionReceiptView, "content": _HTML}}, openapi_extra=_BODY)
async def decide_by_link(token: str, how: How, body: RawBody, context: Context) -> Response:
    """Decide by a link, once; the receipt is the answer. The same decision again gets the same receipt, another one 409.

    A task that has changed since the link was made is not decided: 409 `decision_link_stale`. A link that has run out: 410.
    """
    sent: dict[str, str] = {}
    link: Link | None = None
    try:
        link = Links(context.settings.secrets).read(token)
        if how.kind == FORM:
            sent = _posted(body)
            outcome, form = sent.get("outcome", ""), await _form(link, sent, context)
        elif how.kind != JSON:
            raise UnsupportedMediaType(f"a decision is sent as {JSON} or {FORM}, not as {how.kind[:100] or 'nothing that is named'}")
        else:
            decision = _decision(body)
            outcome, form = decision.outcome, decision.form
        async with context.transaction(link.tenant) as uow:
            receipt = await verbs.decide(link, outcome, form, how.where, uow)
    except WeftError as refusal:
        if how.html and link is not None and refusal.details:
            return await _again(link, refusal, sent, context)
        return refused(refusal, how, "Nothing was decided")
    if how.html:
        return _page(page.done(receipt))
    return _json(schemas.receipt_view(receipt))


def prefers_html(accept: str) -> bool:
    """Whether a page is asked for rather than JSON. Only who names HTML gets it, as browsers do."""
    weights = {"text/html": 0.0, "application/json": 0.0}
    for part in accept[:1000].split(","):
        kind, *rest = (piece.strip().lower() for piece in part.split(";"))
        given = next((piece[2:] for piece in rest if piece.startswith("q=")), "1")
        try:
            weights[kind] = float(given)
        except ValueError:
            continue
    return weights["text/html"] > weights["application/json"]


def _posted(body: bytes) -> dict[str, str]:
    """The fields of a form. Raises: Malformed."""
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=500, errors="strict")
    except ValueError:
        raise Malformed("the form is not readable; send it as the page does") from None
    sent = dict(pairs)
    if len(sent) != len(pairs):
        raise Malformed("a field of the form is given twice; send it once", code="duplicate_key")
    strict_json.check(sent)
    return sent


def _decision(body: bytes) -> LinkDecisionBody:
    """A decision as JSON. Raises: Malformed, Invalid."""
    sent = strict_json.decode(body)
    try:
        return LinkDecisionBody.model_validate(sent)
    except ValidationError as error:
        wrong = pointers.details(error.errors(), sent)
        raise Invalid("the decision does not fit; `errors` says where and how", details=wrong) from error


async def _form(link: Link, sent: Mapping[str, str], context: ServiceContext) -> dict[str, Any] | None:
    async with context.transaction(link.tenant) as uow:
        seen = await verbs.see(link, uow)
    return filled_in(fields(seen.task.form) or (), sent)


async def _again(link: Link, refusal: WeftError, sent: Mapping[str, str], context: ServiceContext) -> Response:
    async with context.transaction(link.tenant) as uow:
        seen = await verbs.see(link, uow)
    if not seen.whole:
        return _page(page.plain("Nothing was decided", refusal.message), refusal.status)
    return _page(page.refused(link, seen.task, refusal.message, refusal.details, sent), refusal.status)


def refused(refusal: WeftError, how: Asked, title: str) -> Response:
    """A refusal at an address that nobody signs in for: a page for a browser, a problem for anybody else."""
    if not how.html or refusal.status >= 500:
        answer = problems.from_weft_error(refusal)
        answer.headers.update(page.HEADERS)
        return answer
    return _page(page.plain(title, refusal.message), refusal.status)


def _page(html: str, status: int = 200) -> Response:
    return Response(html, status, headers=dict(page.HEADERS), media_type="text/html")


def _json(view: Any) -> Response:
    return Response(strict_json.encode(view), headers=dict(page.HEADERS), media_type="application/json")
