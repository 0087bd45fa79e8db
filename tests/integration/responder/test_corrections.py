"""Corrections on the real store: a draft appears or is withdrawn, and a rebuild agrees."""

from datetime import timedelta
from uuid import UUID

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.replies.v1 import reply_event_pb2 as proto
from chassis.errors import NeverRetry
from chassis.postgres import Pool
from services.responder import queue
from services.responder.approval import Approve
from services.responder.presentation import present
from services.responder.reply import Reply, State
from tests.corrections import correction_of
from tests.factories import NOW, make_post_classified, timestamp
from tests.integration.responder.desk import START, Desk, Said

pytestmark = pytest.mark.integration
QUESTION, COMPLAINT, OTHER = (
    classification.CATEGORY_QUESTION,
    classification.CATEGORY_COMPLAINT,
    classification.CATEGORY_OTHER,
)
ABSTAINED = classification.DECISION_ABSTAINED


async def test_what_a_person_sorts_gets_its_draft(desk: Desk) -> None:
    unsure = await desk.ask(decision=ABSTAINED)
    assert await desk.outcomes() == [("triaged", "TRIAGE")]
    await desk.hear(correction_of(unsure, QUESTION))
    reply = await desk.draft()
    assert (reply.answers, await desk.outcomes()) == ((unsure.post.name,), [("drafted", None)])


async def test_the_draft_and_the_queue_show_what_a_person_said(desk: Desk, pool: Pool) -> None:
    await desk.hear(correction_of(await desk.ask(decision=ABSTAINED), COMPLAINT))
    seen = await queue.one(pool, "acme", (await desk.draft()).reply_id)
    assert seen is not None
    assert seen.category == COMPLAINT
    (turn,) = await queue.conversation_of(pool, seen.reply)
    assert turn.classification.decision == classification.DECISION_CORRECTED


async def test_a_correction_away_from_a_question_withdraws_the_draft_and_says_why(desk: Desk) -> None:
    asked = await desk.ask()
    reply = await desk.draft()
    await desk.hear(correction_of(asked, OTHER))
    assert (await desk.reply(reply.reply_id)).detail == "RECLASSIFIED"
    told = [event.message for event in await desk.facts()]
    assert [each.WhichOneof("fact") for each in told] == ["drafted", "not_due", "stale"]
    assert told[2].stale.reason == proto.Stale.REASON_RECLASSIFIED


async def test_an_approved_answer_is_sent_whatever_the_post_is_called(desk: Desk) -> None:
    asked = await desk.ask()
    reply = await desk.draft()
    assert isinstance(await desk.decide(reply.reply_id, Approve("ann")), Reply)
    await desk.hear(correction_of(asked, OTHER))
    assert (await desk.reply(reply.reply_id)).state is State.APPROVED
    assert await desk.outcomes() == [("drafted", None)]


async def test_each_classification_of_a_post_has_a_fact_of_its_own(desk: Desk) -> None:
    unsure = await desk.ask(decision=ABSTAINED)
    for at, category in enumerate([OTHER, QUESTION, classification.CATEGORY_FEEDBACK]):
        await desk.hear(correction_of(unsure, category, time=NOW + timedelta(hours=at + 1)))
    told = await desk.facts()
    reasons = [proto.NotDue.Reason.Name(each.message.not_due.reason) for each in told]
    assert reasons == ["REASON_TRIAGE", "REASON_CHATTER", "REASON_FEEDBACK"]
    assert len({each.metadata.event_id for each in told}) == 3


async def test_every_draft_after_a_change_of_mind_has_an_id_of_its_own(desk: Desk, pool: Pool) -> None:
    asked = await desk.ask()
    drafts = [await desk.draft()]
    for hour in range(1, 9, 2):
        await desk.hear(correction_of(asked, OTHER, time=NOW + timedelta(hours=hour)))
        await desk.hear(correction_of(asked, QUESTION, time=NOW + timedelta(hours=hour + 1)))
        drafts.append(await desk.draft())
    assert len({each.reply_id for each in drafts}) == 5
    states = await pool.fetch("SELECT state, count(*) FROM reply GROUP BY state ORDER BY state")
    assert [tuple(row.values()) for row in states] == [("PENDING", 1), ("STALE", 4)]


async def test_a_correction_that_is_read_first_ends_in_the_same_tables(desk: Desk, pool: Pool) -> None:
    unsure = make_post_classified(native_id="q", decision=ABSTAINED, create_time=None)
    said: list[Said] = [unsure, correction_of(unsure, QUESTION)]
    digests = []
    for order in (said, said[::-1]):
        for each in order:
            await desk.hear(each)
        await pool.execute("UPDATE conversation SET last_said_at = 'epoch'")
        digests.append(await desk.digest())
        await pool.execute("TRUNCATE post, conversation, reply, draft_job, inbox, outbox")
    assert digests[0] == digests[1]


def ruled(*, answer_not_due: bool = False, respond_by: timedelta | None = None) -> classification.Handling:
    handling = classification.Handling(queue="q", answer_not_due=answer_not_due, rules=["vip", "silent"])
    if respond_by is not None:
        handling.respond_by.CopyFrom(timestamp(START + respond_by))
    return handling


async def test_what_the_rules_leave_unanswered_names_them(desk: Desk) -> None:
    message = make_post_classified()
    message.handling.CopyFrom(ruled(answer_not_due=True))
    await desk.hear(message)
    assert await desk.outcomes() == [("not_due", "rule:vip,silent")]
    (told,) = await desk.facts()
    assert (told.message.not_due.reason, told.message.not_due.rule) == (proto.NotDue.REASON_RULE, "vip,silent")


async def test_a_deadline_that_is_no_time_is_refused(desk: Desk) -> None:
    message = make_post_classified()
    message.handling.respond_by.seconds = 10**13
    with pytest.raises(NeverRetry, match="respond_by"):
        await desk.hear(message)


async def test_the_queue_is_worked_off_by_deadline(desk: Desk, pool: Pool) -> None:
    deadlines = {"none": None, "far": timedelta(days=3), "near": timedelta(hours=2)}
    for native_id, respond_by in deadlines.items():
        message = make_post_classified(native_id=native_id)
        message.handling.CopyFrom(ruled(respond_by=respond_by))
        await desk.hear(message)
        await desk.draft()
        desk.move(minutes=1)
    found = await queue.page(pool, "acme", [State.PENDING], queue.Position(NOW, UUID(int=0)), 10)
    assert [seen.reply.target.native_parent_id for seen in found] == ["near", "none", "far"]
    assert [present(seen.reply, seen.category).HasField("respond_by") for seen in found] == [True, False, True]
    assert found[0].reply.respond_by == START + deadlines["near"]  # type: ignore[operator] # it has one
