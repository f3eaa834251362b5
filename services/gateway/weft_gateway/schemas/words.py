"""What the fields of bodies may hold."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field
from weft_runtime.auth.claims import MAX_GROUPS

from weft_gateway.passwords import MAX_LENGTH, MIN_LENGTH

Email = Annotated[str, Field(min_length=3, max_length=320, pattern=r"^\s*[^@\s]+@[^@\s]+\s*$")]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Password = Annotated[str, Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)]
RoleName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,62}$")]
QueueName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
GroupName = Annotated[str, Field(min_length=1, max_length=100)]
Roles = Annotated[list[RoleName], Field(max_length=64)]
Groups = Annotated[list[GroupName], Field(max_length=MAX_GROUPS)]
Members = Annotated[list[UUID], Field(max_length=1000)]
