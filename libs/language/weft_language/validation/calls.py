"""The workflows that a definition calls, held against those that its tenant has.

Warnings, never errors: a workflow may be published after one that calls it, as where several are published one after the other.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from weft_language.findings import Finding, in_order
from weft_language.model import slug_of
from weft_language.validation.nearest import nearest
from weft_language.validation.outline import OutlineNode, outline

_TEMPLATE: Final = "{{"
_SLUG: Final = re.compile(r"[a-z0-9-]{1,100}\Z")
_WAITED: Final = "a call fails 30 s after it began where it is not there until then"


def called_workflows(document: Any) -> frozenset[str]:
    """The slugs of other workflows that a document calls and names itself; what a template names is not known. document: any JSON."""
    return frozenset(name for _, name in _calls(document) if _SLUG.match(name))


def call_findings(
    document: Mapping[str, Any], published: Mapping[str, Collection[int]], others: Collection[str] = ()
) -> tuple[Finding, ...]:
    """A warning for each call of a valid document whose workflow is not there, or was not published.

    published: the published versions of each of `called_workflows` that is there.  others: slugs of the tenant, for proposals.
    """
    calls = _calls(document)
    return in_order(finding for node, name in calls if (finding := _finding(node, name, published, others)) is not None)


def _calls(document: Any) -> Iterator[tuple[OutlineNode, str]]:
    if not isinstance(document, Mapping):
        return
    title = document.get("name")
    itself = document.get("slug", slug_of(title) if isinstance(title, str) else None)
    for node in outline(document).all_nodes:
        name = node.with_.get("workflow")
        # One that calls itself is there when it runs.
        if node.type == "call" and isinstance(name, str) and name and _TEMPLATE not in name and name != itself:
            yield node, name


def _finding(node: OutlineNode, name: str, published: Mapping[str, Collection[int]], others: Collection[str]) -> Finding | None:
    pointer, versions, version = f"{node.pointer}/with/workflow", published.get(name), node.with_.get("version")
    if versions is None:
        message = f"there is no workflow `{name}`; {_WAITED}"
        meant = nearest(name, sorted(set(others) - {name}))
        if meant is None:
            return Finding("warning", "workflow_not_there", pointer, message, node.id, "make and publish it before it is called")
        patch = ({"op": "replace", "path": pointer, "value": meant},)
        return Finding("warning", "workflow_not_there", pointer, message, node.id, f"did you mean `{meant}`?", patch)
    if isinstance(version, int) and version not in versions:
        message = f"version {version} of the workflow `{name}` was never published; {_WAITED}"
        fix = "name one that was, or leave `version` out for its active one"
        return Finding("warning", "workflow_not_published", f"{node.pointer}/with/version", message, node.id, fix)
    if not versions:
        message = f"the workflow `{name}` was never published; {_WAITED}"
        return Finding("warning", "workflow_not_published", pointer, message, node.id, "publish it before it is called")
    return None
