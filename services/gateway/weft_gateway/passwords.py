"""Passwords: hashed with argon2id in a few threads of their own, so that neither the event loop nor the memory suffers."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from weft_runtime.errors import Unavailable

PARAMETERS: Final = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=3, memory_cost=64 * 1024, parallelism=4)
"""64 MiB, three passes, four lanes. Source: RFC 9106 section 4, second recommended option."""
THREADS: Final = 2
"""Hashes at a time: bounds the memory at 128 MiB."""
WAITING_MAX: Final = 32
"""Hashes that may wait; at 100 ms each, two at a time, the last one waits under two seconds."""
MIN_LENGTH: Final = 12
"""Characters a password has at least. Source: NIST SP 800-63B-4 asks 8 at the very least."""
MAX_LENGTH: Final = 128
"""Characters a password has at most, so that hashing stays bounded. Source: NIST SP 800-63B-4 asks to permit at least 64."""

_NOBODY: Final = f"$argon2id$v=19$m={PARAMETERS.memory_cost},t={PARAMETERS.time_cost},p={PARAMETERS.parallelism}${'A' * 22}${'A' * 43}"
"""What is checked where there is nobody: no password is known to give it, and checking it is the same work."""

T = TypeVar("T")

_hasher = PasswordHasher.from_parameters(PARAMETERS)
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2")
_waiting = 0


class HashingBusy(Unavailable):
    """More sign-ins at once than this process hashes in time."""

    code = "sign_in_busy"


async def hashed(password: str) -> str:
    """The PHC string of a password. Raises: HashingBusy."""
    return await _in_thread(partial(_hasher.hash, _normal(password)))


async def matches(password: str, phc: str | None) -> bool:
    """Whether `password` is the one behind `phc`; None (nobody by that name) takes as long as a wrong one. Raises: HashingBusy."""
    matched = await _in_thread(partial(_verify, _normal(password), phc or _NOBODY))
    return matched and phc is not None


def outdated(phc: str) -> bool:
    """Whether a hash was made with other parameters than today's, so that the next sign-in should renew it."""
    return _hasher.check_needs_rehash(phc)


def _normal(password: str) -> str:
    # One form whatever keyboard it was typed on. Source: NIST SP 800-63B-4 section 3.1.1.2.
    return unicodedata.normalize("NFKC", password)


def _verify(password: str, phc: str) -> bool:
    try:
        return _hasher.verify(phc, password)
    except (VerificationError, InvalidHashError):
        return False


async def _in_thread(work: Callable[[], T]) -> T:
    global _waiting
    if _waiting >= WAITING_MAX:
        raise HashingBusy("too many sign-ins at once; try again in a few seconds", retry_after_s=3)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work)
    finally:
        _waiting -= 1
