"""People and the conversation decide at the same time: the row locks let one of them go first."""

import asyncio
from typing import Any

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from services.responder.approval import Approve, Edit, Refusal, Reject
from services.responder.reply import Reply, State
from tests.factories import make_post_classified
from tests.integration.responder.desk import Desk

pytestmark = pytest.mark.integration
CHAT: dict[str, Any] = {"integration": "acme-chat", "network": "web_chat"}


async def test_of_two_approvers_one_wins(desk: Desk) -> None:
    await desk.ask(**CHAT)
    reply = await desk.draft()
    results = await asyncio.gather(*(desk.decide(reply.reply_id, Approve(person)) for person in ("ann", "bo")))
    assert sorted(type(result).__name__ for result in results) == ["Refusal", "Reply"]
    assert await desk.pool.fetchval("SELECT count(*) FROM delivery") == 1


async def test_an_approval_and_a_rejection_do_not_both_hold(desk: Desk) -> None:
    await desk.ask(**CHAT)
    reply = await desk.draft()
    await asyncio.gather(desk.decide(reply.reply_id, Approve("ann")), desk.decide(reply.reply_id, Reject("bo", "no")))
    await desk.dispatcher().step()
    state = (await desk.reply(reply.reply_id)).state
    messages = await desk.pool.fetchval("SELECT count(*) FROM chat_message")
    assert (state, messages) in {(State.REJECTED, 0), (State.SENT, 1)}


async def test_a_text_that_was_edited_after_its_approval_is_not_sent(desk: Desk) -> None:
    reply = await desk.approved(**CHAT)
    await desk.decide(reply.reply_id, Edit("ed", "Another text.", 280))
    await desk.dispatcher().step()
    assert (await desk.reply(reply.reply_id)).state is State.PENDING
    assert await desk.pool.fetchval("SELECT count(*) FROM chat_message") == 0


async def test_an_edited_text_is_sent_once_it_is_approved(desk: Desk) -> None:
    reply = await desk.approved(**CHAT)
    await desk.decide(reply.reply_id, Edit("ed", "Another text.", 280))
    await desk.decide(reply.reply_id, Approve("bo"))
    await desk.dispatcher().step()
    assert [row["text"] for row in await desk.pool.fetch("SELECT text FROM chat_message")] == ["Another text."]


@pytest.mark.parametrize("own", [True, False])
async def test_an_approved_text_is_not_sent_when_the_conversation_has_moved_on(desk: Desk, own: bool) -> None:  # noqa: FBT001
    reply = await desk.approved(**CHAT, native_id="q", thread="t")
    desk.move(minutes=1)
    await desk.ask(**CHAT, thread="t", own=own, create_time=desk.now, category=classification.CATEGORY_OTHER)
    await desk.dispatcher().step()
    stale = await desk.reply(reply.reply_id)
    assert (stale.state, stale.detail) == (State.STALE, "ANSWERED" if own else "NEWER_POST")
    assert await desk.pool.fetchval("SELECT count(*) FROM chat_message") == 0


async def test_a_newer_post_and_an_approval_at_once_end_in_one_of_two_ways(desk: Desk) -> None:
    await desk.ask(**CHAT, native_id="q", thread="t")
    reply = await desk.draft()
    newer = make_post_classified(**CHAT, thread="t", create_time=desk.now.replace(minute=5))
    await asyncio.gather(desk.decide(reply.reply_id, Approve("ann")), desk.hear(newer), desk.dispatcher().step())
    await desk.dispatcher().step()
    state = (await desk.reply(reply.reply_id)).state
    planned = await desk.pool.fetchval("SELECT answers FROM draft_job")
    assert (state, len(planned)) in {(State.STALE, 2), (State.SENT, 1)}


async def test_a_draft_that_nobody_wanted_in_time_expires(desk: Desk) -> None:
    await desk.ask(**CHAT)
    reply = await desk.draft()
    desk.move(hours=73)
    assert await desk.upkeep.expire() == 1
    expired = await desk.reply(reply.reply_id)
    assert (expired.state, expired.detail) == (State.STALE, "EXPIRED")


async def test_refusals_change_nothing(desk: Desk) -> None:
    reply = await desk.approved(**CHAT)
    before = await desk.digest()
    assert isinstance(await desk.decide(reply.reply_id, Approve("bo")), Refusal)
    assert await desk.digest() == before
    assert isinstance(await desk.reply(reply.reply_id), Reply)
