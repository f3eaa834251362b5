"""One CloudEvent and the rules of its attributes. Source: CloudEvents 1.0.2, section 3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from weft_contracts.cloudevents.content import CloudEventError, Problem, is_media_type

SPEC_VERSION: Final = "1.0"
REQUIRED: Final = ("id", "source", "type")
OPTIONAL: Final = ("subject", "time", "datacontenttype", "dataschema")
CORE: Final = frozenset((*REQUIRED, *OPTIONAL, "specversion"))
RESERVED: Final = frozenset({"data", "data_base64"})

Extension = bool | int | str
"""The value of an extension attribute. An int has 32 bits; over HTTP in binary mode every value becomes its text."""

_NAME = re.compile(r"[a-z0-9]+")
_URI_REFERENCE = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})")
# Control characters, surrogates and noncharacters, which a CloudEvents String may not hold.
_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
    + "]"
)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """An event as its sender described it.

    id: unique within `source`.  source: a URI reference.  time: when it happened, UTC, None when not said.
    data: a JSON value, text, or bytes, as `datacontenttype` says; None for no data.  extensions: every other attribute, kept as it came.
    """

    id: str
    source: str
    type: str
    data: Any = None
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    extensions: Mapping[str, Extension] = field(default_factory=dict)

    def attributes(self) -> dict[str, Extension]:
        """All attributes that are set, by name, as JSON writes them."""
        named: dict[str, Extension | None] = {
            "specversion": SPEC_VERSION,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "subject": self.subject,
            "time": None if self.time is None else write_time(self.time),
            "datacontenttype": self.datacontenttype,
            "dataschema": self.dataschema,
        }
        return {name: value for name, value in named.items() if value is not None} | dict(self.extensions)


def build(attributes: Mapping[str, Any], data: Any) -> CloudEvent:
    """The event of these attributes. A null attribute is an absent one.

    Raises: CloudEventError with every attribute that breaks a rule, each with its pointer.
    """
    given = {name: value for name, value in attributes.items() if value is not None}
    problems = [*_version_problems(given), *_missing(given)]
    for name, value in given.items():
        detail = _fault(name, value)
        if detail is not None:
            problems.append(Problem(f"/{escape(name)}", "bad_attribute", detail))
    if problems:
        raise CloudEventError(*problems)
    return CloudEvent(
        id=given["id"],
        source=given["source"],
        type=given["type"],
        data=data,
        subject=given.get("subject"),
        time=None if "time" not in given else read_time(given["time"]),
        datacontenttype=given.get("datacontenttype"),
        dataschema=given.get("dataschema"),
        extensions={name: value for name, value in given.items() if name not in CORE},
    )


def escape(name: str) -> str:
    """A member's name as a token of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def write_time(moment: datetime) -> str:
    """A time in RFC 3339, UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def read_time(text: str) -> datetime:
    """The time in UTC that an RFC 3339 text names, in whole microseconds. Raises: ValueError."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no RFC 3339 time with an offset, such as 2026-11-30T08:00:00Z")
    day, clock, fraction, offset = match.groups()
    micros = ((fraction or "") + "000000")[:6]
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{offset.upper().replace('Z', '+00:00')}").astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time there is: {error}") from error


def _version_problems(given: Mapping[str, Any]) -> list[Problem]:
    version = given.get("specversion")
    if version is None:
        return [Problem("/specversion", "missing_attribute", f'CloudEvents requires specversion; it is "{SPEC_VERSION}"')]
    if version != SPEC_VERSION:
        return [
            Problem(
                "/specversion",
                "unsupported_specversion",
                f'only CloudEvents "{SPEC_VERSION}" is understood here, not {str(version)[:40]!r}',
            )
        ]
    return []


def _missing(given: Mapping[str, Any]) -> list[Problem]:
    return [
        Problem(f"/{name}", "missing_attribute", f"CloudEvents requires {name}; give it as a text that is not empty")
        for name in REQUIRED
        if name not in given
    ]


def _fault(name: str, value: Any) -> str | None:
    """What is wrong with one attribute, None when nothing is."""
    if name in RESERVED or not _NAME.fullmatch(name):
        return f"{name[:60]!r} is no name of an attribute: only lower-case letters and digits, and not `data`"
    if name not in CORE:
        return _extension_fault(name, value)
    if name == "specversion":
        return None
    if not isinstance(value, str) or not value:
        return f"{name} must be a text that is not empty"
    if _FORBIDDEN.search(value):
        return f"{name} holds a control character or one that Unicode does not assign"
    return _form_fault(name, value)


def _form_fault(name: str, value: str) -> str | None:
    """What is wrong with the form of a text of the specification's own, None when nothing is."""
    if name == "source" and not _URI_REFERENCE.fullmatch(value):
        return f"source must be a URI reference, with other characters percent-encoded; it is {value[:80]!r}"
    if name == "dataschema" and not (_URI_REFERENCE.fullmatch(value) and _SCHEME.match(value)):
        return f"dataschema must be an absolute URI; it is {value[:80]!r}"
    if name == "datacontenttype" and not is_media_type(value):
        return f"datacontenttype must be a media type such as application/json; it is {value[:80]!r}"
    if name == "time":
        try:
            read_time(value)
        except ValueError as error:
            return str(error)
    return None


def _extension_fault(name: str, value: Any) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return None if -(2**31) <= value < 2**31 else f"{name} must fit in 32 bits, or be a text"
    if not isinstance(value, str):
        return f"{name} must be a text, a whole number or a boolean; put anything larger in data"
    if _FORBIDDEN.search(value):
        return f"{name} holds a control character or one that Unicode does not assign"
    return None
