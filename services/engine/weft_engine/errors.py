"""What the engine's door refuses, each with a stable code."""

from __future__ import annotations

from uuid import UUID

from weft_runtime.errors import Conflict, Detail, Invalid, NotFound, PreconditionFailed, RateLimited


class WorkflowNotFound(NotFound):
    """There is no such workflow in this tenant."""

    code = "workflow_not_found"

    def __init__(self, slug: str) -> None:
        super().__init__(f"there is no workflow {slug!r} here; look at GET /workflows for its slug")


class VersionNotFound(NotFound):
    """The workflow has no such published version."""

    code = "version_not_found"

    def __init__(self, slug: str, version: int) -> None:
        super().__init__(f"workflow {slug!r} has no published version {version}; see GET /workflows/{slug}/versions")


class NothingPublished(NotFound):
    """The workflow has no published version at all, and no draft that is known here."""

    code = "version_not_found"

    def __init__(self, slug: str) -> None:
        super().__init__(
            f"workflow {slug!r} has no published version, and no draft that was heard of here; save it again, "
            "or send its definition to POST /workflows/simulate"
        )


class DefinitionInvalid(Invalid):
    """A definition that was sent along has errors; each is in `errors` with its pointer and how to mend it."""

    code = "invalid_definition"


class NodesUnknown(Invalid):
    """Something is said of nodes, or of outcomes of nodes, that the definition does not have."""

    code = "simulation_invalid"


class WorkflowInactive(Conflict):
    """The workflow takes no new executions."""

    code = "workflow_inactive"

    def __init__(self, slug: str, status: str) -> None:
        cure = "publish it" if status == "draft" else "activate it"
        super().__init__(f"workflow {slug!r} is {status} and starts nothing; {cure} first", extra={"workflow_status": status})


class InputInvalid(Invalid):
    """The input does not fit the workflow's schema."""

    code = "input_invalid"

    def __init__(self, slug: str, errors: list[tuple[str, str, str]]) -> None:
        details = [Detail(f"/input{pointer}", code, detail) for pointer, code, detail in errors]
        super().__init__(f"the input does not fit what {slug!r} takes", details=details)


class TriggerDisabled(Conflict):
    """Every manual trigger of the workflow is switched off."""

    code = "trigger_disabled"

    def __init__(self, slug: str) -> None:
        super().__init__(f"workflow {slug!r} is not to be started by hand: its manual trigger has `enabled: false`")


class TriggerRefused(Conflict):
    """The workflow's manual trigger does not take this start."""

    code = "trigger_refused"

    def __init__(self, slug: str, trigger: str, reason: str) -> None:
        super().__init__(f"the trigger {trigger!r} of workflow {slug!r} does not take this: {reason}", extra={"trigger": trigger})


class KeyTaken(Conflict):
    """A live execution of the workflow has this key."""

    code = "key_taken"

    def __init__(self, slug: str, key: str, holder: UUID) -> None:
        super().__init__(
            f"execution {holder} of {slug!r} lives with the key {key!r}; wait for its end, or use another key",
            extra={"execution_id": str(holder)},
        )


class QuotaExceeded(RateLimited):
    """The tenant has as many executions, or starts them as fast, as its quota allows, and asks to refuse further ones then."""

    code = "quota_exceeded"

    def __init__(self, quota: str, limit: float, retry_after_s: int, window_s: int | None = None) -> None:
        what = "executions live" if window_s is None else f"executions in {window_s} s have been started"
        super().__init__(
            f"{limit:g} {what}, the most that this tenant's quota {quota} allows; try again in {retry_after_s} s, "
            "or let the quota queue starts (settings.quotas.on_exceeded)",
            extra={"quota": quota},
            retry_after_s=retry_after_s,
        )
        window, reset = ("", "") if window_s is None else (f";w={window_s}", f";t={retry_after_s}")
        self.headers = {"RateLimit-Policy": f'"{quota}";q={limit:.0f}{window}', "RateLimit": f'"{quota}";r=0{reset}'}


class ExecutionNotFound(NotFound):
    """No such execution in this tenant."""

    code = "execution_not_found"

    def __init__(self, execution_id: UUID) -> None:
        super().__init__(f"no execution {execution_id} in this tenant")


class NotBegun(Conflict):
    """Nothing has happened to the execution yet."""

    code = "execution_not_begun"

    def __init__(self, execution_id: UUID) -> None:
        super().__init__(f"execution {execution_id} has not begun, so there is nothing to go on from; simulate its workflow instead")


