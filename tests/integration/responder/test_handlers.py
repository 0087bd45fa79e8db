"""Batches of classified posts: each message twice, in any order, in any cut, gives the same tables."""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from chassis.errors import NeverRetry
from chassis.messages import Outgoing
from chassis.postgres import Pool, transaction
from contracts.topics import MAX_VALUE_BYTES
from services.responder import conversations
from services.responder.drafter import Draft, DraftRequest
from services.responder.drafting import DraftingWorker
from services.responder.jobs import retry_given_up
from services.responder.settings import DraftingSettings
from tests.corrections import PERSON, correction_of
from tests.factories import NOW, make_post_classified
from tests.integration.responder.desk import Desk, Said, record_of
from tests.integration.responder.serving import until

pytestmark = pytest.mark.integration
CATEGORIES = (
    classification.CATEGORY_QUESTION,
    classification.CATEGORY_COMPLAINT,
    classification.CATEGORY_FEEDBACK,
    classification.CATEGORY_OTHER,
)
CHAT: dict[str, Any] = {"integration": "acme-chat", "network": "web_chat"}


def history(posts_wanted: int, seed: int = 1, conversations: int = 20) -> list[classification.PostClassified]:
    """Posts of several people in several threads, with the brand's own, edits and deletions among them.

    The threads are new with each call: records of other tests may lie in the same topics.
    """
    chance, run = random.Random(seed), uuid4().hex[:8]
    said = []
    for number in range(posts_wanted):
        thread = f"{run}-{chance.randrange(conversations)}"
        values: dict[str, Any] = {
            "native_id": f"{thread}-{number}",
            "thread": thread,
            "author": f"u{chance.randrange(3)}",
            "own": chance.random() < 0.1,
            "create_time": NOW.replace(microsecond=number),
            "category": chance.choice(CATEGORIES),
        }
        said.append(make_post_classified(**values))
        if chance.random() < 0.1:
            said.append(make_post_classified(**values, revision=2, state=posts.STATE_EDITED))
        if chance.random() < 0.05:
            said.append(make_post_classified(**values, revision=2, state=posts.STATE_DELETED))
    return said


