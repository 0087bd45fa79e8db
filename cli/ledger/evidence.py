"""Gathers the evidence, upstream first, so that what moves meanwhile is seen in flight and never as lost."""

from datetime import UTC, datetime, timedelta

import asyncpg

from chassis.kafka import KafkaSettings, committed_offsets
from cli.ledger.balance import Evidence, Stage
from cli.ledger.stores import read_accepted, read_effects
from cli.ledger.topics import read_log
from contracts.topics import FEEDBACK, RESPONDER, ROUTING

CLOCK_SLACK = timedelta(minutes=1)
"""A record may carry a broker's or a producer's clock that is behind the database's."""


async def gather(
    kafka: KafkaSettings, dsn: str, *, start: datetime | None, end: datetime | None, tenant: str | None
) -> Evidence:
    """Read stores and topics; `start` and `end` bound the time of acceptance, None is open.

    The order matters: an event that leaves a place after that place was read is found in the next one, because
    it arrives there before it leaves. Offsets are read before the effects that they promise.
    """
    connection = await asyncpg.connect(dsn)
    try:
        since = start or datetime.min.replace(tzinfo=UTC)
        accepted = await read_accepted(connection, since, end or datetime.max.replace(tzinfo=UTC), tenant)
        committed = {group: await committed_offsets(kafka, group) for group in (ROUTING, FEEDBACK, RESPONDER)}
        log = await read_log(kafka, int((start - CLOCK_SLACK).timestamp() * 1000) if start else None)
        effects = await read_effects(connection)
    finally:
        await connection.close()
    handled = effects.projected & effects.responded
    return Evidence(
        accepted=accepted.events,
        queued=accepted.queued,
        published=log.published,
        classified=log.classified,
        triaged=log.triaged,
        routing_committed=committed[ROUTING],
        feedback=Stage(effects.projected, committed[FEEDBACK]),
        responder=Stage(effects.responded, committed[RESPONDER]),
        drafted=effects.drafted,
        sent=effects.sent,
        undecided=effects.undecided,
        dead_lettered=frozenset(about for event, about in log.dead_letters if event not in handled),
        doubled=effects.doubled,
    )
