"""Answers over a real network: what arrived is noted once, what is unknown is looked up, nothing is sent blindly."""

import asyncio

import pytest
from standardwebhooks import Webhook

from chassis.postgres import Pool
from services.responder.approval import Resolve
from services.responder.reply import Reply, State
from tests.integration.responder.desk import START
from tests.integration.responder.dispatching import (
    approved,
    approved_as,
    desk_for,
    run,
)
from tests.integration.responder.receiver import SECRET, receiving

pytestmark = pytest.mark.integration


async def test_a_text_arrives_signed_under_the_replys_id(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk)
        headers, body = receiver.requests[0]
        signature = Webhook(SECRET).sign(str(reply.reply_id), START, body.decode())
        assert (headers["webhook-id"], headers["webhook-signature"]) == (str(reply.reply_id), signature)
        sent = await desk.reply(reply.reply_id)
        assert (sent.state, sent.native_id) == (State.SENT, f"n-{reply.reply_id}")


async def test_silence_after_success_is_found_out_and_not_sent_again(pool: Pool) -> None:
    async with receiving(answers=[None]) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk, steps=3)
        assert (await desk.reply(reply.reply_id)).state is State.SENT
        assert len(receiver.inbox) == 1
        assert await desk.fact_names() == ["drafted", "approved", "sending", "unresolved", "sent"]


async def test_silence_before_success_is_looked_up_and_then_sent_again(pool: Pool) -> None:
    async with receiving(answers=[None, 200], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk, steps=2)
        receiver.arrives = True
        await run(desk, steps=2)
        assert (await desk.reply(reply.reply_id)).state is State.SENT
        assert [webhook_id for webhook_id, _ in receiver.inbox] == [str(reply.reply_id)]


async def test_without_a_lookup_a_person_settles_it(pool: Pool) -> None:
    async with receiving(answers=[502]) as receiver, desk_for(pool, receiver, lookup=False) as desk:
        reply = await approved(desk)
        await run(desk, steps=4)
        unresolved = await desk.reply(reply.reply_id)
        assert (unresolved.state, unresolved.detail, len(receiver.inbox)) == (State.UNRESOLVED, "HTTP_502", 1)
        resolved = await desk.decide(reply.reply_id, Resolve("n-42"))
        assert isinstance(resolved, Reply)
        assert (resolved.state, resolved.native_id) == (State.SENT, "n-42")


async def test_a_lookup_that_fails_settles_nothing(pool: Pool) -> None:
    async with receiving(answers=[None], lookup_status=500) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk, steps=5)
        assert (await desk.reply(reply.reply_id)).state is State.UNRESOLVED
        assert len(receiver.inbox) == 1


async def test_a_refused_connection_is_tried_again_and_not_for_ever(pool: Pool, unused_tcp_port: int) -> None:
    async with receiving() as receiver, desk_for(pool, receiver, port=unused_tcp_port) as desk:
        reply = await approved(desk)
        await run(desk, steps=6)
        failed = await desk.reply(reply.reply_id)
        assert (failed.state, failed.attempt, failed.detail) == (State.FAILED, 3, "CONNECT_ERROR")


async def test_a_receiver_that_asks_to_wait_gets_it_later(pool: Pool) -> None:
    async with receiving(answers=[503, 429, 200], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk, steps=3)
        assert ((await desk.reply(reply.reply_id)).state, len(receiver.requests)) == (State.SENT, 3)


async def test_a_clear_no_is_final(pool: Pool) -> None:
    async with receiving(answers=[422]) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await run(desk, steps=3)
        failed = await desk.reply(reply.reply_id)
        assert (failed.state, failed.detail, len(receiver.requests)) == (State.FAILED, "HTTP_422", 1)


async def test_a_dispatcher_that_died_after_sending_is_reconciled_by_another(pool: Pool) -> None:
    async with receiving(answers=[None]) as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        dying = asyncio.create_task(desk.dispatcher().step())
        await asyncio.wait_for(receiver.heard.wait(), timeout=5)
        dying.cancel()
        await asyncio.wait({dying})
        assert (await desk.reply(reply.reply_id)).state is State.SENDING
        desk.move(seconds=30)
        await run(desk, steps=4)
        assert (await desk.reply(reply.reply_id)).state is State.SENT
        assert len(receiver.inbox) == 1


async def test_two_dispatchers_send_once(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        for native_id in ("1", "2", "3", "4"):
            await approved_as(desk, native_id)
        await asyncio.gather(*(desk.dispatcher().step() for _ in range(4)))
        assert len(receiver.inbox) == 4
        assert len({webhook_id for webhook_id, _ in receiver.inbox}) == 4


async def test_a_text_that_was_changed_behind_our_back_is_not_sent(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await pool.execute("UPDATE reply SET text = 'Send me your password.'")
        await run(desk, steps=3)
        failed = await desk.reply(reply.reply_id)
        assert (failed.state, failed.detail, receiver.requests) == (State.FAILED, "APPROVAL_MISSING", [])
