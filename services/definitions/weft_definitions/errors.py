"""What can go wrong with a workflow."""

from __future__ import annotations

from weft_runtime.errors import Conflict, Invalid, Malformed, NotFound, PreconditionFailed


class WorkflowNotFound(NotFound):
    """This tenant has no such workflow."""

    code = "workflow_not_found"


class VersionNotFound(NotFound):
    """The workflow has no such version."""

    code = "version_not_found"


class NodeTypeNotFound(NotFound):
    """The catalog has no such type of node."""

    code = "node_type_not_found"


class SlugTaken(Conflict):
    """Another workflow of the tenant has this slug."""

    code = "slug_taken"


class IllegalMove(Conflict):
    """The lifecycle does not allow this from where the workflow stands."""

    code = "illegal_move"


class NotActive(Conflict):
    """The version named is not the active one."""

    code = "version_not_active"


class ExecutionsLive(Conflict):
    """The workflow still has live executions."""

    code = "executions_live"


class EditedSince(PreconditionFailed):
    """`If-Match` names a state of the workflow that has passed."""

    code = "edited_since"


class InvalidDefinition(Invalid):
    """The definition has errors; each is in `errors` with its pointer and how to mend it."""

    code = "invalid_definition"


class NotExecutable(Invalid):
    """The definition is valid and asks for what the engine cannot execute yet."""

    code = "not_executable"


class SlugMismatch(Invalid):
    """The definition names another slug than the address."""

    code = "slug_mismatch"


class InvalidRequest(Invalid):
    """The body is neither a definition nor one in its wrapping."""

    code = "invalid_request"


class UnsupportedMediaType(Invalid):
    """The body is neither JSON nor YAML by its content type. 415."""

    status, code = 415, "unsupported_media_type"


class Unreadable(Malformed):
    """The body is neither JSON nor YAML as its type says."""

    code = "unreadable_document"