class PositionNotFound(NotFound):
    """The journal of an execution has no such position."""

    code = "position_not_found"

    def __init__(self, execution_id: UUID, at: int | None, last: int) -> None:
        super().__init__(f"the journal of execution {execution_id} has no entry at {at}; `at` is from 0 to {last}")


class AlreadySuspended(Conflict):
    """It is held up already."""

    code = "already_suspended"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"the {kind.replace('_', ' ')} {name!r} is suspended already; see GET /suspensions")


class SuspensionNotFound(NotFound):
    """No such suspension in this tenant."""

    code = "suspension_not_found"

    def __init__(self, suspension_id: UUID) -> None:
        super().__init__(f"no suspension {suspension_id} in this tenant; see GET /suspensions")


class Refused(Conflict):
    """The execution refused what it was asked, with the reason. code: what the engine answered."""

    def __init__(self, status: int, code: str, detail: str, extra: dict[str, object], details: list[Detail]) -> None:
        super().__init__(detail, code=code, extra=extra, details=details)
        self.status = status  # type: ignore[misc]


class BulkUnusable(Invalid):
    """What was asked of a bulk job does not fit together; `errors` says where."""

    code = "bulk_unusable"


class BulkTooLarge(Invalid):
    """More executions fit than one job may take."""

    code = "bulk_too_large"

    def __init__(self, most: int) -> None:
        super().__init__(f"more than {most} executions fit, the most one job takes; narrow the filter, by time for example")


class BulkNotFound(NotFound):
    """No such bulk job in this tenant."""

    code = "bulk_not_found"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"there is no bulk job {job_id}; list them with GET /api/v1/bulk")


class BulkFinished(Conflict):
    """The job is no longer running."""

    code = "bulk_finished"

    def __init__(self, job_id: UUID, status: str) -> None:
        super().__init__(f"bulk job {job_id} is {status} and cannot be stopped any more", extra={"current": {"status": status}})


class MappingRefused(Invalid):
    """The mapping names nodes that are not there, or makes one node of two; `errors` says which."""

    code = "mapping_unusable"


class MigrationUnusable(Invalid):
    """What was asked of a migration does not fit together; `errors` says where."""

    code = "migration_unusable"


class MigrationNotFound(NotFound):
    """No such migration in this tenant."""

    code = "migration_not_found"

    def __init__(self, migration_id: UUID) -> None:
        super().__init__(f"there is no migration {migration_id}; one is made with POST /api/v1/workflows/{{slug}}/migrations")


class MigrationCannot(Conflict):
    """The migration is not where this can be asked of it."""

    code = "migration_cannot"

    def __init__(self, migration_id: UUID, verb: str, status: str) -> None:
        super().__init__(f"migration {migration_id} is {status} and cannot {verb} now", extra={"current": {"status": status}})


class ConnectionNotFound(NotFound):
    """No such connection in this tenant."""

    code = "connection_not_found"

    def __init__(self, connection_id: UUID) -> None:
        super().__init__(f"no connection {connection_id} in this tenant; GET /api/v1/connections lists those there are")


class ConnectionUnusable(Invalid):
    """The settings or secrets are not those of the type; `errors` says which."""

    code = "connection_unusable"


class ConnectionNameTaken(Conflict):
    """The tenant has a connection of that name."""

    code = "connection_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"there is a connection {name!r} in this tenant already; change that one, or choose another name")


class ConnectionInUse(Conflict):
    """Active workflows name the connection."""

    code = "connection_in_use"

    def __init__(self, name: str, workflows: list[str]) -> None:
        named = ", ".join(workflows)
        super().__init__(
            f"the connection {name!r} is named by active workflows: {named}; publish them without it or deactivate them first",
            extra={"workflows": workflows},
        )


class TooManyConnections(Conflict):
    """The tenant has as many connections as it may have."""

    code = "too_many_connections"


class OAuthNotSupported(Conflict):
    """The connection does not sign in by OAuth, or this installation has no address for the answer."""

    code = "oauth_not_supported"


class ConnectionMoved(PreconditionFailed):
    """`If-Match` names another version than the connection's."""

    code = "connection_moved"

    def __init__(self, name: str, etag: str, version: int) -> None:
        super().__init__(f"the connection {name!r} is not at {etag!r}: it is at {version} now; read it again and decide anew")


class ConnectionRenamed(Invalid):
    """A connection keeps its name and type."""

    code = "connection_unusable"

    def __init__(self, name: str, field: str) -> None:
        why = f"the connection {name!r} keeps its {field}: definitions count on it; make another connection, and remove this one"
        super().__init__(why, details=[Detail(f"/{field}", f"{field}_fixed", why)])
