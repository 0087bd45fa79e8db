"""A classified post becomes a pending draft, an approved text, and one message in the web chat."""

import pytest

from services.responder.approval import Approve
from services.responder.reply import Reply, State
from tests.integration.responder.desk import Desk

pytestmark = pytest.mark.integration


async def test_a_question_gets_a_draft_with_its_evidence(desk: Desk) -> None:
    await desk.ask(text="Since update 3.2 my lamp is offline, how do I get wifi back?")
    reply = await desk.draft()
    assert (reply.state, reply.evidence[0].article) == (State.PENDING, "articles/wifi-after-update-3-2")
    assert await desk.outcomes() == [("drafted", None)]


async def test_an_approved_text_reaches_the_visitor_once(desk: Desk) -> None:
    reply = await desk.approved(integration="acme-chat", network="web_chat")
    dispatcher = desk.dispatcher()
    assert [await dispatcher.step() for _ in range(3)] == [1, 0, 0]
    messages = await desk.pool.fetch("SELECT session, text FROM chat_message")
    assert [tuple(each.values()) for each in messages] == [(reply.target.native_thread_id, reply.text)]
    assert await desk.fact_names() == ["drafted", "approved", "sending", "sent"]


async def test_every_fact_has_an_id_of_its_own_and_the_conversation_as_key(desk: Desk) -> None:
    reply = await desk.approved(integration="acme-chat", network="web_chat")
    await desk.dispatcher().step()
    facts = await desk.facts()
    assert len({event.metadata.event_id for event in facts}) == len(facts)
    assert {row["key"] for row in await desk.pool.fetch("SELECT key FROM outbox")} == {reply.conversation.encode()}


async def test_four_eyes_need_two_people(desk: Desk) -> None:
    desk.drafting = desk.drafting.model_copy(update={"approvals_required": 2})
    desk.__post_init__()
    await desk.ask()
    reply = await desk.draft()
    once = await desk.decide(reply.reply_id, Approve("ann"))
    assert isinstance(once, Reply)
    assert once.state is State.PENDING
    twice = await desk.decide(reply.reply_id, Approve("bo"))
    assert isinstance(twice, Reply)
    assert twice.state is State.APPROVED
