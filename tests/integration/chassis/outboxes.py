"""Filling outboxes, running relays, and a far side that remembers what it was sent and misbehaves when told."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import asyncpg

from chassis.messages import Outgoing
from chassis.outbox import Relay, enqueue
from chassis.postgres import Pool, transaction

NewRelay = Callable[..., Relay]


class RecordingPublisher:
    """Keeps the messages in the order of their acknowledgement; `trouble` is awaited before each batch."""

    def __init__(self, trouble: Callable[[Sequence[Outgoing]], Awaitable[None]] | None = None) -> None:
        self.messages: list[Outgoing] = []
        self.batches: list[int] = []
        self.trouble = trouble

    async def publish_all(self, messages: Sequence[Outgoing]) -> None:
        if self.trouble:
            await self.trouble(messages)
        await asyncio.sleep(0)
        self.messages.extend(messages)
        self.batches.append(len(messages))

    def values(self) -> list[bytes]:
        return [message.value for message in self.messages]

    def first_values_by_key(self) -> dict[bytes, list[bytes]]:
        """The values of each key, repeats left out: what a consumer with an inbox handles."""
        found: defaultdict[bytes, dict[bytes, None]] = defaultdict(dict)
        for message in self.messages:
            found[message.key].setdefault(message.value)
        return {key: list(values) for key, values in found.items()}


@asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Run `relays` inside the block; a failure of one shows when the block is left."""
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 15.0) -> None:
    """Poll `condition` until it holds; TimeoutError after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - what is awaited happens in a server
            await asyncio.sleep(0.02)


def message(key: str, value: str) -> Outgoing:
    headers = (("ce_id", value.encode()), ("odd", '\x00\u00e9"\\'.encode()))
    return Outgoing("topic", key.encode(), value.encode(), headers)


async def write(pool: Pool, messages: Sequence[Outgoing]) -> None:
    async with transaction(pool) as connection:
        await enqueue(connection, messages)


async def is_empty(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) = 0 FROM outbox"))


async def end_sessions(dsn: str, application_name: str) -> None:
    """End sessions as a restart of the server or a lost line would."""
    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", application_name
        )
    finally:
        await admin.close()
