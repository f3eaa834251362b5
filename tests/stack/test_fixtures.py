"""The fixtures that everybody else's tests stand on."""

import aio_pika
import asyncpg


async def test_a_module_gets_a_superuser_of_an_empty_database(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()
    assert (tables, superuser) == (0, True)


async def test_a_module_gets_a_vhost_that_carries_durable_messages(broker_url: str) -> None:
    connection = await aio_pika.connect(broker_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("fixtures", durable=True, arguments={"x-queue-type": "quorum"})
        await channel.default_exchange.publish(aio_pika.Message(b"hello"), queue.name)
        received = await queue.get(timeout=60)
        async with received.process():
            assert received.body == b"hello"
