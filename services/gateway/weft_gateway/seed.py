"""The demonstration tenant, made at the first start of an installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from weft_contracts.routing import DEFAULT_PARTITIONS
from weft_runtime.clock import SystemClock, new_id
from weft_runtime.database.engine import engine
from weft_runtime.pipeline.outbox_rows import OutboxRows
from weft_runtime.pipeline.words import outgoing
from weft_runtime.uow import UnitOfWork

from weft_gateway import domain, passwords
from weft_gateway.domain import Tenant, User
from weft_gateway.errors import EmailTaken, TenantTaken
from weft_gateway.issuing import ensure_key
from weft_gateway.keyring import Vault
from weft_gateway.store import directory
from weft_gateway.store import groups as groups_store

TENANT: Final = "demo"
PEOPLE: Final = {
    "admin@demo.weft": ("Ada Admin", ("admin", "operator"), ("operations",)),
    "editor@demo.weft": ("Edda Editor", ("editor",), ("operations",)),
    "approver@demo.weft": ("Arno Approver", ("approver",), ("approvers",)),
}
"""Who belongs to it: name, roles and groups by e-mail address. The first runs the installation, too: somebody has to make other tenants."""

STATEMENT_TIMEOUT_MS = 30_000


async def seed_demo(database_url: str, secret_key: str, passwords_by_email: Mapping[str, str]) -> None:
    """Make the tenant `demo` and its people, and tell the mesh of them; who is there already stays as they are.

    database_url: as the owner of schema `gateway`, which is migrated.  secret_key: the installation's, which seals the signing keys.
    passwords_by_email: of those in `PEOPLE` who are to sign in with one; the others are made without.
    Raises: KeyError for somebody else; what the database raises.
    """
    unknown = set(passwords_by_email) - set(PEOPLE)
    if unknown:
        raise KeyError(f"{sorted(unknown)} are not of the demonstration; choose from {sorted(PEOPLE)}")
    hashes = {email: await passwords.hashed(password) for email, password in passwords_by_email.items()}
    pool = engine(database_url, "weft-gateway-seed", STATEMENT_TIMEOUT_MS, 1)
    try:
        async with pool.begin() as connection:
            uow = UnitOfWork(TENANT, connection, SystemClock().now())
            await ensure_key(uow, Vault(secret_key))
            await _tenant(uow)
            for email in PEOPLE:
                await _person(uow, email, hashes.get(email))
            rows = [outgoing(saying, room="gateway", partitions=DEFAULT_PARTITIONS, traceparent=None) for saying in uow.said]
            if rows:
                await OutboxRows("gateway").insert(connection, rows)
    finally:
        await pool.dispose()


async def _tenant(uow: UnitOfWork) -> None:
    decision = domain.found(Tenant(TENANT, "Demo", uow.now))
    try:
        await directory.add_tenant(uow, decision.state)
    except TenantTaken:
        return
    uow.say(*decision.says)


async def _person(uow: UnitOfWork, email: str, phc: str | None) -> None:
    name, roles, groups = PEOPLE[email]
    decision = domain.admit(User(new_id(), TENANT, email, name, uow.now, uow.now, roles, groups))
    try:
        await directory.add_user(uow, decision.state)
    except EmailTaken:
        return
    await groups_store.ensure(uow, groups)
    uow.say(*decision.says)
    if phc is not None:
        await directory.save_password(uow, decision.state, phc)
