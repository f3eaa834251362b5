"""A rule as the rows of tables that its author may know from elsewhere: definition, trigger, conditions, actions, recipients. Pure."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID, uuid5

import msgspec

from weft_definitions.rules.verbs import Kept

_IDS: Final = UUID("1f0a5c1e-7c53-5a6b-9f0e-6a2b6f1d9c44")
"""The namespace of the ids of rows, which follow from the rule and the row's place; any constant does, for ever the same."""


def rows_of(tenant: str, kept: Kept) -> dict[str, Any]:
    """Its rows. Ids are the same each time, and others where a row stands at another place."""
    rule, document = kept.rule, kept.rule.document
    whole = _id(tenant, rule.slug)
    definition = {
        "id": whole,
        "slug": rule.slug,
        "name": document["name"],
        "description": document["description"],
        "status": kept.workflow.status.value,
        "created_by": rule.created_by,
        "created_at": rule.created_at,
        "updated_at": rule.updated_at,
        "tenant_id": tenant,
    }
    several = {
        kind: [{"id": _id(tenant, rule.slug, kind, place), "workflow_id": whole, **one} for place, one in enumerate(given)]
        for kind, given in (
            ("triggers", [document["trigger"]]),
            ("conditions", document["conditions"]),
            ("actions", document["actions"]),
            ("recipients", document["recipients"]),
        )
    }
    return {"definition": definition, **several}


def _id(*parts: str | int) -> str:
    return str(uuid5(_IDS, msgspec.json.encode(parts).decode()))
