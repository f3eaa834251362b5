"""From a Serverless Workflow document (CNCF DSL 1.0) to a definition: the document's own fields, and which task is read by what.

Source: serverlessworkflow/specification, "DSL Reference" 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from weft_language.model.definition import FORMAT, slug_of
from weft_language.serverless import composites
from weft_language.serverless.making import Making
from weft_language.serverless.notes import Carried, Notes, below
from weft_language.serverless.scopes import Node
from weft_language.serverless.tasks import member_of
from weft_language.serverless.terms import View, quoted
from weft_language.serverless.values import LANGUAGES, Values

_UNDERSTOOD: Final = frozenset({"document", "do", "input", "output", "schedule", "timeout", "use", "evaluate"})
_DOCUMENT: Final = frozenset({"dsl", "name", "namespace", "version", "title", "summary", "tags", "metadata"})


def is_serverless(document: Any) -> bool:
    """Whether a document is a Serverless Workflow."""
    return isinstance(document, dict) and isinstance(document.get("document"), dict) and "do" in document and "nodes" not in document


def read_serverless(document: Mapping[str, Any]) -> Carried:
    """The definition that a Serverless Workflow document means, with findings that name what could not be carried over.

    document: plain JSON, as `read_document` gives it.
    Returns: what is still to be validated; where a finding is an error, it means something else.
    """
    notes = Notes()
    evaluate = member_of(document, "evaluate")
    return _Reading(document, notes, Values(notes, LANGUAGES.get(str(evaluate.get("language", "jq"))))).carried()


@dataclass(slots=True)
class _Reading:
    document: Mapping[str, Any]
    notes: Notes
    values: Values

    def carried(self) -> Carried:
        about = member_of(self.document, "document")
        name = str(about.get("title") or about.get("name") or "Imported workflow")[:255]
        made: dict[str, Any] = {"format": FORMAT, "slug": slug_of(str(about.get("name") or name)), "name": name}
        if isinstance(about.get("summary"), str):
            made["description"] = about["summary"]
        labels = {word: about[word] for word in ("namespace", "version") if isinstance(about.get(word), str)}
        labels |= {str(tag)[:128]: str(text) for tag, text in member_of(about, "tags").items()}
        if labels:
            made["labels"] = dict(list(labels.items())[:100])
        self._leave_out(about)
        making = Making(self.values, member_of(self.document, "use"))
        view = View("input", {"context": "vars", "workflow": self._workflow(about)})
        made |= self._beginning()
        view = view.at("input.events") if "on" in member_of(self.document, "schedule") else view
        made |= making.graph(self.document.get("do"), self._entered(view), "/do", self._ending, top=True)
        timeout = making.timeout(self.document, "")
        if timeout is not None:
            made["settings"] = {"max_duration": timeout}
        return self.notes.carried(made)

    def _workflow(self, about: Mapping[str, Any]) -> dict[str, Any]:
        constants = {word: quoted(str(about.get(word, ""))) for word in ("name", "namespace", "version")}
        given = "input.events" if "on" in member_of(self.document, "schedule") else "input"
        return {"input": given, "id": "execution.id", "definition": {"document": constants}}

    def _leave_out(self, about: Mapping[str, Any]) -> None:
        for name in [*about.keys() - _DOCUMENT, *(("metadata",) if "metadata" in about else ())]:
            self.notes.dropped("/document", name)
        for name in self.document.keys() - _UNDERSTOOD:
            self.notes.lost(below("", name), f"`{name[:80]}` is not known in a Serverless Workflow 1.0 document", "leave it out")
        use = member_of(self.document, "use")
        for name in use:
            if name == "extensions":
                self.notes.lost(
                    below("/use", name), "tasks are not extended here: nothing is done before and after each", "write it into the tasks"
                )
            elif name not in ("errors", "retries", "timeouts", "functions"):
                self.notes.changed(
                    below("/use", name), f"`{name[:80]}` are kept outside of a definition", "make a connection, and name it in nodes"
                )

    def _beginning(self) -> dict[str, Any]:
        """The schema of the input, and triggers."""
        made: dict[str, Any] = {}
        schema = member_of(member_of(self.document, "input"), "schema")
        if isinstance(schema.get("document"), dict) and schema.get("format", "json") == "json":
            made["input"] = schema["document"]
        elif schema:
            self.notes.changed("/input/schema", "this schema is not read: any input is taken", "write it out as a JSON Schema")
        if "schema" in member_of(self.document, "output"):
            self.notes.dropped("/output", "schema", why="is not checked: an output has no schema here")
        schedule = member_of(self.document, "schedule")
        triggers: list[dict[str, Any]] = []
        if isinstance(schedule.get("cron"), str):
            triggers.append({"id": "cron", "on": "schedule", "cron": schedule["cron"]})
        if "every" in schedule:
            triggers.append(
                {"id": "every", "on": "schedule", "every": self.values.duration(schedule["every"], View("null"), "/schedule/every")}
            )
        if "after" in schedule:
            self.notes.lost("/schedule/after", "a workflow is not begun again by its own end here", "use `every`, or call it at its end")
        triggers += self._events(member_of(schedule, "on"))
        return {**made, "triggers": triggers} if triggers else made

    def _events(self, on: Mapping[str, Any]) -> list[dict[str, Any]]:
        word = next((word for word in ("one", "any", "all") if word in on), None)
        if word is None:
            return []
        if word == "all" or "until" in on:
            self.notes.lost(f"/schedule/on/{word}", "an execution is begun by one event here", "use `one` or `any`")
        filters = on[word] if isinstance(on[word], list) else [on[word]]
        attributes = {name: f"{{{{ trigger.event.{name} }}}}" for name in ("id", "source", "type", "time")}
        made = []
        for place, given in enumerate(filters):
            at = f"/schedule/on/{word}" if word == "one" else f"/schedule/on/{word}/{place}"
            kind, when = composites.heard(given, at, View("null"), self.values, "trigger.event", "trigger.payload")
            trigger: dict[str, Any] = {"id": f"event_{place + 1}", "on": "event", "event": kind, **({"when": when} if when else {})}
            made.append({**trigger, "input": {"events": [{**attributes, "data": "{{ trigger.payload }}"}]}})
        return made

    def _entered(self, view: View) -> View:
        given = member_of(self.document, "input").get("from")
        if given is None:
            return view.knowing(input=view.dot)
        dot = self.values.cel(given, view, "/input/from") if isinstance(given, str) else "null"
        if not isinstance(given, str):
            self.notes.lost("/input/from", "an object built of the input is not carried over", "build it in the first task")
        return View(dot if re.fullmatch(r"[\w.]+", dot) else f"({dot})", view.variables).knowing(input=dot)

    def _ending(self, view: View) -> Node:
        """The node that ends the execution with what the last task gave."""
        given = member_of(self.document, "output").get("as")
        output: Any = "{{ " + view.dot + " }}"
        if given is not None:
            text = isinstance(given, str)
            output = "{{ " + self.values.cel(given, view, "/output/as") + " }}" if text else self.values.template(given, view, "/output/as")
        return {"id": self.values.id_of("finish"), "type": "end", "with": {"output": output}}
