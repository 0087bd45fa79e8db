"""Relays under seeded chaos: batches that fail, hang or arrive by half, and sessions that end at any moment."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from chassis.messages import Outgoing
from chassis.postgres import Pool
from tests.integration.chassis.outboxes import (
    NewRelay,
    RecordingPublisher,
    end_sessions,
    is_empty,
    message,
    running,
    until,
    write,
)

pytestmark = pytest.mark.integration

WRITERS = 6
KEYS_PER_WRITER = 4
ROUNDS = 40


class _Chaos:
    """A far side that takes a part of a batch, refuses, or falls silent, as often as it works."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.publisher = RecordingPublisher(self.trouble)

    async def trouble(self, messages: Sequence[Outgoing]) -> None:
        await asyncio.sleep(self.random.uniform(0, 0.01))
        fate = self.random.random()
        if fate < 0.2:
            self.publisher.messages.extend(messages[: self.random.randint(0, len(messages))])
            raise ConnectionResetError
        if fate < 0.25:
            await asyncio.Event().wait()

    async def end_sessions_now_and_then(self, dsn: str) -> None:
        while True:
            await asyncio.sleep(self.random.uniform(0.05, 0.3))
            await end_sessions(dsn, self.random.choice(["one", "two"]))


async def _write_rounds(pool: Pool, writer: int) -> None:
    """Each round adds its number to every key of the writer."""
    for number in range(ROUNDS):
        await write(pool, [message(f"{writer}-{key}", str(number)) for key in range(KEYS_PER_WRITER)])


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_nothing_is_lost_and_order_per_key_holds(
    pool: Pool, new_relay: NewRelay, database_dsn: str, seed: int
) -> None:
    chaos = _Chaos(seed)
    relays = [new_relay(chaos.publisher, name=name, publish_timeout_seconds=0.2) for name in ("one", "two")]
    async with running(*relays):
        ending = asyncio.create_task(chaos.end_sessions_now_and_then(database_dsn))
        await asyncio.gather(*(_write_rounds(pool, writer) for writer in range(WRITERS)))
        await until(lambda: is_empty(pool), seconds=60)
        ending.cancel()
        await asyncio.wait({ending})
    assert ending.cancelled(), "sessions were to be ended all the time"

    in_order = [str(number).encode() for number in range(ROUNDS)]
    keys = [f"{writer}-{key}".encode() for writer in range(WRITERS) for key in range(KEYS_PER_WRITER)]
    assert chaos.publisher.first_values_by_key() == dict.fromkeys(keys, in_order)
