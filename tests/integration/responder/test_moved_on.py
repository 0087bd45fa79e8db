"""A conversation that moved on while an answer was under way: a person decides, and nothing is sent again."""

from datetime import timedelta
from typing import Any

import pytest

from ascolto.classification.v1.classification_pb2 import CATEGORY_OTHER
from ascolto.posts.v1 import post_pb2 as posts
from chassis.postgres import Pool
from services.responder.approval import Approve, Edit
from services.responder.reply import Reply, State
from tests.factories import make_post_classified
from tests.integration.responder.desk import START, Desk, Said
from tests.integration.responder.dispatching import desk_for, run
from tests.integration.responder.receiver import receiving

pytestmark = pytest.mark.integration
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