def corrections(said: Sequence[classification.PostClassified], seed: int = 1) -> list[Outgoing]:
    """What people, and models that were promoted, say of a third of the posts; of some more than once."""
    chance = random.Random(seed)
    alive = [each for each in said if each.change != posts.PostReceived.CHANGE_DELETED]
    return [
        correction_of(
            chance.choice(alive),
            chance.choice(CATEGORIES),
            time=NOW + timedelta(hours=1, seconds=at),
            by=chance.choice([PERSON, PERSON, "models/other@2"]),
        )
        for at in range(len(said) // 3)
    ]


async def test_every_message_twice_leaves_the_same_tables(desk: Desk) -> None:
    said: list[Said] = [*(told := history(120)), *corrections(told)]
    await desk.hear(*said)
    before, facts = await desk.digest(), await desk.fact_names()
    for at in range(0, len(said), 7):
        await desk.hear(*said[at : at + 7], *said[at : at + 7])
    assert (await desk.digest(), await desk.fact_names()) == (before, facts)


async def test_a_replay_from_the_beginning_leaves_the_same_tables_even_without_the_inbox(desk: Desk) -> None:
    said: list[Said] = [*(told := history(120)), *corrections(told)]
    for at in range(0, len(said), 11):
        await desk.hear(*said[at : at + 11])
        await desk.worker.step()
    before, facts = await desk.digest(), await desk.fact_names()
    await desk.pool.execute("DELETE FROM inbox")
    await desk.hear(*said)
    assert (await desk.digest(), await desk.fact_names()) == (before, facts)


async def test_every_change_has_exactly_one_outcome(desk: Desk) -> None:
    said: list[Said] = [*(told := history(200)), *corrections(told)]
    random.Random(2).shuffle(said)
    for at in range(0, len(said), 13):
        await desk.hear(*said[at : at + 13])
    while await desk.worker.step():
        pass
    outcomes = await desk.outcomes()
    assert len(outcomes) == len({message.post_event_id for message in told})
    assert "due" not in {outcome for outcome, _ in outcomes}


async def test_batches_of_one_and_one_batch_agree_on_who_is_answered(desk: Desk, pool: Pool) -> None:
    said: list[Said] = [*(told := history(80)), *corrections(told)]
    for message in said:
        await desk.hear(message)
    one_by_one = await pool.fetch("SELECT author, answers, reply_id FROM draft_job ORDER BY reply_id")
    for table in ("post", "conversation", "reply", "draft_job", "inbox", "outbox"):
        await pool.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this list
    await desk.hear(*said)
    assert await pool.fetch("SELECT author, answers, reply_id FROM draft_job ORDER BY reply_id") == one_by_one


async def test_replicas_that_take_in_the_same_batch_at_once_do_it_once(desk: Desk) -> None:
    said: list[Said] = [*(told := history(60)), *corrections(told)]
    await asyncio.gather(*(desk.hear(*said) for _ in range(4)))
    assert len(await desk.outcomes()) == len({message.post_event_id for message in told})
    ids = [event.metadata.event_id for event in await desk.facts()]
    assert len(set(ids)) == len(ids)


def anonymous(minute: int, **overrides: Any) -> classification.PostClassified:
    """A question in thread "t" of whose author the network says nothing."""
    message = make_post_classified(thread="t", create_time=NOW.replace(minute=minute), **overrides)
    message.post.utterance.ClearField("author")
    return message


async def test_posts_of_unknown_authors_each_get_a_draft_of_their_own(desk: Desk) -> None:
    said = [anonymous(1), anonymous(2), anonymous(3)]
    await desk.hear(said[0])
    await desk.hear(*said[1:])
    rows = await desk.pool.fetch("SELECT answers FROM draft_job ORDER BY answers")
    assert [row["answers"] for row in rows] == sorted([message.post.name] for message in said)


async def test_an_own_post_to_an_unknown_author_answers_that_one_alone(desk: Desk) -> None:
    asked, other = anonymous(1, native_id="q"), anonymous(2)
    answer = make_post_classified(thread="t", own=True, create_time=NOW.replace(minute=3))
    answer.post.native_parent_id = "q"
    for message in (asked, other, answer):
        await desk.hear(message)
    assert await desk.pool.fetchval("SELECT array_agg(answers[1]) FROM draft_job") == [other.post.name]


async def test_an_edit_that_tells_the_author_takes_the_place_of_the_draft(desk: Desk) -> None:
    await desk.hear(anonymous(1, native_id="q"))
    edited = anonymous(1, native_id="q", revision=2, state=posts.STATE_EDITED)
    edited.post.utterance.author.subject = "kim"
    await desk.hear(edited)
    rows = await desk.pool.fetch("SELECT author, events FROM draft_job")
    assert [tuple(row.values()) for row in rows] == [("kim", [UUID(edited.post_event_id)])]


async def test_an_own_post_to_somebody_reads_the_posts_of_that_one_alone(desk: Desk) -> None:
    for minute, author in enumerate(("kim", "lee", "max")):
        await desk.ask(native_id=author, author=author, thread="t", create_time=NOW.replace(minute=minute))
    answer = make_post_classified(thread="t", own=True, create_time=NOW.replace(minute=5))
    answer.post.native_parent_id = "kim"
    incoming = desk.handlers.decode(record_of(answer)).incoming
    async with transaction(desk.pool) as connection:
        [thread] = (await conversations.load(connection, [incoming])).threads.values()
    assert [known.heard.native_id for known in thread.known.values()] == ["kim"]


async def answered(desk: Desk) -> None:
    """A question of minute 2 in chat "t", our answer, and minute 5, when the answer came back as a post."""
    reply = await desk.approved(**CHAT, native_id="q", thread="t", create_time=NOW.replace(minute=2))
    await desk.dispatcher().step()
    sent = await desk.reply(reply.reply_id)
    assert sent.native_id
    echo = {"native_id": sent.native_id, "thread": "t", "own": True, "category": classification.CATEGORY_OTHER}
    await desk.ask(**CHAT, **echo, create_time=NOW.replace(minute=5))


async def test_our_answer_that_came_back_earlier_does_not_answer_a_late_question(desk: Desk) -> None:
    await answered(desk)
    late = await desk.ask(**CHAT, thread="t", create_time=NOW.replace(minute=4))
    assert (await desk.draft()).answers == (late.post.name,)


async def test_our_answer_that_came_back_earlier_does_not_answer_what_a_person_sorts_now(desk: Desk) -> None:
    unsure = await desk.ask(
        **CHAT, thread="t", decision=classification.DECISION_ABSTAINED, create_time=NOW.replace(minute=1)
    )
    await answered(desk)
    await desk.hear(correction_of(unsure, classification.CATEGORY_QUESTION))
    assert (await desk.draft()).answers == (unsure.post.name,)


async def test_a_post_event_id_that_is_none_is_refused(desk: Desk) -> None:
    message = make_post_classified()
    message.post_event_id = "not-a-uuid"
    with pytest.raises(NeverRetry, match="post_event_id"):
        desk.handlers.decode(record_of(message))


class Poison:
    """Fails on one text and writes the others."""

    def draft(self, request: DraftRequest) -> Draft:
        if "poison" in request.texts[-1]:
            raise RuntimeError("no words")
        return Draft("Yes.", "en", (), "drafters/test@1")


async def test_a_draft_that_cannot_be_written_harms_no_other_and_is_given_up_visibly(desk: Desk) -> None:
    settings = DraftingSettings.model_validate({"max_attempts": 2})
    worker = DraftingWorker(desk.pool, Poison(), settings, desk.clock, lambda: None)
    await desk.hear(make_post_classified(text="poison"), make_post_classified(text="fine"))
    for _ in range(3):
        await worker.step()
        desk.move(minutes=5)
    jobs = await desk.pool.fetch("SELECT state, attempts, error_class FROM draft_job")
    assert [tuple(row.values()) for row in jobs] == [("failed", 2, "RuntimeError")]
    assert await desk.pool.fetchval("SELECT count(*) FROM reply") == 1

    assert await retry_given_up(desk.pool, "nobody") == 0
    assert await retry_given_up(desk.pool, "acme") == 1
    assert (await desk.draft()).answers


class Verbose:
    """Writes more than a record may hold about one text."""

    def draft(self, request: DraftRequest) -> Draft:
        words = "Yes. " * (MAX_VALUE_BYTES // 5 + 1) if "poison" in request.texts[-1] else "Yes."
        return Draft(words, "en", (), "drafters/test@1")


async def test_a_draft_that_cannot_be_kept_harms_no_other_and_is_given_up_visibly(desk: Desk) -> None:
    settings = DraftingSettings.model_validate({"max_attempts": 2})
    worker = DraftingWorker(desk.pool, Verbose(), settings, desk.clock, lambda: None)
    await desk.hear(make_post_classified(text="poison"), make_post_classified(text="fine"))
    for _ in range(3):
        await worker.step()
        desk.move(minutes=5)
    jobs = await desk.pool.fetch("SELECT state, attempts, error_class FROM draft_job")
    assert [tuple(row.values()) for row in jobs] == [("failed", 2, "ValueError")]
    assert await desk.pool.fetchval("SELECT count(*) FROM reply") == 1


async def test_a_draft_that_is_no_longer_wanted_is_not_kept(desk: Desk) -> None:
    await desk.hear(make_post_classified(native_id="q", thread="t"))
    released = asyncio.Event()

    class Slow(DraftingWorker):
        async def _keep(self, drafts: Any) -> int:
            await released.wait()
            return await super()._keep(drafts)

    working = asyncio.create_task(Slow(desk.pool, Poison(), desk.drafting, desk.clock, lambda: None).step())
    await until(lambda: desk.pool.fetchval("SELECT count(*) FROM draft_job WHERE claim IS NOT NULL"))
    await desk.hear(make_post_classified(thread="t", create_time=NOW.replace(minute=5)))
    released.set()
    await working
    assert await desk.pool.fetchval("SELECT count(*) FROM reply") == 0
    assert len((await desk.draft()).answers) == 2


@pytest.mark.slow
async def test_it_takes_in_far_more_than_five_hundred_posts_a_second(desk: Desk) -> None:
    said = [make_post_classified(native_id=uuid4().hex, category=CATEGORIES[at % 4]) for at in range(4_000)]
    records = [record_of(message, at) for at, message in enumerate(said)]
    started, cpu_at = time.perf_counter(), time.process_time()
    for at in range(0, len(records), 500):
        await desk.handlers.handle([desk.handlers.decode(record) for record in records[at : at + 500]])
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_at
    print(f"{len(said) / seconds:.0f} posts/s, {1e6 * cpu / len(said):.0f} us CPU a post")  # noqa: T201 - for the report
    assert len(said) / cpu > 500
