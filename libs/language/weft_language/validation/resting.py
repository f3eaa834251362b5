"""Places of rest: times that never come, signals that are always refused, waits of no length, ladders of tasks that lead nowhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from weft_language.findings import Finding, pointer_of
from weft_language.model import InvalidDuration, parse_duration
from weft_language.validation.flow import Flow, entry_of
from weft_language.validation.nearest import nearest
from weft_language.validation.outline import Outline, OutlineEdge, OutlineNode


def resting_findings(document: Outline, flow: Flow, decisions: Mapping[str, bool]) -> Iterator[Finding]:
    """Everything doubtful about `state`, `wait` and `task`. decisions: conditions that never change, by pointer."""
    settings = document.document.get("settings")
    longest = seconds(settings.get("max_duration")) if isinstance(settings, Mapping) else None
    for node in document.all_nodes:
        if node.type == "state":
            yield from _times(node, decisions)
            yield from _signals(node, decisions)
        elif node.type == "wait":
            yield from _wait(node, longest)
        elif node.type == "task":
            yield from _ladder(node)
            yield from _reminders(node)
            yield from _approvals(node)
            yield from _separation(document, node, flow)


def seconds(value: Any) -> float | None:
    """The seconds of a duration that is written out; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return parse_duration(value)
    except InvalidDuration:
        return None


def _read_on(node: OutlineNode, name: str) -> list[OutlineEdge]:
    """The edges that are read when a node ends with an outcome."""
    leaving = node.graph.leaving(node)
    return [edge for edge in leaving if edge.on == name] or [edge for edge in leaving if edge.on == "done"]


def _surely_leaves(node: OutlineNode, name: str, decisions: Mapping[str, bool]) -> bool:
    edges = _read_on(node, name)
    return not edges or any(edge.when is None or decisions.get(f"{edge.pointer}/when") for edge in edges)


def _times(node: OutlineNode, decisions: Mapping[str, bool]) -> Iterator[Finding]:
    """Times of a state that another one, which surely leaves it, comes before."""
    after = node.with_.get("after")
    known = {name: seconds(value) for name, value in after.items()} if isinstance(after, Mapping) else {}
    leaving = [(length, f"`{name}`") for name, length in known.items() if length is not None and _surely_leaves(node, name, decisions)]
    limit = seconds(node.raw.get("timeout"))
    if limit is not None:
        leaving.append((limit, "the node's `timeout`"))
    if not leaving:
        return
    first, name_of_first = min(leaving, key=lambda pair: pair[0])
    for name, length in known.items():
        if length is not None and f"`{name}`" != name_of_first and length >= first:
            message = f"`{name}` never comes: {name_of_first} has left the state `{node.id}` by then"
            pointer = f"{node.pointer}/with" + pointer_of("after", name)
            yield Finding("warning", "time_never_comes", pointer, message, node.id, "make it shorter, or remove it")


def _signals(node: OutlineNode, decisions: Mapping[str, bool]) -> Iterator[Finding]:
    signals = node.with_.get("signals")
    for name, signal in signals.items() if isinstance(signals, Mapping) else ():
        pointer = f"{node.pointer}/with" + pointer_of("signals", name)
        edges = _read_on(node, name)
        if edges and all(edge.when is not None and decisions.get(f"{edge.pointer}/when") is False for edge in edges):
            message = f"the signal `{name}` is always refused: no edge from `{node.id}` on it is ever open"
            yield Finding("warning", "signal_never_accepted", pointer, message, node.id, "mend the `when` of its edges")
        elif isinstance(signal, Mapping) and signal.get("schema") is False:
            message = f"nobody can send the signal `{name}`: its schema accepts nothing"
            yield Finding("warning", "signal_never_accepted", f"{pointer}/schema", message, node.id, "describe what it carries")


def _wait(node: OutlineNode, longest: float | None) -> Iterator[Finding]:
    length, pointer = seconds(node.with_.get("for")), f"{node.pointer}/with/for"
    if length == 0:
        message = f"`{node.id}` waits for no time at all"
        yield Finding("warning", "wait_of_nothing", pointer, message, node.id, "give it a length, or remove the node")
    elif length is not None and longest is not None and length >= longest:
        message = f"`{node.id}` waits longer than the execution may last (`settings.max_duration`)"
        yield Finding("warning", "wait_outlives_execution", pointer, message, node.id, "wait for less, or let the execution last longer")


def _ladder(node: OutlineNode) -> Iterator[Finding]:
    """The rungs of `on_timeout`: what each lacks, and those that nothing reaches."""
    listed = node.with_.get("on_timeout")
    rungs = {place: rung for place, rung in enumerate(listed) if isinstance(rung, Mapping)} if isinstance(listed, list) else {}
    for place, rung in rungs.items():
        yield from _rung(node, rung, f"{node.pointer}/with/on_timeout/{place}")
    times = {place: length for place, rung in rungs.items() if (length := seconds(rung.get("after"))) is not None}
    ending = min(((length, place) for place, length in times.items() if rungs[place].get("do") in ("decide", "fail")), default=None)
    limit = seconds(node.raw.get("timeout"))
    for place, length in times.items():
        by = ""
        if ending is not None and (length, place) > ending:
            by = f"`{rungs[ending[1]]['do']}` after {rungs[ending[1]]['after']}"
        elif limit is not None and length >= limit:
            by = "the node's `timeout`"
        if by:
            message = f"this step of `{node.id}` never comes: {by} has ended the task by then"
            pointer = f"{node.pointer}/with/on_timeout/{place}"
            yield Finding("warning", "rung_never_reached", pointer, message, node.id, "let it come earlier, or remove it")


