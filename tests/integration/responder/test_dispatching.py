"""Receivers that take their time, and dispatchers that stop: nobody waits for another, and what arrived is noted."""

import asyncio
import gzip

import httpx
import pytest

from chassis.postgres import Pool
from services.responder.channels import Outcome, webhook
from services.responder.deliveries import Due
from services.responder.dispatcher import Dispatcher
from services.responder.reply import State
from services.responder.sending import SendingNotes
from services.responder.settings import DispatchSettings
from tests.integration.responder.dispatching import (
    SETTINGS,
    approved,
    approved_as,
    channel_to,
    desk_for,
    dispatching,
    run,
)
from tests.integration.responder.receiver import receiving, trickling
from tests.integration.responder.serving import until
from tests.memory import peak_bytes

pytestmark = pytest.mark.integration


async def test_a_lookup_that_trickles_on_ends(pool: Pool) -> None:
    async with (
        trickling(b"HTTP/1.1 200 OK\r\nx-slow: ") as port,
        receiving(answers=[502]) as receiver,
        desk_for(pool, receiver) as desk,
        httpx.AsyncClient(timeout=2, trust_env=False) as http,
    ):
        reply = await approved(desk)
        await run(desk)
        slow = f"http://127.0.0.1:{port}/sent"
        desk.channels = {"acme-hook": channel_to(receiver.url, http, desk, slow)}
        async with asyncio.timeout(30):
            await run(desk)
        assert (await desk.reply(reply.reply_id)).state is State.UNRESOLVED
        assert await pool.fetchval("SELECT lookups FROM delivery") == 2


async def test_a_yes_whose_body_trickles_on_is_believed(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "_MAX_ANSWER_SECONDS", 0.2)
    async with (
        trickling(b"HTTP/1.1 200 OK\r\n\r\n") as port,
        receiving() as receiver,
        desk_for(pool, receiver, port=port) as desk,
    ):
        reply = await approved(desk)
        await run(desk)
        assert (await desk.reply(reply.reply_id)).state is State.SENT


async def test_a_yes_whose_body_inflates_without_end_is_believed_and_not_inflated(pool: Pool) -> None:
    bomb = gzip.compress(b"\0" * 100_000_000)
    start = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(bomb)
    async with (
        trickling(start + bomb) as port,
        receiving() as receiver,
        desk_for(pool, receiver, port=port) as desk,
    ):
        reply = await approved(desk)
        with peak_bytes() as peak:
            await run(desk)
            assert peak() < 10_000_000
        assert (await desk.reply(reply.reply_id)).state is State.SENT


async def test_a_receiver_that_does_not_answer_leaves_places_to_others(pool: Pool) -> None:
    patient = DispatchSettings.model_validate({"request_timeout_seconds": 60, "lease_seconds": 120, "concurrency": 4})
    async with (
        receiving() as dead,
        receiving() as alive,
        desk_for(pool, dead, settings=patient) as desk,
        httpx.AsyncClient(timeout=60, trust_env=False) as http,
    ):
        dead.gate.clear()
        desk.channels = {**desk.channels, "acme-other-hook": channel_to(alive.url, http, desk)}
        for number in range(4):
            await approved_as(desk, str(number))
        desk.move(minutes=1)
        await desk.approved(integration="acme-other-hook", network="generic", native_id="other")
        async with dispatching(desk):
            await asyncio.wait_for(alive.heard.wait(), timeout=15)
            assert len(dead.requests) <= 1
            dead.gate.set()
            await until(lambda: all_sent(pool, 5))


async def all_sent(pool: Pool, replies: int) -> bool:
    return await pool.fetchval("SELECT count(*) = $1 FROM reply WHERE state = 'SENT'", replies) is True


async def test_a_send_under_way_ends_before_its_dispatcher_does(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        receiver.gate.clear()
        reply = await approved_as(desk, "1")
        async with dispatching(desk) as working:
            await asyncio.wait_for(receiver.heard.wait(), timeout=5)
            working.cancel()
            await approved_as(desk, "2")
            receiver.gate.set()
            await asyncio.wait({working})
        assert (await desk.reply(reply.reply_id)).state is State.SENT
        assert len(receiver.inbox) == 1


async def test_a_send_that_never_ends_is_cut_off_and_found_out(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        receiver.gate.clear()
        reply = await approved(desk)
        async with dispatching(desk) as working:
            await asyncio.wait_for(receiver.heard.wait(), timeout=5)
            working.cancel()
            await asyncio.sleep(0)
            working.cancel()
            await asyncio.wait({working})
        assert (await desk.reply(reply.reply_id)).state is State.SENDING
        receiver.gate.set()
        desk.move(minutes=2)
        await run(desk, steps=3)
        assert (await desk.reply(reply.reply_id)).state is State.SENT
        assert len(receiver.inbox) == 1


@pytest.mark.parametrize("lost_after_commit", [False, True])
async def test_an_outcome_is_noted_although_postgresql_was_away(pool: Pool, lost_after_commit: bool) -> None:  # noqa: FBT001
    class Interrupted(SendingNotes):
        """Loses its connection at the first outcome, before the commit or after it."""

        lost = False

        async def settle(self, due: Due, attempt: int, outcome: Outcome, *, can_look_up: bool) -> None:
            if lost_after_commit or self.lost:
                await super().settle(due, attempt, outcome, can_look_up=can_look_up)
            if not self.lost:
                self.lost = True
                raise ConnectionError("gone")

    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        notes = Interrupted(pool, SETTINGS, desk.clock, lambda: None)
        dispatcher = Dispatcher(pool, notes, {}, desk.channels, settings=SETTINGS, clock=desk.clock)
        await dispatcher.step()
        assert (await desk.reply(reply.reply_id)).state is State.SENT
        assert await desk.fact_names() == ["drafted", "approved", "sending", "sent"]
