"""Conditions on the fields of a row, as the `fields` of a `record` trigger have them: read into conditions as data. Pure.

`{"status": "overdue"}` is equality, `{"total": {"gte": 1000}}` an operator of section 4 of the language, several of them mean all. Values
are those of `trigger.payload.record`: the row as it is now, and of one that is gone as it was. A field that is absent counts as null, and
null is in no order with anything: a comparison with it does not hold, as in SQL, instead of being an error.
"""

import re
from typing import Any, Final

FIELD_OPERATORS: Final = (
    "eq", "ne", "lt", "lte", "gt", "gte", "in", "not_in", "contains", "not_contains", "starts_with", "ends_with", "matches", "exists",
    "not_exists", "is_empty", "is_not_empty", "changed", "changed_to", "changed_from", "between", "before", "after", "within",
)  # fmt: skip
"""What stands before a value; the same as in conditions."""

_ROW: Final = "trigger.payload.record"
_OF_NOT_NULL: Final = frozenset(
    {"lt", "lte", "gt", "gte", "contains", "starts_with", "ends_with", "matches", "between", "before", "after", "within"}
)
_UNARY: Final = frozenset({"exists", "not_exists", "is_empty", "is_not_empty", "changed"})
_GROUPS: Final = frozenset({"all", "any", "none"})
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_QUOTABLE: Final = re.compile(r"[^\"\\\x00-\x1f\x7f]+\Z")


class InvalidField(ValueError):
    """A condition on a field that cannot be read; the message says how to write it."""


def read_field(name: str, wanted: Any, path: str | None = None) -> dict[str, Any]:
    """The conditions, as data, that one entry of `fields` means. path: the CEL of the field; of the row's where absent.

    Raises: InvalidField.
    """
    if not _QUOTABLE.match(name):
        raise InvalidField("a field's name has no quotes, backslashes or control characters; write a condition in `when` instead")
    if name in _GROUPS and isinstance(wanted, list) and any(isinstance(one, dict) for one in wanted):
        raise InvalidField(f"`fields` is {{field: value}} or {{field: {{operator: value}}}}; write the group `{name}` in `conditions`")
    if not isinstance(wanted, dict):
        return _condition(name, "eq", wanted, path)
    if not wanted:
        raise InvalidField(f"the condition on `{name}` is empty: give a value, or {{operator: value}}")
    unknown = next((op for op in wanted if op not in FIELD_OPERATORS), None)
    if unknown is not None:
        known = ", ".join(FIELD_OPERATORS)
        raise InvalidField(f"`{unknown:.60}` is no operator for `{name}`; they are {known}. To compare with an object: {{eq: …}}")
    return {"all": [_condition(name, op, right, path) for op, right in wanted.items()]}


def fields_conditions(fields: dict[str, Any]) -> dict[str, Any]:
    """The conditions, as data, that `fields` mean together. Raises: InvalidField."""
    return {"all": [read_field(name, wanted) for name, wanted in fields.items()]}


def _condition(name: str, op: str, right: Any, path: str | None) -> dict[str, Any]:
    if op in _UNARY and right is not True:
        raise InvalidField(f"write `{op}: true` for `{name}`; it compares with nothing")
    if op.startswith("changed"):
        if not _WORD.match(name):
            raise InvalidField(f"`{op}` is for fields whose names are words, not for `{name:.60}`; name it in `changed` of the trigger")
        return {"left": name, "op": op} if op in _UNARY else {"left": name, "op": op, "right": right}
    path = path or (f"{_ROW}.{name}" if _WORD.match(name) else f'{_ROW}["{name}"]')
    if op in ("exists", "not_exists"):
        return {"left": path, "op": op}
    value = f"default({path}, null)"
    if op in _UNARY:
        return {"left": value, "op": op}
    condition = {"left": value, "op": op, "right": right}
    return {"all": [{"left": value, "op": "ne", "right": None}, condition]} if op in _OF_NOT_NULL else condition