def _rung(node: OutlineNode, rung: Mapping[str, Any], pointer: str) -> Iterator[Finding]:
    outcomes, does, decided = node.with_.get("outcomes", ["completed"]), rung.get("do"), rung.get("outcome")
    if does == "decide" and decided is None:
        fix = "name the outcome that is decided"
        yield Finding("error", "required", f"{pointer}/outcome", "`decide` needs an `outcome`", node.id, fix)
    elif does == "decide" and isinstance(outcomes, list) and decided not in outcomes:
        meant = nearest(str(decided), [name for name in outcomes if isinstance(name, str)])
        fix = f"did you mean `{meant}`?" if meant else "use one of the task's outcomes; `fail` ends it with `timeout`"
        message = f"`{decided}` is no outcome of `{node.id}`"
        yield Finding("error", "impossible_outcome", f"{pointer}/outcome", message, node.id, fix)
    elif does in ("reassign", "escalate") and not _names_somebody(rung.get("to")):
        message = f"`{does}` names nobody whom the task `{node.id}` could go to"
        yield Finding("error", "ladder_names_nobody", pointer, message, node.id, "add `to`: a person, or candidates")


def _names_somebody(to: Any) -> bool:
    return any(to.get(word) for word in ("users", "groups", "roles")) if isinstance(to, Mapping) else bool(to)


def _reminders(node: OutlineNode) -> Iterator[Finding]:
    """Reminders of a date that there is not, or that is over before the task is there."""
    reminders, pointer = node.with_.get("reminders"), f"{node.pointer}/with/reminders"
    if reminders and "due" not in node.with_:
        message = f"`{node.id}` has reminders before `due`, and no `due`"
        yield Finding("warning", "reminder_without_due", pointer, message, node.id, "give it a `due`, such as 2d")
    due = seconds(node.with_.get("due"))
    for place, reminder in enumerate(reminders if isinstance(reminders, list) else ()):
        before = seconds(reminder)
        if due is not None and before is not None and before >= due:
            message = f"this reminder of `{node.id}` never comes: the task is due {node.with_['due']} after it is there"
            fix = "remind later, or give it more time"
            yield Finding("warning", "reminder_never_comes", f"{pointer}/{place}", message, node.id, fix)


def _approvals(node: OutlineNode) -> Iterator[Finding]:
    """More approvals than there can be. One person decides once unless `distinct` is false."""
    approvals, candidates = node.with_.get("approvals"), node.with_.get("candidates")
    needed = approvals.get("required") if isinstance(approvals, Mapping) else None
    if not isinstance(approvals, Mapping) or not isinstance(needed, int):
        return
    pointer, whole, assignee = f"{node.pointer}/with/approvals/required", approvals.get("of"), node.with_.get("assignee")
    if isinstance(whole, int) and needed > whole:
        message = f"`{node.id}` needs {needed} approvals of {whole}: it can never have them"
        yield Finding("error", "approvals_impossible", pointer, message, node.id, f"write at most {whole}")
    elif not approvals.get("distinct", True) or needed < 2:
        return
    elif assignee and not candidates:
        message = f"`{node.id}` needs {needed} approvals by different people, and only {assignee} may act on it: it can never end"
        certain = isinstance(assignee, str) and "{{" not in assignee
        fix = "add `candidates`, or write `distinct: false`"
        yield Finding("error" if certain else "warning", "approvals_impossible", pointer, message, node.id, fix)
    elif isinstance(candidates, Mapping) and not candidates.get("groups") and not candidates.get("roles"):
        users = candidates.get("users")
        if isinstance(users, list) and 0 < len(people := {str(one) for one in (*users, *([assignee] if assignee else []))}) < needed:
            message = f"`{node.id}` needs {needed} approvals by different people, and {len(people)} may act on it"
            yield Finding("warning", "approvals_impossible", pointer, message, node.id, "name more candidates, or need fewer approvals")


def _separation(document: Outline, node: OutlineNode, flow: Flow) -> Iterator[Finding]:
    """Separation from a task that nobody can have completed by then."""
    separate = node.with_.get("separate_from")
    for place, name in enumerate(separate if isinstance(separate, list) else ()):
        other = document.nodes.get(name) if isinstance(name, str) else None
        if other is not None and other.type == "task" and flow.reached(entry_of(node)) and flow.has_run(entry_of(node), [name]) == "never":
            message = f"`{node.id}` is kept apart from `{name}`, which cannot have been completed by then"
            fix = f"write `separate_from` on `{name}` instead, if that comes later"
            yield Finding("warning", "separation_without_effect", f"{node.pointer}/with/separate_from/{place}", message, node.id, fix)
