"""From a definition to a Serverless Workflow document (CNCF DSL 1.0), whose expressions stay CEL.

The DSL lets a document choose the language of its expressions (`evaluate`), so conditions and values go over as they are. What has no task
of its own there is a call of a function `weft.<type>`, which `read_serverless` reads back.
Source: serverlessworkflow/specification, "DSL Reference" 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from weft_language.model import Definition, to_document
from weft_language.plain import walk
from weft_language.serverless.graphs import Graphs
from weft_language.serverless.notes import Carried, Notes, below
from weft_language.serverless.phrases import iso, phrase

DSL: Final = "1.0.3"
NAMESPACE: Final = "weft"
_ONLY_HERE: Final = ("sla",)
_SETTINGS: Final = ("concurrency", "retention_days", "signal_ttl", "priority", "on_failure")


def write_serverless(definition: Definition, version: int) -> Carried:
    """The Serverless Workflow document that comes nearest to a definition.

    version: of the workflow, for the document's own.  Returns: the document, which names in `document.metadata.weft.findings` what it
    could not carry over, too; the findings' pointers are into the definition.
    """
    notes = Notes()
    source = to_document(definition)
    settings = source.get("settings", {})
    notes.changed("", "expressions stay CEL over Weft's names: a runtime that reads only jq cannot run it", "rewrite them there")
    about = {
        "dsl": DSL,
        "namespace": NAMESPACE,
        "name": _name(definition.slug, notes),
        "version": f"{version}.0.0",
        "title": definition.name,
    }
    if definition.description:
        about["summary"] = definition.description
    ids = {value["id"] for _, value in walk(source) if isinstance(value, dict) and isinstance(value.get("id"), str)}
    tasks = Graphs(notes, definition.slug, ids).tasks(source, "")
    if "vars" in source:
        tasks.insert(0, {"initial_vars": {"set": phrase(source["vars"])}})
        notes.changed("/vars", "variables are set by a first task, whose output the next one gets as its input there")
    made: dict[str, Any] = {"document": about, "evaluate": {"language": "cel", "mode": "strict"}}
    if isinstance(source.get("input"), dict):
        made["input"] = {"schema": {"format": "json", "document": source["input"]}}
    if "max_duration" in settings:
        made["timeout"] = {"after": iso(settings["max_duration"])}
    made |= _schedule(source.get("triggers", []), notes)
    made["do"] = tasks
    if "output" in source:
        made["output"] = {"as": phrase(source["output"])}
    for at, names, where in (("", _ONLY_HERE, source), ("/settings", _SETTINGS, settings)):
        for name in names:
            if name in where:
                notes.changed(below(at, name), f"`{name}` has no equal", "see to it where the document is run")
    for name in source:
        if name.startswith("x-") or name == "labels":
            notes.dropped("", name, why="is kept in `metadata` alone")
    kept = {name: value for name, value in source.items() if name == "labels" or name.startswith("x-")}
    carried = notes.carried(made)
    about["metadata"] = {"weft": {"slug": definition.slug, **kept, "findings": [finding.as_dict() for finding in carried.findings]}}  # type: ignore[assignment]
    return carried


def _name(slug: str, notes: Notes) -> str:
    if len(slug) <= 63:
        return slug
    notes.changed("/slug", "names are at most 63 characters there")
    return slug[:63].strip("-")


def _schedule(triggers: list[Mapping[str, Any]], notes: Notes) -> dict[str, Any]:
    """The `schedule` of the document: the first trigger on a time, and all on events."""
    made: dict[str, Any] = {}
    events: list[dict[str, Any]] = []
    for place, trigger in enumerate(triggers):
        at = below("/triggers", place)
        on = trigger["on"]
        if on == "event":
            events.append({"with": {"type": trigger["event"], **({"source": trigger["source"]} if "source" in trigger else {})}})
        elif on == "schedule" and not made and (trigger.get("timezone", "UTC") == "UTC"):
            made = {"cron": trigger["cron"]} if "cron" in trigger else {"every": iso(trigger["every"])}
        elif on != "manual":
            notes.changed(at, f"a trigger on `{on}` has no equal, or is one too many", "start it there by other means")
            continue
        lost = sorted(
            name for name in trigger if name not in ("id", "on", "event", "source", "cron", "every", "timezone", "priority", "form")
        )
        if lost:
            notes.changed(
                at, f"of the trigger {', '.join(lost)} {'is' if len(lost) == 1 else 'are'} not carried over", "check it in the first task"
            )
    if len(events) == 1:
        made["on"] = {"one": events[0]}
    elif events:
        made["on"] = {"any": events}
    if made.get("on") and len(made) > 1:
        notes.changed("/triggers", "a document is begun by a time or by events there; both are written")
    return {"schedule": made} if made else {}
