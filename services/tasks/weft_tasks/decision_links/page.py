"""The page of a decision link: plain HTML, without scripts, everything escaped. Pure."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from weft_runtime.errors import Detail

from weft_tasks.decision_links import Link, LinkStanding
from weft_tasks.decision_links.fields import PREFIX, FormField, fields
from weft_tasks.task import Task

SHOWN_BYTES: Final = 32 * 1024
"""Of a task's data; whoever wants all of it signs in."""
_STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem;color:#1b1b1b;background:#fff}"
    "h1{font-size:1.4rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f3f3f3;padding:.75rem;border-radius:.25rem}"
    ".note{border-left:.3rem solid #b35900;background:#fff6e6;padding:.75rem}.good{border-color:#146c2e;background:#eef8f0}"
    "label{display:block;margin:.75rem 0 .25rem;font-weight:600}input,select,textarea{font:inherit;max-width:100%}"
    "input:not([type=checkbox]),select,textarea{width:100%;box-sizing:border-box;padding:.4rem}"
    "button{font:inherit;font-weight:600;min-height:2.75rem;padding:.5rem 1.25rem;margin:.75rem .5rem 0 0;border:1px solid #1b1b1b;"
    "border-radius:.25rem;background:#fff;color:#1b1b1b}small{color:#555;display:block}.wrong{color:#a40000}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}pre{background:#262626}small{color:#bbb}"
    ".note{background:#33260f}.good{background:#12301a}button{background:#262626;color:#eee;border-color:#eee}.wrong{color:#ff9d9d}}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Of every answer at a link's address."""
_SAID: Final[dict[LinkStanding, str]] = {
    LinkStanding.PAUSED: "This rests at the moment. Come back later: the link stays good.",
    LinkStanding.STALE: "This has changed since the link was made, so the link decides nothing any more. Sign in to see it as it is now.",
    LinkStanding.OVER: "This needs no decision any more.",
    LinkStanding.EXPIRED: "This link has run out. Sign in, or ask for a new one.",
}


def shown(link: Link, task: Task, standing: LinkStanding, *, whole: bool, receipt: Any) -> str:
    """A task as its link shows it. whole: with what is to be decided; only its title else.  receipt: where the link was used."""
    parts = [_heading(task)]
    if receipt is not None:
        parts.append(decided_note(receipt))
    elif standing in _SAID:
        parts.append(f'<p class="note" role="status">{_SAID[standing]}</p>')
    if whole:
        parts += _body(link, task)
    if whole and standing is LinkStanding.OPEN:
        parts.append(_form(link, task, (), {}))
    return page_of(task.title, parts)


def refused(link: Link, task: Task, why: str, faults: Sequence[Detail], sent: Mapping[str, str]) -> str:
    """The same page once more with what was wrong with what was sent, which is kept."""
    note = f'<p class="note" role="alert">{escape(why)}</p>'
    return page_of(task.title, [_heading(task), note, *_body(link, task), _form(link, task, faults, sent)])


def plain(title: str, why: str) -> str:
    """A page that only says something."""
    return page_of(title, [f"<h1>{escape(title)}</h1>", f'<p class="note" role="alert">{escape(why)}</p>'])


def done(receipt: Any) -> str:
    """That a link has decided."""
    return page_of("Decided", ["<h1>Thank you</h1>", decided_note(receipt), "<p>You may close this page.</p>"])


def decided_note(receipt: Any) -> str:
    """That it is decided."""
    said = f"Decided: <strong>{escape(receipt.outcome)}</strong>, at {escape(receipt.at.isoformat())}."
    return f'<p class="note good" role="status">{said} <small>Receipt {escape(str(receipt.id))}</small></p>'


def page_of(title: str, parts: Sequence[str]) -> str:
    """A page of these parts, which are HTML already."""
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
    head += f'<meta name="referrer" content="no-referrer"><title>{escape(title)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main>{"".join(parts)}</main></body></html>'


def _heading(task: Task) -> str:
    return f"<h1>{escape(task.title)}</h1>"


def _body(link: Link, task: Task) -> list[str]:
    parts = [f"<p>{escape(task.description)}</p>"] if task.description else []
    if task.data is not None:
        text = json.dumps(task.data, ensure_ascii=False, indent=2)
        cut = len(text) > SHOWN_BYTES
        parts.append(f"<pre>{escape(text[:SHOWN_BYTES])}</pre>")
        parts += ["<p><small>There is more of it; sign in to see it all.</small></p>"] if cut else []
    about = [f"For {escape(link.whom)}", *([f"due {escape(task.due_at.isoformat())}"] if task.due_at is not None else [])]
    parts.append(f"<p><small>{', '.join(about)}; this link is good until {escape(link.expires_at.isoformat())}.</small></p>")
    return parts


def _form(link: Link, task: Task, faults: Sequence[Detail], sent: Mapping[str, str]) -> str:
    asked = fields(task.form)
    if asked is None:
        return '<p class="note" role="status">There is more to fill in than this page can offer. Sign in to decide.</p>'
    inputs = "".join(_input(one, faults, sent) for one in asked)
    buttons = "".join(f'<button name="outcome" value="{escape(one)}">{escape(one)}</button>' for one in link.decisions)
    return f'<form method="post">{inputs}{buttons}</form>'


def _input(field: FormField, faults: Sequence[Detail], sent: Mapping[str, str]) -> str:
    name, value = PREFIX + field.name, sent.get(PREFIX + field.name, "")
    id_ = escape(name)
    pointer = "/form/" + field.name.replace("~", "~0").replace("/", "~1")
    wrong = "".join(f'<small class="wrong">{escape(one.detail)}</small>' for one in faults if one.pointer == pointer)
    must = " required" if field.required and field.kind != "boolean" else ""
    label = f'<label for="{id_}">{escape(field.title)}{" *" if must else ""}</label>'
    explained = f"<small>{escape(field.help)}</small>" if field.help else ""
    match field.kind:
        case "boolean":
            box = f'<input type="checkbox" id="{id_}" name="{id_}" value="true"{" checked" if value == "true" else ""}>'
        case "choice":
            options = "".join(
                f'<option value="{place}"{" selected" if value == str(place) else ""}>{escape(str(one))}</option>'
                for place, one in enumerate(field.choices)
            )
            box = f'<select id="{id_}" name="{id_}"{must}><option value=""></option>{options}</select>'
        case "number" | "integer":
            box = f'<input inputmode="decimal" id="{id_}" name="{id_}" value="{escape(value)}"{must}>'
        case _:
            most = "" if field.most is None else f' maxlength="{field.most}"'
            box = f'<textarea id="{id_}" name="{id_}" rows="2"{most}{must}>\n{escape(value)}</textarea>'
    return f"{label}{box}{explained}{wrong}"
