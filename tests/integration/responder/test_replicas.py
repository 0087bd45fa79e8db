"""Several responders, and what one of them learns late: it counts for the attempt that it is of, and for no other."""

import asyncio
from dataclasses import replace

import pytest

from chassis.postgres import Pool
from services.responder import deliveries
from services.responder.channels import NotArrived
from services.responder.deliveries import UnderWay
from services.responder.reply import State
from services.responder.sending import SendingNotes
from tests.integration.responder.desk import Desk
from tests.integration.responder.dispatching import (
    approved,
    desk_for,
    run,
)
from tests.integration.responder.receiver import Receiver, receiving
from tests.integration.responder.serving import until

pytestmark = pytest.mark.integration
NOTHING = UnderWay([], [])


def notes_of(desk: Desk) -> SendingNotes:
    """The notes of a replica that is late."""
    return SendingNotes(desk.pool, desk.dispatch, desk.clock, lambda: None)


async def test_of_several_replicas_one_looks_up(pool: Pool) -> None:
    async with receiving(answers=[502], lookup_status=500) as receiver, desk_for(pool, receiver) as desk:
        await approved(desk)
        await run(desk)
        receiver.gate.clear()
        others = [asyncio.create_task(desk.dispatcher().step()) for _ in range(3)]
        await until(lambda: has_asked(receiver))
        await desk.dispatcher().step()
        receiver.gate.set()
        await asyncio.gather(*others)
        assert (receiver.lookups, await pool.fetchval("SELECT lookups FROM delivery")) == (1, 2)


async def has_asked(receiver: Receiver) -> bool:
    return receiver.lookups > 0


async def test_a_late_lookup_says_nothing_of_the_next_attempt(pool: Pool) -> None:
    async with receiving(answers=[502], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk)
        [late] = await deliveries.due_to_look_up(pool, desk.now, NOTHING, 1)
        await run(desk, steps=2)
        assert await desk.fact_names() == [
            "drafted",
            "approved",
            "sending",
            "unresolved",
            "failed",
            "sending",
            "unresolved",
        ]
        await notes_of(desk).looked_up(late, NotArrived("NOT_ARRIVED"), can_look_up=True)
        unresolved = await desk.reply(reply.reply_id)
        assert (unresolved.state, unresolved.attempt) == (State.UNRESOLVED, 2)


async def test_a_lease_that_ended_says_nothing_of_the_next_attempt(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        notes = notes_of(desk)
        [due] = await deliveries.due_to_send(pool, desk.now, NOTHING, 1)
        assert await notes.begin(due, in_web_chat=False)
        desk.move(minutes=2)
        [late] = await deliveries.expired_leases(pool, desk.now, NOTHING, 1)
        await run(desk, steps=2)
        [due] = await deliveries.due_to_send(pool, desk.now, NOTHING, 1)
        assert await notes.begin(due, in_web_chat=False)
        await notes.end_lease(late, can_look_up=True)
        assert (await desk.reply(reply.reply_id)).state is State.SENDING


async def test_a_late_replica_neither_sends_what_failed_for_good_nor_skips_the_pause(pool: Pool) -> None:
    async with receiving(answers=[503, 422]) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        for attempt in (1, 2):
            [late] = await deliveries.due_to_send(pool, desk.now, NOTHING, 1)
            await desk.dispatcher().step()
            assert await notes_of(desk).begin(late, in_web_chat=False) is None
            failed = await desk.reply(reply.reply_id)
            assert (failed.state, failed.attempt, len(receiver.requests)) == (State.FAILED, attempt, attempt)
            [after] = await pool.fetch("SELECT attempt, lookups, next_at FROM delivery")
            seen = replace(late, attempt=after["attempt"], lookups=after["lookups"])
            assert await notes_of(desk).begin(seen, in_web_chat=False) is None
            desk.move(minutes=2)


@pytest.mark.parametrize("forged", ["UPDATE reply SET state = 'SENT'", "DELETE FROM reply"])
@pytest.mark.parametrize("steps", [0, 1])
async def test_a_delivery_that_contradicts_its_reply_is_left_to_a_person(pool: Pool, forged: str, steps: int) -> None:
    async with receiving(answers=[502]) as receiver, desk_for(pool, receiver) as desk:
        await approved(desk)
        await run(desk, steps=steps)
        await pool.execute(forged)
        assert [await desk.dispatcher().step() for _ in range(2)] == [1, 0]
        assert len(receiver.requests) == steps


async def test_a_lease_that_contradicts_its_reply_is_left_to_a_person(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        await approved(desk)
        [due] = await deliveries.due_to_send(pool, desk.now, NOTHING, 1)
        assert await notes_of(desk).begin(due, in_web_chat=False)
        await pool.execute("UPDATE reply SET state = 'SENT'")
        desk.move(minutes=2)
        assert [await desk.dispatcher().step() for _ in range(2)] == [1, 0]
