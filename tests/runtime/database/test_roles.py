import asyncio

import asyncpg
import pytest
from weft_runtime.database import provision
from weft_runtime.database.roles import password_of, service_urls
from weft_runtime.database.tenancy import quote
from weft_runtime.testing.running import TEST_SECRET

from tests.support.isolation import SharedStack


async def attempt(url: str, statement: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    except asyncpg.PostgresError as refused:
        return type(refused).__name__
    finally:
        await connection.close()
    return "done"


async def test_roles_can_be_provisioned_again_and_at_once(database_url: str) -> None:
    first, *others = await asyncio.gather(*(provision(database_url, "alpha", TEST_SECRET) for _ in range(4)))
    assert all(other == first for other in others)
    assert first == service_urls(database_url, "alpha", TEST_SECRET)
    assert await attempt(first.owner, "SELECT 1") == await attempt(first.api, "SELECT 1") == "done"


async def test_roles_can_be_provisioned_for_several_databases_of_a_server_at_once(stack: SharedStack) -> None:
    databases = [stack.new_database() for _ in range(3)]
    made = await asyncio.gather(*(provision(url, "gamma", TEST_SECRET) for url in databases * 4))
    works = [await attempt(url, "SELECT 1") for urls in made for url in (urls.owner, urls.api)]
    for url in databases:
        stack.drop_database(url)
    assert works == ["done"] * 24


async def test_a_role_has_rights_on_its_own_schema_and_on_nothing_else(database_url: str) -> None:
    alpha = await provision(database_url, "alpha", TEST_SECRET)
    beta = await provision(database_url, "beta", TEST_SECRET)
    assert await attempt(alpha.owner, "CREATE TABLE IF NOT EXISTS alpha.things (id int)") == "done"
    for url, statement in (
        (beta.owner, "SELECT * FROM alpha.things"),
        (beta.api, "SELECT * FROM alpha.things"),
        (alpha.api, "SELECT * FROM alpha.things"),
        (beta.owner, "CREATE TABLE alpha.intruder (id int)"),
        (alpha.api, "CREATE TABLE alpha.intruder (id int)"),
        (alpha.owner, "CREATE TABLE public.intruder (id int)"),
        (alpha.owner, "CREATE SCHEMA intruder"),
        (alpha.owner, "CREATE TEMP TABLE intruder (id int)"),
        (alpha.owner, "CREATE ROLE intruder"),
        (alpha.api, "SET ROLE alpha"),
        (alpha.owner, "SELECT pg_read_file('/etc/passwd')"),
    ):
        assert await attempt(url, statement) == "InsufficientPrivilegeError", statement


def test_passwords_are_of_the_installation_and_the_role() -> None:
    assert len({password_of("s1", "a"), password_of("s1", "b"), password_of("s2", "a")}) == 3


@pytest.mark.parametrize("name", ["a b", 'a"; DROP', "", "Alpha"])
def test_a_name_that_is_no_plain_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="plain"):
        quote(name)
