"""What each action asks of a model, and how its answer becomes the node's output. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from weft_language.actions.ai.model import AiWith, ClassifyWith, ExtractWith, GenerateWith, PersonalizeWith, SummarizeWith
from weft_language.json_schemas import SchemaCheck

Result = dict[str, Any]


class Wrong(ValueError):
    """An answer that is not what was asked for. The text says to the model what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Task:
    """rules: what to do, by the platform.  data: what to do it with, by name.  schema: of the JSON that is wanted, None for a text.

    read: members of the output that an answer gives: a text, or the value of JSON that the schema allows. Raises: Wrong.
    may_be_cut: whether a text that ends where the model had to stop is of use; the output then tells whether it does.
    """

    rules: str
    data: tuple[tuple[str, Any], ...]
    read: Callable[[Any], Result]
    schema: Mapping[str, Any] | None = None
    may_be_cut: bool = False


def task_of(with_: AiWith) -> Task:
    """The task of a rendered `with`."""
    return _TASKS[type(with_)](with_)


def _generate(with_: GenerateWith) -> Task:
    data = () if with_.input is None else (("input", with_.input),)
    if with_.schema_ is None:
        rules = "Write the text that the author asks for. Answer with that text and nothing else."
        return Task(rules, data, lambda text: {"result": text}, may_be_cut=True)
    task = _data_of(with_.schema_, "Give the data that the author asks for.", data)
    return replace(task, read=lambda value: {**task.read(value), "truncated": False})


def _data_of(schema: Mapping[str, Any], rules: str, data: tuple[tuple[str, Any], ...]) -> Task:
    """Data of an author's schema. Providers take schemas of objects only, so what is none is wrapped in one."""
    if schema.get("type") == "object" or "$ref" in str(schema):  # references count from the root, so such a schema stays there
        return Task(rules, data, lambda value: {"result": value}, schema)
    wrapped = {"type": "object", "properties": {"result": schema}, "required": ["result"], "additionalProperties": False}
    return Task(rules, data, lambda value: {"result": value["result"]}, wrapped)


def _classify(with_: ClassifyWith) -> Task:
    categories = _described(with_.categories)
    schema = _object(
        category={"type": "string", "enum": list(categories)},
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        reason={"type": "string", "maxLength": 1000},
    )
    rules = f"Put the input into exactly one of these categories:\n{_listed(categories)}\nSay how sure you are, and why in one sentence."
    return Task(rules, (("input", with_.input),), _category, schema)


def _category(value: Any) -> Result:
    return {"result": value["category"], "confidence": value["confidence"], "reason": value["reason"]}


def _summarize(with_: SummarizeWith) -> Task:
    most = _words(with_.max_words)
    form = {"paragraph": "one paragraph", "bullets": "a list of points, each on a line that begins with `- `", "headline": "one line"}
    tongue = f"in {with_.language}" if with_.language else "in the language of the input"
    rules = f"Summarize the input as {form[with_.style]}, {tongue}, in at most {most} words. Add nothing that is not in it."
    return _bounded(rules, (("input", with_.input),), most)


def _personalize(with_: PersonalizeWith) -> Task:
    most = _words(with_.max_words)
    rules = (
        "Rewrite the content so that it suits the person. Keep its meaning, facts, numbers, names and links. "
        f"Use at most {most} words, in the language of the content. Answer with the text and nothing else."
    )
    return _bounded(rules, (("content", with_.content), ("person", with_.user)), most)


def _bounded(rules: str, data: tuple[tuple[str, Any], ...], most: int) -> Task:
    def read(text: str) -> Result:
        count = len(text.split())
        if count > most:
            raise Wrong(f"it has {count} words, and at most {most} are allowed")
        return {"result": text}

    return Task(rules, data, read)


def _extract(with_: ExtractWith) -> Task:
    data = (("input", with_.input),)
    if with_.schema_ is not None:
        return _data_of(with_.schema_, "Find the data in the input. Give only what is in it; leave out what is not.", data)
    types = _described(with_.entities or ())
    entity = _object(type={"type": "string", "enum": list(types)}, text={"type": "string", "minLength": 1, "maxLength": 1000})
    schema = _object(entities={"type": "array", "items": entity, "maxItems": 1000})
    known = _plain(with_.input)

    def read(value: Any) -> Result:
        for one in value["entities"]:
            if _flat(one["text"]) not in known:
                raise Wrong(f"the input holds no {one['text'][:80]!r}: give each entity's text exactly as it stands there")
        return {"result": value["entities"]}

    rules = f"Find every entity of these types in the input:\n{_listed(types)}\nGive each one's text exactly as it stands there."
    return Task(rules, data, read, schema)


_TASKS: Final[dict[type[AiWith], Callable[[Any], Task]]] = {
    GenerateWith: _generate,
    ClassifyWith: _classify,
    SummarizeWith: _summarize,
    ExtractWith: _extract,
    PersonalizeWith: _personalize,
}


def checked(task: Task, check: SchemaCheck | None, answer: Any) -> Result:
    """The members of the output that an answer gives. answer: a text, or a value of JSON.  Raises: Wrong."""
    for pointer, _, detail in check.errors(answer) if check is not None else ():
        raise Wrong(f"{pointer or 'the answer'}: {detail}")
    return task.read(answer)


def _object(**members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}


def _described(names: Mapping[str, str] | Iterable[str] | str) -> dict[str, str]:
    return dict(names) if isinstance(names, Mapping) else dict.fromkeys(names, "")


def _listed(names: Mapping[str, str]) -> str:
    return "\n".join(f"- {name}{f': {text}' if text else ''}" for name, text in names.items())


def _words(value: int | str) -> int:
    return int(value)


def _plain(value: Any) -> str:
    """All texts of a value, so that what was found in it can be looked up, however it is written."""
    return _flat(" ".join(_texts(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value)


def _flat(text: str) -> str:
    return " ".join(text.split()).casefold()
