"""Branches of a `parallel` in two versions: which is which. One is told as `<node>/<branch>`, the name of its graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from weft_language.compilation import ParallelWork, Program

_SHOWN = 0.5
"""From this share of nodes on that stand in both, one branch may be the other."""


def branches_of(program: Program, node: str | None) -> list[str]:
    """The graphs of a node's branches; none where it is no `parallel`, or is not there."""
    work = program.nodes[node].work if node is not None and node in program.nodes else None
    return list(work.branches.values()) if isinstance(work, ParallelWork) else []


def renamed(old: Program, nodes: Mapping[str, str | None], chosen: Mapping[str, str | None]) -> dict[str, str | None]:
    """What is to be said of branches: those that were chosen, and those whose name another takes.

    nodes: every node of the old version, by what it becomes.
    """
    taken = {becomes for branch, becomes in chosen.items() if "/" in branch and becomes is not None}
    found: dict[str, str | None] = {}
    for node, becomes in nodes.items():
        for branch in branches_of(old, node):
            same = f"{becomes}/{branch.rpartition('/')[2]}"
            if chosen.get(branch, same) != same:
                found[branch] = chosen[branch]
            elif branch not in chosen and same in taken:
                found[branch] = None
    return found


def unusable(old: Program, new: Program, chosen: Mapping[str, str | None], nodes: Mapping[str, str | None]) -> list[tuple[str, str]]:
    """(branch, why not) of those that were chosen and do not fit."""
    reasons: list[tuple[str, str]] = []
    used: dict[str, str] = {}
    for branch, becomes in chosen.items():
        node, slash, _ = branch.partition("/")
        if not slash:
            continue
        if branch not in branches_of(old, node):
            reasons.append((branch, f"version {old.version} has no branch {branch}"))
        elif becomes is not None and becomes not in branches_of(new, nodes[node]):
            there = ", ".join(branches_of(new, nodes[node])) or "none"
            reasons.append((branch, f"{branch} is to become {becomes}, which is no branch of what {node} becomes; there are {there}"))
        elif becomes is not None and becomes in used:
            reasons.append((branch, f"{used[becomes]} and {branch} would both become {becomes}; one of them must become another or null"))
        used.setdefault(becomes or "", branch)
    return reasons


def proposed(old: Program, new: Program, known: Mapping[str, str]) -> list[tuple[str, str | None, float, str]]:
    """(branch, what it becomes, confidence, reason) of branches that have gone from a node that is still there.

    known: nodes by what they become. A branch is another one as far as the same nodes stand in both.
    """
    found: list[tuple[str, str | None, float, str]] = []
    for node, becomes in known.items():
        there = branches_of(new, becomes)
        names = {branch.rpartition("/")[2] for branch in there}
        gone = [branch for branch in branches_of(old, node) if branch.rpartition("/")[2] not in names]
        kept = {branch.rpartition("/")[2] for branch in branches_of(old, node)}
        come = [branch for branch in there if branch.rpartition("/")[2] not in kept]
        pairs = sorted(_pairs(old, new, gone, come, known), key=lambda pair: -pair[2])
        taken: set[str] = set()
        for branch, other, share in pairs if there else ():
            if share >= _SHOWN and not {branch, other} & taken:
                taken |= {branch, other}
                reason = "the same nodes stand in it" if share == 1.0 else "the same nodes stand in it in part"
                found.append((branch, other, share, reason))
        found += [(branch, None, 1.0, "no branch with its nodes has come in its place") for branch in gone if there and branch not in taken]
    return found


def _pairs(old: Program, new: Program, gone: list[str], come: list[str], known: Mapping[str, str]) -> Iterator[tuple[str, str, float]]:
    for branch in gone:
        before = {known.get(node, "") for node in old.scopes[branch].nodes}
        for other in come:
            after = set(new.scopes[other].nodes)
            yield branch, other, round(len(before & after) / max(len(before), len(after)), 2)
