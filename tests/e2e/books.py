"""Reads the ledger and waits until it has nothing in flight."""

import asyncio
import time
from collections import defaultdict
from datetime import datetime
from typing import Final

import asyncpg

from chassis.kafka import KafkaSettings, committed_offsets, end_offsets, read_range
from cli.ledger.balance import Evidence, Ledger, balance
from cli.ledger.evidence import gather
from contracts.topics import FEEDBACK, RESPONDER, ROUTING, ROUTING_DECISIONS, TOPICS, consumed_by
from local.stack import Stack

SETTLE_SECONDS: Final = 240.0
POLL_SECONDS: Final = 0.5
WAITING = " + ".join(f"(select count(*) from {schema}.outbox)" for schema in ("ingest", "routing", "responder"))  # noqa: S608 - names of ours


class UnsettledError(AssertionError):
    """Something is still in flight long after the last post was accepted."""


def settled(stack: Stack, since: datetime, seconds: float = SETTLE_SECONDS) -> tuple[Evidence, Ledger]:
    """Wait until everything accepted from `since` on has arrived, and answer the books as they then are."""
    return asyncio.run(_settled(stack, since, time.monotonic() + seconds))


def read(stack: Stack, since: datetime) -> tuple[Evidence, Ledger]:
    """The books as they are at this moment."""
    return asyncio.run(_read(stack, since))


async def _settled(stack: Stack, since: datetime, give_up_at: float) -> tuple[Evidence, Ledger]:
    ledger = None
    while time.monotonic() < give_up_at:
        if not (unread := await backlog(stack)):
            evidence, ledger = await _read(stack, since)
            if not ledger.in_flight:
                return evidence, ledger
        await asyncio.sleep(POLL_SECONDS)
    raise UnsettledError(f"backlog: {unread}; ledger: {ledger}")


async def _read(stack: Stack, since: datetime) -> tuple[Evidence, Ledger]:
    evidence = await gather(kafka_of(stack), stack.postgres_dsn, start=since, end=None, tenant=None)
    return evidence, balance(evidence)


async def backlog(stack: Stack) -> dict[str, int]:
    """What waits in the outboxes and before each consumer; what does not wait is left out."""
    kafka = kafka_of(stack)
    waiting = {"outboxes": await _in_outboxes(stack.postgres_dsn)}
    for group in (ROUTING, ROUTING_DECISIONS, RESPONDER, FEEDBACK):
        ends = await end_offsets(kafka, [topic.name for topic in consumed_by(group)])
        committed = await committed_offsets(kafka, group)
        waiting[group] = sum(max(end - committed.get(at, 0), 0) for at, end in ends.items())
    return {place: number for place, number in waiting.items() if number}


def ambiguous_ids(stack: Stack, since: datetime) -> list[str]:
    """The event ids under which two different contents were published since: receivers keep the first alone."""
    return asyncio.run(_ambiguous_ids(kafka_of(stack), int(since.timestamp() * 1000)))


async def _ambiguous_ids(kafka: KafkaSettings, start_ms: int) -> list[str]:
    contents: defaultdict[str, set[bytes | None]] = defaultdict(set)
    for topic in TOPICS:
        async for record in read_range(kafka, topic.name, start_ms=start_ms):
            contents[dict(record.headers)["ce_id"].decode()].add(record.value)
    return [event_id for event_id, values in contents.items() if len(values) > 1]


async def _in_outboxes(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(f"select {WAITING}"))
    finally:
        await connection.close()


def kafka_of(stack: Stack) -> KafkaSettings:
    """How to reach the stack's Kafka."""
    return KafkaSettings(bootstrap_servers=tuple(stack.bootstrap_servers.split(",")))
