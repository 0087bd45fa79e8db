"""Answers over a real network: what arrived is noted once, what is unknown is looked up, nothing is sent blindly."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from ascolto.classification.v1.classification_pb2 import CATEGORY_OTHER
from ascolto.posts.v1 import post_pb2 as posts
from chassis.postgres import Pool
from contracts.integrations import WebhookReply
from services.responder import deliveries
from services.responder.approval import Approve, Edit, Resolve
from services.responder.channels import NotArrived, Outcome, webhook
from services.responder.channels.webhook import WebhookChannel
from services.responder.deliveries import Due, UnderWay
from services.responder.dispatcher import Dispatcher
from services.responder.reply import Reply, State
from services.responder.sending import SendingNotes
from services.responder.settings import DispatchSettings
from tests.factories import make_post_classified
from tests.integration.responder.desk import START, Desk, Said
from tests.integration.responder.receiver import SECRET, Receiver, receiving, trickling
from tests.integration.responder.serving import until
from tests.memory import peak_bytes

pytestmark = pytest.mark.integration
SETTINGS = DispatchSettings.model_validate({"request_timeout_seconds": 2, "lease_seconds": 60, "max_attempts": 3})


@asynccontextmanager
async def desk_for(
    pool: Pool,
    receiver: Receiver,
    *,
    lookup: bool = True,
    port: int | None = None,
    settings: DispatchSettings = SETTINGS,
) -> AsyncIterator[Desk]:
    """A desk whose integration acme-hook answers to the receiver, or to whoever listens on `port`."""
    url = receiver.url if port is None else f"http://127.0.0.1:{port}/in"
    async with httpx.AsyncClient(timeout=settings.request_timeout_seconds, trust_env=False) as http:
        desk = Desk(pool, dispatch=settings)
        desk.channels = {"acme-hook": channel_to(url, http, desk, receiver.lookup_url if lookup else None)}
        yield desk


def channel_to(url: str, http: httpx.AsyncClient, desk: Desk, lookup_url: str | None = None) -> WebhookChannel:
    config = {"channel": "webhook", "url": url, "secret": f"plain:{SECRET}"}
    config |= {"lookup_url": lookup_url} if lookup_url else {}
    return WebhookChannel(WebhookReply.model_validate(config), http, desk.clock)


@asynccontextmanager
async def dispatching(desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    """A dispatcher at work."""
    working = asyncio.create_task(desk.dispatcher().run())
    try:
        yield working
    finally:
        working.cancel()
        await asyncio.wait({working})


async def approved(desk: Desk) -> Reply:
    return await desk.approved(integration="acme-hook", network="generic")


async def run(desk: Desk, steps: int = 1, minutes: float = 2) -> None:
    """Several looks of a dispatcher, with time between them."""
    for _ in range(steps):
        await desk.dispatcher().step()
        desk.move(minutes=minutes)


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


async def approved_as(desk: Desk, native_id: str) -> Reply:
    return await desk.approved(integration="acme-hook", network="generic", native_id=native_id)


async def test_a_text_that_was_changed_behind_our_back_is_not_sent(pool: Pool) -> None:
    async with receiving() as receiver, desk_for(pool, receiver) as desk:
        reply = await approved(desk)
        await pool.execute("UPDATE reply SET text = 'Send me your password.'")
        await run(desk, steps=3)
        failed = await desk.reply(reply.reply_id)
        assert (failed.state, failed.detail, receiver.requests) == (State.FAILED, "APPROVAL_MISSING", [])


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


HOOK: dict[str, Any] = {"integration": "acme-hook", "network": "generic", "thread": "t"}


async def unresolved(desk: Desk) -> Reply:
    """A reply whose fate is unknown."""
    reply = await desk.approved(**HOOK, native_id="q", author="mia")
    await run(desk)
    assert (await desk.reply(reply.reply_id)).state is State.UNRESOLVED
    return reply


async def not_arrived(desk: Desk, reply: Reply, *meanwhile: Said) -> Reply:
    """What becomes of it where the conversation goes on before a lookup says that it has not arrived."""
    for each in meanwhile:
        await desk.hear(each)
    await run(desk, steps=2)
    return await desk.reply(reply.reply_id)


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"native_id": "q", "author": "mia", "revision": 2, "state": posts.STATE_DELETED},
        {"native_id": "q", "author": "mia", "revision": 2, "state": posts.STATE_EDITED, "text": "Never mind?"},
        {"native_id": "q2", "author": "mia", "text": "It works again.", "category": CATEGORY_OTHER},
        {"native_id": "b", "own": True, "text": "Done by hand.", "category": CATEGORY_OTHER},
    ],
)
async def test_what_had_not_arrived_is_not_sent_where_the_conversation_moved_on(
    pool: Pool, meanwhile: dict[str, Any]
) -> None:
    async with receiving(answers=[502, 200], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        said = make_post_classified(**HOOK, **meanwhile, create_time=START.replace(minute=30))
        failed = await not_arrived(desk, await unresolved(desk), said)
        assert (failed.state, failed.detail) == (State.FAILED, "CONVERSATION_MOVED_ON")
        assert len(receiver.requests) == 1
        assert await desk.dispatcher().step() == 0
        await desk.decide(failed.reply_id, Edit("ed", "Better.", 280))
        await desk.decide(failed.reply_id, Approve("ann"))
        await run(desk)
        assert (await desk.reply(failed.reply_id)).state is State.SENT


async def test_its_own_text_in_the_thread_says_that_it_arrived(pool: Pool) -> None:
    async with receiving(answers=[502, 200], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        reply = await unresolved(desk)
        echo = make_post_classified(**HOOK, own=True, text=reply.text, category=CATEGORY_OTHER, create_time=desk.now)
        failed = await not_arrived(desk, reply, echo)
        assert (failed.detail, len(receiver.requests)) == ("CONVERSATION_MOVED_ON", 1)


async def test_what_is_said_to_others_meanwhile_keeps_nothing_back(pool: Pool) -> None:
    async with receiving(answers=[502, 200], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        reply = await unresolved(desk)
        other = make_post_classified(**HOOK, native_id="x", author="leo", category=CATEGORY_OTHER, create_time=desk.now)
        own = make_post_classified(**HOOK, own=True, text="Hi Leo.", category=CATEGORY_OTHER, create_time=desk.now)
        own.post.native_parent_id = "x"
        sent = await not_arrived(desk, reply, other, own)
        assert (sent.state, len(receiver.requests)) == (State.SENT, 2)


async def test_another_answer_of_ours_that_comes_back_keeps_nothing_back(pool: Pool) -> None:
    async with receiving(answers=[502, 200], arrives=False) as receiver, desk_for(pool, receiver) as desk:
        reply = await unresolved(desk)
        other = await desk.approved(**HOOK, native_id="x", author="leo", text="How do I get wifi back?")
        await pool.execute("UPDATE delivery SET next_at = $1 WHERE state = 'unknown'", desk.now + timedelta(hours=1))
        await run(desk)
        sent = await desk.reply(other.reply_id)
        assert (sent.state, sent.text != reply.text) == (State.SENT, True)
        echo = make_post_classified(**HOOK, own=True, text=sent.text, category=CATEGORY_OTHER, create_time=desk.now)
        desk.move(hours=1)
        assert (await not_arrived(desk, reply, echo)).state is State.SENT
