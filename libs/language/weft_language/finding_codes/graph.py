"""Codes of layer 2: the graph, and how executions move through it."""

from typing import Final

from weft_language.finding_codes.code import FindingCode as Code

GRAPH: Final = (
    Code("duplicate_id", "error", "an id that another node or trigger has", "rename it"),
    Code(
        "unknown_node",
        "error",
        "a name that no node of the needed kind has: in an edge, `start`, `scope`, `separate_from`",
        "use the id of one",
    ),
    Code("edge_across_scopes", "error", "an edge or `start` that names a node of another graph", "draw it to the node that holds it"),
    Code("edge_from_end", "error", "an edge that leaves an `end` or a `fail`", "remove it"),
    Code("impossible_outcome", "error", "an outcome its node never has, of an edge or of `on_timeout`", "use one it has"),
    Code("reserved_outcome", "error", "an outcome named `error`", "choose another name"),
    Code("duplicate_outcome", "error", "an outcome named twice: among signals, events and times too", "give each a name of its own"),
    Code(
        "outcome_without_edge",
        "warning, info",
        "an outcome that quietly ends its scope, or an `exhausted` that passes for done",
        "add an edge on it",
    ),
    Code("guards_may_all_fail", "info", "an outcome all of whose edges have a `when`", "add a last edge without one"),
    Code(
        "edge_never_taken", "warning", "an edge behind one that is always taken, or on an outcome that never comes", "reorder or remove it"
    ),
    Code("unreachable_node", "warning", "a node that nothing leads to", "draw an edge to it, or remove it"),
    Code("state_never_left", "error", "a `state` that nothing can leave", "give it `signals` or `after`"),
    Code("too_many_nodes", "error", "more than 1,000 nodes over all scopes", "split it into workflows that call each other"),
    Code("too_many_edges", "error", "more than 5,000 edges over all scopes", "split it into workflows that call each other"),
    Code("variable_name", "warning", "a variable that cannot be read as `vars.<name>`", "use letters, digits and _"),
    Code("template_not_rendered", "warning", "a template where texts are shown as written", "write a plain text"),
)

FLOW: Final = (
    Code("constant_condition", "warning", "a condition that is always true or always false", "compare it with something that changes"),
    Code(
        "dead_node",
        "warning",
        "a node that a condition on every way to it always decides against",
        "mend the condition, or remove the node",
    ),
    Code(
        "cycle_never_waits", "error", "a cycle on which nothing waits and nothing changes", "put a `wait`, a task or an outside call on it"
    ),
    Code("cycle_never_ends", "warning", "a cycle that nothing leaves and on which nothing waits", "add an edge that leaves it"),
    Code("loop_never_ends", "warning", "a `loop` that only `max_iterations` ends", "let its condition read what the body changes"),
    Code(
        "loop_never_changes",
        "warning",
        "a `loop` whose condition reads nothing that changes",
        "read a step of the body, a variable it sets, or `iteration`",
    ),
    Code("loop_never_runs", "warning", "a `loop` whose `while` is always false", "mend the condition"),
    Code("loop_runs_once", "info", "a `loop` whose `until` is always true", "take the body out of the loop"),
    Code("join_too_large", "error", "a `parallel` that joins more branches than it has", 'write "all"'),
    Code("join_never_completes", "warning", "a `parallel` that waits for branches which cannot complete", "let them end, or join fewer"),
    Code("too_many_items", "error", "a written list longer than `max_items`", "raise it, or shorten the list"),
    Code("name_hides_another", "warning", "an `as` that is one of the names in scope", "choose another, such as item"),
    Code("nothing_to_do", "warning", "a `foreach` over an empty list", "give it a list that holds something"),
    Code(
        "time_never_comes",
        "warning",
        "a time of a `state` that another one, or the node's `timeout`, always comes before",
        "make it shorter",
    ),
    Code(
        "signal_never_accepted",
        "warning",
        "a signal that is always refused, or whose schema accepts nothing",
        "mend the `when` of its edges, or the schema",
    ),
    Code("wait_of_nothing", "warning", "a `wait` of no length", "give it one, or remove the node"),
    Code("wait_outlives_execution", "warning", "a `wait` as long as `settings.max_duration` or longer", "wait for less"),
)
