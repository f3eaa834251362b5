"""Bodies and views of people and groups."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from weft_runtime.http import Body

from weft_gateway.domain import Group, User
from weft_gateway.schemas.words import Email, GroupName, Groups, Members, Name, Password, Roles


class UserBody(Body):
    """A new person. password: how they sign in; without one they cannot yet."""

    email: Email
    name: Name
    roles: Roles = ["viewer"]
    groups: Groups = []
    password: Password | None = None


class UserChange(Body):
    """A person as they are to be. password: a new one, kept as it is when absent; a new one ends their sessions."""

    name: Name
    roles: Roles
    groups: Groups = []
    active: bool = True
    password: Password | None = None


class UserView(BaseModel):
    """A person of this tenant."""

    id: UUID
    email: str
    name: str
    roles: list[str]
    groups: list[str]
    active: bool
    created_at: datetime
    updated_at: datetime


class GroupBody(Body):
    """A new group. members: ids of the people who are in it from the beginning."""

    name: GroupName
    description: Annotated[str, Field(max_length=1000)] = ""
    members: Members = []


class GroupChange(Body):
    """A group as it is to be. members: all of them, as they are when absent."""

    name: GroupName
    description: Annotated[str, Field(max_length=1000)] = ""
    members: Members | None = None


class GroupView(BaseModel):
    """A group. name: what workflows and tokens call it.  members: how many active people are in it."""

    id: UUID
    name: str
    description: str
    members: int
    created_at: datetime
    updated_at: datetime


class MemberView(BaseModel):
    """A person in a group."""

    id: UUID
    email: str
    name: str
    active: bool


def user(shown: User) -> UserView:
    """A person as administrators see them."""
    return UserView(
        id=shown.id,
        email=shown.email,
        name=shown.name,
        roles=list(shown.roles),
        groups=list(shown.groups),
        active=shown.active,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )


def group(shown: Group, members: int) -> GroupView:
    """A group as administrators see it. members: how many active ones."""
    return GroupView(
        id=shown.id,
        name=shown.name,
        description=shown.description,
        members=members,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
    )
